/**
 * throughput-page — from the runs of the throughput benchmark to ratios, and to its page
 *
 * A ratio is taken within a round: the machine may be slower in one round than in another, but hardly within one.
 */
import { cells, spread, table } from './report.ts';
import type { Spread } from './report.ts';

/** The ways a message takes, by the name they have on the page; the first is what the others are measured by. */
export const ways = {
  direct: 'straight to Postfix',
  uncounted: 'straight, its clients not counted',
  fresh: 'through Sluice, fresh lanes',
  reused: 'through Sluice, reused lanes',
} as const;
export type WayName = keyof typeof ways;
export const wayNames = Object.keys(ways) as readonly WayName[];

/** How the client spreads its messages over connections, and the flags of smtp-source for that. */
export const shapes = {
  one: { says: 'one message a connection', flags: [] },
  many: { says: 'many messages a connection', flags: ['-d'] },
} as const;
export type ShapeName = keyof typeof shapes;
export const shapeNames = Object.keys(shapes) as readonly ShapeName[];

/** One run of the client over one way. */
export interface Run {
  readonly shape: ShapeName;
  readonly way: WayName;
  readonly seconds: number;
  readonly messages: number;
  readonly sluiceCpuSec: number;
  readonly postfixCpuSec: number;
  readonly clientCpuSec: number;
}

/** What all rounds of one way come to. */
export interface Summary {
  readonly shape: ShapeName;
  readonly way: WayName;
  readonly perSec: Spread;
  /** Messages a second over those of the direct way in the same round. */
  readonly ratio: Spread;
  readonly sluiceCpuMs: Spread;
  readonly postfixCpuMs: Spread;
  readonly clientCpuMs: Spread;
}

const perSecOf = (run: Run): number => run.messages / run.seconds;

/** One summary for each shape and way; each round holds one run of each. */
export function summarizeRuns(rounds: readonly (readonly Run[])[]): Summary[] {
  return shapeNames.flatMap((shape) =>
    wayNames.flatMap((way) => {
      const found = rounds.flatMap((round) => {
        const own = round.find((run) => run.shape === shape && run.way === way);
        const direct = round.find((run) => run.shape === shape && run.way === 'direct');
        return own === undefined || direct === undefined ? [] : [{ own, direct }];
      });
      if (found.length === 0) return [];
      const cpuMs = (key: 'sluiceCpuSec' | 'postfixCpuSec' | 'clientCpuSec'): Spread =>
        spread(found.map(({ own }) => (own[key] / own.messages) * 1_000));
      const summary = {
        shape,
        way,
        perSec: spread(found.map(({ own }) => perSecOf(own))),
        ratio: spread(found.map(({ own, direct }) => perSecOf(own) / perSecOf(direct))),
        sluiceCpuMs: cpuMs('sluiceCpuSec'),
        postfixCpuMs: cpuMs('postfixCpuSec'),
        clientCpuMs: cpuMs('clientCpuSec'),
      };
      return [summary];
    }),
  );
}

/** What was asked for, way by way. */
export const goals = [
  { shape: 'many', way: 'fresh', least: 0.95 },
  { shape: 'many', way: 'reused', least: 0.95 },
  { shape: 'one', way: 'fresh', least: 0.95 },
  { shape: 'one', way: 'reused', least: 1 },
] as const;

/** One sentence for each goal, with the median ratio and whether it was reached. */
export function goalLines(summaries: readonly Summary[]): string[] {
  return goals.flatMap(({ shape, way, least }) => {
    const summary = summaries.find((one) => one.shape === shape && one.way === way);
    if (summary === undefined) return [];
    const ratio = summary.ratio.median;
    const verdict = ratio >= least ? 'reached' : '**missed**';
    return [`- ${shapes[shape].says}, ${ways[way]}: ${ratio.toFixed(3)}, wanted ${least}: ${verdict}`];
  });
}

/** Facts of a run that stand above its tables. */
export interface PageFacts {
  readonly command: string;
  readonly facts: string;
  readonly setting: string;
}

/** The page for people. */
export function throughputPage(
  { command, facts, setting }: PageFacts,
  rounds: readonly (readonly Run[])[],
): string {
  const summaries = summarizeRuns(rounds);
  const tables = shapeNames.flatMap((shape) => {
    const own = summaries.filter((summary) => summary.shape === shape);
    if (own.length === 0) return [];
    const head = [
      'way',
      'messages/s',
      'ratio to direct',
      'CPU ms a message: Sluice',
      'Postfix',
      'smtp-source',
    ];
    const rows = own.map((one) => [
      ways[one.way],
      cells(one.perSec, 0),
      cells(one.ratio, 3),
      one.sluiceCpuMs.median.toFixed(2),
      one.postfixCpuMs.median.toFixed(2),
      one.clientCpuMs.median.toFixed(2),
    ]);
    const title = shapes[shape].says;
    return [`## ${title[0]!.toUpperCase()}${title.slice(1)}`, table(head, rows)];
  });
  const everyRun = table(
    ['round', 'shape', 'way', 'messages', 'seconds', 'CPU s: Sluice', 'Postfix', 'smtp-source'],
    rounds.flatMap((round, at) =>
      round.map((run) => [
        at + 1,
        shapes[run.shape].says,
        ways[run.way],
        run.messages,
        run.seconds.toFixed(2),
        run.sluiceCpuSec.toFixed(2),
        run.postfixCpuSec.toFixed(2),
        run.clientCpuSec.toFixed(2),
      ]),
    ),
  );
  const blocks = [
    '# Throughput: smtp-source into Postfix, straight and through Sluice',
    `    ${command}`,
    facts,
    setting,
    `Least / **median** / most of ${rounds.length} rounds; a ratio is taken within its round. CPU is user + system as the kernel counts it, medians.`,
    ...tables,
    '## Goals',
    goalLines(summaries).join('\n'),
    '## Every run',
    everyRun,
  ];
  return `${blocks.join('\n\n')}\n`;
}
