/**
 * The sliding window against a twin that remembers the moment of every event: the bounds that the head of rates claims.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EntryWord } from '../../src/reputation/layout.ts';
import { admit, freshen, Rate, rateOf, rateWord, takeBack } from '../../src/reputation/rates.ts';

const NOW = 1_790_000_000_000;

/** One rate in memory of its own, with every event that was counted. */
class Twin {
  readonly words = new Int32Array(EntryWord.COUNT);
  readonly at = rateWord(0, Rate.Messages);
  readonly counted: number[] = [];
  readonly windowMs: number;
  readonly halfMs: number;
  private seenSec = 0;

  constructor(windowMs: number) {
    this.windowMs = windowMs;
    this.halfMs = windowMs / 2;
  }

  admit(nowMs: number, limit: number): boolean {
    freshen(this.words, 0, this.seenSec, nowMs, this.halfMs);
    this.seenSec = Math.floor(nowMs / 1000);
    const isIn = admit(this.words, this.at, nowMs, this.halfMs, limit) <= limit;
    if (isIn) this.counted.push(nowMs);
    return isIn;
  }

  rate(nowMs: number): number {
    return rateOf(this.words, this.at, nowMs, this.halfMs);
  }

  /** Events in (nowMs - spanMs, nowMs]. */
  within(nowMs: number, spanMs: number): number {
    return this.counted.filter((atMs) => atMs > nowMs - spanMs && atMs <= nowMs).length;
  }

  /** Events in the half window that the edge of the window lies in. */
  atTheEdge(nowMs: number): number {
    const half = Math.floor(nowMs / this.halfMs) - 2;
    return this.counted.filter((atMs) => Math.floor(atMs / this.halfMs) === half).length;
  }
}

const windows = fc.constantFrom(2_000, 2_500, 3_001, 60_000, 3_600_000);
/** Pauses between events in thousandths of a window: bursts, trickles, and now and then hours of silence. */
const pauses = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant(0) },
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 60 }) },
    { weight: 2, arbitrary: fc.integer({ min: 300, max: 1_700 }) },
    { weight: 1, arbitrary: fc.constantFrom(6_144_000, 6_144_001, 2_048_000, 2_046_500, 18_432_000) },
  ),
  { minLength: 1, maxLength: 200 },
);
const starts = fc.integer({ min: 0, max: 5_000 });

