/**
 * report — results of a load run as text, JSON and Markdown
 *
 * A result can be read without this machine: it names the command and the seed that give it again, and the
 * versions and kind of machine behind it, but no path and no host name.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { arch, cpus, release, totalmem, type } from 'node:os';
import { dirname } from 'node:path';
import type { Glance, LoadResult } from './load.ts';
import type { Plan } from './plan.ts';
import { planDefaults } from './plan.ts';
import { markdownTable, milliseconds, plainTable } from './tables.ts';
import type { Table } from './tables.ts';
import { endings } from './tally.ts';
import type { Ending, TallySummary } from './tally.ts';

/** What a figure was measured on. */
export interface Machine {
  readonly project: string;
  readonly node: string;
  readonly os: string;
  readonly cpu: string;
  readonly memoryGb: number;
}

/** The machine and the project's version, as far as they can be known. */
export function machine(): Machine {
  const cores = cpus();
  return {
    project: describeProject(),
    node: process.version,
    os: `${type()} ${release()} ${arch()}`,
    cpu: `${cores.length} × ${cores[0]?.model ?? 'unknown'}`,
    memoryGb: Math.round(totalmem() / 2 ** 30),
  };
}

function describeProject(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty', '--tags'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unversioned';
  }
}

/** The command that gives a plan again; what is default is left out. */
export function commandOf(plan: Plan): string {
  const words = ['npm run load --', `--target ${plan.target.host}:${plan.target.port}`];
  const flag = (name: string, value: number | string, usual: number | string): void => {
    if (value !== usual) words.push(`--${name} ${value}`);
  };
  words.push(`--population ${plan.population}`, `--sessions ${plan.sessions}`, `--rate ${plan.rate}`);
  words.push(`--duration ${plan.durationMs / 1_000}`, `--seed ${plan.seed}`);
  if (plan.keep) words.push('--keep');
  flag('curve', plan.curve, planDefaults.curve);
  flag('honest', plan.honestPerSecond, planDefaults.honestPerSecond);
  flag('honest-sessions', plan.honestSessions, planDefaults.honestSessions);
  flag('honest-addresses', plan.honestAddresses, planDefaults.honestAddresses);
  flag('grace', plan.graceMs / 1_000, planDefaults.graceMs / 1_000);
  flag('domain', plan.rcptDomain, planDefaults.rcptDomain);
  flag('patience', plan.patiencePercent, planDefaults.patiencePercent);
  return words.join(' ');
}

/** One line for a terminal while a run goes on. */
export function glanceLine(glance: Glance): string {
  return (
    `${String(glance.seconds).padStart(4)} s  zombies ${glance.zombiesOpen} open, ${glance.zombiesGone} gone, ` +
    `${glance.zombiesDelivered} delivered · honest ${glance.honestOpen} open, ${glance.honestDelivered} delivered of ` +
    `${glance.honestStarted}, p99 ${milliseconds(glance.honestDeliverMsP99)}`
  );
}

const KIND_HEAD = [
  'kind',
  'started',
  'greeted',
  'finished',
  'refused',
  'gave up',
  'by server',
  'cut',
  'other',
  'p50 age',
  'p90 age',
  '2xx',
  '4xx',
  '5xx',
  'none',
];

function kindRow(kind: TallySummary): string[] {
  const ended = (...names: Ending[]): number =>
    names.reduce(
      (sum, name) => sum + Object.values(kind.ended[name] ?? {}).reduce((all, count) => all + count, 0),
      0,
    );
  const { messages } = kind;
  const cells = [
    kind.started,
    kind.greeted,
    ended('finished'),
    ended('refused'),
    ended('gaveUp'),
    ended('closedByServer', 'resetByServer'),
    ended('cut'),
    ended('misled', 'connectFailed'),
    milliseconds(kind.ageMs.p50),
    milliseconds(kind.ageMs.p90),
    messages.told2xx,
    messages.told4xx,
    messages.told5xx,
    messages.unanswered,
  ];
  return [kind.name, ...cells.map(String)];
}

const TIME_HEAD = ['honest senders', 'count', 'p50', 'p90', 'p99', 'p99.9', 'max'];

