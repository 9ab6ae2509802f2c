/**
 * bdat — the argument of BDAT, and the octets of a chunk as they go on behind DATA
 *
 * BDAT says how many octets follow (RFC 3030), so nothing in a chunk can end it: a dot alone in a line is text like any other.
 * The backend is spoken to with DATA, where it would be the end. So every dot at the start of a line is doubled on the way into
 * the spool, and the one true end is written behind the last chunk; what is in the spool looks as if it had come by DATA.
 *
 * A bare CR, a bare LF and a NUL are noted as with DATA (body-end) and never leave this place raw: where the message is not
 * refused for them, a bare LF becomes CR LF, the other two a space. A CR at the end of a piece or of a chunk is held back until
 * the octet behind it is seen, which may be the first of the next chunk.
 *
 * Cost: one pass over the octets; a piece is copied only when it cannot go on as it is.
 */
import { assert } from '../base/assert.ts';
import { upper } from '../base/ascii.ts';

const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;
const SP = 0x20;
const TAB = 0x09;
const ZERO = 0x30;

/** More digits than any size has. */
const DIGITS_MAX = 15;

const LAST = [0x4c, 0x41, 0x53, 0x54];

/** What BDAT said. */
export class ChunkReader {
  /** Octets that follow the command line. */
  octets = 0;
  /** LAST: the message is whole behind this chunk. */
  isLast = false;

  /** Reads the argument bytes[start … end); false when it cannot be told how much follows. The results are in the fields. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    let at = start;
    let octets = 0;
    while (at < end && isDigit(bytes[at]!)) octets = octets * 10 + bytes[at++]! - ZERO;
    if (at === start || at - start > DIGITS_MAX) return false;
    this.octets = octets;
    this.isLast = false;
    const digitsEnd = at;
    while (at < end && isBlank(bytes[at]!)) at++;
    if (at === end) return true;
    if (at === digitsEnd) return false;
    for (const letter of LAST) if (at >= end || upper(bytes[at++]!) !== letter) return false;
    while (at < end && isBlank(bytes[at]!)) at++;
    this.isLast = at === end;
    return this.isLast;
  }
}

const isDigit = (byte: number): boolean => byte >= ZERO && byte <= 0x39;
const isBlank = (byte: number): boolean => byte === SP || byte === TAB;

/** Where in a line the text stands between two pieces. */
export const ChunkState = {
  /** At the start of a line: a dot here is doubled. */
  LineStart: 0,
  /** Inside a line. */
  Text: 1,
  /** Behind a CR, which was not passed on yet. */
  HeldCr: 2,
} as const;
export type ChunkState = (typeof ChunkState)[keyof typeof ChunkState];

/** Makes the octets of a chunk into what DATA carries, piece by piece. One serves all sessions: each brings its state. */
export class ChunkStuffer {
  /** The state to begin the next piece with. */
  state: ChunkState = ChunkState.LineStart;
  /** True when a bare CR, a bare LF or a NUL was seen in the piece. */
  odd = false;

  /** The piece bytes[0 … length) as DATA carries it, begun in `state`: a view of `bytes`, or a fresh copy. */
  stuff(bytes: Uint8Array, length: number, state: ChunkState): Uint8Array {
    this.odd = false;
    if (this.#isPlain(bytes, length, state)) {
      const isHeld = this.state === ChunkState.HeldCr;
      return bytes.subarray(0, isHeld ? length - 1 : length);
    }
    return this.#writeAnew(bytes, length, state);
  }

  /** What stands behind the last chunk: the end of its line if it has none, and the final dot. */
  end(state: ChunkState): Uint8Array {
    this.odd = state === ChunkState.HeldCr;
    if (state === ChunkState.LineStart) return atLineStart;
    return this.odd ? behindBareCr : insideLine;
  }

  /** Whether the piece can go on as it is, but for a CR at its end. Leaves the state behind it. */
  #isPlain(bytes: Uint8Array, length: number, state: ChunkState): boolean {
    if (state === ChunkState.HeldCr) return false;
    let now: ChunkState = state;
    for (let at = 0; at < length; at++) {
      const byte = bytes[at]!;
      if (byte === CR) {
        if (at + 1 === length) {
          now = ChunkState.HeldCr;
          break;
        }
        if (bytes[at + 1] !== LF) return false;
        at++;
        now = ChunkState.LineStart;
      } else if (byte === LF || byte === 0 || (byte === DOT && now === ChunkState.LineStart)) {
        return false;
      } else {
        now = ChunkState.Text;
      }
    }
    this.state = now;
    return true;
  }

  #writeAnew(bytes: Uint8Array, length: number, state: ChunkState): Uint8Array {
    const out = new Uint8Array(length * 2 + 2);
    let written = 0;
    let now: ChunkState = state;
    for (let at = 0; at < length; at++) {
      const byte = bytes[at]!;
      if (byte === LF) {
        if (now !== ChunkState.HeldCr) this.odd = true;
        out[written++] = CR;
        out[written++] = LF;
        now = ChunkState.LineStart;
        continue;
      }
      if (now === ChunkState.HeldCr) {
        this.odd = true;
        out[written++] = SP;
        now = ChunkState.Text;
      }
      if (byte === CR) {
        now = ChunkState.HeldCr;
        continue;
      }
      if (byte === 0) this.odd = true;
      if (byte === DOT && now === ChunkState.LineStart) out[written++] = DOT;
      out[written++] = byte === 0 ? SP : byte;
      now = ChunkState.Text;
    }
    assert(written <= out.length, 'a stuffed piece outgrew its bound');
    this.state = now;
    return out.subarray(0, written);
  }
}

const atLineStart = Uint8Array.of(DOT, CR, LF);
const insideLine = Uint8Array.of(CR, LF, DOT, CR, LF);
const behindBareCr = Uint8Array.of(SP, CR, LF, DOT, CR, LF);
