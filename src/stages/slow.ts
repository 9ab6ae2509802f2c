/**
 * slow — which plan a session is under, and how it gets out of it
 *
 * A plan is a percentage (policy/plan) in a column of the session. It is set when the client is let in, and anew whenever
 * something is learnt that may change it: a failed test, what DNS lists say, a family that is recognised (recognise). Credit that a client
 * earns in the middle of a session does not shorten it: the test would end before it is over.
 *
 * The one way out is to wait: a client whose message is accepted in spite of its plan has shown more patience than zombies
 * have. From then on it is spoken to at full speed, and after a full plan the credit is large enough that it is not slowed for the same
 * reason tomorrow. What an operator's list says, holds the next time all the same; a family says nothing of who has delivered.
 *
 * Cost: a division when something is learnt; nothing for a session that is not slow.
 */
import { Pace } from '../policy/pace.ts';
import { bodyRateFor, plannedDelayMs } from '../policy/patience.ts';
import type { Timer } from '../policy/patience.ts';
import { SCALE_FULL, scaleForPatience, scaleForScore } from '../policy/plan.ts';
import { Level } from '../policy/stress.ts';
import { Why } from '../policy/would-reasons.ts';
import { Count } from '../session/counters.ts';
import type { Works } from './works.ts';

/**
 * Sets the plan from what is known now; a session that turns out to be suspicious is slow from its next reply on. In observe mode it
 * would be, for the reason `why`.
 */
export function replan(works: Works, slot: number, why: number = Why.score): void {
  const { sessions, config } = works;
  const asked = scaleForScore(config, suspicionOf(works, slot));
  const ownMax = sessions.patienceMs[slot]! > 0 ? SCALE_FULL : config.shape.scaleMax;
  const scale = Math.max(sessions.scaleFloors[slot]!, Math.min(asked, ownMax));
  if (config.mode === 'observe') return works.would.slow(slot, scale, why);
  sessions.scales[slot] = scale;
  if (scale === 0 || sessions.paces[slot] === Pace.Slow) return;
  sessions.paces[slot] = Pace.Slow;
  works.counters.add(Count.turnedSlow);
  works.lanes.letGo(slot, works.nowMs);
  return undefined;
}

/** The client has earned a full plan at least, whatever its score. */
export function slowInFull(works: Works, slot: number, why: number): void {
  raiseFloor(works, slot, SCALE_FULL, why);
}

/**
 * The client is one of a family that waits for `patienceMs`; its plan begins with the reply that falls under `first`. As long as
 * the patience is not known (0) it meets a full plan, which shows it.
 */
export function slowForFamily(works: Works, slot: number, patienceMs: number, first: Timer): void {
  works.sessions.patienceMs[slot] = patienceMs;
  const scale = patienceMs > 0 ? scaleForPatience(works.config, patienceMs, first) : SCALE_FULL;
  raiseFloor(works, slot, scale, Why.family);
}

function raiseFloor(works: Works, slot: number, scale: number, why: number): void {
  const { scaleFloors } = works.sessions;
  scaleFloors[slot] = Math.max(scaleFloors[slot]!, scale);
  replan(works, slot, why);
}

/** The delay that the plan has for a timer, before the budget; under stress a part of it. */
export function slowDelayMs(works: Works, slot: number, timer: Timer): number {
  return plannedDelayMs(works.config, timer, scaleNow(works, slot, works.sessions.scales[slot]!));
}

/** Bytes of a body that may be read in a second; Infinity for a session that is not slow. */
export function bodyRate(works: Works, slot: number): number {
  const scale = scaleNow(works, slot, works.sessions.scales[slot]!);
  return scale === 0 ? Infinity : bodyRateFor(works.config, scale);
}

/** The plan is over: full speed from now on. */
export function endPlan(works: Works, slot: number): void {
  const { sessions } = works;
  sessions.paces[slot] = Pace.Instant;
  sessions.scales[slot] = 0;
  sessions.scaleFloors[slot] = 0;
  sessions.patienceMs[slot] = 0;
}

/** The score; DNS lists that are not sure enough to slow a client are no part of it. */
function suspicionOf({ sessions, config }: Works, slot: number): number {
  const weight = sessions.dnsWeights[slot]!;
  const isUnsure = weight > 0 && weight < config.dnsxlPolicy.slowAt;
  return sessions.scores[slot]! - (isUnsure ? sessions.dnsPoints[slot]! : 0);
}

/** What of a scale holds now: nothing for a message that is not to be slowed (always), under stress a part of it. */
export function scaleNow({ sessions, strain, config }: Works, slot: number, scale: number): number {
  if (sessions.envelopes[slot]?.isNeverSlow === true) return 0;
  return strain.stress.level === Level.Calm ? scale : Math.floor((scale * config.stress.delays) / 100);
}
