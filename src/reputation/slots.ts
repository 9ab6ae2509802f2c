/**
 * slots — how a signal gets into an entry
 *
 * An entry has six slots. A signal that has one already is added there; another takes an empty slot, or that of the
 * signal that is worth least in points, if it is worth more itself. Each change is one compareExchange of one word, so
 * two shards that note the same signal at once both count; when both find no slot of it they may take one each,
 * and the two are summed by whoever reads (points).
 */
import { slotAgeSteps, slotAmount, slotId, slotWord } from './decay.ts';
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
function tryObserve(words: Int32Array, at: number, id: number, nowSec: number, amount: number): boolean {
  let place = -1;
  let placeSlot = 0;
  let least = Math.abs(pointsFor(id, amount));
  let hasEmpty = false;
  for (let other = 0; other < SLOTS; other += 1) {
    const slot = Atomics.load(words, at + other);
    if (slot === 0) {
      if (!hasEmpty) place = other;
      if (!hasEmpty) placeSlot = 0;
      hasEmpty = true;
      continue;
    }
    const otherId = slotId(slot);
    const left = slotAmount(slot, nowSec, signalStepsSec[otherId]!);
    if (otherId === id) {
      const after = slotWord(id, left + amount, nowSec, signalStepsSec[id]!);
      return Atomics.compareExchange(words, at + other, slot, after) === slot;
    }
    const points = Math.abs(pointsFor(otherId, left));
    if (hasEmpty || points >= least) continue;
    place = other;
    placeSlot = slot;
    least = points;
  }
  if (place < 0) return true;
  const after = slotWord(id, amount, nowSec, signalStepsSec[id]!);
  return Atomics.compareExchange(words, at + place, placeSlot, after) === placeSlot;
}

/**
 * Empties the slots of an entry of which nothing is left at `nowSec`, before their dates go round (decay). A slot that
 * another shard has dated in this very step is left alone, whatever `seenSec`, the last date before it, says.
 */
export function emptySlots(words: Int32Array, at: number, seenSec: number, nowSec: number): void {
  for (let place = 0; place < SLOTS; place += 1) {
    const slot = Atomics.load(words, at + EntryWord.slots + place);
    if (slot === 0 || slotAgeSteps(slot, nowSec, signalStepsSec[slotId(slot)]!) === 0) continue;
    if (amountInSlot(slot, seenSec, nowSec) === 0)
      Atomics.compareExchange(words, at + EntryWord.slots + place, slot, 0);
  }
}
