/**
 * frontier — plans beside each other, and which of them nobody has to consider
 *
 * A plan is better than another when it is better in one of three things and worse in none: more zombies gone, less delay of
 * honest mail, fewer slots spent on zombies. What is left when all plans are gone that have a better one is the frontier.
 */
import type { Figures } from './figures.ts';

/** What a plan came to over all its seeds. */
export interface Outcome {
  /** Share of zombie sessions that ended before delivery, 0 … 1. More is better. */
  readonly goneShare: Spread;
  /** From connecting to 250 for 99 of 100 honest messages, milliseconds; undelivered mail takes for ever. Less is better. */
  readonly honestMs: Spread;
  /** Seconds of a slot for each zombie session. Less is better. */
  readonly slotSec: Spread;
  /** Not judged, but shown: messages for each hour of a zombie's connection time. */
  readonly messagesPerHour: Spread;
  readonly honestDelivered: Spread;
  readonly bytesPerSession: Spread;
}

/** One figure over the seeds. */
export interface Spread {
  readonly mean: number;
  readonly min: number;
  readonly max: number;
}

/** The figures of all seeds of a plan, in one. What nobody has is 0. */
export function outcomeOf(runs: readonly Figures[]): Outcome {
  const over = (value: (run: Figures) => number | null): Spread =>
    spreadOf(runs.map((run) => value(run) ?? 0));
  return {
    goneShare: over((run) => run.zombies.goneShare),
    honestMs: over((run) => run.honest.all.deliverMs.p99),
    slotSec: over((run) => run.zombies.slotSecPerSession),
    messagesPerHour: over((run) => run.zombies.messagesPerHour),
    honestDelivered: over(({ honest: { all } }) =>
      all.sessions === 0 ? null : all.delivered / all.sessions,
    ),
    bytesPerSession: over((run) => run.zombies.bytesPerSession),
  };
}

function spreadOf(values: readonly number[]): Spread {
  const sum = values.reduce((all, value) => all + value, 0);
  return { mean: sum / values.length, min: Math.min(...values), max: Math.max(...values) };
}

/** What plans are judged by: the more the better first, then two of which less is better. */
export type Judged = readonly [goneShare: number, honestMs: number, slotSec: number];

/** Whether `one` is better in something and worse in nothing. */
export function dominates(one: Judged, other: Judged): boolean {
  const isWorse = one[0] < other[0] || one[1] > other[1] || one[2] > other[2];
  return !isWorse && (one[0] > other[0] || one[1] < other[1] || one[2] < other[2]);
}

/**
 * For each plan whether it is on the frontier. Sorted by the first figure a plan can only be beaten by one before it, and what
 * beats it is on the frontier itself: so each is compared with the frontier so far.
 */
export function frontierOf(plans: readonly Judged[]): boolean[] {
  const order = [...plans.keys()].sort((a, b) => {
    const [one, other] = [plans[a]!, plans[b]!];
    return other[0] - one[0] || one[1] - other[1] || one[2] - other[2];
  });
  const isOn = plans.map(() => false);
  const frontier: Judged[] = [];
  for (const at of order) {
    const plan = plans[at]!;
    if (frontier.some((better) => dominates(better, plan))) continue;
    frontier.push(plan);
    isOn[at] = true;
  }
  return isOn;
}

/** What an outcome is judged by, rounded to what is shown: differences that nobody sees decide nothing. */
export function judgedOf({ goneShare, honestMs, slotSec }: Outcome): Judged {
  return [Math.round(goneShare.mean * 10_000), Math.round(honestMs.mean), Math.round(slotSec.mean * 10)];
}
