/**
 * learn — what a session notices about its client goes two ways
 *
 * Into the session (which signals were noted, what score it has now) and into the shared reputation table, so
 * that the next session of the same client begins with it. A test that is failed may cost more than points:
 * the configuration says whether it is ignored, makes every recipient be refused, or ends the session at once.
 */
import type { Action, TestName } from '../policy/pace.ts';
import { Action as Actions, actionOf, Pace } from '../policy/pace.ts';
import type { SignalName } from '../reputation/signals.ts';
import { signals } from '../reputation/signals.ts';
import { Count } from '../session/counters.ts';
import { Flag } from '../session/sessions.ts';
import type { Works } from './works.ts';
import { epochSec } from './works.ts';

const signalNames = Object.keys(signals) as readonly SignalName[];

/** The bit of a signal in a session's memory. */
const bitOf = Object.fromEntries(signalNames.map((name, place) => [name, 1 << place])) as {
  readonly [Name in SignalName]: number;
};

/** Notes a signal: the session remembers it, the client's score moves by its weight. */
export function note(works: Works, slot: number, name: SignalName): void {
  const { sessions, reputation } = works;
  sessions.signals[slot]! |= bitOf[name];
  const weight = signals[name].weight;
  const index = sessions.reputations[slot]!;
  sessions.scores[slot] =
    index < 0
      ? sessions.scores[slot]! + weight
      : reputation.add(index, weight, epochSec(works)) + sessions.dnsPoints[slot]!;
}

/** True when the signal was noted in this session before. */
export function wasNoted(works: Works, slot: number, name: SignalName): boolean {
  return (works.sessions.signals[slot]! & bitOf[name]) !== 0;
}

/** Notes that a test was failed, once a session, and says what is to be done. */
export function failTest(works: Works, slot: number, test: TestName): Action {
  if (wasNoted(works, slot, test)) return Actions.Ignore;
  const { sessions, config, counters } = works;
  counters.add(Count[test]);
  const action = actionOf(config, test);
  // Observe mode scores what it does not act on; a test that is switched off costs nothing, here or later.
  if (action === Actions.Ignore && config.mode === 'enforce') sessions.signals[slot]! |= bitOf[test];
  else note(works, slot, test);
  if (action === Actions.Ignore) return action;
  sessions.clear(slot, Flag.Passed);
  if (action === Actions.Refuse) sessions.set(slot, Flag.RefuseRecipients);
  if (sessions.paces[slot] !== Pace.Slow) {
    sessions.paces[slot] = Pace.Slow;
    counters.add(Count.turnedSlow);
  }
  return action;
}

/** The client came to its first recipient without failing a test: it is known from now on. */
export function passTests(works: Works, slot: number): void {
  const { sessions, reputation, config, counters } = works;
  if (
    sessions.has(slot, Flag.Passed) ||
    sessions.has(slot, Flag.RefuseRecipients) ||
    works.passesNeeded === 0
  )
    return;
  sessions.set(slot, Flag.Passed);
  counters.add(Count.passedNew);
  note(works, slot, 'passed');
  const index = sessions.reputations[slot]!;
  const nowSec = epochSec(works);
  if (index >= 0)
    reputation.pass(index, works.passesNeeded, nowSec + Math.floor(config.screen.passTtlMs / 1000), nowSec);
}

/** Names of the signals that a session noted, separated by commas. */
export function reasonsOf(works: Works, slot: number): string {
  const bits = works.sessions.signals[slot]!;
  if (bits === 0) return '';
  let reasons = '';
  for (const name of signalNames)
    if ((bits & bitOf[name]) !== 0) reasons += reasons === '' ? name : `,${name}`;
  return reasons;
}
