/**
 * body-end — where a message ends, and nothing else may look like it
 *
 * Only CR LF . CR LF ends a message (RFC 5321 §4.1.1.4). Every other arrangement that some MTA somewhere
 * takes for an end (LF . LF, LF . CR LF, CR LF . LF, CR . CR, a NUL in between) is the raw material of
 * SMTP smuggling, so a bare CR, a bare LF and a NUL are noted, and never leave this place raw: the message
 * is refused (`reject`), or written anew (`normalize`: a bare LF becomes CR LF and a dot behind it is doubled;
 * a bare CR and a NUL become a space).
 *
 * The bytes go on dot-stuffed as they came, the final dot included: both sides speak the same framing, so
 * nothing is unstuffed and stuffed again. A CR at the very end of what has arrived is left for the next look,
 * so every CR is seen together with the byte behind it.
 *
 * Cost: one pass over the bytes, no allocation; `normalize` copies a piece only when it holds an oddity.
 */
import { assert } from '../base/assert.ts';

const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;
const SP = 0x20;

/** Where in a line the body stands between two pieces. */
export const BodyState = {
  /** Behind CR LF (and at the start of the message): a dot here may be the end. */
  LineStart: 0,
  /** Behind CR LF and a dot. */
  Dot: 1,
  /** Inside a line. */
  Text: 2,
  /** Behind an LF that `normalize` made into CR LF: a dot here is text and must be doubled. */
  SoftStart: 3,
} as const;
export type BodyState = (typeof BodyState)[keyof typeof BodyState];

export class BodyScanner {
  /** The state to begin the next piece with. */
  state: BodyState = BodyState.LineStart;
  /** Bytes of the piece that were used; what is behind them stays for the next look. */
  used = 0;
  /** True when the end of the message was among the used bytes; `used` is then right behind it. */
  done = false;
  /** True when a bare CR, a bare LF or a NUL was among the used bytes. */
  odd = false;
  /** Dots among the used bytes that stand only for the framing: each before another byte at the start of a line. */
  stuffed = 0;

  /** Looks through bytes[0 … length) of a piece, beginning in `state`. The results are in the fields. */
  scan(bytes: Uint8Array, length: number, state: BodyState): void {
    this.done = false;
    this.odd = false;
    this.stuffed = 0;
    let at = 0;
    let now: BodyState = state;
    while (at < length) {
      const byte = bytes[at]!;
      if (byte === CR) {
        if (at + 1 === length) break;
        if (bytes[at + 1] === LF) {
          at += 2;
          if (now === BodyState.Dot) {
            this.done = true;
            now = BodyState.LineStart;
            break;
          }
          now = BodyState.LineStart;
          continue;
        }
        this.odd = true;
        now = BodyState.Text;
      } else if (byte === LF) {
        this.odd = true;
        now = BodyState.SoftStart;
      } else if (byte === DOT && now === BodyState.LineStart) {
        now = BodyState.Dot;
      } else {
        if (byte === 0) this.odd = true;
        if (now === BodyState.Dot) this.stuffed++;
        now = BodyState.Text;
      }
      at++;
    }
    this.state = now;
    this.used = at;
  }
}

/**
 * Writes the used bytes of a piece anew without bare CR, bare LF and NUL. `state` is the state the piece began
 * with; `used` what the scanner used of it. The answer is a fresh copy, at most twice as long.
 */
export function normalize(bytes: Uint8Array, used: number, state: BodyState): Uint8Array {
  const out = new Uint8Array(used * 2 + 2);
  let length = 0;
  let now: BodyState = state;
  for (let at = 0; at < used; at++) {
    const byte = bytes[at]!;
    if (byte === CR && bytes[at + 1] === LF && at + 1 < used) {
      out[length++] = CR;
      out[length++] = LF;
      at++;
      now = BodyState.LineStart;
    } else if (byte === LF) {
      // The dot before this LF went out as a lone dot: a second one makes it text instead of an end.
      if (now === BodyState.Dot) out[length++] = DOT;
      out[length++] = CR;
      out[length++] = LF;
      now = BodyState.SoftStart;
    } else if (byte === DOT && now === BodyState.LineStart) {
      out[length++] = DOT;
      now = BodyState.Dot;
    } else if (byte === DOT && now === BodyState.SoftStart) {
      out[length++] = DOT;
      out[length++] = DOT;
      now = BodyState.Text;
    } else {
      out[length++] = byte === CR || byte === 0 ? SP : byte;
      now = BodyState.Text;
    }
  }
  assert(length <= out.length, 'a normalized piece outgrew its bound');
  return out.subarray(0, length);
}
