/**
 * outbox — what a session says in one go leaves in one write
 *
 * Replies to pipelined commands are collected while the session is looked at and written together (RFC 2920
 * wants pending replies sent when the input is used up; one write costs what one reply costs). A single reply,
 * the usual case, is passed on without a copy. One outbox serves all sessions: it is empty between two of them.
 */
import { assert } from '../base/assert.ts';

const KEPT_BYTES_MAX = 65_536;

const NOTHING = new Uint8Array(0);

export class Outbox {
  /** Its length never shrinks: an array that is emptied gives its memory back and takes new for the next reply. */
  readonly #pieces: Uint8Array[] = [];
  #count = 0;
  #bytes = 0;

  /** Adds bytes that will not change. */
  put(bytes: Uint8Array): void {
    this.#pieces[this.#count++] = bytes;
    this.#bytes += bytes.length;
  }

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  /** True when so much has been collected that it should go out before more is done. */
  get isFull(): boolean {
    return this.#bytes >= KEPT_BYTES_MAX;
  }

  /** Everything that was put, as one piece; the outbox is empty afterwards. */
  takeAll(): Uint8Array {
    assert(this.#count > 0, 'an empty outbox has nothing to take');
    let whole = this.#pieces[0]!;
    if (this.#count > 1) {
      whole = new Uint8Array(this.#bytes);
      let at = 0;
      for (let place = 0; place < this.#count; place++) {
        const piece = this.#pieces[place]!;
        whole.set(piece, at);
        at += piece.length;
      }
    }
    this.clear();
    return whole;
  }

  /** Throws away what was put. */
  clear(): void {
    for (let place = 0; place < this.#count; place++) this.#pieces[place] = NOTHING;
    this.#count = 0;
    this.#bytes = 0;
  }
}
