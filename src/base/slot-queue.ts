/**
 * slot-queue — first come, first served, for rows of a table
 *
 * A queue of slots 0 … capacity - 1, each in it once at most, linked through two columns: joining, leaving from
 * anywhere and serving are constant, nothing is allocated, and a session that ends while it waits leaves no
 * trace. A ring would keep the dead in line.
 *
 * Memory: 8 bytes a slot.
 */
import { assert } from './assert.ts';

const NONE = -1;
const OUTSIDE = -2;

export class SlotQueue {
  readonly #nexts: Int32Array;
  readonly #prevs: Int32Array;
  #head = NONE;
  #tail = NONE;
  #length = 0;

  /** An empty queue for slots 0 … capacity - 1. */
  constructor(capacity: number) {
    this.#nexts = new Int32Array(capacity).fill(OUTSIDE);
    this.#prevs = new Int32Array(capacity).fill(OUTSIDE);
  }

  get length(): number {
    return this.#length;
  }

  /** True when the slot waits here. */
  has(slot: number): boolean {
    return this.#nexts[slot] !== OUTSIDE;
  }

  /** Puts a slot at the end. It must not be in the queue. */
  join(slot: number): void {
    assert(this.#nexts[slot] === OUTSIDE, 'a slot joins a queue once');
    this.#nexts[slot] = NONE;
    this.#prevs[slot] = this.#tail;
    if (this.#tail === NONE) this.#head = slot;
    else this.#nexts[this.#tail] = slot;
    this.#tail = slot;
    this.#length++;
  }

  /** Takes a slot out from wherever it stands; nothing happens when it is not there. */
  leave(slot: number): void {
    const next = this.#nexts[slot]!;
    if (next === OUTSIDE) return;
    const prev = this.#prevs[slot]!;
    if (prev === NONE) this.#head = next;
    else this.#nexts[prev] = next;
    if (next === NONE) this.#tail = prev;
    else this.#prevs[next] = prev;
    this.#nexts[slot] = OUTSIDE;
    this.#prevs[slot] = OUTSIDE;
    this.#length--;
  }

  /** Takes out the first slot; -1 when nobody waits. */
  serve(): number {
    const slot = this.#head;
    if (slot !== NONE) this.leave(slot);
    return slot;
  }

  /** The one behind a slot that waits; -1 when it is the last. */
  after(slot: number): number {
    assert(this.#nexts[slot] !== OUTSIDE, 'only a slot that waits has one behind it');
    return this.#nexts[slot]!;
  }

  /** The first slot, which stays; -1 when nobody waits. */
  first(): number {
    return this.#head;
  }
}
