/**
 * listed — what DNS lists say of a client, whenever they say it
 *
 * Asked about when the client is let in (stages/admit), answered at any time or never. Nothing waits for it: an
 * unknown client waits for the end of the greeting anyway, and what comes later counts from the next moment at which
 * it can be told: at RCPT, at DATA, and behind the final dot as long as the backend has nothing of the message.
 *
 * By weight: from `dnsxl_policy.slow_at` on the client is slowed by its score (slow), from `refuse_at` on its recipients are refused, and
 * at `skip_at` or below the greeting's wait ends and it is spoken to as one that has passed. The weight may fall
 * again when a list of good clients is slower than the others; then the client is as fast as before.
 *
 * The weight also moves the session's score, while the session lasts: a listing is the list's knowledge, not ours, and
 * it is asked again next time. That the client was listed is remembered, by a few points. Observe mode does all but
 * slow, refuse and let go.
 */
import { NO_HANDLE, slotOf } from '../base/handle.ts';
import { Pace } from '../policy/pace.ts';
import { NO_REASON, Why } from '../policy/would-reasons.ts';
import type { DnsAnswer } from '../reputation/dns-lists.ts';
import { isGoodHost } from '../reputation/standing.ts';
import { Count } from '../session/counters.ts';
import { Phase } from '../session/phase.ts';
import { Flag } from '../session/sessions.ts';
import { encodeLine } from '../smtp/replies.ts';
import { continueGreeting } from './banner.ts';
import { note, tellNetwork } from './learn.ts';
import { isObserving, wouldCatchUp } from './observe.ts';
import { replan } from './slow.ts';
import { charge } from './speak.ts';
import type { Works } from './works.ts';
import { epochSec } from './works.ts';

const WEIGHT_MAX = 32_767;

/** What DNS lists did to a session. */
const DnsMark = {
  /** It is slow for its listings alone. */
  Slowed: 1,
  /** That it is listed was noted. */
  Learnt: 2,
  /** Lists were asked about it. */
  Asked: 4,
  /** They have nothing more to say. */
  Settled: 8,
} as const;

/** Asks about a client that was let in. */
export function askLists(works: Works, slot: number): void {
  const { sessions, dns, reputation } = works;
  if (!dns.enabled) return;
  sessions.dnsMarks[slot]! |= DnsMark.Asked;
  const isGood = isGoodHost(reputation, sessions.reputations[slot]!, epochSec(works));
  dns.ask(sessions.handleOf(slot), sessions.addresses, slot * 4, isGood);
}

/** The next session that something was found out for, which now knows it; -1 when there is none. */
export function nextListed(works: Works): number {
  const { sessions, dns } = works;
  for (let handle = dns.next(); handle !== NO_HANDLE; handle = dns.next()) {
    const slot = slotOf(handle);
    // A row that waits for the backend's last word has nobody to be told.
    if (sessions.handleOf(slot) !== handle || sessions.phaseOf(slot) === Phase.Closing) continue;
    hear(works, slot, dns.answer);
    return slot;
  }
  return -1;
}

/** True when the recipients and messages of this client are refused for its listings. */
export function isRefused(works: Works, slot: number): boolean {
  const { config, sessions } = works;
  return sessions.dnsWeights[slot]! >= config.dnsxlPolicy.refuseAt && config.mode === 'enforce';
}

/** True while an answer may still come for which the client is refused. */
export function mayBeRefused(works: Works, slot: number): boolean {
  const { sessions, config } = works;
  if (isRefused(works, slot)) return true;
  const isAwaited = (sessions.dnsMarks[slot]! & (DnsMark.Asked | DnsMark.Settled)) === DnsMark.Asked;
  return isAwaited && works.nowMs - sessions.openedMs[slot]! < config.dnsxlPolicy.deadlineMs;
}

/** What such a client is told. */
export function refusalOf(works: Works, slot: number): Uint8Array {
  const { sessions } = works;
  const [zone = ''] = sessions.dnsZones[slot]!;
  return encodeLine(
    `550 5.7.1 Service unavailable; client [${sessions.clients[slot]!}] blocked using ${zone}`,
  );
}

