/**
 * rows — an entry as it travels: to the state file, and to the other processes of a host
 *
 * Sixteen words: the kind of the key, then the entry's own words from the key on. Two rows of one key are joined, not
 * added: the later date, the longer pass, the larger amount of each signal. So a row may arrive twice, late or out of
 * order, and tables that exchange rows agree in the end (a join-semilattice, as long as six slots are enough). What two processes noted of one client
 * in the same seconds counts once, not twice; between processes that is the side to err on.
 */
import { slotId } from './decay.ts';
import { isMeter, kindNames } from './keys.ts';
import type { Key } from './keys.ts';
import { claimKindOf, ClaimState, claimStateOf, EntryWord, PASSES, SLOTS } from './layout.ts';
import { amountOfEntry } from './points.ts';
import { signalNameOf } from './signals.ts';
import { emptySlots, observeEntry } from './slots.ts';
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
 * no room, or a row of its kind does not travel. `takesMarks`: an operator's or a trap's word comes with it and stands in
 * for the one that is there. Does not note the entry as changed. `key` is scratch.
 */
export function joinRow(
  table: ReputationTable,
  row: Int32Array,
  at: number,
  key: Key,
  nowSec: number,
  takesMarks: boolean,
): number {
  const kind = row[at + RowWord.kind]!;
  if (kindNames[kind] === undefined || kind === 0 || isMeter(kind)) return -1;
  key[0] = row[at + RowWord.key]!;
  key[1] = row[at + RowWord.key + 1]!;
  // A date that lies ahead of this clock is worth no more than now.
  const rowSeenSec = Math.min(row[at + RowWord.seenSec]! >>> 0, nowSec);
  const index = table.claimUndated(kind, key, nowSec, rowSeenSec);
  if (index < 0) return -1;
  const { words } = table;
  const to = table.wordOf(index);
  const mark = row[at + RowWord.mark]!;
  if (takesMarks && mark !== 0) Atomics.store(words, to + EntryWord.mark, mark);
  // Before the entry gets a later date, with which what it has forgotten would look fresh.
  emptySlots(words, to, Atomics.load(words, to + EntryWord.seenSec) >>> 0, nowSec);
  keepLater(words, to + EntryWord.seenSec, rowSeenSec);
  keepEarlier(words, to + EntryWord.firstSec, row[at + RowWord.firstSec]!);
  for (let test = 0; test < PASSES; test += 1)
    keepLater(words, to + EntryWord.passUntilSec + test, row[at + RowWord.passUntilSec + test]!);
  for (let place = 0; place < SLOTS; place += 1) joinSlot(table, to, row, at, place, nowSec);
  return index;
}

/** Joins one slot of a row into the entry that begins at word `to`; into a new entry as it is, with its date. */
function joinSlot(
  table: ReputationTable,
  to: number,
  row: Int32Array,
  at: number,
  place: number,
  nowSec: number,
): void {
  const slot = row[at + RowWord.slots + place]!;
  const id = slotId(slot);
  // A number that this version does not know would take a slot and be worth nothing.
  if (id === 0 || signalNameOf[id] === '') return;
  if (table.wasNew && Atomics.compareExchange(table.words, to + EntryWord.slots + place, 0, slot) === 0)
    return;
  const more = amountOfEntry(row, at, id, nowSec) - amountOfEntry(table.words, to, id, nowSec);
  if (more > 0) observeEntry(table.words, to, id, nowSec, more);
}

function keepLater(words: Int32Array, at: number, value: number): void {
  let before = Atomics.load(words, at);
  while (value >>> 0 > before >>> 0) {
    const found = Atomics.compareExchange(words, at, before, value);
    if (found === before) return;
    before = found;
  }
}

function keepEarlier(words: Int32Array, at: number, value: number): void {
  let before = Atomics.load(words, at);
  while (value >>> 0 < before >>> 0) {
    const found = Atomics.compareExchange(words, at, before, value);
    if (found === before) return;
    before = found;
  }
}
