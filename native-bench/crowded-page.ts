/**
 * crowded-page — what honest senders met alone and beside a crowd of zombies, as a page
 */
import type { LoadResult } from '../loadgen/load.ts';
import { honestTroubles } from '../loadgen/report.ts';
import { table } from './report.ts';

/** One stretch of the run in which honest senders were measured. */
export interface Phase {
  readonly name: string;
  readonly result: LoadResult;
  /** Zombies attached, at least and at most; 0 and 0 without any. */
  readonly heldMin: number;
  readonly heldMax: number;
  readonly sluiceCpuSec: number;
  readonly postfixCpuSec: number;
}

/** How much longer the slowest hundredth of honest messages may take. */
export const P99_RATIO_MAX = 2;

/**
 * Connections that a Postfix had at once at the most, by its own log: each smtpd says when it takes a client and when
 * it has let go of it. `name` is the syslog_name of the listener.
 */
export function connectionsAtOnce(
  log: string,
  name: string,
): { readonly most: number; readonly taken: number } {
  const open = new Set<string>();
  let most = 0;
  let taken = 0;
  for (const [, who, pid, what] of log.matchAll(/ (\S+)\/smtpd\[(\d+)\]: (connect|disconnect) from /g)) {
    if (who !== name || pid === undefined) continue;
    if (what === 'connect') {
      open.add(pid);
      taken += 1;
      most = Math.max(most, open.size);
    } else {
      open.delete(pid);
    }
  }
  return { most, taken };
}

const honestOf = (result: LoadResult): LoadResult['kinds'][number] =>
  result.kinds.find((kind) => kind.honest)!;

/** p99 of honest messages in the crowded phase over the mean of those without a crowd; Infinity when none came through. */
export function p99Ratio(phases: readonly Phase[]): number {
  const p99 = (phase: Phase): number => {
    const { messages, deliverMs } = honestOf(phase.result);
    return messages.told2xx > 0 ? deliverMs.p99 : Infinity;
  };
  const alone = phases.filter((phase) => phase.heldMax === 0).map(p99);
  const crowded = phases.filter((phase) => phase.heldMax > 0).map(p99);
  return Math.max(...crowded) / (alone.reduce((sum, ms) => sum + ms, 0) / alone.length);
}

/** Facts of a run that stand above its tables. */
export interface PageFacts {
  readonly title: string;
  readonly command: string;
  readonly facts: string;
  readonly setting: string;
  /** backend.max_connections. */
  readonly connectionsMax: number;
  /** What the zombies got through. */
  readonly zombies: string;
}

/** The page for people. */
export function crowdedPage(page: PageFacts, phases: readonly Phase[], log: string, name: string): string {
  const head = [
    'honest senders',
    'zombies attached',
    'sessions',
    'messages told 250',
    'connect to 250: p50 ms',
    'p90',
    'p99',
    'p99.9',
    'max',
    'CPU s: Sluice',
    'Postfix',
  ];
  const rows = phases.map((phase) => {
    const { started, messages, deliverMs } = honestOf(phase.result);
    const { p50, p90, p99, p999, max } = deliverMs;
    const held = phase.heldMax === 0 ? '0' : `${phase.heldMin} to ${phase.heldMax}`;
    return [phase.name, held, started, messages.told2xx, p50, p90, p99, p999, max].concat(
      [phase.sluiceCpuSec, phase.postfixCpuSec].map((sec) => sec.toFixed(1)),
    );
  });
  const ratio = p99Ratio(phases);
  const { most, taken } = connectionsAtOnce(log, name);
  const lost = phases.reduce((sum, { result }) => {
    const { started, messages } = honestOf(result);
    return sum + started - messages.told2xx;
  }, 0);
  const verdict = (isReached: boolean): string => (isReached ? 'reached' : '**missed**');
  const goals = [
    `- p99 of honest messages beside the crowd, over the mean of those without: ${ratio.toFixed(2)}, wanted at most ${P99_RATIO_MAX}: ${verdict(ratio <= P99_RATIO_MAX)}`,
    `- honest sessions whose message was not told 250: ${lost}, wanted 0: ${verdict(lost === 0)}`,
    `- connections that Postfix had at once, by its own log of ${taken.toLocaleString('en')} connections: ${most} at the most, wanted at most ${page.connectionsMax}: ${verdict(most <= page.connectionsMax)}`,
  ];
  const blocks = [
    `# ${page.title}`,
    `    ${page.command}`,
    page.facts,
    page.setting,
    table(head, rows),
    page.zombies,
    ...phases.flatMap(({ name: when, result }) =>
      honestTroubles(result).map((trouble) => `Trouble ${when}: ${trouble}.`),
    ),
    '## Goals',
    goals.join('\n'),
  ];
  return `${blocks.join('\n\n')}\n`;
}
