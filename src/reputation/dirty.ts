/**
 * dirty — which entries have changed since somebody last wrote them down
 *
 * One bit an entry, set by whoever changes it, taken by the process's main thread every few seconds (primary/memory). A
 * bit is taken before the entry is read: what changes in between sets it again, so nothing is missed and what is
 * written twice is written right.
 *
 * Cost: one load when the bit is set already, else one atomic or. A sweep of a million entries that did not change
 * reads 125 kB.
 */
import { assert } from '../base/assert.ts';

const BITS = 32;

export class Dirty {
  private readonly words: Int32Array;

  /** `words`: one for each 32 entries, 0 when they were new. */
  constructor(words: Int32Array) {
    this.words = words;
  }

  /** Words that a table of so many entries needs. */
  static wordsFor(entries: number): number {
    return Math.ceil(entries / BITS);
  }

  /** Notes that an entry has changed. */
  note(index: number): void {
    const bit = 1 << (index & 31);
    const at = index >>> 5;
    if ((Atomics.load(this.words, at) & bit) === 0) Atomics.or(this.words, at, bit);
  }

  /**
   * Takes what was noted from entry `from` on, a multiple of 32: calls `visit` for at most `countMax` entries, 32 or more,
   * and returns where to go on.
   */
  take(from: number, countMax: number, visit: (index: number) => void): number {
    assert(from % BITS === 0 && countMax >= BITS, 'changes are taken by whole words');
    let left = countMax;
    for (let at = from >>> 5; at < this.words.length; at += 1) {
      if (Atomics.load(this.words, at) === 0) continue;
      if (left < BITS) return at * BITS;
      const bits = Atomics.exchange(this.words, at, 0);
      for (let bit = 0; bit < BITS; bit += 1) {
        if ((bits & (1 << bit)) === 0) continue;
        visit(at * BITS + bit);
        left -= 1;
      }
    }
    return this.words.length * BITS;
  }
}
