/**
 * state-reader — the rows of a state file, those that are whole
 *
 * A sound file is read in ascending order of age, so that in a full set the newer rows push out the older ones; what
 * the memory has no room for is passed over, but for an operator's word. A broken one is read along its
 * key from both ends until SQLite gives up on it, which leaves out little more than the broken page.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { Kind } from '../reputation/keys.ts';
import { isPermanent } from '../reputation/layout.ts';
import { ROW_WORDS, RowWord } from '../reputation/rows.ts';
import { queries } from './state-schema.ts';
import { readColumns, sumOf } from './state-rows.ts';

/** Rows that are handed on at once. */
const BITE_ROWS = 2_048;

/** What was found. */
export interface Reading {
  /** Rows handed on. */
  rows: number;
  /** Rows that are not what was written: their kind and name, to be removed. */
  readonly damaged: (readonly [kind: string, name: string])[];
  damagedCount: number;
  /** Rows that are too old, or more than there is room for. */
  passedOver: number;
}

/** Damaged rows that are remembered for removal. */
const DAMAGED_MAX = 10_000;

/** A reading that has found nothing yet. */
export function newReading(): Reading {
  return { rows: 0, damaged: [], damagedCount: 0, passedOver: 0 };
}

/** How much is wanted. */
export interface Wanted {
  /** Whether clients are called by a hash. */
  readonly isHashed: boolean;
  readonly savesHosts: boolean;
  readonly rowsMax: number;
  /** Rows seen before this are too old, but for an operator's word. */
  readonly oldestSec: number;
  readonly nowSec: number;
}

/** How many rows there were when the file was written last, and when that was; null when it does not say. */
export function readAbout(database: DatabaseSync): About | null {
  const about = database.prepare(queries.readAbout).get();
  if (about === undefined) return null;
  const { rows, saved, sum, names } = about;
  if (typeof rows !== 'number' || typeof saved !== 'number' || typeof names !== 'string') return null;
  const isTrue = rows === 0 && saved === 0 ? sum === 0 : sum === aboutSum(rows, saved);
  return isTrue ? { rows, savedSec: saved, names } : null;
}

/** What a file says of itself. */
export interface About {
  readonly rows: number;
  readonly savedSec: number;
  /** The id of the names that its rows have; '' before the first was written. */
  readonly names: string;
}

/** The sum beside what a file says about itself. */
export function aboutSum(rows: number, savedSec: number): number {
  return sumOf(Int32Array.of(rows, savedSec), 0, 2);
}

/** All rows of a sound file in bites, oldest first. Throws what SQLite throws. */
export function* rowsByAge(
  database: DatabaseSync,
  wanted: Wanted,
  reading: Reading,
): Generator<Int32Array, void> {
  const count = Number(database.prepare(queries.count).get()!['count']);
  const bite = new Bite(wanted, reading, Math.max(0, count - wanted.rowsMax));
  for (const columns of iterate(database.prepare(queries.byAge))) {
    bite.add(columns);
    if (bite.isFull) yield bite.take();
  }
  yield bite.take();
}

/** The rows of a broken file that can still be read, in no order; never throws. */
export function salvage(database: DatabaseSync, wanted: Wanted, reading: Reading): Int32Array[] {
  const bites: Int32Array[] = [];
  const bite = new Bite(wanted, reading, 0);
  let last: readonly unknown[] = [];
  let isWhole = false;
  const read = (query: string, isPast: (columns: readonly unknown[]) => boolean): void => {
    try {
      for (const columns of iterate(database.prepare(query))) {
        if (reading.rows >= wanted.rowsMax || isPast(columns)) break;
        last = columns;
        bite.add(columns);
        if (bite.isFull) bites.push(bite.take());
      }
      isWhole = true;
    } catch {
      // Behind this row the file cannot be read.
    }
  };
  read(queries.forward, () => false);
  const [kind, name] = last as [string?, string?];
  if (!isWhole)
    read(queries.backward, ([otherKind, otherName]) => isBehind(kind, name, otherKind, otherName));
  bites.push(bite.take());
  return bites;
}

/** Whether a row of the way back was met on the way forth. */
function isBehind(kind: string | undefined, name: string | undefined, a: unknown, b: unknown): boolean {
  if (kind === undefined || name === undefined) return false;
  return String(a) < kind || (a === kind && String(b) <= name);
}

function* iterate(statement: StatementSync): Generator<readonly unknown[]> {
  // Rows as arrays: there can be a million of them.
  statement.setReturnArrays(true);
  yield* statement.iterate() as unknown as Iterable<readonly unknown[]>;
}

/** Gathers rows. */
class Bite {
  private readonly wanted: Wanted;
  private readonly reading: Reading;
  private skip: number;
  private rows = new Int32Array(BITE_ROWS * ROW_WORDS);
  private count = 0;

  /** The first `skip` rows are passed over. */
  constructor(wanted: Wanted, reading: Reading, skip: number) {
    this.wanted = wanted;
    this.reading = reading;
    this.skip = skip;
  }

  get isFull(): boolean {
    return this.count === BITE_ROWS;
  }

  add([kind, name, words, sum]: readonly unknown[]): void {
    const { rows, reading, wanted } = this;
    const at = this.count * ROW_WORDS;
    this.skip -= 1;
    if (!readColumns(kind, name, words, sum, rows, at, wanted.isHashed)) {
      reading.damagedCount += 1;
      if (reading.damaged.length < DAMAGED_MAX) reading.damaged.push([String(kind), String(name)]);
      return;
    }
    const seenSec = rows[at + RowWord.seenSec]! >>> 0;
    const isOld = (this.skip >= 0 || seenSec < wanted.oldestSec) && !isPermanent(rows[at + RowWord.mark]!);
    if (isOld || (!wanted.savesHosts && rows[at + RowWord.kind] === Kind.Host)) {
      reading.passedOver += 1;
      return;
    }
    // A clock that was wrong once must not make a client the newest of all for years.
    if (seenSec > wanted.nowSec) rows[at + RowWord.seenSec] = wanted.nowSec;
    reading.rows += 1;
    this.count += 1;
  }

  take(): Int32Array {
    const taken = this.rows.slice(0, this.count * ROW_WORDS);
    this.count = 0;
    return taken;
  }
}
