/**
 * points — the score of an entry: the sum of what is remembered of it
 *
 * Each slot of an entry holds one signal; its amount now times its weight, within its cap, is its row of the sum. Two
 * slots can hold the same signal when two shards noted it first at the same moment: they are one row.
 * `rowsOfEntry` gives the rows by themselves, `pointsOfEntry` their sum; both compute the same.
 *
 * Cost: a few loads and a dozen multiplications, all in one cache line; no allocation in `pointsOfEntry`.
 */
import {
  ONE,
  slotAgeSteps,
  slotAmount,
  slotId,
  HALF_LIVES_MAX,
  SIGNALS_MAX,
  STEPS_PER_HALF_LIFE,
} from './decay.ts';
import { EntryWord, SLOTS } from './layout.ts';
import { signalCaps, signalNameOf, signalStepsSec, signalWeights } from './signals.ts';
import type { SignalName } from './signals.ts';

/** The range of a score, in points. */
export const SCORE_MIN = -100;
export const SCORE_MAX = 1000;

/** What is left of a slot of an entry that was seen last at `seenSec`: see decay for why that matters. */
export function amountInSlot(slot: number, seenSec: number, nowSec: number): number {
  const stepSec = signalStepsSec[slotId(slot)]!;
  if (nowSec - seenSec >= HALF_LIVES_MAX * STEPS_PER_HALF_LIFE * stepSec) return 0;
  return slotAmount(slot, nowSec, stepSec);
}

/** Points for an amount of a signal, to the nearest, within its cap. */
export function pointsFor(id: number, amount: number): number {
  const cap = signalCaps[id]!;
  const weight = signalWeights[id]!;
  const points = Math.floor(((weight < 0 ? -weight : weight) * amount + ONE / 2) / ONE);
  const capped = points > cap ? cap : points;
  return weight < 0 ? -capped : capped;
}

/** A score within its range. */
export function bounded(points: number): number {
  return points > SCORE_MAX ? SCORE_MAX : points < SCORE_MIN ? SCORE_MIN : points;
}

/** The score of the entry that begins at word `at`. */
export function pointsOfEntry(words: Int32Array, at: number, nowSec: number): number {
  const seenSec = words[at + EntryWord.seenSec]! >>> 0;
  const from = at + EntryWord.slots;
  let summed = 0;
  let points = 0;
  for (let place = from; place < from + SLOTS; place += 1) {
    const slot = words[place]!;
    if (slot === 0) continue;
    const id = slotId(slot);
    // Seldom: two shards noted a signal first at the same moment.
    if ((summed & (1 << id)) !== 0) return pointsOfTwins(words, at, nowSec);
    summed |= 1 << id;
    points += pointsFor(id, amountInSlot(slot, seenSec, nowSec));
  }
  return bounded(points);
}

/** The score of an entry in which a signal has two slots. */
function pointsOfTwins(words: Int32Array, at: number, nowSec: number): number {
  let points = 0;
  for (let id = 1; id < SIGNALS_MAX; id += 1) points += pointsFor(id, amountOfEntry(words, at, id, nowSec));
  return bounded(points);
}

/** The amount of one signal that the entry at word `at` has now, in 1/256 observations. */
export function amountOfEntry(words: Int32Array, at: number, id: number, nowSec: number): number {
  const seenSec = Atomics.load(words, at + EntryWord.seenSec) >>> 0;
  let amount = 0;
  for (let place = 0; place < SLOTS; place += 1) {
    const slot = Atomics.load(words, at + EntryWord.slots + place);
    if (slotId(slot) === id) amount += amountInSlot(slot, seenSec, nowSec);
  }
  return amount;
}

/** One row of the sum. */
export interface PointsRow {
  readonly signal: SignalName;
  /** Observations that are left of all that were made, with a fraction. */
  readonly observations: number;
  /** Seconds since the last one, to a sixty-fourth of the half-life. */
  readonly ageSec: number;
  readonly points: number;
}

/** The rows of the score of the entry at word `at`, in the order of the table of signals. */
export function rowsOfEntry(words: Int32Array, at: number, nowSec: number): readonly PointsRow[] {
  const seenSec = Atomics.load(words, at + EntryWord.seenSec) >>> 0;
  const rows: PointsRow[] = [];
  for (let id = 1; id < SIGNALS_MAX; id += 1) {
    const signal = signalNameOf[id]!;
    if (signal === '') continue;
    const stepSec = signalStepsSec[id]!;
    let amount = 0;
    let ageSec = Infinity;
    for (let place = 0; place < SLOTS; place += 1) {
      const slot = Atomics.load(words, at + EntryWord.slots + place);
      if (slotId(slot) !== id) continue;
      amount += amountInSlot(slot, seenSec, nowSec);
      ageSec = Math.min(ageSec, slotAgeSteps(slot, nowSec, stepSec) * stepSec);
    }
    if (amount > 0) rows.push({ signal, observations: amount / ONE, ageSec, points: pointsFor(id, amount) });
  }
  return rows;
}
