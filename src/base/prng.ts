/**
 * prng — random draws that come again with the same seed
 *
 * The core draws no random number of its own: it is given a `Random`. In production that is a Prng seeded
 * once at the start; in a test or a simulation the seed is printed, and the same seed gives the same run on
 * every machine and every version of V8, because there are only 32-bit integer operations in here.
 *
 * The generator is a small chaotic one with a counter: 128 bits of state, the counter alone makes the
 * shortest cycle at least 2^32 draws. It is not for secrets. One draw is some ten operations and no
 * allocation.
 *
 * Not taken: Math.random (cannot be seeded) and fractions between 0 and 1 (multiplying them into a range
 * invites floating point, whose last digit is nobody's promise).
 */
import { assert } from './assert.ts';

const WORD = 2 ** 32;

export interface Random {
  /** A uniform integer in [0, bound). The bound is an integer from 1 to 2^32. */
  below(bound: number): number;
}

/** One step of FNV-1a with a stir behind it, so that short labels differ widely too. */
function stirred(hash: number, unit: number): number {
  let mixed = Math.imul(hash ^ unit, 0x01000193);
  mixed ^= mixed >>> 15;
  return Math.imul(mixed, 0x2c1b3c6d);
}

export class Prng implements Random {
  private readonly seed: number;
  private a: number;
  private b: number;
  private c: number;
  private counter: number;

  /** The seed is any safe integer; equal seeds draw equal numbers. */
  constructor(seed: number) {
    assert(Number.isSafeInteger(seed), 'a seed is a safe integer');
    this.seed = seed;
    this.a = 0;
    this.b = seed | 0;
    this.c = Math.floor(seed / WORD) | 0;
    this.counter = 1;
    for (let round = 0; round < 12; round += 1) this.word();
  }

  below(bound: number): number {
    assert(Number.isInteger(bound) && bound >= 1 && bound <= WORD, 'a bound is an integer from 1 to 2^32');
    // Words at or above the last whole multiple of the bound are drawn again: a bare remainder would
    // prefer small results.
    const limit = WORD - (WORD % bound);
    let drawn = this.word();
    while (drawn >= limit) drawn = this.word();
    return drawn % bound;
  }

  /**
   * A generator of its own for one concern. It depends on the seed and the label only, not on what was
   * drawn so far, so one concern may draw more without changing what the others see.
   */
  fork(label: string): Prng {
    let low = stirred(0x811c9dc5, this.seed | 0);
    let high = stirred(0x9e3779b9, Math.floor(this.seed / WORD) | 0);
    for (let i = 0; i < label.length; i += 1) {
      const unit = label.charCodeAt(i);
      low = stirred(low ^ (high >>> 7), unit);
      high = stirred(high ^ (low >>> 5), unit + 1);
    }
    return new Prng((high >>> 12) * WORD + (low >>> 0));
  }

  /** The next 32 bits. */
  private word(): number {
    const sum = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
}
