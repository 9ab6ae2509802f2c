import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AMOUNT_MAX, ONE, SIGNALS_MAX, slotWord } from '../../../src/reputation/decay.ts';
import { EntryWord, SLOTS } from '../../../src/reputation/layout.ts';
import {
  amountOfEntry,
  bounded,
  pointsFor,
  pointsOfEntry,
  rowsOfEntry,
  SCORE_MAX,
  SCORE_MIN,
} from '../../../src/reputation/points.ts';
import type { Signal } from '../../../src/reputation/signals.ts';
import { signals, signalStepsSec } from '../../../src/reputation/signals.ts';
import { DAY, HOUR, NOW } from './tables.ts';

const all: readonly Signal[] = Object.values(signals);

/** Any six slots, of which some hold the same signal, seen a while ago. */
const entries = fc
  .record({
    seenAgoSec: fc.integer({ min: 0, max: 40 * DAY }),
    slots: fc.array(
      fc.record({
        id: fc.constantFrom(0, ...all.map((signal) => signal.id)),
        amount: fc.integer({ min: 1, max: AMOUNT_MAX }),
        agoSec: fc.integer({ min: 0, max: 15 * DAY }),
      }),
      { minLength: SLOTS, maxLength: SLOTS },
    ),
  })
  .map(({ seenAgoSec, slots }) => {
    const words = new Int32Array(EntryWord.COUNT);
    words[EntryWord.seenSec] = NOW - seenAgoSec;
    for (const [place, { id, amount, agoSec }] of slots.entries()) {
      if (id === 0) continue;
      words[EntryWord.slots + place] = slotWord(id, amount, NOW - seenAgoSec - agoSec, signalStepsSec[id]!);
    }
    return words;
  });

describe('the points of a signal', () => {
  it('are its weight for each observation, to the nearest, up to its cap', () => {
    for (const { id, weight, cap } of all) {
      for (let amount = 0; amount <= AMOUNT_MAX; amount += 37) {
        const exact = Math.max(-cap, Math.min(cap, (weight * amount) / ONE));
        const points = pointsFor(id, amount);
        expect(Number.isInteger(points)).toBe(true);
        expect(Math.abs(points - exact)).toBeLessThanOrEqual(0.5);
      }
      expect(pointsFor(id, ONE)).toBe(weight);
      expect(pointsFor(id, AMOUNT_MAX)).toBe(Math.sign(weight) * cap);
    }
  });

  it('are none for a number that no signal has', () => {
    expect(pointsFor(SIGNALS_MAX - 1, AMOUNT_MAX)).toBe(0);
  });
});

describe('a score', () => {
  it('is the sum of its rows, whatever the slots hold', () => {
    fc.assert(
      fc.property(entries, (words) => {
        const rows = rowsOfEntry(words, 0, NOW);
        expect(pointsOfEntry(words, 0, NOW)).toBe(bounded(rows.reduce((sum, row) => sum + row.points, 0)));
        expect(new Set(rows.map((row) => row.signal)).size).toBe(rows.length);
        for (const row of rows) {
          const { id, cap } = signals[row.signal];
          expect(Math.abs(row.points)).toBeLessThanOrEqual(cap);
          expect(row.observations * ONE).toBe(amountOfEntry(words, 0, id, NOW));
          expect(row.points).toBe(pointsFor(id, row.observations * ONE));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('stays within its range, however much was seen', () => {
    const words = new Int32Array(EntryWord.COUNT);
    words[EntryWord.seenSec] = NOW;
    const fill = (sign: number): void => {
      const ids = all.filter(({ weight }) => weight * sign > 0).map(({ id }) => id);
      for (let place = 0; place < SLOTS; place += 1) {
        const id = ids[place];
        words[EntryWord.slots + place] =
          id === undefined ? 0 : slotWord(id, AMOUNT_MAX, NOW, signalStepsSec[id]!);
      }
    };
    fill(1);
    expect(pointsOfEntry(words, 0, NOW)).toBeGreaterThan(200);
    expect(pointsOfEntry(words, 0, NOW)).toBeLessThanOrEqual(SCORE_MAX);
    fill(-1);
    expect(pointsOfEntry(words, 0, NOW)).toBe(SCORE_MIN);
    expect([bounded(5000), bounded(-5000), bounded(7)]).toEqual([SCORE_MAX, SCORE_MIN, 7]);
  });

  it('moves towards 0 by waiting, and gets there', () => {
    fc.assert(
      fc.property(entries, (words) => {
        for (const name of ['pregreet', 'delivered'] as const) {
          let before = Infinity;
          for (let hours = 0; hours < 400; hours += 7) {
            const now = amountOfEntry(words, 0, signals[name].id, NOW + hours * HOUR);
            expect(now).toBeLessThanOrEqual(before);
            before = now;
          }
        }
        expect(pointsOfEntry(words, 0, NOW + 16 * 14 * DAY)).toBe(0);
      }),
    );
  });
});

describe('a row', () => {
  it('says how long ago its signal was seen last, to a sixty-fourth of the half-life', () => {
    const { id, halfLifeSec } = signals.stall;
    const stepSec = halfLifeSec / 64;
    const words = new Int32Array(EntryWord.COUNT);
    words[EntryWord.seenSec] = NOW;
    words[EntryWord.slots] = slotWord(id, 4 * ONE, NOW, stepSec);
    words[EntryWord.slots + 1] = slotWord(id, 4 * ONE, NOW - DAY, stepSec);
    const laterSec = NOW + DAY;
    expect(rowsOfEntry(words, 0, laterSec)).toEqual([
      { signal: 'stall', observations: 3, ageSec: DAY, points: 30 },
    ]);
  });
});
