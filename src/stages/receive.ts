/**
 * receive — take the message in, at the pace that the client has earned
 *
 * The body comes at the client's pace into bounded memory (backend/spool) and is looked through for its one true
 * end (smtp/body-end). Only when it is whole does the backend see its end, and, but for a large message of a client in good
 * standing (stream), anything of it: a client that leaves early has delivered nothing.
 *
 * A slow one is read at its pace (body); of the others few large reads, since each costs the same whatever it brings.
 *
 * Observe mode refuses no message for its newlines: it is made whole as with `smtp.bare_newline = "normalize"`, and what would have
 * been is noted.
 *
 * A message that cannot be taken (too big, bare newlines, no room) is read to its end and thrown away, so that
 * the refusal reaches a client which listens only then.
 *
 * In: phase Listening with DATA in hand.   Out: Receiving, then what deliver makes of it; or Closing. A message that comes
 * by BDAT is taken by chunk, in the same phase.
 */
import { Pace } from '../policy/pace.ts';
import { Timer } from '../policy/patience.ts';
import { Why } from '../policy/would-reasons.ts';
import { Count } from '../session/counters.ts';
import { Phase } from '../session/phase.ts';
import { Flag } from '../session/sessions.ts';
import { BodyState, normalize } from '../smtp/body-end.ts';
import { isMessageRefused } from './always.ts';
import { bytesToRead, isFarTooBig, narrowIfSlow } from './body.ts';
import { receiveChunk } from './chunk.ts';
import { received } from './deliver.ts';
import { cut, dismiss } from './end.ts';
import { forgetEnvelope } from './forget.ts';
import { note } from './learn.ts';
import { refusalOf } from './listed.ts';
import { isObserving } from './observe.ts';
import { say } from './speak.ts';
import { endStream, pauseStream, quietMsMax, stream } from './stream.ts';
import type { Works } from './works.ts';

/** The end of the message, dot CR LF, is no part of its size (RFC 1870 §5). */
const FINAL_DOT_BYTES = 3;

/** DATA: asks for the message. `isAhead`: bytes stand behind the command although 354 was not said. */
export function startReceiving(works: Works, slot: number, isAhead: boolean): void {
  const { sessions, replies, spool } = works;
  if (isAhead && !isObserving(works)) return refuseAhead(works, slot);
  if (isAhead) foreseeAhead(works, slot);
  if (isMessageRefused(works, slot)) {
    forgetEnvelope(works, slot);
    return say(works, slot, refusalOf(works, slot), Timer.Data, Phase.Listening);
  }
  spool.begin(slot);
  sessions.envelopes[slot]!.bodySinceMs = works.nowMs;
  sessions.bodyStates[slot] = BodyState.LineStart;
  sessions.bodyDueMs[slot] = 0;
  narrowIfSlow(works, slot);
  say(works, slot, replies.startData, Timer.Data, Phase.Receiving);
}

/** Bytes came before 354: they cannot be told from commands, and whoever sends them does not wait, or hides something. */
export function refuseAhead(works: Works, slot: number): void {
  note(works, slot, 'pipelining');
  dismiss(works, slot, 'dataAhead', works.replies.dataAhead);
}

/** Observe mode takes the message as the client sends it: 354 is said at once, and what follows DATA is one. */
function foreseeAhead(works: Works, slot: number): void {
  note(works, slot, 'pipelining');
  works.would.end(slot, Why.dataAhead);
}

/** Takes what has arrived of the message; true when the session may go on at once. */
export function receive(works: Works, slot: number): boolean {
  const { sessions, front, bodies, spool } = works;
  if (sessions.has(slot, Flag.InChunk)) return receiveChunk(works, slot);
  const handle = sessions.handleOf(slot);
  const envelope = sessions.envelopes[slot]!;
  if (envelope.refusal === null && spool.isBehind(slot)) return false;
  const bytes = front.peek(handle);
  const state = sessions.bodyStates[slot] as BodyState;
  const due = sessions.paces[slot] === Pace.Slow ? bytesToRead(works, slot, bytes.length) : bytes.length;
  if (due < 0) return false;
  if (due > 0) bodies.scan(bytes, due, state);
  if (due === 0 || bodies.used === 0) {
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
  stream(works, slot);
  const messageDueMs = envelope.bodySinceMs + works.config.smtp.messageTimeMs;
  works.wheel.arm(slot, Math.min(works.nowMs + quietMsMax(works, slot), messageDueMs));
  // Nothing more will be noted of a client that has finished sending, nor of bytes that were left.
  return due < bytes.length || sessions.has(slot, Flag.PeerEnded);
}

/** Time is up: for the next piece of a slow body, or for a client that sends nothing. */
export function bodyTimeUp(works: Works, slot: number): void {
  const { bodyDueMs } = works.sessions;
  if (bodyDueMs[slot] !== 0) {
    bodyDueMs[slot] = 0;
    return undefined;
  }
  const leftMs = pauseStream(works, slot);
  if (leftMs === 0) return dismiss(works, slot, 'dataTimeLimit', works.replies.dataTimeLimit);
  works.wheel.arm(slot, works.nowMs + leftMs);
  return undefined;
}

/** Puts a piece into the spool, or finds the reason why the message is refused. */
function keep(works: Works, slot: number, piece: Uint8Array, state: BodyState): void {
  const { sessions, config, bodies, spool, greetings, replies, counters } = works;
  const envelope = sessions.envelopes[slot]!;
  if (envelope.refusal !== null) return;
  const sizeMax = greetings.sizeMaxBytes;
  let bytes = piece;
  const isRejected = bodies.odd && config.smtp.bareNewline === 'reject';
  if (isRejected && isObserving(works)) works.would.refuse(slot, Why.bodyNewline);
  if (isRejected && !isObserving(works)) {
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
  if (envelope.refusal === null) return;
  // Before the lane has its end: what it has of the message is no message.
  endStream(works, slot);
  spool.discard(slot);
}
