/**
 * deliver — take the message in, hand it over, pass the answer on
 *
 * The body comes at the client's pace into bounded memory (backend/spool) and is looked through for its one true
 * end (smtp/body-end). Only when it is whole does the backend see anything of it: a client that leaves early
 * has delivered nothing. Then a lane takes it at full speed, and the client hears the backend's own reply, at
 * once, since a delayed 250 is how mail gets doubled (RFC 1047). Sluice has no 250 of its own to give.
 *
 * A message that cannot be taken (too big, bare newlines, no room) is read to its end and thrown away, so that
 * the refusal reaches a client which listens only then.
 *
 * In: phase Listening with DATA in hand.   Out: Receiving, Delivering, then Listening; or Closing.
 */
import { Job } from '../backend/lane-host.ts';
import { Outcome } from '../backend/outcomes.ts';
import { HANDOVER_MS_MAX, Timer } from '../policy/patience.ts';
import { Count } from '../session/counters.ts';
import { Phase } from '../session/phase.ts';
import { Flag } from '../session/sessions.ts';
import { BodyState, normalize } from '../smtp/body-end.ts';
import { bury, cut, dismiss } from './end.ts';
import { forgetEnvelope, forgetMessage } from './forget.ts';
import { creditPools, note } from './learn.ts';
import { isRefused, refusalOf } from './listed.ts';
import { isPreferred } from './seat.ts';
import { say } from './speak.ts';
import type { Works } from './works.ts';

/** The end of the message, dot CR LF, is no part of its size (RFC 1870 §5). */
const FINAL_DOT_BYTES = 3;
/** A client may send this much beyond twice the size limit before it is cut off. */
const OVERRUN_BYTES_MAX = 1_000_000;
/** Bytes of a refused message that are thrown away when there is no size limit. */
const DISCARD_BYTES_MAX = 100_000_000;
/** DATA: asks for the message. `isAhead`: bytes stand behind the command although 354 was not said. */
export function startReceiving(works: Works, slot: number, isAhead: boolean): void {
  const { sessions, replies, spool } = works;
  if (isAhead) return refuseAhead(works, slot);
  if (isRefused(works, slot)) {
    forgetEnvelope(works, slot);
    return say(works, slot, refusalOf(works, slot), Timer.Data, Phase.Listening);
  }
  spool.begin(slot);
  sessions.envelopes[slot]!.bodySinceMs = works.nowMs;
  sessions.bodyStates[slot] = BodyState.LineStart;
  say(works, slot, replies.startData, Timer.Data, Phase.Receiving);
}

/** Bytes came before 354: they cannot be told from commands, and whoever sends them does not wait, or hides something. */
export function refuseAhead(works: Works, slot: number): void {
  note(works, slot, 'pipelining');
  dismiss(works, slot, 'dataAhead', works.replies.dataAhead);
}

/** Takes what has arrived of the message; true when the session may go on at once. */
export function receive(works: Works, slot: number): boolean {
  const { sessions, front, bodies, spool } = works;
  const handle = sessions.handleOf(slot);
  const envelope = sessions.envelopes[slot]!;
  if (envelope.refusal === null && spool.isBehind(slot)) return false;
  const bytes = front.peek(handle);
  const state = sessions.bodyStates[slot] as BodyState;
  if (bytes.length > 0) bodies.scan(bytes, bytes.length, state);
  if (bytes.length === 0 || bodies.used === 0) {
    if (sessions.has(slot, Flag.PeerEnded)) cut(works, slot, 'leftMessage');
    return false;
  }
  const { used } = bodies;
  sessions.bodyStates[slot] = bodies.state;
  sessions.bytesIn[slot]! += used;
  envelope.bodyBytes += used - bodies.stuffed;
  keep(works, slot, bytes.subarray(0, used), state);
  front.consume(handle, used);
  if (bodies.done) {
    received(works, slot);
    return true;
  }
  if (isFarTooBig(works, envelope.bodyBytes, envelope.refusal)) {
    dismiss(works, slot, 'messageTooBig', works.replies.messageFarTooBig);
    return false;
  }
  const { dataBlockTimeMs, messageTimeMs } = works.config.smtp;
  works.wheel.arm(slot, Math.min(works.nowMs + dataBlockTimeMs, envelope.bodySinceMs + messageTimeMs));
  // Nothing more will be noted of a client that has finished sending.
  return sessions.has(slot, Flag.PeerEnded);
}

