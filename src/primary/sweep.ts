/**
 * sweep — what has changed in a table, taken in bites for somebody who writes it down elsewhere
 *
 * The state file, the primary (for a child) and each child (for the primary) are such somebodies. Each has bits of
 * its own (reputation/dirty) and takes one bite at a time: while it is under way, changes set bits and nothing else,
 * so whoever is slow or gone costs no memory. A bite that was not taken well sets its bits again.
 *
 * Keys that an operator has forgotten have no entry that could be read, and are kept by themselves until they were
 * taken; at most `FORGOTTEN_MAX`. Meters are not swept: what they count is over in an hour.
 *
 * Cost: of a bite of 2,048 entries, reading as many cache lines; of a table in which nothing has changed, a bit an entry.
 */
import type { Dirty } from '../reputation/dirty.ts';
import { isMeter, Kind, newKey } from '../reputation/keys.ts';
import { readRow, ROW_WORDS, RowWord } from '../reputation/rows.ts';
import type { ReputationTable } from '../reputation/table.ts';

/** Rows of a bite. */
const BITE_ROWS = 2_048;

/** Words of one key in a list of forgotten ones: kind, first, second. */
export const KEY_WORDS = 3;

/** Keys of one bite, and of all that wait. */
const KEYS_PER_BITE = 4_096;
const FORGOTTEN_MAX = 100_000;

/** Entries that are noted or looked through in one call. */
const ENTRIES_PER_CALL = 65_536;

/** Rows and forgotten keys, the latter to be obeyed first. Both in arrays of their own, which can be transferred. */
export interface Bite {
  readonly rows: Int32Array;
  readonly forgotten: Int32Array;
}

/** A key as a property of maps. */
function keyText(kind: number, first: number, second: number): string {
  return `${kind}.${first}.${second}`;
}

export class Sweep {
  readonly #table: ReputationTable;
  readonly #dirty: Dirty;
  readonly #underWay = new Int32Array(BITE_ROWS);
  readonly #row = new Int32Array(ROW_WORDS);
  readonly #key = newKey();
  readonly #withHosts: boolean;
  readonly #forgotten = new Map<string, readonly [number, number, number]>();
  #keysUnderWay: string[] = [];
  #count = 0;
  #from = 0;
  #isRoundOver = false;
  /** Up to where all entries were noted anew; the table's size when that is done. */
  #noted: number;

  /** Sweeps what is noted in `dirty`, which may be the table's own; with or without single hosts. */
  constructor(table: ReputationTable, dirty: Dirty, withHosts = true) {
    this.#table = table;
    this.#dirty = dirty;
    this.#withHosts = withHosts;
    this.#noted = table.entries;
  }

  /** Notes an entry. */
  note(index: number): void {
    this.#dirty.note(index);
  }

  /** Every entry is to be taken, changed or not. */
  noteAll(): void {
    this.#noted = 0;
  }

  /** A key was forgotten; false when so many wait that this one is left out. */
  forget(kind: number, first: number, second: number): boolean {
    if (this.#forgotten.size >= FORGOTTEN_MAX) return false;
    const text = keyText(kind, first, second);
    // Behind those that are under way: it was forgotten again.
    this.#forgotten.delete(text);
    this.#forgotten.set(text, [kind, first, second]);
    this.#keysUnderWay = this.#keysUnderWay.filter((other) => other !== text);
    return true;
  }

  /** Whether a key was forgotten and whoever is told of it has not yet answered. */
  isForgotten(kind: number, first: number, second: number): boolean {
    return this.#forgotten.size > 0 && this.#forgotten.has(keyText(kind, first, second));
  }

  /** Forgets what was forgotten: somebody new begins with nothing. */
  beginAnew(): void {
    this.#forgotten.clear();
    this.#keysUnderWay = [];
    this.#count = 0;
    // A round that was under way is not his: all that is known belongs to the first one.
    this.#from = 0;
    this.#isRoundOver = false;
    this.noteAll();
  }

  /**
   * The next bite, to be answered by `taken` or `failed`; 'more' when there was none in the part looked at; null at the
   * end of a round, which comes once even if there is always something new.
   */
  next(): Bite | 'more' | null {
    this.#noteSome();
    if (this.#isRoundOver && this.#forgotten.size === 0) {
      this.#isRoundOver = false;
      return null;
    }
    const indexes = this.#underWay;
    this.#count = 0;
    this.#from = this.#dirty.take(this.#from, BITE_ROWS, (index) => {
      indexes[this.#count] = index;
      this.#count += 1;
    });
    if (this.#from >= this.#table.entries) {
      this.#from = 0;
      // A part that was not yet noted anew is still to come.
      this.#isRoundOver = this.#noted >= this.#table.entries;
    }
    const rows = this.#read();
    const forgotten = this.#takeForgotten();
    if (rows.length > 0 || forgotten.length > 0) return { rows, forgotten };
    this.#count = 0;
    if (!this.#isRoundOver) return 'more';
    this.#isRoundOver = false;
    return null;
  }

  /** The bite under way was taken well. */
  taken(): void {
    for (const key of this.#keysUnderWay) this.#forgotten.delete(key);
    this.#keysUnderWay = [];
    this.#count = 0;
  }

  /** The bite under way is lost; it will come again. */
  failed(): void {
    for (let at = 0; at < this.#count; at += 1) this.#dirty.note(this.#underWay[at]!);
    this.#keysUnderWay = [];
    this.#count = 0;
  }

  #read(): Int32Array {
    const row = this.#row;
    const rows = new Int32Array(this.#count * ROW_WORDS);
    let words = 0;
    for (let at = 0; at < this.#count; at += 1) {
      if (!readRow(this.#table, this.#underWay[at]!, row, 0)) continue;
      const kind = row[RowWord.kind]!;
      if (isMeter(kind) || (kind === Kind.Host && !this.#withHosts)) continue;
      rows.set(row, words);
      words += ROW_WORDS;
    }
    return words === rows.length ? rows : rows.slice(0, words);
  }

  #takeForgotten(): Int32Array {
    const count = Math.min(this.#forgotten.size, KEYS_PER_BITE);
    const words = new Int32Array(count * KEY_WORDS);
    this.#keysUnderWay = [];
    for (const [text, key] of this.#forgotten) {
      if (this.#keysUnderWay.length === count) break;
      words.set(key, this.#keysUnderWay.length * KEY_WORDS);
      this.#keysUnderWay.push(text);
    }
    return words;
  }

  #noteSome(): void {
    const end = Math.min(this.#table.entries, this.#noted + ENTRIES_PER_CALL);
    for (; this.#noted < end; this.#noted += 1) {
      if (this.#table.keyOf(this.#noted, this.#key) !== 0) this.#dirty.note(this.#noted);
    }
  }
}
