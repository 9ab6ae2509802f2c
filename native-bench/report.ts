/**
 * report — the figures of one floor run: summary, JSON for machines, Markdown for people
 *
 * A ratio is always taken within one round, between runs that followed each other; then come least, median and
 * most of the rounds. A machine that slows down half-way moves the CPU figures, but hardly the ratios.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, release } from 'node:os';
import process from 'node:process';
import { compilerVersion } from './build.ts';
import type { Hold, Round } from './crowd.ts';
import { cpuModel } from './proc.ts';

/** The peer that all others are compared with. */
export const floorPeer = 'responder';

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export interface Summary {
  readonly peer: string;
  readonly cpuUsPerDialogue: Spread;
  /** CPU of this peer over CPU of the floor in the same round. */
  readonly ratio: Spread;
  readonly dialoguesPerSec: Spread;
  readonly replyP50Ms: Spread;
  readonly replyP99Ms: Spread;
  readonly readsPerDialogue: number;
  readonly failed: number;
}

export interface Results {
  readonly what: string;
  readonly startedAt: string;
  readonly command: string;
  readonly machine: Readonly<Record<string, string | number>>;
  readonly settings: Readonly<Record<string, number | string>>;
  readonly dialogue: readonly string[];
  readonly servers: readonly { readonly name: string; readonly command: string; readonly logLines: number }[];
  readonly summaries: readonly Summary[];
  readonly holds: readonly Hold[];
  readonly rounds: readonly (readonly Round[])[];
}

/** Least, median (lower of the two middle ones) and most. */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return { min: sorted[0] ?? 0, median: sorted[(sorted.length - 1) >> 1] ?? 0, max: sorted.at(-1) ?? 0 };
}

/** One summary a peer, in the order of the peers. Each round holds one entry of each peer. */
export function summarize(peers: readonly string[], rounds: readonly (readonly Round[])[]): Summary[] {
  return peers.map((peer) => {
    const own = rounds.map((round) => round.find((entry) => entry.peer === peer)!);
    const floor = rounds.map((round) => round.find((entry) => entry.peer === floorPeer)!);
    return {
      peer,
      cpuUsPerDialogue: spread(own.map((round) => round.cpuUsPerDialogue)),
      ratio: spread(own.map((round, at) => round.cpuUsPerDialogue / floor[at]!.cpuUsPerDialogue)),
      dialoguesPerSec: spread(own.map((round) => round.dialogues / round.seconds)),
      replyP50Ms: spread(own.map((round) => round.replyP50Ms)),
      replyP99Ms: spread(own.map((round) => round.replyP99Ms)),
      readsPerDialogue: own.reduce((sum, round) => sum + round.reads / round.dialogues, 0) / own.length,
      failed: own.reduce((sum, round) => sum + round.failed, 0),
    };
  });
}

function gitCommit(): string {
  try {
    const git = (...words: string[]): string =>
      execFileSync('git', words, { cwd: import.meta.dirname, encoding: 'utf8', stdio: 'pipe' }).trim();
    const changed = git('status', '--porcelain', '--untracked-files=no') === '' ? '' : ' with changes';
    return `${git('rev-parse', '--short=12', 'HEAD')}${changed}`;
  } catch {
    return 'unknown';
  }
}

export function describeMachine(): Record<string, string | number> {
  return {
    node: process.version,
    compiler: compilerVersion() ?? 'none',
    kernel: release(),
    cpu: cpuModel(),
    cores: availableParallelism(),
    commit: gitCommit(),
  };
}

/** Least, median and most as one cell. */
export function cells(value: Spread, digits: number): string {
  return `${value.min.toFixed(digits)} / **${value.median.toFixed(digits)}** / ${value.max.toFixed(digits)}`;
}

/** A table of Markdown, its figures to the right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (words: readonly (string | number)[]): string => `| ${words.join(' | ')} |`;
  return [line(head), line(head.map((_, at) => (at === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

/** The page for people. */
export function toMarkdown(results: Results): string {
  const pairs = (facts: Readonly<Record<string, string | number>>): string =>
    Object.entries(facts)
      .map(([name, fact]) => `${name} ${fact}`)
      .join(' · ');
  const summary = table(
    [
      'server',
      'CPU µs a dialogue',
      `ratio to ${floorPeer}`,
      'dialogues/s',
      'reply p50 ms',
      'reply p99 ms',
      'reads a dialogue',
      'failed',
    ],
    results.summaries.map((one) => [
      one.peer,
      cells(one.cpuUsPerDialogue, 1),
      cells(one.ratio, 2),
      one.dialoguesPerSec.median.toFixed(0),
      one.replyP50Ms.median.toFixed(3),
      one.replyP99Ms.median.toFixed(3),
      one.readsPerDialogue.toFixed(2),
      one.failed,
    ]),
  );
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
  const holds = table(
    [
      'server',
      'process',
      'sessions',
      'RSS before MB',
      'RSS held MB',
      'RSS after MB',
      'bytes a session',
      'failed',
    ],
    results.holds.map((hold) => [
      hold.peer,
      hold.process,
      hold.sessions,
      megabytes(hold.rssBeforeBytes),
      megabytes(hold.rssHeldBytes),
      megabytes(hold.rssAfterBytes),
      hold.rssBytesPerSession.toFixed(0),
      hold.failed,
    ]),
  );
  const rounds = table(
    ['CPU µs a dialogue', ...results.summaries.map((one) => one.peer)],
    results.rounds.map((round, at) => [
      `round ${at + 1}`,
      ...results.summaries.map((one) =>
        round.find((entry) => entry.peer === one.peer)!.cpuUsPerDialogue.toFixed(1),
      ),
    ]),
  );
  const servers = results.servers.map(
    (one) => `- ${one.name}: \`${one.command}\`, ${one.logLines} lines of log`,
  );
  return `# ${results.what}

${results.startedAt} · \`${results.command}\`

${pairs(results.machine)}

${pairs(results.settings)}

Least / **median** / most of ${results.rounds.length} rounds; the servers take turns within each round. CPU is user + system of
all threads, seen by the kernel. Each dialogue has its own source address; every byte of every reply was compared.

${summary}

Memory of held sessions (greeting and EHLO done). *fresh*: a process just started; *warm*: the one that served the rounds.

${holds}

## Rounds

${rounds}

## Servers

${servers.join('\n')}

## What each server said

\`\`\`text
${results.dialogue.join('\n')}
\`\`\`
`;
}

/** Writes `floor-<date>.json` and `.md` into `folder`; returns their paths. A second run of a day replaces the first. */
export function writeResults(folder: string, results: Results): readonly string[] {
  mkdirSync(folder, { recursive: true });
  const stem = `${folder}/floor-${results.startedAt.slice(0, 10)}`;
  writeFileSync(`${stem}.json`, `${JSON.stringify(results, undefined, 1)}\n`);
  writeFileSync(`${stem}.md`, toMarkdown(results));
  return [`${stem}.json`, `${stem}.md`];
}
