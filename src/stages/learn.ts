/**
 * learn — what a session notices about its client goes two ways
 *
 * Into the session (which signals were noted, what score it has now) and into the shared reputation table, so
 * that the next session of the same client begins with it. A test that is failed may cost more than points:
 * the configuration says whether it is ignored, makes every recipient be refused, or ends the session at once.
 */
import { Trait } from '../families/dialect.ts';
import { limitNames } from '../policy/limits.ts';
import type { Action, TestName } from '../policy/pace.ts';
import { Action as Actions, actionOf, Pace } from '../policy/pace.ts';
import { planTotalMs } from '../policy/patience.ts';
import { enoughMs, SCALE_FULL } from '../policy/plan.ts';
import { NO_REASON, Why } from '../policy/would-reasons.ts';
import { SIGNALS_MAX } from '../reputation/decay.ts';
import { PASSES } from '../reputation/layout.ts';
import type { SignalName } from '../reputation/signals.ts';
import { signalNameOf, signals } from '../reputation/signals.ts';
import { isGoodHost } from '../reputation/standing.ts';
import { Count } from '../session/counters.ts';
import { Flag } from '../session/sessions.ts';
import { senderDomain } from '../smtp/sender-domain.ts';
import { isObserving, wouldOutlast } from './observe.ts';
import { endPlan, slowInFull } from './slow.ts';
import type { Works } from './works.ts';
import { epochSec } from './works.ts';

/** The bit of a signal in a session's memory. */
const bitOf = (name: SignalName): number => 1 << signals[name].id;

const testTraits: Readonly<Record<TestName, number>> = {
  pregreet: Trait.Early,
  pipelining: Trait.Ahead,
  nonSmtpCommand: Trait.Foreign,
  bareNewline: Trait.BareLf,
};

/** Notes a signal: the session remembers it, the client's score moves by its weight. */
export function note(works: Works, slot: number, name: SignalName): void {
  const { sessions, reputation } = works;
  const { id, weight } = signals[name];
  sessions.signals[slot]! |= 1 << id;
  const index = sessions.reputations[slot]!;
  const own =
    index < 0
      ? sessions.scores[slot]! - sessions.neighbourPoints[slot]! - sessions.dnsPoints[slot]! + weight
      : reputation.observe(index, id, epochSec(works));
  sessions.scores[slot] = own + sessions.neighbourPoints[slot]! + sessions.dnsPoints[slot]!;
  if (weight > 0 && own >= works.config.shape.slowAt) tellCompany(works, slot, own - weight);
}

/** The first time in a session that a client becomes bad, its network and its pool hear of it. */
function tellCompany(works: Works, slot: number, before: number): void {
  const { sessions, reputation } = works;
  if (sessions.has(slot, Flag.CountedBad) || before >= works.config.shape.slowAt) return;
  sessions.set(slot, Flag.CountedBad);
  // The network of a client that is on DNS lists has heard of it already.
  if (!wasNoted(works, slot, 'listed')) tellNetwork(works, slot);
  const pool = sessions.pools[slot]!;
  if (pool >= 0) reputation.observe(pool, signals.badMember.id, epochSec(works));
}

/** The network hears that a member of it is bad. */
export function tellNetwork(works: Works, slot: number): void {
  const network = works.sessions.networks[slot]!;
  if (network >= 0) works.reputation.observe(network, signals.badMember.id, epochSec(works));
}

/**
 * A client of good standing had a message accepted: its network is of good standing too, and perhaps the domain it
 * sent for, which is for others to verify.
 */
export function creditPools(works: Works, slot: number): void {
  const { sessions, reputation, passesNeeded, senders } = works;
  const nowSec = epochSec(works);
  const isKnown = sessions.has(slot, Flag.Passed) && !sessions.has(slot, Flag.RefuseRecipients);
  // Whoever is on a DNS list speaks for himself.
  if (
    !isKnown ||
    sessions.dnsWeights[slot]! > 0 ||
    !isGoodHost(reputation, sessions.reputations[slot]!, nowSec)
  )
    return;
  const network = sessions.networks[slot]!;
  if (network >= 0) {
    reputation.observe(network, signals.goodMember.id, nowSec);
    if (passesNeeded !== 0) givePasses(works, network, nowSec);
  }
  if (!senders.enabled || passesNeeded === 0) return;
  const domain = senderDomain(sessions.envelopes[slot]!.sender);
  if (domain !== '') senders.offer(sessions.addresses, slot * 4, domain, sessions.helos[slot]!);
}