describe('the sliding window', () => {
  it('estimates no more than 1.5 windows hold, no less than half a window holds, and errs by the half at its edge', () => {
    fc.assert(
      fc.property(windows, starts, pauses, (windowMs, startMs, steps) => {
        const twin = new Twin(windowMs);
        let nowMs = NOW + startMs;
        for (const step of steps) {
          nowMs += (step * windowMs) / 1_000;
          twin.admit(nowMs, Infinity);
          const rate = twin.rate(nowMs);
          expect(rate).toBeLessThanOrEqual(twin.within(nowMs, 1.5 * windowMs) + 1e-6);
          expect(rate).toBeGreaterThanOrEqual(twin.within(nowMs, windowMs / 2) - 1e-6);
          const error = Math.abs(rate - twin.within(nowMs, windowMs));
          expect(error).toBeLessThanOrEqual(twin.atTheEdge(nowMs) + 1e-6);
        }
      }),
    );
  });

  it('lets at most its limit through in any half window, and less than twice its limit in any window', () => {
    fc.assert(
      fc.property(
        windows,
        starts,
        pauses,
        fc.integer({ min: 1, max: 20 }),
        (windowMs, startMs, steps, limit) => {
          const twin = new Twin(windowMs);
          let nowMs = NOW + startMs;
          for (const step of steps) {
            nowMs += (step * windowMs) / 1_000;
            if (!twin.admit(nowMs, limit)) continue;
            expect(twin.within(nowMs, windowMs / 2)).toBeLessThanOrEqual(limit);
            expect(twin.within(nowMs, windowMs)).toBeLessThanOrEqual(2 * limit - 1);
          }
        },
      ),
    );
  });

  it('refuses only when 1.5 windows hold the limit already', () => {
    fc.assert(
      fc.property(windows, pauses, fc.integer({ min: 1, max: 20 }), (windowMs, steps, limit) => {
        const twin = new Twin(windowMs);
        let nowMs = NOW;
        for (const step of steps) {
          nowMs += (step * windowMs) / 1_000;
          const before = twin.within(nowMs, 1.5 * windowMs);
          if (!twin.admit(nowMs, limit)) expect(before + 1).toBeGreaterThan(limit);
        }
      }),
    );
  });

  it('comes close to that bound: a burst at the end of a half window, then the limit spread over the next window', () => {
    const windowMs = 60_000;
    const limit = 100;
    const twin = new Twin(windowMs);
    const startMs = Math.floor(NOW / windowMs) * windowMs;
    const burstMs = startMs + 29_999;
    for (let at = 0; at < limit; at += 1) twin.admit(burstMs, limit);
    const lastMs = burstMs + windowMs - 1;
    for (let nowMs = burstMs; nowMs <= lastMs; nowMs += 100) twin.admit(nowMs, limit);
    expect(twin.within(lastMs, windowMs)).toBeGreaterThanOrEqual(2 * limit - 3);
  });

  it('gives a sender that always comes with three times the limit the limit, over time', () => {
    const windowMs = 60_000;
    const limit = 60;
    const twin = new Twin(windowMs);
    const minutes = 100;
    for (let second = 0; second < minutes * 60; second += 1) {
      for (let times = 0; times < 3; times += 1) twin.admit(NOW + second * 1_000, limit);
    }
    expect(twin.counted.length).toBeGreaterThan(minutes * limit * 0.9);
    expect(twin.counted.length).toBeLessThanOrEqual((minutes + 1) * limit);
  });

  it('reads a steady sender right', () => {
    const twin = new Twin(60_000);
    let wrongest = 0;
    for (let second = 0; second < 600; second += 1) {
      twin.admit(NOW + second * 1_000, Infinity);
      if (second > 90) wrongest = Math.max(wrongest, Math.abs(twin.rate(NOW + second * 1_000) - 60));
    }
    expect(wrongest).toBeLessThanOrEqual(1.001);
  });

  it('forgets every event before its number comes round again', () => {
    const windowMs = 2_000;
    for (const rounds of [4_096, 12_288, 24_576]) {
      const twin = new Twin(windowMs);
      for (let times = 0; times < 50; times += 1) twin.admit(NOW, Infinity);
      // Seen all the time, for other rates.
      let seenSec = NOW / 1_000;
      for (let half = 1; half <= rounds; half += 1) {
        const nowMs = NOW + half * 1_000;
        freshen(twin.words, 0, seenSec, nowMs, twin.halfMs);
        seenSec = nowMs / 1_000;
      }
      expect(twin.rate(NOW + rounds * 1_000)).toBe(0);
    }
  });

  it('takes back what was counted in the same half window, and nothing that was not', () => {
    const twin = new Twin(60_000);
    twin.admit(NOW, 5);
    twin.admit(NOW, 5);
    takeBack(twin.words, twin.at, NOW, twin.halfMs);
    expect(twin.rate(NOW)).toBe(1);
    takeBack(twin.words, twin.at, NOW, twin.halfMs);
    takeBack(twin.words, twin.at, NOW, twin.halfMs);
    expect(twin.rate(NOW)).toBe(0);
    twin.admit(NOW, 5);
    takeBack(twin.words, twin.at, NOW + 30_000, twin.halfMs);
    expect(twin.rate(NOW + 30_000)).toBe(1);
  });

  it('counts what a shard whose clock is ahead has counted', () => {
    const halfMs = 30_000;
    const twin = new Twin(60_000);
    const edgeMs = (Math.floor(NOW / halfMs) + 1) * halfMs;
    for (let times = 0; times < 3; times += 1) twin.admit(edgeMs + 1, 10);
    expect(twin.rate(edgeMs - 1)).toBe(3);
    expect(admit(twin.words, twin.at, edgeMs - 1, halfMs, 10)).toBe(4);
    expect(twin.rate(edgeMs + 1)).toBe(4);
  });
});
