import { describe, expect, it } from 'vitest';
import { ONE, slotId, slotWord } from '../../../src/reputation/decay.ts';
import { EntryWord } from '../../../src/reputation/layout.ts';
import { amountOfEntry, pointsOfEntry, rowsOfEntry } from '../../../src/reputation/points.ts';
import type { SignalName } from '../../../src/reputation/signals.ts';
import { signals, signalStepsSec } from '../../../src/reputation/signals.ts';
import { emptySlots, observeEntry } from '../../../src/reputation/slots.ts';
import { DAY, NOW } from './tables.ts';

/** An entry by itself, seen now. */
function entry(seenSec = NOW): Int32Array {
  const words = new Int32Array(new SharedArrayBuffer(EntryWord.COUNT * 4));
  words[EntryWord.seenSec] = seenSec;
  return words;
}

function observe(words: Int32Array, name: SignalName, times = 1, nowSec = NOW): void {
  observeEntry(words, 0, signals[name].id, nowSec, times * ONE);
}

function amount(words: Int32Array, name: SignalName, nowSec = NOW): number {
  return amountOfEntry(words, 0, signals[name].id, nowSec) / ONE;
}

/** Names of the signals in the slots, in their order. */
const slotsOf = (words: Int32Array): number[] => [...words.subarray(EntryWord.slots)].map(slotId);

const six = ['pregreet', 'badCommand', 'stall', 'unknownRecipient', 'delivered', 'trapped'] as const;

function full(): Int32Array {
  const words = entry();
  for (const name of six) observe(words, name);
  return words;
}

describe('an entry', () => {
  it('remembers six signals side by side, each with its own amount', () => {
    const words = full();
    for (const [more, name] of six.entries()) observe(words, name, more);
    expect(six.map((name) => amount(words, name))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(slotsOf(words)).toEqual(six.map((name) => signals[name].id));
  });

  it('gives the slot of the signal that is worth least to a seventh one that is worth more', () => {
    const words = full();
    // badCommand: 4 points; unknownRecipient: 4 too, behind it.
    observe(words, 'lowPriorityFirst');
    expect(slotsOf(words)[1]).toBe(signals.lowPriorityFirst.id);
    expect(amount(words, 'badCommand')).toBe(0);
    expect(six.filter((name) => amount(words, name) === 1)).toHaveLength(5);
  });

  it('drops a seventh that is worth no more than each of the six', () => {
    const words = full();
    const before = words.slice();
    observe(words, 'hangup');
    expect(words).toEqual(before);
    // 2 observations of 2 points are no more than 1 of 4.
    observe(words, 'hangup', 2);
    expect(words).toEqual(before);
    observe(words, 'hangup', 3);
    expect(amount(words, 'hangup')).toBe(3);
  });

  it('weighs credit as it weighs suspicion, by its points in either direction', () => {
    const words = entry();
    for (const name of [
      'hangup',
      'pregreet',
      'pipelining',
      'trapped',
      'bareNewline',
      'nonSmtpCommand',
    ] as const)
      observe(words, name);
    observe(words, 'delivered');
    expect([amount(words, 'delivered'), amount(words, 'hangup')]).toEqual([1, 0]);
  });

  it('compares what is left now, not what once was', () => {
    const words = full();
    const laterSec = NOW + 7 * DAY;
    words[EntryWord.seenSec] = laterSec;
    observe(words, 'hangup', 1, laterSec);
    expect(amount(words, 'hangup', laterSec)).toBe(1);
  });

  it('adds to the slot that a signal has, even when one before it is empty', () => {
    const words = full();
    words[EntryWord.slots] = 0;
    observe(words, 'trapped');
    expect(slotsOf(words)).toEqual([0, ...six.slice(1).map((name) => signals[name].id)]);
    expect(amount(words, 'trapped')).toBe(2);
  });

  it('sums the slots of a signal that has two, as one row under one cap', () => {
    const words = entry();
    const { id, weight, cap } = signals.pregreet;
    const stepSec = signalStepsSec[id]!;
    words[EntryWord.slots + 1] = slotWord(id, ONE, NOW, stepSec);
    words[EntryWord.slots + 4] = slotWord(id, ONE, NOW, stepSec);
    expect([amount(words, 'pregreet'), pointsOfEntry(words, 0, NOW)]).toEqual([2, 2 * weight]);
    expect(rowsOfEntry(words, 0, NOW)).toEqual([
      { signal: 'pregreet', observations: 2, ageSec: 0, points: 2 * weight },
    ]);
    observe(words, 'pregreet', 2);
    expect([amount(words, 'pregreet'), pointsOfEntry(words, 0, NOW)]).toEqual([4, cap]);
    // No other sum is tainted by this one.
    expect(pointsOfEntry(entry(), 0, NOW)).toBe(0);
  });
});

describe('a slot of which nothing is left', () => {
  it('is emptied, and the others stay', () => {
    const words = full();
    const laterSec = NOW + 20 * DAY;
    emptySlots(words, 0, NOW, laterSec);
    // Of one observation nothing is left after nine half-lives: of a day or two in this case, not of a week or more.
    expect(slotsOf(words).filter((id) => id !== 0)).toEqual(
      ['delivered', 'trapped'].map((name) => signals[name as SignalName].id),
    );
  });

  it('is left alone when another shard has dated the entry since, and may have written it', () => {
    const words = entry();
    const laterSec = NOW + 64 * DAY;
    // The other shard came first: the entry is dated, and what it noted has the date of the first round.
    words[EntryWord.seenSec] = laterSec;
    observe(words, 'badCommand', 5, laterSec);
    emptySlots(words, 0, NOW, laterSec);
    expect(amount(words, 'badCommand', laterSec)).toBe(5);
  });
});
