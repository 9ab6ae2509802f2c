import { describe, expect, it } from 'vitest';
import { bytesDue, dripDoneMs } from '../../../src/timing/pacer.ts';

describe('bytesDue', () => {
  it('owes the first drip at the start and one more after each interval', () => {
    const due = [-1, 0, 1999, 2000, 3999, 4000, 6000, 60_000].map((ms) =>
      bytesDue(50, 100, 100 + ms, 16, 2000),
    );
    expect(due).toEqual([0, 16, 16, 32, 32, 48, 50, 50]);
  });

  it('owes everything at once when there is no interval', () => {
    expect(bytesDue(50, 100, 99, 16, 0)).toBe(0);
    expect(bytesDue(50, 100, 100, 16, 0)).toBe(50);
  });

  it('owes no byte of an empty text', () => {
    expect(bytesDue(0, 0, 1e9, 1, 1)).toBe(0);
  });
});

describe('dripDoneMs', () => {
  it('is the first moment at which the whole text is due', () => {
    for (let total = 0; total <= 40; total += 1) {
      for (const dripBytes of [1, 3, 16, 40]) {
        const doneMs = dripDoneMs(total, 500, dripBytes, 7);
        expect(bytesDue(total, 500, doneMs, dripBytes, 7)).toBe(total);
        if (total > 0) expect(bytesDue(total, 500, doneMs - 1, dripBytes, 7)).toBeLessThan(total);
      }
    }
  });

  it('tells when the next byte is due, asked for one more than was sent', () => {
    expect(dripDoneMs(16 + 1, 0, 16, 2000)).toBe(2000);
    expect(dripDoneMs(32 + 1, 0, 16, 2000)).toBe(4000);
  });

  it('is the start when one drip or no interval is enough', () => {
    expect(dripDoneMs(16, 500, 16, 2000)).toBe(500);
    expect(dripDoneMs(99, 500, 16, 0)).toBe(500);
    expect(dripDoneMs(0, 500, 16, 2000)).toBe(500);
  });
});
