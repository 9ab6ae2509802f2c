/**
 * deliver — hand the message over, pass the answer on
 *
 * The message is whole (receive). That of a slow client is held first, for what its plan has left (slow): who leaves meanwhile has
 * delivered nothing, since the backend has nothing of it. Then a lane takes it at full speed, or what it has not of it yet (stream), and the client hears the
 * backend's own reply, at once, since a delayed 250 is how mail gets doubled (RFC 1047). Sluice has no 250 of its own to give.
 *
 * In: a whole message, from receive.   Out: Holding, Delivering, then Listening; or Closing.
 */
import { Job } from '../backend/lane-host.ts';
import { Outcome } from '../backend/outcomes.ts';
import { Pace } from '../policy/pace.ts';
import { allowedDelayMs, HANDOVER_MS_MAX, Timer } from '../policy/patience.ts';
import { Count } from '../session/counters.ts';
import { Phase } from '../session/phase.ts';
import { Flag } from '../session/sessions.ts';
import { isMessageRefused, isToItsCredit } from './always.ts';
import { bury } from './end.ts';
import { forgetEnvelope, forgetMessage } from './forget.ts';
import { creditPatience, creditPools, note } from './learn.ts';
import { refusalOf } from './listed.ts';
import { isObserving, wouldReceive } from './observe.ts';
import { isPreferred } from './seat.ts';
import { slowDelayMs } from './slow.ts';
import { charge, say } from './speak.ts';
import { endStream, giveUpStream } from './stream.ts';
import type { Works } from './works.ts';

/** The message is whole. */
export function received(works: Works, slot: number): void {
  const { sessions, counters, spool, front } = works;
  counters.add(Count.messagesReceived);
  if (sessions.paces[slot] === Pace.Slow) front.narrow(sessions.handleOf(slot), false);
  const { refusal } = sessions.envelopes[slot]!;
  if (refusal === null && spool.hasFailed(slot)) {
    counters.add(Count.spoolFull);
    return answer(works, slot, works.replies.spoolFull);
  }
  if (refusal !== null) return answer(works, slot, refusal);
  if (isObserving(works)) wouldReceive(works, slot, sessions.envelopes[slot]!.bodyBytes);
  if (isMessageRefused(works, slot)) return refuseListed(works, slot, refusalOf(works, slot));
  if (spool.spilled(slot)) counters.add(Count.spilled);
  const holdMs = holdFor(works, slot);
  if (holdMs === 0) return handOver(works, slot);
  giveUpStream(works, slot);
  counters.add(Count.held);
  charge(works, slot, holdMs);
  sessions.enter(slot, Phase.Holding);
  works.wheel.arm(slot, works.nowMs + holdMs);
  return undefined;
}

/** How long the message of a slow client is held. */
function holdFor(works: Works, slot: number): number {
  const { sessions, config } = works;
  if (sessions.paces[slot] !== Pace.Slow || works.draining) return 0;
  return allowedDelayMs(config, Timer.Dot, slowDelayMs(works, slot, Timer.Dot), sessions.delaysMs[slot]!);
}

/** Asks for a lane that takes the message, or says to the one that has begun to take it that it is whole. */
export function handOver(works: Works, slot: number): void {
  const { sessions, lanes, wheel, spool, config } = works;
  sessions.enter(slot, Phase.Delivering);
  sessions.backendSinceMs[slot] = works.nowMs;
  wheel.arm(slot, works.nowMs + config.backend.waitMaxMs);
  spool.finish(slot);
  if (lanes.complete(slot, works.nowMs)) return;
  // The lane that had begun was lost.
  giveUpStream(works, slot);
  lanes.request(slot, Job.Deliver, isPreferred(works, slot), works.nowMs);
}

/** The backend has refused a message that still comes in: the client hears that at its end, as if it had been asked only then. */
function refusedMeanwhile(works: Works, slot: number): void {
  works.sessions.envelopes[slot]!.refusal = replyForOutcome(works, slot);
  endStream(works, slot);
  works.spool.discard(slot);
}

