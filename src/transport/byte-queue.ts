/**
 * byte-queue — bytes of one stream that wait to be used, in order
 *
 * Most of the time one chunk arrives, is looked at and is used up at once. So the queue keeps the first chunk
 * as it came, without a copy, and lets go of it when it is empty: an idle stream owns no buffer. Only bytes
 * that come while others still wait are copied together, into a buffer that doubles: a peer that sends one byte at a
 * time costs each byte about two copies, never a copy of everything before it.
 *
 * The queue has no bound of its own; whoever fills it looks at `length` first. `view` is lent: it is good until
 * the next `append` or `drop`.
 * Not taken: a list of chunks (every reader would have to care about borders), one ring per stream (memory
 * for each idle stream).
 */
import { assert } from '../base/assert.ts';

/** No bytes at all; shared, so do not write into it. */
export const NO_BYTES = new Uint8Array(0);

const OWN_BYTES_MIN = 64;

export class ByteQueue {
  /** What waits is chunk[from … to). */
  private chunk = NO_BYTES as Uint8Array;
  private from = 0;
  private to = 0;
  /** Whether `chunk` was made here, so that it may be written into. */
  private own = false;

  /** Bytes that wait. */
  get length(): number {
    return this.to - this.from;
  }

  /** Puts bytes at the end. They are kept by reference: the caller must not change them afterwards. */
  append(bytes: Uint8Array): void {
    const added = bytes.length;
    if (added === 0) return;
    const waiting = this.to - this.from;
    if (waiting === 0) {
      this.chunk = bytes;
      this.from = 0;
      this.to = added;
      this.own = false;
      return;
    }
    // A chunk that is not our own is always full.
    if (this.to + added > this.chunk.length) this.makeRoom(waiting, added);
    this.chunk.set(bytes, this.to);
    this.to += added;
  }

  /** Everything that waits, as one piece; empty when nothing does. */
  view(): Uint8Array {
    if (this.from === 0 && this.to === this.chunk.length) return this.chunk;
    return this.chunk.subarray(this.from, this.to);
  }

  /** Takes `count` bytes from the front (0 … length). The buffer is let go with the last of them. */
  drop(count: number): void {
    assert(count >= 0 && count <= this.to - this.from, 'more bytes were used up than waited');
    this.from += count;
    if (this.from === this.to) this.clear();
  }

  /** Forgets everything. Views lent before stay readable. */
  clear(): void {
    this.chunk = NO_BYTES;
    this.from = 0;
    this.to = 0;
    this.own = false;
  }

  /** Moves what waits to the front of a buffer of our own with room for `added` more. */
  private makeRoom(waiting: number, added: number): void {
    const needed = waiting + added;
    if (this.own && needed * 2 <= this.chunk.length) {
      this.chunk.copyWithin(0, this.from, this.to);
    } else {
      const fresh = new Uint8Array(Math.max(needed * 2, OWN_BYTES_MIN));
      fresh.set(this.chunk.subarray(this.from, this.to));
      this.chunk = fresh;
      this.own = true;
    }
    this.from = 0;
    this.to = waiting;
  }
}
