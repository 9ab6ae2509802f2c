import { describe, expect, it } from 'vitest';
import { SCORE_MAX } from '../../../src/reputation/decay.ts';
import { Pass } from '../../../src/reputation/layout.ts';
import { type Signal, signals } from '../../../src/reputation/signals.ts';

const rows = Object.entries(signals) as [string, Signal][];

describe('signals', () => {
  it('have a weight of whole points, none of which is a sentence by itself', () => {
    for (const [, signal] of rows) {
      expect(Number.isInteger(signal.weight) && signal.weight !== 0).toBe(true);
      expect(Math.abs(signal.weight)).toBeLessThan(SCORE_MAX / 2);
    }
  });

  it('fail one test each at most, and no test is failed by two', () => {
    const bits = rows.flatMap(([, signal]) => (signal.passBit === undefined ? [] : [signal.passBit]));
    expect(new Set(bits).size).toBe(bits.length);
    for (const bit of bits) expect(Object.values(Pass)).toContain(bit);
  });

  it('give credit only for what passes and delivers', () => {
    expect(rows.filter(([, signal]) => signal.weight < 0).map(([name]) => name)).toEqual([
      'passed',
      'delivered',
    ]);
  });

  it('are told apart by their sentences', () => {
    expect(new Set(rows.map(([, signal]) => signal.says)).size).toBe(rows.length);
  });
});
