/**
 * receive — take the message in, at the pace that the client has earned
 *
 * The body comes at the client's pace into bounded memory (backend/spool) and is looked through for its one true
 * end (smtp/body-end). Only when it is whole does the backend see anything of it: a client that leaves early
 * has delivered nothing.
 *
 * Of a slow session no more is read than its rate allows, a piece each `shape.drip_interval`; the rest stays in the transport,
 * which lets the network stem it. What is kept back so is charged to the patience budget, and read at once when that is
 * spent. Few large reads, since each costs the same whatever it brings.
 *
 * Observe mode refuses no message for its newlines: it is made whole as with `smtp.bare_newline = "normalize"`, and what would have
 * been is noted.
 *
 * A message that cannot be taken (too big, bare newlines, no room) is read to its end and thrown away, so that
 * the refusal reaches a client which listens only then.
 *
 * In: phase Listening with DATA in hand.   Out: Receiving, then what deliver makes of it; or Closing.
 */
import { Pace } from '../policy/pace.ts';
import { allowedDelayMs, Timer } from '../policy/patience.ts';
import { Why } from '../policy/would-reasons.ts';
import { Count } from '../session/counters.ts';
import { Phase } from '../session/phase.ts';
import { Flag } from '../session/sessions.ts';
import { BodyState, normalize } from '../smtp/body-end.ts';
import { bytesDue, dripDoneMs } from '../timing/pacer.ts';
import { received } from './deliver.ts';
import { cut, dismiss } from './end.ts';
import { forgetEnvelope } from './forget.ts';
import { note } from './learn.ts';
import { isRefused, refusalOf } from './listed.ts';
import { isObserving } from './observe.ts';
import { bodyRate } from './slow.ts';
import { charge, say } from './speak.ts';
import type { Works } from './works.ts';

/** The end of the message, dot CR LF, is no part of its size (RFC 1870 §5). */
const FINAL_DOT_BYTES = 3;
/** A client may send this much beyond twice the size limit before it is cut off. */
const OVERRUN_BYTES_MAX = 1_000_000;
/** Bytes of a refused message that are thrown away when there is no size limit. */
const DISCARD_BYTES_MAX = 100_000_000;
/** Bodies that are read faster than this, in bytes a second, are left to the network. */
const NARROW_RATE = 100_000;
/** A piece of one byte may be a CR, which is not looked at without what follows it. */
const PIECE_BYTES_MIN = 2;

/** DATA: asks for the message. `isAhead`: bytes stand behind the command although 354 was not said. */
export function startReceiving(works: Works, slot: number, isAhead: boolean): void {
  const { sessions, replies, spool } = works;
  if (isAhead && !isObserving(works)) return refuseAhead(works, slot);
  if (isAhead) foreseeAhead(works, slot);
  if (isRefused(works, slot)) {
    forgetEnvelope(works, slot);
    return say(works, slot, refusalOf(works, slot), Timer.Data, Phase.Listening);
  }
  spool.begin(slot);
  sessions.envelopes[slot]!.bodySinceMs = works.nowMs;
  sessions.bodyStates[slot] = BodyState.LineStart;
  sessions.bodyDueMs[slot] = 0;
  // Bytes that the network takes for us are bytes that the client is rid of: of a slow body few may be under way.
  if (bodyRate(works, slot) < NARROW_RATE) works.front.narrow(sessions.handleOf(slot), true);
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
  const { dataBlockTimeMs, messageTimeMs } = works.config.smtp;
  works.wheel.arm(slot, Math.min(works.nowMs + dataBlockTimeMs, envelope.bodySinceMs + messageTimeMs));
  // Nothing more will be noted of a client that has finished sending, nor of bytes that were left.
  return due < bytes.length || sessions.has(slot, Flag.PeerEnded);
}

/** Time is up: for the next piece of a slow body, or for a client that sends nothing. */
export function bodyTimeUp(works: Works, slot: number): void {
  const { bodyDueMs } = works.sessions;
  if (bodyDueMs[slot] === 0) return dismiss(works, slot, 'dataTimeLimit', works.replies.dataTimeLimit);
  bodyDueMs[slot] = 0;
  return undefined;
}

/** How many of the `waiting` bytes of a slow client may be read now; -1 when none, and the timer is set for the next. */
function bytesToRead(works: Works, slot: number, waiting: number): number {
  const { sessions, config, wheel } = works;
  if (sessions.bodyDueMs[slot]! > works.nowMs) return keepBack(works, slot);
  const rate = works.draining ? Infinity : bodyRate(works, slot);
  if (waiting < PIECE_BYTES_MIN || rate === Infinity) return waiting;
  const envelope = sessions.envelopes[slot]!;
  if (envelope.bodyFromMs < 0) envelope.bodyFromMs = works.nowMs;
  const { dripIntervalMs } = config.shape;
  const pieceBytes = Math.max(PIECE_BYTES_MIN, Math.ceil((rate * dripIntervalMs) / 1000));
  const { bodyFromMs, bodyBytes } = envelope;
  const due =
    bytesDue(Number.MAX_SAFE_INTEGER, bodyFromMs, works.nowMs, pieceBytes, dripIntervalMs) - bodyBytes;
  if (due >= PIECE_BYTES_MIN) return Math.min(due, waiting);
  const dueMs = dripDoneMs(bodyBytes + PIECE_BYTES_MIN, bodyFromMs, pieceBytes, dripIntervalMs);
  const waitMs = Math.ceil(dueMs - works.nowMs);
  if (allowedDelayMs(config, Timer.Block, waitMs, sessions.delaysMs[slot]!) < waitMs) return waiting;
  charge(works, slot, waitMs);
  // The time that a message may take is the client's, and this is ours.
  envelope.bodySinceMs += waitMs;
  sessions.bodyDueMs[slot] = works.nowMs + waitMs;
  wheel.arm(slot, works.nowMs + waitMs);
  return keepBack(works, slot);
}

/** Nothing is read now. Who has finished sending waits for nothing more: that one is gone. */
function keepBack(works: Works, slot: number): -1 {
  if (works.sessions.has(slot, Flag.PeerEnded)) cut(works, slot, 'leftMessage');
  return -1;
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
  if (envelope.refusal !== null) spool.discard(slot);
}

function isFarTooBig(works: Works, bytes: number, refusal: Uint8Array | null): boolean {
  const sizeMax = works.greetings.sizeMaxBytes;
  if (sizeMax > 0) return bytes > sizeMax * 2 + OVERRUN_BYTES_MAX;
  return refusal !== null && bytes > DISCARD_BYTES_MAX;
}
