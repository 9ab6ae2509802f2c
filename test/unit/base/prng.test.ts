import { describe, expect, it } from 'vitest';
import { ShardBug } from '../../../src/base/assert.ts';
import { Prng } from '../../../src/base/prng.ts';

function draws(random: Prng, count: number, bound: number): number[] {
  return Array.from({ length: count }, () => random.below(bound));
}

describe('Prng', () => {
  it('draws the same numbers for the same seed on every machine', () => {
    expect(draws(new Prng(1), 5, 1000)).toEqual([540, 204, 675, 415, 846]);
  });

  it('tells neighbouring, negative and very large seeds apart', () => {
    const seeds = [0, 1, 2, -1, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER];
    const firsts = seeds.map((seed) => draws(new Prng(seed), 4, 2 ** 32).join());
    expect(new Set(firsts).size).toBe(seeds.length);
  });

  it('stays below its bound and reaches every value below it', () => {
    for (const bound of [1, 2, 3, 7, 10, 64]) {
      const seen = new Set(draws(new Prng(bound), 2000, bound));
      expect(seen.size).toBe(bound);
      expect(Math.max(...seen)).toBe(bound - 1);
    }
  });

  it('favours no value: 60 000 draws below 6 are within 5 % of 10 000 each', () => {
    const counts = new Array<number>(6).fill(0);
    for (const value of draws(new Prng(42), 60_000, 6)) counts[value]! += 1;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });

  it('does not favour small numbers where a bare remainder would', () => {
    // 2^32 is four thirds of this bound: a remainder would find the lower third half of the time.
    const bound = 3 * 2 ** 30;
    const low = draws(new Prng(9), 20_000, bound).filter((value) => value < bound / 3).length;
    expect(low / 20_000).toBeGreaterThan(0.31);
    expect(low / 20_000).toBeLessThan(0.36);
  });

  it('forks by seed and label, whatever was drawn before', () => {
    const fresh = new Prng(7);
    const used = new Prng(7);
    draws(used, 100, 10);
    expect(draws(used.fork('bots'), 8, 2 ** 32)).toEqual(draws(fresh.fork('bots'), 8, 2 ** 32));
    expect(draws(fresh.fork('bots'), 8, 2 ** 32)).not.toEqual(draws(fresh.fork('faults'), 8, 2 ** 32));
    expect(draws(fresh.fork('bots'), 8, 2 ** 32)).not.toEqual(draws(new Prng(8).fork('bots'), 8, 2 ** 32));
  });

  it('gives a thousand labels a thousand streams', () => {
    const prng = new Prng(3);
    const firsts = new Set(
      Array.from({ length: 1000 }, (_, i) => draws(prng.fork(`bot ${i}`), 2, 2 ** 32).join()),
    );
    expect(firsts.size).toBe(1000);
  });

  it('refuses bounds and seeds that are no integers of its range', () => {
    for (const bound of [0, -1, 1.5, 2 ** 32 + 1, NaN])
      expect(() => new Prng(1).below(bound)).toThrow(ShardBug);
    for (const seed of [0.5, NaN, 2 ** 53]) expect(() => new Prng(seed)).toThrow(ShardBug);
  });
});
