/**
 * network-sieve — lets a network count once
 *
 * One bit for a network in one place (a manner and a bin, say), by a hash; all are cleared once an hour. When a great site has
 * filled half of the bits, half of the new ones are taken for old: what is counted becomes a sample, of spikes and of
 * their sides alike. 128 kB.
 */
const BITS = 1 << 20;
const CLEAR_MS = 3_600_000;

export class NetworkSieve {
  readonly #words = new Int32Array(BITS / 32);
  #clearedMs = -1;

  /** True the first time in an hour that a network (its key) comes by a place (two words). */
  isNew(place0: number, place1: number, network0: number, network1: number): boolean {
    const bit = mixed(mixed(network0, network1), mixed(place0, place1)) & (BITS - 1);
    const at = bit >>> 5;
    const mask = 1 << (bit & 31);
    if ((this.#words[at]! & mask) !== 0) return false;
    this.#words[at]! |= mask;
    return true;
  }

  /** Clears all bits when it is time. */
  age(nowMs: number): void {
    if (this.#clearedMs < 0) this.#clearedMs = nowMs;
    if (nowMs - this.#clearedMs < CLEAR_MS) return;
    this.#clearedMs = nowMs;
    this.#words.fill(0);
  }
}

function mixed(one: number, other: number): number {
  let word = Math.imul(one ^ Math.imul(other, 0x85ebca6b), 0x9e3779b1);
  word = Math.imul(word ^ (word >>> 15), 0x2c1b3c6d);
  return word ^ (word >>> 13);
}

/** The bit of 32 that stands for a network where a rough count is enough. */
export function networkBit(network0: number, network1: number): number {
  return 1 << (mixed(network0, network1) >>> 27);
}

/** How many bits are set. */
export function bitsIn(word: number): number {
  let count = 0;
  for (let left = word; left !== 0; left &= left - 1) count++;
  return count;
}
