/**
 * state-file — what is remembered of clients, in a file that outlives the process (SQLite)
 *
 * Memory is the truth; the file only saves the warm-up. So nothing here is worth a refused mail: no call throws, and
 * whatever is wrong comes back as a sentence. A broken file is set aside (set-aside), what can be read of it is
 * taken over, and a new one is begun. A full disk, a read-only one, a lock of another process: the file is closed, and
 * opened anew with the next call. All calls block: they belong to a thread of their own (primary/keeper-thread).
 *
 * WAL with synchronous = NORMAL: what was committed outlives kill -9 of the process; a power cut costs what the system
 * had not yet written, and never the file. One transaction a batch: UPDATE, and INSERT where there was nothing, which
 * tells how many rows there are without counting them. `about` holds that number, so that a file can say how many
 * rows it has lost.
 *
 * The file stays open to readers while Sluice runs, so it is not locked for ever. Two Sluices on one file overwrite
 * each other's rows, each whole.
 *
 * Not taken: a snapshot written anew (a million rows every two seconds), and a log of changes (SQLite has one).
 */
import { statSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { kindNames } from '../reputation/keys.ts';
import { ROW_WORDS } from '../reputation/rows.ts';
import { setAside } from './set-aside.ts';
import { faultOf } from './state-faults.ts';
import type { Fault } from './state-faults.ts';
import { closeQuietly, openState } from './state-opening.ts';
import { Pruning } from './state-pruning.ts';
import { aboutSum, newReading, rowsByAge, salvage } from './state-reader.ts';
import type { Reading, Wanted } from './state-reader.ts';
import { columnsOf, nameIn } from './state-rows.ts';
import { queries } from './state-schema.ts';

export interface StateOptions {
  readonly path: string;
  /** Rows that the memory has room for. */
  readonly rowsMax: number;
  readonly keepSec: number;
  /** Whether single hosts may be written. */
  readonly savesHosts: boolean;
  /** 'plain', or the id of the key of the hash by which clients are called; with another one rows mean nobody. */
  readonly namesId: string;
}

/** The names of clients that are called by their address. */
export const PLAIN_NAMES = 'plain';

/** What became of a call. */
export interface Outcome {
  /** Why nothing can be written, as the end of a sentence that begins with the file's name; '' when all is well. */
  readonly why: string;
  /** The file was begun anew: all that the process remembers has to be written to it. */
  readonly isFresh: boolean;
  /** What an operator should read. */
  readonly notices: readonly string[];
}

/** What became of a load. */
export interface Loaded extends Outcome {
  /** False when nothing could be read, and another try is worth while. */
  readonly isRead: boolean;
  /** Rows handed on. */
  readonly rows: number;
  /** When the file was written last; 0 for never. */
  readonly savedSec: number;
}

/** Words of one key in a list of forgotten ones: kind, first, second. */
export const FORGOTTEN_WORDS = 3;

interface Statements {
  readonly update: StatementSync;
  readonly insert: StatementSync;
  readonly remove: StatementSync;
  readonly about: StatementSync;
}

export class StateFile {
  readonly #options: StateOptions;
  readonly #pruning: Pruning;
  readonly #isHashed: boolean;
  #database: DatabaseSync | null = null;
  /** Null while the file may not be written. */
  #statements: Statements | null = null;
  #inode = 0;
  /** Rows of the file; -1 when it does not say. */
  #rows = -1;
  /** When the file that was opened last had been written last; 0 for never. */
  #savedSec = 0;

  constructor(options: StateOptions) {
    this.#options = options;
    this.#isHashed = options.namesId !== PLAIN_NAMES;
    this.#pruning = new Pruning(options.rowsMax, options.keepSec);
  }

  /** Opens the file and hands on its rows in bites, oldest first. */
  *load(nowSec: number): Generator<Int32Array, Loaded> {
    const notices: string[] = [];
    let fault = this.#open(notices);
    let reading = newReading();
    if (this.#database !== null && fault?.isBroken !== true) {
      try {
        yield* rowsByAge(this.#database, this.#wanted(nowSec), reading);
        const damaged = this.#tellLosses(reading, notices);
        if (fault === null && damaged !== '') fault = { isBroken: true, why: damaged };
        else return this.#loaded(fault?.why ?? '', false, notices, reading);
      } catch (error) {
        fault = faultOf(error);
        reading = newReading();
      }
    }
    if (fault?.isBroken !== true) {
      this.close();
      return { ...this.#loaded(fault?.why ?? '', false, notices, reading), isRead: false };
    }
    const savedSec = this.#savedSec;
    let bites: readonly Int32Array[] = [];
    if (reading.rows === 0 && fault.isForeign !== true) {
      this.close();
      reading = newReading();
      const saved = salvage(this.#options.path, this.#wanted(nowSec), reading);
      ({ bites } = saved);
      if (this.#rows < 0) this.#rows = saved.about?.rows ?? -1;
    }
    const lost =
      this.#rows < 0 ? '' : `, ${Math.max(0, this.#rows - reading.rows - reading.passedOver)} are lost`;
    const why = this.#replace(fault, nowSec, notices, `${reading.rows} rows were saved from it${lost}`);
    yield* bites;
    return { ...this.#loaded(why, true, notices, reading), savedSec };
  }

  /** Takes `forgotten` keys out, then writes `rows`, all or nothing. Opens the file when it is not open. */
  save(rows: Int32Array, forgotten: Int32Array, nowSec: number): Outcome {
    const notices: string[] = [];
    let isFresh = false;
    if (this.#statements !== null && !this.#isStillThere()) {
      this.close();
      isFresh = true;
      notices.push(`${this.#options.path} was moved or removed; what is remembered is written anew`);
    }
    let fault: Fault | null = null;
    if (this.#statements === null) {
      fault = this.#open(notices);
      if (this.#isNew) isFresh = true;
    }
    fault ??= this.#write(rows, forgotten, nowSec);
    if (fault?.isBroken === true) {
      isFresh = true;
      const why = this.#replace(fault, nowSec, notices, 'what is remembered is written anew');
      fault = why === '' ? this.#write(rows, forgotten, nowSec) : { isBroken: false, why };
    }
    if (fault !== null) this.close();
    return { why: fault?.why ?? '', isFresh, notices };
  }

  /** Closes the file. */
  close(): void {
    closeQuietly(this.#database);
    this.#database = null;
    this.#statements = null;
  }

  /** True when the last opening made the file. */
  #isNew = false;

  #wanted(nowSec: number): Wanted {
    const { rowsMax, keepSec, savesHosts } = this.#options;
    return { rowsMax, oldestSec: nowSec - keepSec, nowSec, savesHosts, isHashed: this.#isHashed };
  }

  #open(notices: string[]): Fault | null {
    this.close();
    const opening = openState(this.#options.path, this.#options.namesId);
    const { database } = opening;
    this.#database = database;
    this.#inode = opening.inode;
    this.#rows = opening.rows;
    this.#savedSec = opening.savedSec;
    this.#isNew = opening.isNew;
    if (opening.wasEmpty) notices.push(`${this.#options.path} was empty: nothing is known from before`);
    if (opening.fault !== null || database === null) return opening.fault;
    try {
      this.#statements = {
        update: database.prepare(queries.update),
        insert: database.prepare(queries.insert),
        remove: database.prepare(queries.remove),
        about: database.prepare(queries.about),
      };
      return this.#options.savesHosts ? null : this.#removeHosts(database, this.#statements.about);
    } catch (error) {
      return faultOf(error);
    }
  }

  /** Hosts that were saved when that was allowed leave the file. Throws what SQLite throws. */
  #removeHosts(database: DatabaseSync, about: StatementSync): null {
    const gone = Number(database.prepare(queries.removeHosts).run().changes);
    if (gone === 0 || this.#rows < 0) return null;
    this.#rows -= gone;
    about.run(this.#rows, this.#savedSec, aboutSum(this.#rows, this.#savedSec), this.#options.namesId);
    return null;
  }

  /** Sets the file aside and begins another; why that cannot be done, or ''. */
  #replace(fault: Fault, nowSec: number, notices: string[], rest: string): string {
    const { path } = this.#options;
    this.close();
    try {
      const target = setAside(path, nowSec);
      notices.push(`${path} ${fault.why}; it was set aside as ${target}; ${rest}`);
    } catch (error) {
      notices.push(`${path} ${fault.why}; ${rest}`);
      return `${fault.why}, and could not be set aside: ${faultOf(error).why}`;
    }
    return this.#open(notices)?.why ?? '';
  }

  /** One transaction. */
  #write(rows: Int32Array, forgotten: Int32Array, nowSec: number): Fault | null {
    const { database, statements } = { database: this.#database!, statements: this.#statements! };
    try {
      database.exec('BEGIN IMMEDIATE');
      let count = Math.max(0, this.#rows);
      for (let at = 0; at < forgotten.length; at += FORGOTTEN_WORDS) {
        const kind = forgotten[at]!;
        const name = nameIn(this.#isHashed, kind, forgotten[at + 1]!, forgotten[at + 2]!);
        count -= Number(statements.remove.run(kindNames[kind] ?? '', name).changes);
      }
      for (let at = 0; at < rows.length; at += ROW_WORDS) {
        const columns = columnsOf(rows, at, nowSec, this.#isHashed);
        if (statements.update.run(...columns).changes !== 0) continue;
        statements.insert.run(...columns);
        count += 1;
      }
      count -= this.#pruning.bite(database, statements.remove, count, nowSec);
      // A file that does not know how many rows it has is counted once.
      if (this.#rows < 0) count = Number(database.prepare(queries.count).get()!['count']);
      if (rows.length > 0 || count !== this.#rows)
        statements.about.run(count, nowSec, aboutSum(count, nowSec), this.#options.namesId);
      database.exec('COMMIT');
      this.#rows = count;
      return null;
    } catch (error) {
      try {
        if (database.isTransaction) database.exec('ROLLBACK');
      } catch {
        // It is closed next.
      }
      return faultOf(error);
    }
  }

  #loaded(why: string, isFresh: boolean, notices: readonly string[], { rows }: Reading): Loaded {
    return { why, isFresh, notices, isRead: true, rows, savedSec: this.#savedSec };
  }

  /** Tells of rows that are not there; what is wrong with the file when some are damaged, else ''. */
  #tellLosses(reading: Reading, notices: string[]): string {
    const { path } = this.#options;
    const found = reading.rows + reading.passedOver + reading.damaged;
    // A key that was damaged also leads astray whoever looks for another one: such a file is not written any more.
    const damaged = reading.damaged === 0 ? '' : `has damaged rows (${reading.damaged})`;
    if (damaged === '' && this.#rows > found) notices.push(`${path}: ${this.#rows - found} rows are missing`);
    if (this.#rows < 0)
      notices.push(`${path} does not say how many rows it should have; ${found} were found`);
    // What the file says from now on is what is in it.
    if (damaged === '' && this.#rows !== found) this.#rows = -1;
    return damaged;
  }

  /** Whether the file that is open is the one at its path. */
  #isStillThere(): boolean {
    try {
      return statSync(this.#options.path).ino === this.#inode;
    } catch {
      return false;
    }
  }
}
