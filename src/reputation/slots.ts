/**
 * slots — how a signal gets into an entry
 *
 * An entry has six slots. A signal that has one already is added there; another takes an empty slot, or that of the
 * signal that is worth least in points, if it is worth more itself. Each change is one compareExchange of one word, so
 * two shards that note the same signal at once both count; when both find no slot of it they may take one each,
 * and the two are summed by whoever reads (points).
 */
import { slotAmount, slotId, slotWord } from './decay.ts';
import { EntryWord, SLOTS } from './layout.ts';
import { amountInSlot, pointsFor } from './points.ts';
import { signalStepsSec } from './signals.ts';

/** Adds an amount (1/256 observations) of a signal to the entry that begins at word `at`. */
export function observeEntry(
  words: Int32Array,
  at: number,
  id: number,
  nowSec: number,
  amount: number,
): void {
  while (!tryObserve(words, at + EntryWord.slots, id, nowSec, amount));
}

/** One try; false when another writer was quicker. */
function tryObserve(words: Int32Array, from: number, id: number, nowSec: number, amount: number): boolean {
  const stepSec = signalStepsSec[id]!;
  let empty = -1;
  for (let at = from; at < from + SLOTS; at += 1) {
    const slot = words[at]!;
    if (slotId(slot) === id) {
      const after = slotWord(id, slotAmount(slot, nowSec, stepSec) + amount, nowSec, stepSec);
      return Atomics.compareExchange(words, at, slot, after) === slot;
    }
    if (slot === 0 && empty < 0) empty = at;
  }
  const fresh = slotWord(id, amount, nowSec, stepSec);
  if (empty >= 0) return Atomics.compareExchange(words, empty, 0, fresh) === 0;
  return tryReplace(words, from, fresh, Math.abs(pointsFor(id, amount)), nowSec);
}

/** Puts a slot in place of the one that is worth least, if that is worth less than `points`. */
function tryReplace(words: Int32Array, from: number, fresh: number, points: number, nowSec: number): boolean {
  let weakest = -1;
  let weakestSlot = 0;
  let least = points;
  for (let at = from; at < from + SLOTS; at += 1) {
    const slot = words[at]!;
    const id = slotId(slot);
    const worth = Math.abs(pointsFor(id, slotAmount(slot, nowSec, signalStepsSec[id]!)));
    if (worth >= least) continue;
    weakest = at;
    weakestSlot = slot;
    least = worth;
  }
  if (weakest < 0) return true;
  return Atomics.compareExchange(words, weakest, weakestSlot, fresh) === weakestSlot;
}

/**
 * Empties the slots of which nothing is left at `nowSec`, before their dates go round (decay). `seenSec` is the date that
 * the entry had before it is dated now. Whoever notes a signal has claimed the entry, and so dated it, before: as
 * long as the date is the old one, so are the slots, whatever their own dates look like.
 */
export function emptySlots(words: Int32Array, at: number, seenSec: number, nowSec: number): void {
  for (let place = at + EntryWord.slots; place < at + EntryWord.slots + SLOTS; place += 1) {
    const slot = words[place]!;
    if (slot === 0 || amountInSlot(slot, seenSec, nowSec) !== 0) continue;
    // In this order: first that it is still the same, then that nobody has dated the entry.
    if (Atomics.load(words, place) !== slot) continue;
    if (Atomics.load(words, at + EntryWord.seenSec) >>> 0 !== seenSec) return;
    Atomics.compareExchange(words, place, slot, 0);
  }
}
