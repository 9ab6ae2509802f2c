/**
 * rows — an entry as it travels: to the state file, and to the other processes of a host
 *
 * Sixteen words: the kind of the key, then the entry's own words from the key on. Two rows of one key are joined, not
 * added: the later date, the longer pass, the larger amount of each signal. So a row may arrive twice, late or out of
 * order, and tables that exchange rows agree in the end (a join-semilattice). What two processes noted of one client
 * in the same seconds counts once, not twice; between processes that is the side to err on.
 */
import { slotId } from './decay.ts';
import type { Key } from './keys.ts';
import { claimKindOf, ClaimState, claimStateOf, EntryWord, PASSES, SLOTS } from './layout.ts';
import { amountInSlot, amountOfEntry } from './points.ts';
import { observeEntry } from './slots.ts';
import type { ReputationTable } from './table.ts';

/** Words of a row. */
export const ROW_WORDS = EntryWord.COUNT;

/** Where things stand in a row: the kind in place of the claim, the rest as in an entry. */
export const RowWord = { ...EntryWord, kind: 0 } as const;

/** Copies an entry to row[at …]; false if the entry is nobody's. */
export function readRow(table: ReputationTable, index: number, row: Int32Array, at: number): boolean {
  const { words } = table;
  const from = table.wordOf(index);
  const claim = Atomics.load(words, from);
  if (claimStateOf(claim) !== ClaimState.Stable) return false;
  row[at + RowWord.kind] = claimKindOf(claim);
  for (let word = 1; word < ROW_WORDS; word += 1) row[at + word] = Atomics.load(words, from + word);
  return Atomics.load(words, from) === claim;
}

/**
 * Joins row[at …] into the entry of its key, which is made if there was none, and returns its index; -1 when there was
 * no room. `takesMarks`: an operator's or a trap's word comes with it and stands in for the one that is there. Does
 * not note the entry as changed. `key` is scratch.
 */
export function joinRow(
  table: ReputationTable,
  row: Int32Array,
  at: number,
  key: Key,
  nowSec: number,
  takesMarks: boolean,
): number {
  key[0] = row[at + RowWord.key]!;
  key[1] = row[at + RowWord.key + 1]!;
  const index = table.claimUndated(row[at + RowWord.kind]!, key, nowSec);
  if (index < 0) return -1;
  const { words } = table;
  const to = table.wordOf(index);
  const mark = row[at + RowWord.mark]!;
  if (takesMarks && mark !== 0) Atomics.store(words, to + EntryWord.mark, mark);
  const rowSeenSec = row[at + RowWord.seenSec]! >>> 0;
  // Dates first: what the slots are worth depends on them.
  if (table.wasNew) {
    Atomics.store(words, to + EntryWord.seenSec, rowSeenSec);
    Atomics.store(words, to + EntryWord.firstSec, row[at + RowWord.firstSec]!);
  } else joinDates(words, to, row, at);
  for (let test = 0; test < PASSES; test += 1)
    keepLater(words, to + EntryWord.passUntilSec + test, row[at + RowWord.passUntilSec + test]!);
  for (let place = 0; place < SLOTS; place += 1) {
    const slot = row[at + RowWord.slots + place]!;
    const id = slotId(slot);
    if (id === 0) continue;
    const isFirst =
      table.wasNew && Atomics.compareExchange(words, to + EntryWord.slots + place, 0, slot) === 0;
    if (isFirst) continue;
    const more = amountInSlot(slot, rowSeenSec, nowSec) - amountOfEntry(words, to, id, nowSec);
    if (more > 0) observeEntry(words, to, id, nowSec, more);
  }
  return index;
}

function joinDates(words: Int32Array, to: number, row: Int32Array, at: number): void {
  keepLater(words, to + EntryWord.seenSec, row[at + RowWord.seenSec]!);
  const firstSec = row[at + RowWord.firstSec]! >>> 0;
  if (firstSec < Atomics.load(words, to + EntryWord.firstSec) >>> 0)
    Atomics.store(words, to + EntryWord.firstSec, firstSec);
}

function keepLater(words: Int32Array, word: number, value: number): void {
  if (value >>> 0 > Atomics.load(words, word) >>> 0) Atomics.store(words, word, value);
}
