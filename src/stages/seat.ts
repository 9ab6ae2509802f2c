/**
 * seat — is there a slot for this client, and who would have to go for it?
 *
 * Asked by admit when everything else speaks for letting a client in. Without stress there always is. Under stress:
 * - A client of good standing takes any free slot, the reserved ones too. When there is none, somebody goes: a
 *   classified session, an unknown one, or one that rests after having passed.
 * - A stranger of a network that holds its share is not let in.
 * - When slots are short, a stranger comes in for a classified session or for an unknown one that has had its chance; one
 *   that has passed its tests before, for any unknown one. When nobody can go, while there are free slots beside the reserved ones.
 * - When the thread, the memory or the backend is at its end, a stranger in the place of another would not help: it is not
 *   let in, and others go as well (shed).
 *
 * Good standing is more than having passed once, which costs a zombie one visit: delivered mail, of the client itself or
 * of its network or pool, or a word of the operator.
 *
 * Cost: a look at two rows of the client's entry for its standing, and two comparisons; a session that did something is
 * classed anew by four.
 */
import { Pace } from '../policy/pace.ts';
import { Level } from '../policy/stress.ts';
import { Why } from '../policy/would-reasons.ts';
import { isGoodHost } from '../reputation/standing.ts';
import { Count } from '../session/counters.ts';
import type { EndingName } from '../session/endings.ts';
import { Phase } from '../session/phase.ts';
import { SeatClass } from '../session/seats.ts';
import { Flag } from '../session/sessions.ts';
import { Standing } from '../smtp/dialogue.ts';
import { countShed, hearMemory, hearSeats, isOverShare, shedWorst } from './shed.ts';
import type { Works } from './works.ts';
import { epochSec } from './works.ts';

/** Finds a seat for a client that is let in at the pace it has; null when it has one, or why it has none. */
export function takeSeat(works: Works, slot: number, isAllowed: boolean): EndingName | null {
  const { strain, seats, sessions, config, counters } = works;
  if (isAllowed || isOfGoodStanding(works, slot)) sessions.set(slot, Flag.GoodStanding);
  const wouldBe = seats.taken + 1;
  const isMany = wouldBe * 100 >= strain.room.strangers * config.stress.enter;
  // Memory comes back in an instant: nobody is sent away for what it was at the last look.
  if (strain.stress.level !== Level.Calm) hearMemory(works);
  if (isMany || strain.stress.level !== Level.Calm) hearSeats(works, wouldBe);
  if (strain.stress.level === Level.Calm) return null;
  if (config.mode === 'observe') return observe(works, slot);
  const refusal = refusalFor(works, slot);
  if (refusal === null) return null;
  countShed(works);
  if (refusal === 'sessionsFull') counters.add(Count.sessionsFull);
  return refusal;
}

/** Everybody gets a seat; who would have got none is noted. */
function observe(works: Works, slot: number): null {
  const refusal = observed(works, slot);
  if (refusal === null) return null;
  works.counters.add(Count.shedObserved);
  works.would.end(slot, Why[refusal]);
  return null;
}

/** Whether a session goes before others at the backend: who is not made to wait, under stress who is of good standing. */
export function isPreferred(works: Works, slot: number): boolean {
  const { sessions, lanes } = works;
  return lanes.around.isUnderStress
    ? sessions.has(slot, Flag.GoodStanding)
    : sessions.paces[slot] === Pace.Instant;
}

/** Gives a session the class that it has now. */
export function classify(works: Works, slot: number): void {
  works.seats.put(slot, classOf(works, slot));
}

function classOf(works: Works, slot: number): SeatClass {
  const { sessions } = works;
  switch (sessions.phaseOf(slot)) {
    case Phase.Free:
    case Phase.Closing:
    case Phase.Announcing:
      return SeatClass.None;
    case Phase.Listening:
      // Between two chunks the message is in hand.
      if (sessions.standings[slot] === Standing.Chunks) return SeatClass.Kept;
      break;
    case Phase.Greeting:
    case Phase.Holding:
      break;
    case Phase.Owing:
      // 354 or 220 is owed: the message is as good as in hand, and in a handshake nothing can be said.
      if (sessions.phasesAfter[slot] === Phase.Listening) break;
      return SeatClass.Kept;
    default:
      return SeatClass.Kept;
  }
  const flags = sessions.flags[slot]!;
  if ((flags & Flag.RefuseRecipients) !== 0 || sessions.paces[slot] === Pace.Slow)
    return SeatClass.Classified;
  if ((flags & Flag.GoodStanding) !== 0) return SeatClass.Kept;
  return (flags & Flag.Passed) === 0 ? SeatClass.Unknown : SeatClass.Shown;
}

function isOfGoodStanding(works: Works, slot: number): boolean {
  const { sessions, reputation } = works;
  if (sessions.paces[slot] === Pace.Slow) return false;
  if (sessions.has(slot, Flag.KnownByPool)) return true;
  return isGoodHost(reputation, sessions.reputations[slot]!, epochSec(works));
}

function refusalFor(works: Works, slot: number): EndingName | null {
  const { strain, seats, sessions } = works;
  const { stress, room } = strain;
  if (sessions.has(slot, Flag.GoodStanding)) {
    if (seats.taken < room.seats || shedWorst(works, SeatClass.Shown, false)) return null;
    return 'sessionsFull';
  }
  if (isOverShare(works, slot)) return 'shedNetwork';
  if (stress.level !== Level.Shedding) return null;
  if (stress.isOverworked) return 'shedStranger';
  const isFull = seats.taken >= room.strangers;
  if (shedWorst(works, isFull ? SeatClass.Unknown : SeatClass.Classified, !sessions.has(slot, Flag.Passed)))
    return null;
  return isFull ? 'shedStranger' : null;
}

/** The same without anybody having to go. */
function observed(works: Works, slot: number): 'sessionsFull' | 'shedNetwork' | 'shedStranger' | null {
  const { strain, seats, sessions } = works;
  if (sessions.has(slot, Flag.GoodStanding)) return seats.taken < strain.room.seats ? null : 'sessionsFull';
  if (isOverShare(works, slot)) return 'shedNetwork';
  const isShort = strain.stress.isOverworked || seats.taken >= strain.room.strangers;
  return isShort && strain.stress.level === Level.Shedding ? 'shedStranger' : null;
}
