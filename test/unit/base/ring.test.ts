import { describe, expect, it } from 'vitest';
import { ShardBug } from '../../../src/base/assert.ts';
import { IntRing } from '../../../src/base/ring.ts';

describe('IntRing', () => {
  it('gives values back in the order they came, then -1', () => {
    const ring = new IntRing(3);
    for (const value of [7, 0, 2 ** 31 - 1]) expect(ring.push(value)).toBe(true);
    expect([ring.shift(), ring.shift(), ring.shift(), ring.shift()]).toEqual([7, 0, 2 ** 31 - 1, -1]);
  });

  it('refuses what does not fit and keeps what it has', () => {
    const ring = new IntRing(2);
    ring.push(1);
    ring.push(2);
    expect(ring.push(3)).toBe(false);
    expect(ring.length).toBe(2);
    expect(ring.shift()).toBe(1);
    expect(ring.push(3)).toBe(true);
    expect([ring.shift(), ring.shift()]).toEqual([2, 3]);
  });

  it('holds nothing when its capacity is 0', () => {
    const ring = new IntRing(0);
    expect(ring.push(1)).toBe(false);
    expect(ring.shift()).toBe(-1);
  });

  it('calls a value that could be mistaken for "empty" our bug', () => {
    for (const value of [-1, 0.5, 2 ** 31, NaN]) expect(() => new IntRing(1).push(value)).toThrow(ShardBug);
  });
});