/** DNS lists have answered late: a message of which the backend has nothing yet is refused after all. */
export function refuseIfListed(works: Works, slot: number): void {
  const { sessions, lanes } = works;
  const phase = sessions.phaseOf(slot);
  if ((phase !== Phase.Holding && phase !== Phase.Delivering) || !isMessageRefused(works, slot)) return;
  if (lanes.isCommitted(slot)) return;
  if (phase === Phase.Delivering) sessions.backendMs[slot]! += works.nowMs - sessions.backendSinceMs[slot]!;
  refuseListed(works, slot, refusalOf(works, slot));
}

/** Not for its content: the message is thrown away before it can be blamed. */
function refuseListed(works: Works, slot: number, reply: Uint8Array): void {
  works.spool.discard(slot);
  answer(works, slot, reply);
}

/** The backend has answered the message, or could not be given it. */
export function delivered(works: Works, slot: number): void {
  const { sessions } = works;
  if (sessions.phaseOf(slot) === Phase.Receiving) return refusedMeanwhile(works, slot);
  sessions.backendMs[slot]! += works.nowMs - sessions.backendSinceMs[slot]!;
  return answer(works, slot, replyForOutcome(works, slot));
}

/** What a client is told about its message, by how the step at the backend has ended. */
function replyForOutcome(works: Works, slot: number): Uint8Array {
  const { sessions, lanes, config } = works;
  // 421 ends the backend's conversation with Sluice, not the client's.
  if (lanes.outcomes.codeOf(slot) === 421) return works.replies.backendBusy;
  const isLate = config.backend.verifyRecipients === 'late';
  // A recipient that was promised and is refused now: the sender keeps the message and asks again. In late mode
  // the one recipient was never promised by the backend, so its refusal is the answer to the message.
  if (lanes.outcomes.kindOf(slot) !== Outcome.Changed || isLate) return lanes.outcomes.replyOf(slot);
  // One of them may have been promised from memory; which one is not told.
  for (const recipient of sessions.envelopes[slot]!.recipients) works.recipients.forgetYes(recipient);
  return works.replies.envelopeChanged;
}

/** Nobody had a lane to spare in time; or one lane after another failed, and the client's own timer is half over. */
export function notDeliveredInTime(works: Works, slot: number): void {
  const { sessions, lanes } = works;
  // The backend may have it: only its answer, or the lane's own timer, can end this.
  if (lanes.isCommitted(slot)) return;
  const lastMs = sessions.backendSinceMs[slot]! + HANDOVER_MS_MAX;
  if (!lanes.isWaiting(slot) && works.nowMs < lastMs) {
    works.wheel.arm(slot, lastMs);
    return;
  }
  sessions.backendMs[slot]! += works.nowMs - sessions.backendSinceMs[slot]!;
  answer(works, slot, works.replies.backendBusy);
}

/** Says what became of the message; the transaction is over. */
function answer(works: Works, slot: number, reply: Uint8Array): void {
  const { sessions, counters, spool, lanes } = works;
  const verdict = reply[0]! - 0x30;
  if (verdict === 2) {
    counters.add(Count.messagesDelivered);
    sessions.bump(sessions.messages, slot);
    // A client that delivers is no nuisance, however long it stays (Postfix forgives errors at the same point).
    sessions.commands[slot] = 0;
    sessions.errors[slot] = 0;
    if (isToItsCredit(works, slot)) {
      note(works, slot, 'delivered');
      creditPatience(works, slot);
      creditPools(works, slot);
    }
    forgetMessage(works, slot);
    // The next command of a slow client is answered late: the lane is for others meanwhile.
    if (sessions.paces[slot] === Pace.Slow) lanes.letGo(slot, works.nowMs);
  } else {
    counters.add(verdict === 4 ? Count.messagesDeferred : Count.messagesRefused);
    if (verdict === 5 && spool.has(slot)) note(works, slot, 'contentRefused');
    forgetEnvelope(works, slot);
  }
  if (sessions.has(slot, Flag.StreamGone)) return bury(works, slot);
  say(works, slot, reply, Timer.None, Phase.Listening);
  return undefined;
}