function hear(works: Works, slot: number, answer: DnsAnswer): void {
  const { sessions, config } = works;
  const weight = Math.max(-WEIGHT_MAX, Math.min(WEIGHT_MAX, answer.weight));
  sessions.dnsWeights[slot] = weight;
  sessions.dnsZones[slot] = answer.zones;
  sessions.dnsReasons[slot] = answer.reason;
  if (answer.isLast) sessions.dnsMarks[slot]! |= DnsMark.Settled;
  const { slowAt } = config.dnsxlPolicy;
  const points = Math.round((weight * config.shape.slowAt) / slowAt);
  sessions.scores[slot] = sessions.scores[slot]! - sessions.dnsPoints[slot]! + points;
  sessions.dnsPoints[slot] = points;
  if (weight >= slowAt) learnListed(works, slot);
  if (isObserving(works)) return foresee(works, slot, weight);
  if (weight >= slowAt) slowDown(works, slot);
  else if ((sessions.dnsMarks[slot]! & DnsMark.Slowed) !== 0) speedUp(works, slot);
  const { skipAt } = config.dnsxlPolicy;
  if (skipAt < 0 && weight <= skipAt) letGo(works, slot);
  return undefined;
}

/** What would be done with the client if this were not observe mode. */
function foresee(works: Works, slot: number, weight: number): void {
  const { sessions, config, would } = works;
  const { slowAt, skipAt } = config.dnsxlPolicy;
  const isFirst = would.scales[slot] === 0;
  if (weight >= slowAt || (sessions.dnsMarks[slot]! & DnsMark.Slowed) !== 0) replan(works, slot, Why.dnsxl);
  if (weight >= slowAt && isFirst) {
    sessions.dnsMarks[slot]! |= DnsMark.Slowed;
    wouldCatchUp(works, slot);
  }
  if (skipAt < 0 && weight <= skipAt && would.failed[slot] === NO_REASON)
    would.letGo(slot, Math.round(works.nowMs - sessions.openedMs[slot]!));
}

/** Once a session, however often the answer changes. */
function learnListed(works: Works, slot: number): void {
  const { sessions, counters } = works;
  if ((sessions.dnsMarks[slot]! & DnsMark.Learnt) !== 0) return;
  sessions.dnsMarks[slot]! |= DnsMark.Learnt;
  counters.add(Count.listed);
  // Where many are listed those that are not yet are no strangers either. A pool is another matter: large senders are listed now and then.
  tellNetwork(works, slot);
  note(works, slot, 'listed');
}

/** By its score, listings included: who has outlasted a plan for the same listing before has credit for it. */
function slowDown(works: Works, slot: number): void {
  const { sessions } = works;
  if (sessions.paces[slot] !== Pace.Slow) sessions.dnsMarks[slot]! |= DnsMark.Slowed;
  replan(works, slot);
}

/** A list of good clients has answered behind the others. Who would be slow for what it did stays slow. */
function speedUp(works: Works, slot: number): void {
  const { sessions } = works;
  sessions.dnsMarks[slot]! &= ~DnsMark.Slowed;
  replan(works, slot);
  if (sessions.scales[slot]! > 0) return;
  sessions.paces[slot] = sessions.has(slot, Flag.Passed) ? Pace.Instant : Pace.Screened;
}

/** A client on lists of good ones: not made to wait, as long as it has not failed a test here. */
function letGo(works: Works, slot: number): void {
  const { sessions, counters } = works;
  if (sessions.has(slot, Flag.Passed | Flag.RefuseRecipients) || sessions.paces[slot] === Pace.Slow) return;
  sessions.set(slot, Flag.Passed);
  counters.add(Count.listedGood);
  const isWaiting = sessions.phaseOf(slot) === Phase.Greeting && sessions.paces[slot] === Pace.Screened;
  sessions.paces[slot] = Pace.Instant;
  if (!isWaiting) return;
  // What is left of the wait was charged when it began.
  charge(works, slot, -Math.max(0, Math.round(sessions.dripSinceMs[slot]! - works.nowMs)));
  sessions.dripSinceMs[slot] = works.nowMs;
  continueGreeting(works, slot);
}
