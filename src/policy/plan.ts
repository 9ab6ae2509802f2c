/**
 * plan — how much slower than usual a suspicious client is served
 *
 * One number, the scale: percent of the delays that `[shape]` names. 0 is full speed, 100 the delays as they stand in the file,
 * and a worse name stretches them further, up to `shape.scale_max`. The greeting, every reply, the rate of the body and the hold
 * behind the final dot all follow the same scale, and every one of them passes the patience budget (policy/patience) when it comes due.
 * Proportion instead of a step, since suspicion is not a step: three bad neighbours cost seconds, a DNS list minutes.
 *
 * Of a client that is recognised as a member of a family (src/families) the family's patience says how long a wait is enough.
 * It raises the plan of who would not be slowed for its score, and what a very bad score asks beyond the full plan is left
 * out, since it would only hold the slot; less than the score asks up to there it never makes of it.
 *
 * Pure: scores and times in, percent out. Not taken: a plan as an object a session, with each delay computed when it begins: what
 * is known of a client changes while it speaks, and one small integer is changed more easily than a schedule.
 */
import type { Config } from '../config/config.ts';
import { planTotalMs, Timer } from './patience.ts';

/** The delays as they stand in the configuration, in percent. */
export const SCALE_FULL = 100;

/** A wait this much longer than nearly all of a family has waited is enough, in percent of it. */
const ENOUGH_PERCENT = 120;

/** Percent of the plan for a score, 0 up to `shape.slow_from`. */
export function scaleForScore(config: Config, score: number): number {
  const { slowFrom, slowAt, scaleMax } = config.shape;
  if (score <= slowFrom) return 0;
  return Math.min(scaleMax, Math.floor((SCALE_FULL * (score - slowFrom)) / (slowAt - slowFrom)));
}

/** How long a wait is enough for a family whose sessions are gone after `patienceMs`. */
export function enoughMs(patienceMs: number): number {
  return Math.round((patienceMs * ENOUGH_PERCENT) / 100);
}

/**
 * The least percent at which one message, from the reply on that falls under `first`, takes so long that a family which is gone
 * after `patienceMs` is gone; `scale_max` if it outlasts every plan.
 */
export function scaleForPatience(config: Config, patienceMs: number, first: Timer = Timer.Greeting): number {
  const leastMs = enoughMs(patienceMs);
  let least = 1;
  let most = config.shape.scaleMax;
  while (least < most) {
    const middle = (least + most) >> 1;
    if (planTotalMs(config, middle, first) >= leastMs) most = middle;
    else least = middle + 1;
  }
  return least;
}
