import { describe, expect, it } from 'vitest';
import { Prng } from '../../src/base/prng.ts';
import { IntRing } from '../../src/base/ring.ts';

describe('IntRing', () => {
  it.each([1, 2, 3, 4])('agrees with an array for 20 000 random operations (seed %i)', (seed) => {
    const random = new Prng(seed);
    const capacity = 1 + random.below(20);
    const ring = new IntRing(capacity);
    const waiting: number[] = [];
    for (let step = 0; step < 20_000; step += 1) {
      const favoursPushing = Math.floor(step / 50) % 2 === 0;
      if (random.below(10) < (favoursPushing ? 7 : 3)) {
        const value = random.below(2 ** 31);
        const fits = waiting.length < capacity;
        if (fits) waiting.push(value);
        expect(ring.push(value)).toBe(fits);
      } else {
        expect(ring.shift()).toBe(waiting.shift() ?? -1);
      }
      expect(ring.length).toBe(waiting.length);
    }
  });
});