function timeRows(honest: TallySummary): string[][] {
  const row = (name: string, spread: TallySummary['ageMs']): string[] => [
    name,
    String(spread.count),
    ...[spread.p50, spread.p90, spread.p99, spread.p999, spread.max].map(milliseconds),
  ];
  return [
    row('connect to last greeting line', honest.greetMs),
    row('connect to 250', honest.deliverMs),
    row('longest wait for one reply', honest.longestWaitMs),
  ];
}

function stageSentence(honest: TallySummary): string {
  const parts = Object.entries(honest.stageWaitMsMax).filter(([, ms]) => ms > 0);
  return parts.map(([stage, ms]) => `${stage} ${milliseconds(ms)}`).join(', ');
}

/** What went wrong with honest mail, as sentences; empty when nothing did. */
export function honestTroubles(result: LoadResult): string[] {
  const troubles: string[] = [];
  for (const kind of result.kinds.filter((one) => one.honest)) {
    for (const [ending, stages] of Object.entries(kind.ended) as [Ending, Record<string, number>][]) {
      if (ending === 'finished') continue;
      const where = Object.entries(stages).map(([stage, count]) => `${count} at ${stage}`);
      troubles.push(`honest sessions that did not finish: ${endings[ending]} (${where.join(', ')})`);
    }
    if (kind.started > 0 && kind.messages.told2xx === 0) troubles.push('no honest message was told 250');
  }
  if (result.kinds.every((kind) => kind.connected === 0)) troubles.push('no connection was made');
  return troubles;
}

/** The result as plain text. */
export function textOf(result: LoadResult): string {
  const lines = [
    plainTable(KIND_HEAD, result.kinds.map(kindRow)),
    '',
    ...honestLines(result, plainTable),
    `${result.connectionsOpenMax} connections open at the most, ${result.withheld} clients withheld, run took ${milliseconds(result.elapsedMs)}`,
    ...errorLines(result),
    ...honestTroubles(result),
  ];
  return `${lines.join('\n')}\n`;
}

/** The result as Markdown, for the results folder. */
export function markdownOf(result: LoadResult, made: Machine): string {
  const lines = [
    `# Load: ${result.plan.population}, ${zombiesStarted(result)} zombies, ${result.plan.honestPerSecond} honest sessions a second`,
    '',
    `    ${commandOf(result.plan)}`,
    '',
    `Seed ${result.plan.seed} · project ${made.project} · Node ${made.node} · ${made.os} · ${made.cpu} · ${made.memoryGb} GB`,
    '',
    markdownTable(KIND_HEAD, result.kinds.map(kindRow)),
    '',
    ...honestLines(result, markdownTable),
    `${result.connectionsOpenMax} connections were open at the most, ${result.withheld} clients were withheld, the run took ${milliseconds(result.elapsedMs)}.`,
    ...errorLines(result),
    ...honestTroubles(result),
  ];
  return `${lines.join('\n')}\n`;
}

/** Writes `base`.json and `base`.md; folders are made as needed. */
export function writeResults(base: string, result: LoadResult): void {
  const made = machine();
  mkdirSync(dirname(base), { recursive: true });
  writeFileSync(
    `${base}.json`,
    `${JSON.stringify({ command: commandOf(result.plan), machine: made, ...result }, null, 2)}\n`,
  );
  writeFileSync(`${base}.md`, markdownOf(result, made));
}

function zombiesStarted(result: LoadResult): number {
  return result.kinds.filter((kind) => !kind.honest).reduce((sum, kind) => sum + kind.started, 0);
}

function honestLines(result: LoadResult, table: Table): string[] {
  return result.kinds
    .filter((kind) => kind.honest && kind.started > 0)
    .flatMap((kind) => [
      table(TIME_HEAD, timeRows(kind)),
      '',
      `Longest wait of ${kind.name} at each stage: ${stageSentence(kind)}.`,
      '',
    ]);
}

function errorLines(result: LoadResult): string[] {
  const errors = Object.entries(result.errors).map(([code, count]) => `${code} ${count}`);
  return errors.length === 0 ? [] : [`socket errors: ${errors.join(', ')}`];
}
