/**
 * recognise — a stranger that speaks like a family of zombies is known for one before it has said all
 *
 * Most members of a family are on no list yet and have no name of their own, but they speak as the others do. Looked is twice a
 * session, when the client first names a sender and when it first names a recipient: by then it has shown its greeting, the
 * case of its verbs, its blanks and its paths, and the backend has nothing of it. The manner has to be that of the family bit
 * for bit, and one that is told so early at all (families/speakers). From then on the client is slowed for as long as the patience of
 * its family asks (slow), and the log names the family.
 *
 * Meant are strangers alone. Who has passed the tests on an earlier visit, has delivered, is known by its company or is on the
 * operator's lists may speak as it likes. A member is not known for having come to a recipient, but for a message that
 * was accepted: an honest sender with such a manner waits once.
 *
 * In: phase Listening, from converse.   Out: the same.
 * Cost: two comparisons for who is no stranger; else, twice, a pass over a pair for each family that is told early (64 at most).
 */
import { Timer } from '../policy/patience.ts';
import { ONE } from '../reputation/decay.ts';
import { signals } from '../reputation/signals.ts';
import { Count } from '../session/counters.ts';
import { Flag } from '../session/sessions.ts';
import { slowForFamily } from './slow.ts';
import type { Works } from './works.ts';
import { epochSec } from './works.ts';

/** Whoever has one of these is no stranger. */
const KNOWN = Flag.Passed | Flag.KnownByPool | Flag.GoodStanding | Flag.Unlimited;

/** Looks whether the client speaks like a family. `first`: the client's timer for the reply that comes next. */
export function recognise(works: Works, slot: number, first: Timer): void {
  const { sessions, families, config, counters } = works;
  if (!families.hasSpeakers || sessions.families[slot]! >= 0 || !isFirst(works, slot, first)) return;
  if (!isStranger(works, slot)) return;
  const number = families.speakerOf(sessions.dialects[slot]!);
  if (number < 0) return;
  // Observe mode writes down what it would have done, and does nothing.
  if (config.mode === 'enforce') {
    sessions.families[slot] = number;
    counters.add(Count.recognised);
  }
  slowForFamily(works, slot, families.patienceOf(number), first);
}

/** The first sender of the session, or its first recipient. */
function isFirst({ sessions }: Works, slot: number, first: Timer): boolean {
  if (first === Timer.Rcpt) return sessions.recipientsOk[slot]! + sessions.recipientsBad[slot]! < 1;
  if (sessions.has(slot, Flag.Overheard)) return false;
  sessions.set(slot, Flag.Overheard);
  return true;
}

function isStranger(works: Works, slot: number): boolean {
  const { sessions, reputation } = works;
  if (sessions.has(slot, KNOWN)) return false;
  const index = sessions.reputations[slot]!;
  return index < 0 || reputation.amountOf(index, signals.delivered.id, epochSec(works)) * 2 < ONE;
}
