/**
 * body — how fast a message is read, and how much of it at most
 *
 * Shared by the two ways in which a message comes, DATA (receive) and BDAT (chunk). Of a slow session no more is read than its
 * rate allows, a piece each `shape.drip_interval`; the rest stays in the transport, which lets the network stem it. What is kept
 * back so is charged to the patience budget, and read at once when that is spent.
 */
import { allowedDelayMs, Timer } from '../policy/patience.ts';
import { Flag } from '../session/sessions.ts';
import { bytesDue, dripDoneMs } from '../timing/pacer.ts';
import { cut } from './end.ts';
import { bodyRate } from './slow.ts';
import { charge } from './speak.ts';
import type { Works } from './works.ts';

/** A client may send this much beyond twice the size limit before it is cut off. */
const OVERRUN_BYTES_MAX = 1_000_000;
/** Bytes of a refused message that are thrown away when there is no size limit. */
const DISCARD_BYTES_MAX = 100_000_000;
/** Bodies that are read faster than this, in bytes a second, are left to the network. */
const NARROW_RATE = 100_000;
/** A piece of one byte may be a CR, which is not looked at without what follows it. */
const PIECE_BYTES_MIN = 2;

/** Bytes that the network takes for us are bytes that the client is rid of: of a slow body few may be under way. */
export function narrowIfSlow(works: Works, slot: number): void {
  if (bodyRate(works, slot) < NARROW_RATE) works.front.narrow(works.sessions.handleOf(slot), true);
}

/** How many of the `waiting` bytes of a slow client may be read now; -1 when none, and the timer is set for the next. */
export function bytesToRead(works: Works, slot: number, waiting: number): number {
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

/** Whether a message, refused or not yet, is so long that the session ends instead of reading it to its end. */
export function isFarTooBig(works: Works, bytes: number, refusal: Uint8Array | null): boolean {
  const sizeMax = works.greetings.sizeMaxBytes;
  if (sizeMax > 0) return bytes > sizeMax * 2 + OVERRUN_BYTES_MAX;
  return refusal !== null && bytes > DISCARD_BYTES_MAX;
}
