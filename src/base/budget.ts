/**
 * budget — an amount that several threads share, and of which they never hold more than there is
 *
 * Each thread has a column of shared memory with what it holds; the columns are all there is. To take, a thread first adds
 * to its own column and then adds up all of them: what was too much is taken out of its column again. Of two that ask at
 * the same moment each sees the other's, so that both may be refused though one would fit, but never both be given: who
 * was refused asks again when it likes.
 *
 * Not taken: one word with the sum of all. A thread that dies between changing the sum and changing its own column leaves a
 * part that nobody holds and nobody can take. Here what it held is its column, and clearing that gives everything back.
 *
 * Amounts are integers up to 2^53; a column has 30 bits, so a large amount is counted in units, of which each thread may waste
 * one. Below 2^30 the unit is 1, and the count exact. A column is a cache line, 64 bytes. To take costs an addition and a look at
 * each column, to give back one store.
 */
import { assert } from './assert.ts';

const COLUMN_WORDS = 16;
const UNITS_MAX = 2 ** 30;

export class Budget {
  /** Words of shared memory for so many threads. */
  static wordsFor(threads: number): number {
    return threads * COLUMN_WORDS;
  }

  /** A budget for one thread alone. */
  static alone(max: number): Budget {
    return new Budget(new Int32Array(Budget.wordsFor(1)), max, 1, 0);
  }

  /** What all threads together may hold. */
  readonly max: number;
  readonly #words: Int32Array;
  readonly #threads: number;
  readonly #unit: number;
  readonly #unitsMax: number;
  /** Where our own column is. */
  readonly #own: number;
  #held = 0;
  #units = 0;

  /** `thread`: whose view it is, 0 … threads - 1. It holds nothing as yet. */
  constructor(words: Int32Array, max: number, threads: number, thread: number) {
    assert(thread < threads && words.length === Budget.wordsFor(threads), 'a column for each thread');
    this.max = max;
    this.#words = words;
    this.#threads = threads;
    this.#unit = Math.max(1, Math.ceil(max / UNITS_MAX));
    this.#unitsMax = Math.floor(max / this.#unit);
    this.#own = thread * COLUMN_WORDS;
  }

  /** What this thread holds. */
  get held(): number {
    return this.#held;
  }

  /** What all threads hold, in whole units; for a moment more than `max` while somebody asks for too much. */
  get heldByAll(): number {
    return this.#sum() * this.#unit;
  }

  /** What a thread holds, in whole units. */
  heldBy(thread: number): number {
    return Atomics.load(this.#words, thread * COLUMN_WORDS) * this.#unit;
  }

  /** Takes an amount; false, and nothing is taken, when there is not enough left. */
  take(amount: number): boolean {
    const units = Math.ceil((this.#held + amount) / this.#unit);
    if (units > this.#unitsMax) return false;
    if (units > this.#units) {
      Atomics.store(this.#words, this.#own, units);
      if (this.#sum() > this.#unitsMax) {
        Atomics.store(this.#words, this.#own, this.#units);
        return false;
      }
      this.#units = units;
    }
    this.#held += amount;
    return true;
  }

  /** Gives back a part of what this thread holds. */
  giveBack(amount: number): void {
    this.#held -= amount;
    assert(this.#held >= 0, 'more was given back than taken');
    this.#units = Math.ceil(this.#held / this.#unit);
    Atomics.store(this.#words, this.#own, this.#units);
  }

  /** A thread is gone: what it held is nobody's. */
  forget(thread: number): void {
    Atomics.store(this.#words, thread * COLUMN_WORDS, 0);
  }

  #sum(): number {
    let sum = 0;
    for (let at = 0; at < this.#threads; at++) sum += Atomics.load(this.#words, at * COLUMN_WORDS);
    return sum;
  }
}