/** The backend took a message of a slow client: it has waited long enough (slow). */
export function creditPatience(works: Works, slot: number): void {
  const { sessions, counters, config } = works;
  if (isObserving(works)) return wouldOutlast(works, slot);
  if (sessions.paces[slot] !== Pace.Slow || sessions.has(slot, Flag.RefuseRecipients)) return undefined;
  // Who became slow on the way has not met the whole plan. Half of it says enough.
  const scale = sessions.scales[slot]!;
  const patienceMs = sessions.patienceMs[slot]!;
  const wholeMs = planTotalMs(config, scale);
  const askedMs = patienceMs > 0 ? Math.min(wholeMs, enoughMs(patienceMs)) : wholeMs;
  if (sessions.delaysMs[slot]! < askedMs / 2) return undefined;
  counters.add(Count.outlasted);
  if (scale >= SCALE_FULL) note(works, slot, 'outlasted');
  endPlan(works, slot);
  passTests(works, slot);
  return undefined;
}

/** True when the signal was noted in this session before. */
export function wasNoted(works: Works, slot: number, name: SignalName): boolean {
  return (works.sessions.signals[slot]! & bitOf(name)) !== 0;
}

/** Notes that a test was failed, once a session, and says what is to be done. */
export function failTest(works: Works, slot: number, test: TestName): Action {
  works.sessions.dialects[slot]! |= testTraits[test];
  if (wasNoted(works, slot, test)) return Actions.Ignore;
  const { sessions, config, counters } = works;
  counters.add(Count[test]);
  const action = actionOf(config, test);
  // A test that is switched off costs nothing, here or later.
  if (action === Actions.Ignore) {
    sessions.signals[slot]! |= bitOf(test);
    return action;
  }
  note(works, slot, test);
  sessions.clear(slot, Flag.Passed);
  slowInFull(works, slot, Why[test]);
  if (isObserving(works)) return foreseeFailure(works, slot, test, action);
  if (action === Actions.Refuse) sessions.set(slot, Flag.RefuseRecipients);
  return action;
}

/** Observe mode scores what it does not act on. */
function foreseeFailure({ would }: Works, slot: number, test: TestName, action: Action): Action {
  if (action === Actions.Drop) would.end(slot, Why[test]);
  if (would.failed[slot] === NO_REASON) would.failed[slot] = Why[test];
  return Actions.Ignore;
}

/**
 * The client came to its first recipient without failing a test: it is known from now on. A slow one has yet to outlast its plan:
 * credit for less would make the next plan shorter than the last. One of a family is known once it has delivered, since who is known
 * is not taken for one again.
 */
export function passTests(works: Works, slot: number): void {
  const { sessions, counters } = works;
  if (
    sessions.has(slot, Flag.Passed) ||
    sessions.has(slot, Flag.RefuseRecipients) ||
    sessions.paces[slot] === Pace.Slow ||
    works.passesNeeded === 0 ||
    isOnlyMember(works, slot)
  )
    return;
  if (isObserving(works) && works.would.failed[slot] !== NO_REASON) return;
  sessions.set(slot, Flag.Passed);
  counters.add(Count.passedNew);
  note(works, slot, 'passed');
  const index = sessions.reputations[slot]!;
  if (index >= 0) givePasses(works, index, epochSec(works));
}

/** Whether all that is known of the client is that it speaks like a family: it was recognised and has delivered nothing yet. */
export function isOnlyMember({ sessions }: Works, slot: number): boolean {
  return sessions.families[slot]! >= 0 && sessions.messages[slot] === 0;
}

/** Dates the pass of every test that is needed, each by its own lifetime. */
function givePasses(works: Works, index: number, nowSec: number): void {
  for (let test = 0; test < PASSES; test++) {
    const bit = works.passesNeeded & (1 << test);
    if (bit !== 0) works.reputation.pass(index, bit, nowSec + works.passTtlsSec[test]!);
  }
}

/**
 * The limit that a session exceeded, `feedback` if it was given that, and the signals that it noted in the order of their
 * numbers, separated by commas.
 */
export function reasonsOf(works: Works, slot: number): string {
  const bits = works.sessions.signals[slot]!;
  let reasons: string = limitNames[works.sessions.limits[slot]!]!;
  if (works.sessions.has(slot, Flag.Misled)) reasons += reasons === '' ? 'feedback' : ',feedback';
  if (bits === 0) return reasons;
  for (let id = 1; id < SIGNALS_MAX; id++)
    if ((bits & (1 << id)) !== 0) reasons += reasons === '' ? signalNameOf[id]! : `,${signalNameOf[id]!}`;
  return reasons;
}
