/**
 * outbox — what a session says in one go leaves in one write
 *
 * Replies to pipelined commands are collected while the session is looked at and written together (RFC 2920
 * wants pending replies sent when the input is used up; one write costs what one reply costs). A single reply,
 * the usual case, is passed on without a copy. One outbox serves all sessions: it is empty between two of them.
 */
import { assert } from '../base/assert.ts';

const KEPT_BYTES_MAX = 65_536;

export class Outbox {
  readonly #pieces: Uint8Array[] = [];
  #bytes = 0;

  /** Adds bytes that will not change. */
  put(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
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
    const first = this.#pieces[0];
    assert(first !== undefined, 'an empty outbox has nothing to take');
    let whole = first;
    if (this.#pieces.length > 1) {
      whole = new Uint8Array(this.#bytes);
      let at = 0;
      for (const piece of this.#pieces) {
        whole.set(piece, at);
        at += piece.length;
      }
    }
    this.clear();
    return whole;
  }

  /** Throws away what was put. */
  clear(): void {
    this.#pieces.length = 0;
    this.#bytes = 0;
  }
}
