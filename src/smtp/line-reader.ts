/**
 * line-reader — finds the next command line in the bytes that have arrived
 *
 * Only LF is searched for, so that a line ended by a bare LF is seen as what it is and can be named. Bytes of
 * an unfinished line stay with the transport; the reader remembers how far it looked, so a client that sends
 * one byte a second costs one look at one byte. One reader serves all sessions of a shard: its fields hold
 * the last line found and nothing else.
 *
 * Whatever stands in the line is legal input: NUL, 8-bit, controls. Flags say what was odd.
 */

const LF = 0x0a;
const CR = 0x0d;

/** What was odd about a line, as bits. */
export const Oddity = {
  /** Ended by LF without CR. */
  BareLf: 1,
  /** A CR inside the line that no LF follows. */
  BareCr: 2,
  /** A NUL inside the line. */
  Nul: 4,
} as const;

export class LineReader {
  /** The line without its end: bytes[start … end). */
  start = 0;
  end = 0;
  /** Where the byte behind the line end stands. */
  next = 0;
  /** `Oddity` bits of the line. */
  oddities = 0;

  /**
   * Looks for a line in bytes[from …]. `scanned` bytes from there were seen before to hold no LF.
   * True: the fields tell where the line stands. False: no whole line is there.
   */
  find(bytes: Uint8Array, from: number, scanned: number): boolean {
    const lf = bytes.indexOf(LF, from + scanned);
    if (lf < 0) return false;
    let oddities = 0;
    let end = lf;
    if (end > from && bytes[end - 1] === CR) end--;
    else oddities = Oddity.BareLf;
    for (let at = from; at < end; at++) {
      const byte = bytes[at]!;
      if (byte === CR) oddities |= Oddity.BareCr;
      else if (byte === 0) oddities |= Oddity.Nul;
    }
    this.start = from;
    this.end = end;
    this.next = lf + 1;
    this.oddities = oddities;
    return true;
  }
}
