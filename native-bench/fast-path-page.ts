/**
 * fast-path-page — histograms of round trips as a page, and the difference that Sluice makes
 */
import type { Histogram } from 'hdr-histogram-js';
import { table } from './report.ts';

/** Round trips of one command at one backend, straight and through Sluice, in nanoseconds. */
export interface Trips {
  readonly backend: string;
  readonly command: string;
  readonly direct: Histogram;
  readonly through: Histogram;
  /** The median of each block of the run, in nanoseconds: the two took turns. */
  readonly blocks: readonly { readonly directNs: number; readonly throughNs: number }[];
}

/** Percentiles that are told. */
const percentiles = [50, 90, 99, 99.9] as const;
/** What the median may grow by. */
export const ADDED_P50_MS_MAX = 0.1;

const msOf = (ns: number): string => (ns / 1e6).toFixed(3);

/** What Sluice adds to the median: the median over blocks, and the difference of the whole histograms; milliseconds. */
export function addedP50(trips: Trips): { readonly blocksMs: number; readonly wholeMs: number } {
  const differences = trips.blocks.map((block) => block.throughNs - block.directNs).toSorted((a, b) => a - b);
  const blocksMs = (differences[(differences.length - 1) >> 1] ?? 0) / 1e6;
  const wholeMs = (trips.through.getValueAtPercentile(50) - trips.direct.getValueAtPercentile(50)) / 1e6;
  return { blocksMs, wholeMs };
}

/** Three lines for one command at one backend: straight, through Sluice, and what that adds. */
function rowsOf(trips: Trips): string[][] {
  const { direct, through } = trips;
  const line = (way: string, histogram: Histogram): string[] => [
    trips.backend,
    trips.command,
    way,
    String(histogram.totalCount),
    ...percentiles.map((percentile) => msOf(histogram.getValueAtPercentile(percentile))),
  ];
  const added = percentiles.map((percentile) =>
    msOf(through.getValueAtPercentile(percentile) - direct.getValueAtPercentile(percentile)),
  );
  return [
    line('straight', direct),
    line('through Sluice', through),
    [trips.backend, trips.command, '**added**', '', ...added],
  ];
}

/** One sentence for each backend whether the goal was reached. */
export function goalLines(all: readonly Trips[], command: string): string[] {
  return all
    .filter((trips) => trips.command === command)
    .map((trips) => {
      const { blocksMs, wholeMs } = addedP50(trips);
      const verdict = blocksMs <= ADDED_P50_MS_MAX ? 'reached' : '**missed**';
      return `- ${command}, ${trips.backend}: the median grows by ${blocksMs.toFixed(3)} ms (median over blocks; ${wholeMs.toFixed(3)} ms between the whole histograms), wanted at most ${ADDED_P50_MS_MAX}: ${verdict}`;
    });
}

/** Facts of a run that stand above its tables. */
export interface PageFacts {
  readonly command: string;
  readonly facts: string;
  readonly setting: string;
  /** The command that the goal is about. */
  readonly goalOf: string;
}

/** The page for people; the histograms of the goal's command stand at its end in HDR's own percentile format. */
export function fastPathPage({ command, facts, setting, goalOf }: PageFacts, all: readonly Trips[]): string {
  const head = [
    'backend',
    'command',
    'way',
    'count',
    ...percentiles.map((percentile) => `p${percentile} ms`),
  ];
  const detailed = all.filter((trips) => trips.command === goalOf);
  const distributions = detailed.flatMap((trips) =>
    (['direct', 'through'] as const).map((way) => {
      const title = `${trips.backend}, ${trips.command}, ${way === 'direct' ? 'straight' : 'through Sluice'}, ms`;
      const text = trips[way].outputPercentileDistribution(1, 1e6).trimEnd();
      return `### ${title}\n\n\`\`\`text\n${text}\n\`\`\``;
    }),
  );
  const blocks = [
    '# Fast path: what Sluice adds to one command of a client in good standing',
    `    ${command}`,
    facts,
    setting,
    table(head, all.flatMap(rowsOf)),
    '## Goal',
    goalLines(all, goalOf).join('\n'),
    '## Percentile distributions',
    ...distributions,
  ];
  return `${blocks.join('\n\n')}\n`;
}
