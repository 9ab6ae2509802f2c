/**
 * sink-body — takes in one message body, finds its end and tells what it was
 *
 * In strict mode only a line that is exactly one dot, after CR LF and before CR LF, ends a message. In loose
 * mode a bare LF (or CR LF) on either side is enough, as many servers had it before 2024: a front end that
 * forwards a smuggled end of data will show up here as two messages.
 *
 * Undoes dot-stuffing, counts what should never have come through (bare CR, bare LF, NUL), and hashes what
 * is left twice: whole, and from the load id's header line on, so that trace headers added in front of it
 * do not matter.
 */
import { createHash } from 'node:crypto';

/** The header line by which a message is known; the first line of every message the bots write. */
export const LOAD_ID_HEADER = 'X-Load-Id: ';

const CR = 13;
const LF = 10;
const DOT = 46;

export interface BodyFacts {
  readonly bytes: number;
  /** Of the whole body, dots unstuffed, final dot not included. */
  readonly sha256: string;
  /** The load id, empty when there was none. */
  readonly id: string;
  /** Of the part that begins with the load id's header; equal to sha256 when nothing was put in front. */
  readonly idSha256: string;
  readonly bareNewlines: number;
  readonly nulBytes: number;
}

export class SinkBody {
  readonly #loose: boolean;
  #chunks: Buffer[] = [];
  #partial: Buffer = Buffer.alloc(0);
  #lastLineWasCrlf = true;
  bytes = 0;

  constructor(endOfData: 'strict' | 'loose') {
    this.#loose = endOfData === 'loose';
  }

  /**
   * Takes input; returns how many bytes of `input` belong to this message when it ended, -1 when it goes
   * on.
   */
  take(input: Buffer): number {
    let at = 0;
    for (;;) {
      const lf = input.indexOf(LF, at);
      if (lf < 0) {
        this.#partial = Buffer.concat([this.#partial, input.subarray(at)]);
        return -1;
      }
      const end = lf + 1;
      const line =
        this.#partial.length === 0
          ? input.subarray(at, end)
          : Buffer.concat([this.#partial, input.subarray(at, end)]);
      this.#partial = Buffer.alloc(0);
      at = end;
      if (this.#isEnd(line)) return at;
      this.#keep(line);
    }
  }

  #isEnd(line: Buffer): boolean {
    if (line[0] !== DOT) return false;
    if (this.#loose) return line.length === 2 || (line.length === 3 && line[1] === CR);
    return line.length === 3 && line[1] === CR && this.#lastLineWasCrlf;
  }

  #keep(line: Buffer): void {
    const isStuffed = line[0] === DOT && (this.#loose || this.#lastLineWasCrlf);
    this.#lastLineWasCrlf = line.length >= 2 && line[line.length - 2] === CR;
    const kept = Buffer.from(isStuffed ? line.subarray(1) : line);
    this.bytes += kept.length;
    this.#chunks.push(kept);
  }

  /** The whole body. */
  whole(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** What the body was. */
  facts(whole: Buffer): BodyFacts {
    const startsWithId = whole.subarray(0, LOAD_ID_HEADER.length).toString('latin1') === LOAD_ID_HEADER;
    const idAt = startsWithId ? 0 : whole.indexOf(`\n${LOAD_ID_HEADER}`) + 1;
    const hasId = startsWithId || idAt > 0;
    const idEnd = whole.indexOf('\r', idAt);
    const sha256 = sha256Of(whole);
    return {
      bytes: whole.length,
      sha256,
      id: hasId ? whole.toString('latin1', idAt + LOAD_ID_HEADER.length, idEnd) : '',
      idSha256: idAt > 0 ? sha256Of(whole.subarray(idAt)) : sha256,
      bareNewlines: countBareNewlines(whole),
      nulBytes: countByte(whole, 0),
    };
  }
}

function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function countByte(bytes: Buffer, byte: number): number {
  let count = 0;
  for (let at = bytes.indexOf(byte); at >= 0; at = bytes.indexOf(byte, at + 1)) count += 1;
  return count;
}

function countBareNewlines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1))
    if (bytes[at - 1] !== CR) count += 1;
  for (let at = bytes.indexOf(CR); at >= 0; at = bytes.indexOf(CR, at + 1))
    if (bytes[at + 1] !== LF) count += 1;
  return count;
}
