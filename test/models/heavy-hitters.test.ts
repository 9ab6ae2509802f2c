/**
 * The space-saving counter against a Map that counts everybody: the bounds that its head claims.
 */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { Prng } from '../../src/base/prng.ts';
import { HeavyHitters } from '../../src/families/heavy-hitters.ts';

/** Compares with the counts of everybody. */
function check(hitters: HeavyHitters, truth: ReadonlyMap<number, number>, all: number): void {
  expect(hitters.used).toBeLessThanOrEqual(hitters.capacity);
  let sum = 0;
  for (let place = 0; place < hitters.used; place++) {
    const count = hitters.counts[place]!;
    const real = truth.get(hitters.keys[place * 2]!) ?? 0;
    sum += count;
    expect(count).toBeGreaterThanOrEqual(real);
    expect(count - hitters.excess[place]!).toBeLessThanOrEqual(real);
  }
  expect(sum).toBe(all);
  for (const [key, count] of truth)
    if (count > all / hitters.capacity)
      expect(hitters.find(key, -key), `key ${key}`).toBeGreaterThanOrEqual(0);
}

it('never counts too little, at most the least too much, and knows whoever is frequent', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.array(fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 40 })), {
        maxLength: 400,
      }),
      (capacity, keys) => {
        const hitters = new HeavyHitters(capacity);
        const truth = new Map<number, number>();
        for (const key of keys) {
          const place = hitters.take(key, -key);
          expect(hitters.keys[place * 2]).toBe(key);
          truth.set(key, (truth.get(key) ?? 0) + 1);
        }
        check(hitters, truth, keys.length);
      },
    ),
  );
});

it('a crowd of keys that come once does not drive out who comes often', () => {
  const hitters = new HeavyHitters(256);
  const random = new Prng(5);
  const truth = new Map<number, number>();
  for (let count = 0; count < 100_000; count++) {
    const key = random.below(50) === 0 ? 7 : 1_000 + random.below(2 ** 31 - 2_000);
    hitters.take(key, -key);
    truth.set(key, (truth.get(key) ?? 0) + 1);
  }
  check(hitters, truth, 100_000);
});
