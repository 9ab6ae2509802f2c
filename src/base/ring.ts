/**
 * ring — a queue of small integers with a fixed capacity
 *
 * First in, first out, for slots and handles that wait for their turn. It never grows: a full ring says so,
 * and the caller decides what a full queue means. Values are 0 … 2^31 - 1, so that -1 can say "empty".
 *
 * Memory: 4 bytes an element, taken at birth. Not taken: a power-of-two mask; an honest capacity is worth
 * the one comparison.
 */
import { assert } from './assert.ts';

const VALUE_MAX = 0x7fffffff;

export class IntRing {
  readonly capacity: number;
  private readonly values: Int32Array;
  private head: number;
  private count: number;

  /** An empty ring for at most `capacity` values. */
  constructor(capacity: number) {
    assert(Number.isInteger(capacity) && capacity >= 0, 'a capacity is a natural number');
    this.capacity = capacity;
    this.values = new Int32Array(capacity);
    this.head = 0;
    this.count = 0;
  }

  /** Values that wait. */
  get length(): number {
    return this.count;
  }

  /** Puts a value at the end; false when the ring is full and the value was not taken. */
  push(value: number): boolean {
    assert(
      Number.isInteger(value) && value >= 0 && value <= VALUE_MAX,
      'a ring holds integers from 0 to 2^31 - 1',
    );
    if (this.count === this.capacity) return false;
    let at = this.head + this.count;
    if (at >= this.capacity) at -= this.capacity;
    this.values[at] = value;
    this.count += 1;
    return true;
  }

  /** Takes the value that waited longest; -1 when the ring is empty. */
  shift(): number {
    if (this.count === 0) return -1;
    const value = this.values[this.head]!;
    this.head += 1;
    if (this.head === this.capacity) this.head = 0;
    this.count -= 1;
    return value;
  }
}
