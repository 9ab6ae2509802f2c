import { describe, expect, it } from 'vitest';
import { AMOUNT_MAX, ONE, SIGNALS_MAX, STEPS_PER_HALF_LIFE } from '../../../src/reputation/decay.ts';
import { defaultConfig } from '../../../src/config/load.ts';
import { Pass } from '../../../src/reputation/layout.ts';
import { SCORE_MAX } from '../../../src/reputation/points.ts';
import type { Signal, SignalName } from '../../../src/reputation/signals.ts';
import {
  signalCaps,
  signalNameOf,
  signals,
  signalStepsSec,
  signalWeights,
} from '../../../src/reputation/signals.ts';

const rows = Object.entries(signals) as [SignalName, Signal][];

describe('signals', () => {
  it('have each a number of their own, from 1 to 31', () => {
    const ids = rows.map(([, { id }]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(Number.isInteger(id) && id > 0 && id < SIGNALS_MAX).toBe(true);
  });

  it('keep their numbers, which stand in state files', () => {
    expect(Object.fromEntries(rows.map(([name, { id }]) => [name, id]))).toMatchObject({
      pregreet: 1,
      pipelining: 2,
      nonSmtpCommand: 3,
      bareNewline: 4,
      badCommand: 5,
      stall: 6,
      hangup: 7,
      unknownRecipient: 8,
      passed: 9,
      delivered: 10,
      contentRefused: 11,
      trapped: 12,
      lowPriorityFirst: 13,
      badMember: 14,
      goodMember: 15,
    });
  });

  it('are found by number, with the columns of their row', () => {
    for (const [name, signal] of rows) {
      expect(signalNameOf[signal.id]).toBe(name);
      expect([signalWeights[signal.id], signalCaps[signal.id]]).toEqual([signal.weight, signal.cap]);
      expect(signalStepsSec[signal.id]! * STEPS_PER_HALF_LIFE).toBe(signal.halfLifeSec);
    }
    expect([signalNameOf[0], signalNameOf.length, signalStepsSec.includes(0)]).toEqual(['', 32, false]);
  });

  it('have a weight of whole points, a cap that an amount can reach, and no cap that is a sentence by itself', () => {
    for (const [name, { weight, cap }] of rows) {
      expect(Number.isInteger(weight) && weight !== 0, name).toBe(true);
      expect(cap, name).toBeGreaterThanOrEqual(Math.abs(weight));
      expect((Math.abs(weight) * AMOUNT_MAX) / ONE, name).toBeGreaterThan(cap);
      expect(cap, name).toBeLessThan(SCORE_MAX / 2);
    }
  });

  it('fail one test each at most, and each test is failed by one', () => {
    const bits = rows.flatMap(([, signal]) => (signal.passBit === undefined ? [] : [signal.passBit]));
    expect(bits).toEqual(Object.values(Pass));
  });

  it('make a client slow at once when only a zombie does that, and an honest one by repetition alone', () => {
    const { slowAt } = defaultConfig().shape;
    for (const name of ['pregreet', 'pipelining', 'nonSmtpCommand', 'trapped'] as const)
      expect(signals[name].weight, name).toBeGreaterThanOrEqual(slowAt);
    for (const name of ['badCommand', 'stall', 'hangup', 'unknownRecipient', 'contentRefused'] as const)
      expect(signals[name].weight * 4, name).toBeLessThanOrEqual(slowAt);
    // What a client may do for ever without a fault of its own, or what others did, never makes it slow alone.
    for (const name of ['hangup', 'badMember'] as const) expect(signals[name].cap, name).toBeLessThan(slowAt);
  });

  it('give credit only for what passes and delivers', () => {
    expect(rows.filter(([, signal]) => signal.weight < 0).map(([name]) => name)).toEqual([
      'passed',
      'delivered',
      'goodMember',
      'outlasted',
    ]);
  });

  it('are told apart by their sentences', () => {
    expect(new Set(rows.map(([, signal]) => signal.says)).size).toBe(rows.length);
  });
});