/** Puts a piece into the spool, or finds the reason why the message is refused. */
function keep(works: Works, slot: number, piece: Uint8Array, state: BodyState): void {
  const { sessions, config, bodies, spool, greetings, replies, counters } = works;
  const envelope = sessions.envelopes[slot]!;
  if (envelope.refusal !== null) return;
  const sizeMax = greetings.sizeMaxBytes;
  let bytes = piece;
  if (bodies.odd && config.smtp.bareNewline === 'reject') {
    envelope.refusal = replies.bodyNewline;
  } else {
    if (bodies.odd || state === BodyState.SoftStart) bytes = normalize(piece, piece.length, state);
    if (sizeMax > 0 && envelope.bodyBytes > sizeMax + FINAL_DOT_BYTES) {
      envelope.refusal = replies.messageTooBig;
    } else if (!spool.append(slot, bytes)) {
      counters.add(Count.spoolFull);
      envelope.refusal = replies.spoolFull;
    }
  }
  if (envelope.refusal !== null) spool.discard(slot);
}

function isFarTooBig(works: Works, bytes: number, refusal: Uint8Array | null): boolean {
  const sizeMax = works.greetings.sizeMaxBytes;
  if (sizeMax > 0) return bytes > sizeMax * 2 + OVERRUN_BYTES_MAX;
  return refusal !== null && bytes > DISCARD_BYTES_MAX;
}

/** The message is whole. */
function received(works: Works, slot: number): void {
  const { sessions, counters, config, lanes, wheel, spool } = works;
  counters.add(Count.messagesReceived);
  const { refusal } = sessions.envelopes[slot]!;
  if (refusal === null && spool.hasFailed(slot)) {
    counters.add(Count.spoolFull);
    return answer(works, slot, works.replies.spoolFull);
  }
  if (refusal !== null) return answer(works, slot, refusal);
  if (isRefused(works, slot)) return refuseListed(works, slot, refusalOf(works, slot));
  if (spool.spilled(slot)) counters.add(Count.spilled);
  sessions.enter(slot, Phase.Delivering);
  sessions.backendSinceMs[slot] = works.nowMs;
  wheel.arm(slot, works.nowMs + config.backend.waitMaxMs);
  return lanes.request(slot, Job.Deliver, isPreferred(works, slot), works.nowMs);
}

/** DNS lists have answered late: a message of which the backend has nothing yet is refused after all. */
export function refuseIfListed(works: Works, slot: number): void {
  const { sessions, lanes } = works;
  if (!isRefused(works, slot) || lanes.isCommitted(slot)) return;
  sessions.backendMs[slot]! += works.nowMs - sessions.backendSinceMs[slot]!;
  refuseListed(works, slot, refusalOf(works, slot));
}

/** Not for its content: the message is thrown away before it can be blamed. */
function refuseListed(works: Works, slot: number, reply: Uint8Array): void {
  works.spool.discard(slot);
  answer(works, slot, reply);
}

/** The backend has answered the message, or could not be given it. */
export function delivered(works: Works, slot: number): void {
  const { sessions, lanes, config } = works;
  sessions.backendMs[slot]! += works.nowMs - sessions.backendSinceMs[slot]!;
  let reply = lanes.replyOf(slot);
  const isLate = config.backend.verifyRecipients === 'late';
  // A recipient that was promised and is refused now: the sender keeps the message and asks again. In late mode
  // the one recipient was never promised by the backend, so its refusal is the answer to the message.
  if (lanes.outcomeOf(slot) === Outcome.Changed && !isLate) reply = works.replies.envelopeChanged;
  // 421 ends the backend's conversation with Sluice, not the client's.
  if (lanes.codeOf(slot) === 421) reply = works.replies.backendBusy;
  answer(works, slot, reply);
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
  const { sessions, counters, spool } = works;
  const verdict = reply[0]! - 0x30;
  if (verdict === 2) {
    counters.add(Count.messagesDelivered);
    sessions.bump(sessions.messages, slot);
    // A client that delivers is no nuisance, however long it stays (Postfix forgives errors at the same point).
    sessions.commands[slot] = 0;
    sessions.errors[slot] = 0;
    note(works, slot, 'delivered');
    creditPools(works, slot);
    forgetMessage(works, slot);
  } else {
    counters.add(verdict === 4 ? Count.messagesDeferred : Count.messagesRefused);
    if (verdict === 5 && spool.has(slot)) note(works, slot, 'contentRefused');
    forgetEnvelope(works, slot);
  }
  if (sessions.has(slot, Flag.StreamGone)) return bury(works, slot);
  say(works, slot, reply, Timer.None, Phase.Listening);
  return undefined;
}
