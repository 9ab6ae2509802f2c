/**
 * simulate-text — what simulated plans came to, as text, as Markdown and as a picture
 *
 * One plan: a row for each kind of zombie, the honest, the slots. Several: the frontier, a row for each plan, with a star at those
 * that no other plan beats. Figures over several seeds are means.
 */
import { agePicture } from '../../loadgen/pictures/age-picture.ts';
import { frontierPicture } from '../../loadgen/pictures/frontier-picture.ts';
import { machine } from '../../loadgen/report.ts';
import { markdownTable, milliseconds, plainTable } from '../../loadgen/tables.ts';
import type { Table } from '../../loadgen/tables.ts';
import { LEAVING_SECONDS } from '../../loadgen/virtual/figures.ts';
import type { Figures, HonestFigures, ZombieFigures } from '../../loadgen/virtual/figures.ts';
import { frontierOf, judgedOf, outcomeOf } from '../../loadgen/virtual/frontier.ts';
import type { Outcome, Spread } from '../../loadgen/virtual/frontier.ts';
import { writeDuration } from '../config/units.ts';
import { aligned } from './output.ts';

/** A plan with its figures, one for each seed. */
export interface PlanResult {
  readonly name: string;
  readonly runs: readonly Figures[];
}

export interface SimulationResult {
  readonly command: string;
  readonly population: string;
  readonly sessions: number;
  readonly honest: number;
  readonly durationMs: number;
  readonly seeds: readonly number[];
  readonly plans: readonly PlanResult[];
}

interface Ranked {
  readonly number: number;
  readonly name: string;
  readonly outcome: Outcome;
  readonly isOnFrontier: boolean;
}

/** Everything for a terminal. */
export function textOf(result: SimulationResult): string {
  const tables = result.plans.flatMap(({ name, runs }) =>
    runs.map((run, at) => {
      const seed = `seed ${result.seeds[at]}`;
      return `${result.plans.length > 1 ? `${name}, ` : ''}${seed}\n\n${runText(run, plainTable)}\n`;
    }),
  );
  const sentence = `${crowdOf(result)}.\n\n`;
  if (result.plans.length === 1) return sentence + tables.join('\n');
  return `${sentence}${tables.join('\n')}\n${frontierText(rankedOf(result), plainTable)}\n`;
}

/** What the machine had to do with it. */
export interface Cost {
  readonly tookMs: number;
  /** Most memory that the process had, MiB. */
  readonly peakMb: number;
}

/** Everything for the results folder; the picture stands beside it. */
export function markdownOf(result: SimulationResult, base: string, { tookMs, peakMb }: Cost): string {
  const made = machine();
  const count = result.plans.length * result.seeds.length;
  const picture = base.slice(base.lastIndexOf('/') + 1);
  const lines = [
    `# Simulated: ${result.plans.length === 1 ? 'one plan' : `${result.plans.length} plans`} against the population "${result.population}"`,
    '',
    `    ${result.command}`,
    '',
    `Project ${made.project} · Node ${made.node}. On the virtual clock: the figures do not hang on the machine. ${crowdOf(result)}.`,
    `${count === 1 ? 'The run' : `The ${count} runs`} took ${milliseconds(tookMs)} and ${peakMb} MiB at most, on ${made.cpu}, ${made.os}.`,
    '',
    `![${result.plans.length === 1 ? 'When zombies left' : 'The frontier'}](${picture}.svg)`,
    '',
  ];
  if (result.plans.length > 1) {
    lines.push('## The frontier', '', frontierText(rankedOf(result), markdownTable), '');
  }
  for (const { name, runs } of result.plans) {
    // Of many plans only the first seed is told in full.
    const shown = result.plans.length > 1 ? runs.slice(0, 1) : runs;
    shown.forEach((run, at) =>
      lines.push(`## ${name}, seed ${result.seeds[at]}`, '', runText(run, markdownTable), ''),
    );
  }
  return lines.join('\n');
}

/** One plan: when zombies left. Several: the frontier. */
export function pictureOf(result: SimulationResult): string {
  const ranked = rankedOf(result);
  if (ranked.length > 1) {
    const title = 'Plans: zombies gone before delivery, and what that costs';
    return frontierPicture(ranked, title, `${crowdOf(result)}; crosses reach over the seeds`);
  }
  const { runs } = result.plans[0]!;
  const inAll = (ofRun: (run: Figures) => readonly number[]): readonly number[] =>
    Array.from({ length: LEAVING_SECONDS }, (_, second) =>
      runs.reduce((sum, run) => sum + ofRun(run)[second]!, 0),
    );
  const groups = runs[0]!.kinds.map(({ kind }, place) => ({
    words: kind,
    counts: inAll(({ leaving }) => leaving[place]!),
  }));
  const served = { words: 'any, with something delivered', isRest: true };
  return agePicture({
    groups: [...groups, { ...served, counts: inAll(({ leavingServed }) => leavingServed) }],
    edgesMs: Array.from({ length: LEAVING_SECONDS }, (_, second) => second * 1_000),
    title: 'When zombies left',
    under: crowdOf(result),
    axis: 'seconds from connecting to the end, logarithmic; zombies in each second',
  });
}

