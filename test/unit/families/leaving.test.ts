/**
 * Spikes in the times at which clients leave, and what is none.
 */
import { describe, expect, it } from 'vitest';
import { Prng } from '../../../src/base/prng.ts';
import { BINS, binOf, binStartMs, quantileMs, spikesOf } from '../../../src/families/leaving.ts';

/** A histogram that is filled one by one. */
class Filled {
  readonly counts = new Float32Array(BINS);
  readonly #random = new Prng(7);

  /** `count` that left between two moments. */
  add(count: number, fromMs: number, toMs: number): this {
    for (let done = 0; done < count; done++)
      this.counts[binOf(fromMs + this.#random.below(Math.max(1, toMs - fromMs)))]! += 1;
    return this;
  }

  /** Where the spikes are, in whole seconds. */
  get seconds(): readonly number[] {
    return spikesOf(this.counts).map(({ bin }) => Math.round(binStartMs(bin + 0.5) / 1_000));
  }
}

/** Nine of ten leave within 15 s, as hasty zombies do. */
const hasty = (count: number): Filled =>
  new Filled()
    .add(count * 0.7, 2_000, 10_000)
    .add(count * 0.2, 10_000, 15_000)
    .add(count * 0.1, 15_000, 120_000);

describe('bins', () => {
  it('hold times within three percent of each other', () => {
    for (const ms of [3_000, 21_000, 47_000, 100_000, 300_000]) {
      const bin = binOf(ms);
      expect(binStartMs(bin)).toBeLessThanOrEqual(ms);
      expect(binStartMs(bin + 1)).toBeGreaterThan(ms);
      expect(binStartMs(bin + 1) / binStartMs(bin)).toBeLessThan(1.03);
    }
  });

  it('take whatever comes', () => {
    for (const ms of [-5, 0, 1, 1e9, Number.MAX_SAFE_INTEGER]) {
      expect(binOf(ms)).toBeGreaterThanOrEqual(0);
      expect(binOf(ms)).toBeLessThan(BINS);
    }
  });
});

describe('spikes', () => {
  it('stand where many leave at once, with a crowd before and around them', () => {
    expect(hasty(5_000).add(300, 21_000, 21_050).add(200, 100_000, 100_100).seconds).toEqual([21, 100]);
  });

  it('are found wherever they fall between bins', () => {
    const random = new Prng(3);
    for (let run = 0; run < 200; run++) {
      const ms = 20_000 + random.below(400_000);
      const found = hasty(2_000).add(100, ms, ms + 60).counts;
      const spikes = spikesOf(found);
      expect(spikes, `at ${ms} ms`).toHaveLength(1);
      const { from, to } = spikes[0]!;
      let inside = 0;
      for (let away = 0; away < 60; away++)
        if (binOf(ms + away) >= from && binOf(ms + away) <= to) inside += 1;
      expect(inside, `at ${ms} ms`).toBeGreaterThanOrEqual(50);
    }
  });

  it.each<[string, Filled]>([
    ['nobody', new Filled()],
    ['patience that ends at a bound', hasty(20_000)],
    ['many who leave at any time', new Filled().add(20_000, 3_000, 300_000)],
    ['a few at the same second', hasty(1_000).add(20, 60_000, 60_050)],
    ['who leaves at once', hasty(1_000).add(5_000, 1_000, 1_020)],
  ])('are not %s', (_, filled) => {
    expect(filled.seconds).toEqual([]);
  });
});

it('a quantile is the time before which so many had left', () => {
  const { counts } = new Filled().add(900, 10_000, 10_010).add(100, 90_000, 90_010);
  expect(quantileMs(counts, 50) / 10_000).toBeCloseTo(1, 1);
  expect(quantileMs(counts, 95) / 90_000).toBeCloseTo(1, 1);
  expect(quantileMs(new Float32Array(BINS), 50)).toBe(0);
});
