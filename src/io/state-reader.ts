/**
 * state-reader — the rows of a state file, those that are whole
 *
 * A sound file is read in ascending order of age, so that in a full set the newer rows push out the older ones; what
 * the memory has no room for is passed over, but for an operator's word. A broken one is read along its
 * key from both ends until SQLite gives up on it, which leaves out little more than the broken page.
 */
import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import { Kind } from '../reputation/keys.ts';
import { isPermanent } from '../reputation/layout.ts';
import { ROW_WORDS, RowWord } from '../reputation/rows.ts';
import { queries } from './state-schema.ts';
import { readColumns, sumOf } from './state-rows.ts';

/** Rows that are handed on at once. */
const BITE_ROWS = 1_024;

/** How long a lock of another process is waited for. */
export const BUSY_MS = 1_000;

/** What was found. */
export interface Reading {
  /** Rows handed on. */
  rows: number;
  /** Rows that are not what was written. */
  damaged: number;
  /** Rows that are too old, or more than there is room for. */
  passedOver: number;
}

/** A reading that has found nothing yet. */
export function newReading(): Reading {
  return { rows: 0, damaged: 0, passedOver: 0 };
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

/** The rows of a broken file that can still be read, in no order, and what it says of itself; never throws. */
export function salvage(
  path: string,
  wanted: Wanted,
  reading: Reading,
): { readonly bites: readonly Int32Array[]; readonly about: About | null } {
  const bites: Int32Array[] = [];
  const bite = new Bite(wanted, reading, 0);
  let about: About | null = null;
  let last: readonly unknown[] = [];
  const read = (
    database: DatabaseSync,
    query: string,
    isMet: (columns: readonly unknown[]) => boolean,
  ): boolean => {
    try {
      for (const columns of iterate(database.prepare(query))) {
        if (reading.rows >= wanted.rowsMax || isMet(columns)) break;
        last = columns;
        bite.add(columns);
        if (bite.isFull) bites.push(bite.take());
      }
      return true;
    } catch {
      // Behind this row the file cannot be read.
      return false;
    }
  };
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(path, { timeout: BUSY_MS, defensive: false });
    // Makes SQLite read on where the file is shorter than it should be.
    database.exec('PRAGMA writable_schema = ON');
    about = readAbout(database);
  } catch {
    // Then it does not say.
  }
  if (database !== null && !read(database, queries.forward, () => false)) {
    const [kind, name] = last;
    read(database, queries.backward, (columns) => isBehind(kind, name, columns));
  }
  bites.push(bite.take());
  try {
    database?.close();
  } catch {
    // It is set aside next.
  }
  return { bites, about };
}

/** Whether a row of the way back was met on the way forth, where `kind` and `name` were the last. */
function isBehind(kind: unknown, name: unknown, [otherKind, otherName]: readonly unknown[]): boolean {
  if (kind === undefined) return false;
  return textOf(otherKind) < textOf(kind) || (otherKind === kind && textOf(otherName) <= textOf(name));
}

/** Of a broken file anything may come. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
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
      reading.damaged += 1;
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
