/**
 * state-opening — a state file is opened, and looked at before anything of it is believed
 *
 * The header is read first, by itself: what is too short for one or does not begin as an SQLite file does would be
 * overwritten by SQLite, or refused with a riddle. Then whose file it is, its version, and `quick_check`, which reads
 * the whole file (a second for a million rows) and finds pages that do not hang together. A flipped bit inside a row
 * is not its business: that is what the sums of the rows are for.
 *
 * A file that may not be written, on a disk that was mounted read-only say, is still opened to be read.
 */
import { closeSync, existsSync, mkdirSync, openSync, readSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { faultOf } from './state-faults.ts';
import type { Fault } from './state-faults.ts';
import { BUSY_MS, readAbout } from './state-reader.ts';
import type { About } from './state-reader.ts';
import { APPLICATION_ID, schema, STATE_VERSION } from './state-schema.ts';

export interface Opening {
  /** Open when it can be read, or salvaged. */
  readonly database: DatabaseSync | null;
  /** Null when all is well and it can be written. */
  readonly fault: Fault | null;
  /** Which file it is, as long as it is written. */
  readonly inode: number;
  /** Rows that it says it has; -1 when it does not say. */
  readonly rows: number;
  /** When it was written last; 0 for never. */
  readonly savedSec: number;
  readonly wasEmpty: boolean;
  /** It was made just now. */
  readonly isNew: boolean;
}

const WAL_BYTES_KEPT = 16_777_216;

const HEADER_BYTES = 100;
const HEADER_START = 'SQLite format 3\0';
/** Where a header says how the file is written and read: 1 or 2 (WAL). */
const FORMATS_AT = 18;

const nothing: Opening = {
  database: null,
  fault: null,
  inode: 0,
  rows: -1,
  savedSec: 0,
  wasEmpty: false,
  isNew: false,
};

/** Opens the file, making it and its directory where there is none. Never throws. */
export function openState(path: string, namesId: string): Opening {
  let database: DatabaseSync | null = null;
  let seen: Seen = { about: null, fault: null };
  try {
    makeDirectory(dirname(path));
    const wasThere = existsSync(path);
    const bytes = wasThere ? statSync(path).size : 0;
    const why = wasThere ? headerFault(path, bytes) : null;
    if (why !== null) return { ...nothing, fault: { isBroken: true, why } };
    database = new DatabaseSync(path, { timeout: BUSY_MS });
    database.exec('PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON');
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    database.exec(`PRAGMA journal_size_limit = ${WAL_BYTES_KEPT}`);
    const isNew = hasNoTables(database);
    if (isNew) database.exec(`BEGIN IMMEDIATE; ${schema} COMMIT`);
    seen = examine(database, namesId);
    const inode = statSync(path).ino;
    if (seen.fault === null) database.exec('BEGIN IMMEDIATE; ROLLBACK');
    return { ...opened(database, seen), inode, isNew, wasEmpty: wasThere && bytes === 0 };
  } catch (error) {
    const fault = faultOf(error);
    if (fault.isBroken || fault.isBusy) return { ...opened(database, seen), fault };
    closeQuietly(database);
    return { ...openReadOnly(path, namesId), fault };
  }
}

/** Makes a directory and those above it. Node's own `recursive` never comes back from a place such as /proc. */
function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  makeDirectory(dirname(path));
  mkdirSync(path);
}

/** Closes a database whatever state it is in. */
export function closeQuietly(database: DatabaseSync | null): void {
  try {
    database?.close();
  } catch {
    // Whatever it was, the next opening will meet it.
  }
}

interface Seen {
  readonly about: About | null;
  readonly fault: Fault | null;
}

function opened(database: DatabaseSync | null, { about, fault }: Seen): Opening {
  return { ...nothing, database, fault, rows: about?.rows ?? -1, savedSec: about?.savedSec ?? 0 };
}

function openReadOnly(path: string, namesId: string): Opening {
  let database: DatabaseSync | null = null;
  try {
    if (!existsSync(path)) return nothing;
    // "Immutable" does without the files beside it, which could not be made: what waits in a WAL is not read.
    const url = pathToFileURL(path);
    url.searchParams.set('immutable', '1');
    database = new DatabaseSync(url, { readOnly: true });
    const seen = examine(database, namesId);
    if (seen.fault === null) return opened(database, seen);
  } catch {
    // It stays with what was wrong in the first place.
  }
  closeQuietly(database);
  return nothing;
}

/** What is wrong with the first bytes of a file. */
function headerFault(path: string, bytes: number): string | null {
  const header = Buffer.alloc(HEADER_BYTES);
  const fd = openSync(path, 'r');
  try {
    readSync(fd, header, 0, HEADER_BYTES, 0);
  } finally {
    closeSync(fd);
  }
  if (bytes === 0) return null;
  if (bytes < HEADER_BYTES) return 'is too short';
  if (header.toString('latin1', 0, HEADER_START.length) !== HEADER_START) return 'is not an SQLite file';
  const isKnown = (format: number): boolean => format === 1 || format === 2;
  if (isKnown(header[FORMATS_AT]!) && isKnown(header[FORMATS_AT + 1]!)) return null;
  return 'has a broken header';
}

function hasNoTables(database: DatabaseSync): boolean {
  return database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
}

/** Is it ours, and whole? Throws what SQLite throws. */
function examine(database: DatabaseSync, namesId: string): Seen {
  const pragma = (name: string): unknown => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
  const foreign = (why: string): Seen => ({ about: null, fault: { isBroken: true, isForeign: true, why } });
  if (pragma('application_id') !== APPLICATION_ID) return foreign('belongs to another program');
  const version = pragma('user_version');
  if (version !== STATE_VERSION) return foreign(`has version ${String(version)} instead of ${STATE_VERSION}`);
  let about: Seen['about'] = null;
  try {
    about = readAbout(database);
    if (about !== null && about.names !== '' && about.names !== namesId)
      return foreign('was written with other names of clients (privacy.log_ip, privacy.key_file)');
  } catch (error) {
    if (!faultOf(error).isBroken) throw error;
    return { about, fault: faultOf(error) };
  }
  const verdict = pragma('quick_check(1)');
  if (verdict === 'ok') return { about, fault: null };
  const why = `is broken (${String(verdict).trim().split('\n').at(-1)})`;
  return { about, fault: { isBroken: true, why } };
}
