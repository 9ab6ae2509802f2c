/**
 * observe — how long observe mode would have made a client wait, and what it would have refused
 *
 * Called where enforce mode would act, and in observe mode only (policy/would holds what comes of it). The delays are those of
 * `speak`, `banner`, `receive` and `deliver`: planned by the scale that the session would have, and allowed by the same patience
 * budget. The time of a body is what its bytes take at its rate.
 *
 * A session that is not made to wait is over sooner than the DNS answers. What a list says while an unknown client would still be
 * in its greeting, counts for all replies since; what it says after the end of the session counts for nothing.
 */
import { Pace } from '../policy/pace.ts';
import { allowedDelayMs, bodyRateFor, plannedDelayMs, planTotalMs, Timer } from '../policy/patience.ts';
import { NO_REASON, Why } from '../policy/would-reasons.ts';
import { dripDoneMs } from '../timing/pacer.ts';
import { endPlan, scaleNow } from './slow.ts';
import type { Works } from './works.ts';

/** Timers behind the greeting, in the order in which a client meets them. */
const timersAfterGreeting = [Timer.Helo, Timer.Mail, Timer.Rcpt, Timer.Data, Timer.Dot] as const;

/** Whether nothing is to be delayed or refused. */
export function isObserving(works: Works): boolean {
  return works.config.mode === 'observe';
}

/** The greeting: `screenedMs` is what an unknown client would have waited. */
export function wouldGreet(works: Works, slot: number, screenedMs: number): void {
  const { would, config } = works;
  const pace = would.paces[slot]!;
  const scale = scaleNow(works, slot, would.scales[slot]!);
  const slowMs = scale > 0 ? plannedDelayMs(config, Timer.Greeting, scale) : 0;
  const plannedMs = pace === Pace.Screened ? screenedMs : slowMs;
  const owedMs = would.owedMs[slot]!;
  const delayMs = allowedDelayMs(config, Timer.Greeting, Math.max(plannedMs, owedMs), 0);
  would.wait(slot, delayMs, owedMs > plannedMs ? Why.rate : would.reasons[slot]!);
}

/** A reply that falls under `timer`, and that would be due no sooner than `leastMs` from now for what the client did. */
export function wouldWait(works: Works, slot: number, timer: Timer, leastMs: number): void {
  if (timer === Timer.None) return;
  const { would, config } = works;
  would.replied(slot, timer);
  if (would.isOver(slot) || (timer === Timer.Data && would.isClosed(slot))) return;
  const spentMs = would.delaysMs[slot]!;
  const slowMs = slowReplyMs(works, slot, timer);
  const pacedMs = allowedDelayMs(config, timer, Math.max(slowMs, leastMs), spentMs);
  const isByRate = timer === Timer.Mail || timer === Timer.Rcpt;
  const owedMs = isByRate ? Math.max(0, would.owedMs[slot]! - spentMs) : 0;
  const excessMs = allowedDelayMs(config, timer, owedMs, spentMs);
  if (excessMs > pacedMs) return would.wait(slot, excessMs, Why.rate);
  return would.wait(slot, pacedMs, leastMs > slowMs ? Why.harvest : would.reasons[slot]!);
}

/** A whole message of `bytes`: the time of its body, and the hold. */
export function wouldReceive(works: Works, slot: number, bytes: number): void {
  const { would, config } = works;
  would.replied(slot, Timer.Dot);
  const scale = scaleNow(works, slot, would.scales[slot]!);
  if (scale === 0 || would.isClosed(slot)) return;
  const leftMs = Math.max(0, config.shape.totalMaxMs - would.delaysMs[slot]!);
  const { dripIntervalMs } = config.shape;
  const pieceBytes = Math.ceil((bodyRateFor(config, scale) * dripIntervalMs) / 1000);
  const bodyMs = dripDoneMs(bytes, 0, pieceBytes, dripIntervalMs);
  would.wait(slot, Math.min(bodyMs, leftMs), would.reasons[slot]!);
  hold(works, slot, scale);
}

/** The message was accepted: who would have waited for most of a plan would have been let go on at full speed. */
export function wouldOutlast(works: Works, slot: number): void {
  const { would, config } = works;
  const scale = would.scales[slot]!;
  if (scale === 0 || would.isClosed(slot)) return;
  if (would.delaysMs[slot]! < planTotalMs(config, scale) / 2) return;
  would.scales[slot] = 0;
  endPlan(works, slot);
}

/** A recipient is named: who failed a test, or is on DNS lists, would hear a refusal. */
export function wouldJudge(works: Works, slot: number): void {
  const { would } = works;
  if (would.failed[slot] !== NO_REASON) would.refuse(slot, would.failed[slot]!);
  else if (isBlocked(works, slot)) would.refuse(slot, Why.dnsxl);
}

/** Lists have made a client slow: what it heard while it would have been in its greeting would have been slow too. */
export function wouldCatchUp(works: Works, slot: number): void {
  const { would, sessions, config } = works;
  if (works.nowMs - sessions.openedMs[slot]! > would.delaysMs[slot]!) return;
  for (const timer of timersAfterGreeting) {
    for (let left = would.repliesOf(slot, timer); left > 0; left--) {
      const plannedMs = slowReplyMs(works, slot, timer);
      would.wait(slot, allowedDelayMs(config, timer, plannedMs, would.delaysMs[slot]!), Why.dnsxl);
    }
  }
}

/** The end: lists that answered behind the last recipient would have been in time, if the greeting had waited. */
export function wouldConclude(works: Works, slot: number): void {
  const { would } = works;
  if (isBlocked(works, slot) && would.repliesOf(slot, Timer.Rcpt) > 0) would.refuse(slot, Why.dnsxl);
}

function isBlocked({ sessions, config }: Works, slot: number): boolean {
  return sessions.dnsWeights[slot]! >= config.dnsxlPolicy.refuseAt;
}

function hold(works: Works, slot: number, scale: number): void {
  const { would, config } = works;
  const plannedMs = plannedDelayMs(config, Timer.Dot, scale);
  const holdMs = allowedDelayMs(config, Timer.Dot, plannedMs, would.delaysMs[slot]!);
  would.wait(slot, holdMs, would.reasons[slot]!);
}

function slowReplyMs(works: Works, slot: number, timer: Timer): number {
  const scale = scaleNow(works, slot, works.would.scales[slot]!);
  return scale > 0 ? plannedDelayMs(works.config, timer, scale) : 0;
}