function crowdOf({ population, sessions, honest, durationMs, seeds }: SimulationResult): string {
  const many = (count: number): string => count.toLocaleString('en');
  const named = seeds.length === 1 ? `seed ${seeds[0]}` : `seeds ${seeds.join(', ')}`;
  return `${many(sessions)} zombies of the population "${population}" and ${many(honest)} honest messages within ${writeDuration(durationMs)}, ${named}`;
}

function rankedOf({ plans }: SimulationResult): readonly Ranked[] {
  const outcomes = plans.map(({ runs }) => outcomeOf(runs));
  const isOn = frontierOf(outcomes.map(judgedOf));
  return plans.map(({ name }, at) => ({
    number: at + 1,
    name,
    outcome: outcomes[at]!,
    isOnFrontier: isOn[at]!,
  }));
}

function runText(run: Figures, table: Table): string {
  const rows = [...run.kinds.filter(({ sessions }) => sessions > 0), run.zombies].map(zombieRow);
  const { all, known, unknown } = run.honest;
  const some = run.honest.kinds.filter(({ sessions }) => sessions > 0);
  const honest = [
    ...(some.length > 1 ? some.map((one) => honestRow(one.kind, one)) : []),
    honestRow('known senders', known),
    honestRow('unknown senders', unknown),
    honestRow('all', all),
  ];
  const slots = [
    ['slots held at once, peak', String(run.slots.peak)],
    ['slots held at once, mean', run.slots.mean.toFixed(1)],
    [
      'families in the log',
      run.families.map(({ name, sessions }) => `${name} ${sessions}`).join(', ') || 'none',
    ],
  ];
  const last = table === plainTable ? aligned(slots).trimEnd() : table(['slots and families', ''], slots);
  return [
    table(
      [
        'zombies',
        'sessions',
        'gone',
        'left after (median)',
        'messages',
        'a zombie-hour',
        'slot-s each',
        'bytes each',
      ],
      rows,
    ),
    '',
    table(['honest', 'sessions', 'delivered', 'delay p50', 'delay p99', 'to 250 p50', 'to 250 p99'], honest),
    '',
    last,
  ].join('\n');
}

function zombieRow(one: ZombieFigures): string[] {
  return [
    one.kind,
    String(one.sessions),
    percent(one.goneShare),
    time(one.leftMs),
    String(one.messages),
    fixed(one.messagesPerHour, 2),
    fixed(one.slotSecPerSession, 1),
    fixed(one.bytesPerSession, 0),
  ];
}

function honestRow(name: string, one: HonestFigures): string[] {
  const { sessions, delivered, delayMs, deliverMs } = one;
  return [
    name,
    String(sessions),
    percent(sessions === 0 ? null : delivered / sessions),
    ...[delayMs.p50, delayMs.p99, deliverMs.p50, deliverMs.p99].map(time),
  ];
}

function frontierText(plans: readonly Ranked[], table: Table): string {
  const digits = String(plans.length).length;
  const rows = plans.map(({ number, name, outcome, isOnFrontier }) => [
    `${String(number).padStart(digits)}${isOnFrontier ? '*' : ' '} ${name}`,
    spread(outcome.goneShare, (share) => percent(share)),
    spread(outcome.honestMs, (ms) => time(Math.round(ms))),
    spread(outcome.slotSec, (seconds) => fixed(seconds, 1)),
    percent(outcome.honestDelivered.mean),
    fixed(outcome.messagesPerHour.mean, 2),
    fixed(outcome.bytesPerSession.mean, 0),
  ]);
  const head = [
    'plan',
    'gone',
    'honest to 250, p99',
    'slot-s a zombie',
    'honest delivered',
    'a zombie-hour',
    'bytes each',
  ];
  return `${table(head, rows)}\n\n* No other plan is better in one of the first three columns and worse in none.`;
}

/** The mean; behind it, where seeds differ, the smallest and the largest. */
function spread({ mean, min, max }: Spread, write: (value: number) => string): string {
  const [low, high] = [write(min), write(max)];
  return low === high ? write(mean) : `${write(mean)} (${low} … ${high})`;
}

const percent = (share: number | null): string => (share === null ? '-' : `${(share * 100).toFixed(2)} %`);
const time = (ms: number | null): string => (ms === null ? '-' : milliseconds(ms));
const fixed = (value: number | null, digits: number): string =>
  value === null ? '-' : value.toFixed(digits);
