/**
 * The state file on a real disk: what is written comes back, and whatever is wrong with the file, it says so and
 * goes on.
 */
import { chmodSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { faultOf } from '../../../src/io/state-faults.ts';
import { Mark, markWord } from '../../../src/reputation/layout.ts';
import { ROW_WORDS, RowWord } from '../../../src/reputation/rows.ts';
import { load, none, nowSec, Place, rowsOf, textsOf } from './state-rows-of.ts';

const DAY = 86_400;
let place: Place;
beforeEach(() => (place = new Place()));
afterEach(() => place.close());

/** Another program's hand on the file. */
function sql(path: string, text: string): void {
  const database = new DatabaseSync(path);
  database.exec(text);
  database.close();
}

/** Files beside the state file that were set aside. */
const broken = (): string[] => readdirSync(place.directory).filter((name) => name.includes('.broken-'));

describe('what is saved', () => {
  it('comes back word by word, oldest first, a hundred thousand rows of it', () => {
    const rows = rowsOf(100_000);
    place.fill(rows);
    const loaded = load(place.file());
    expect(loaded).toMatchObject({ why: '', isRead: true, isFresh: false, notices: [], rows: 100_000 });
    expect(loaded.texts).toEqual(textsOf(rows));
  });

  it('is replaced by what is saved later, and counted once', () => {
    const rows = rowsOf(100);
    place.fill(rows);
    for (let at = 0; at < rows.length; at += ROW_WORDS) rows[at + RowWord.seenSec]! += 1;
    place.fill(rows);
    expect(load(place.file())).toMatchObject({ rows: 100, notices: [], texts: textsOf(rows) });
  });

  it('is gone when it was forgotten', () => {
    const rows = rowsOf(5);
    place.fill(rows);
    const file = place.file();
    load(file);
    const key = rows.subarray(ROW_WORDS, ROW_WORDS + 3);
    expect(file.save(none, Int32Array.from(key), nowSec).why).toBe('');
    file.close();
    const texts = textsOf(rows);
    texts.splice(1, 1);
    expect(load(place.file())).toMatchObject({ notices: [], texts });
  });

  it('can be read by people', () => {
    place.fill(rowsOf(1));
    const database = new DatabaseSync(place.path);
    expect({ ...database.prepare('SELECT kind, name, seen FROM readable').get() }).toEqual({
      kind: 'host',
      name: '0.0.0.0',
      seen: '2026-09-21 14:13:19',
    });
    database.close();
  });

  it('makes the directory that it is in', () => {
    const path = join(place.directory, 'a', 'b', 'state.db');
    expect(load(place.file({ path }))).toMatchObject({ why: '', isRead: true });
    expect(statSync(path).isFile()).toBe(true);
  });

  it('stays small: the newest rows that the memory has room for are read, and the rest leaves the file', () => {
    const rows = rowsOf(1_000);
    rows[RowWord.mark] = markWord(Mark.Deny, 0);
    place.fill(rows);
    const file = place.file({ rowsMax: 400 });
    const wanted = [textsOf(rows)[0], ...textsOf(rows).slice(600)];
    expect(load(file).texts).toEqual(wanted);
    file.save(none, none, nowSec);
    file.close();
    expect(load(place.file())).toMatchObject({ notices: [], texts: wanted });
  });

  it('leaves the file when it was not seen for so long, but for what an operator said', () => {
    const rows = rowsOf(6);
    rows[RowWord.mark] = markWord(Mark.Allow, 0);
    rows[ROW_WORDS + RowWord.mark] = markWord(Mark.Allow, nowSec - 1);
    place.fill(rows);
    const file = place.file({ keepSec: 30 * DAY });
    const laterSec = nowSec + 31 * DAY;
    expect(load(file, laterSec).texts).toEqual(textsOf(rows).slice(0, 1));
    file.save(none, none, laterSec);
    file.close();
    expect(load(place.file()).texts).toEqual(textsOf(rows).slice(0, 1));
  });

  it('has no single hosts where these may not be written, not even from before', () => {
    const rows = rowsOf(400);
    place.fill(rows);
    const networks = textsOf(rows).filter((text) => !text.startsWith('1 '));
    for (let times = 0; times < 2; times += 1) {
      const file = place.file({ savesHosts: false });
      expect(load(file)).toMatchObject({ notices: [], texts: networks });
      file.close();
    }
    expect(load(place.file())).toMatchObject({ notices: [], texts: networks });
  });

  it('is called by its hash where clients are, and means nothing with another key', () => {
    const rows = rowsOf(8);
    const file = place.file({ namesId: 'one' });
    load(file);
    file.save(rows, none, nowSec);
    file.close();
    const database = new DatabaseSync(place.path);
    const names = database.prepare('SELECT kind, name FROM known ORDER BY kind, name').all();
    database.close();
    expect({ ...names[0] }).toEqual({ kind: 'host', name: 'hmac:0000ffff00000000' });
    expect(load(place.file({ namesId: 'one' })).texts).toEqual(textsOf(rows));
    const other = load(place.file({ namesId: 'two' }));
    expect(other).toMatchObject({ why: '', isFresh: true, texts: [] });
    expect(other.notices.join()).toContain('was written with other names of clients');
  });
});

describe('a file that is none of ours', () => {
  const path = (): string => place.path;
  it.each([
    ['no SQLite file', () => writeFileSync(path(), 'x'.repeat(5_000)), 'is not an SQLite file'],
    ['a few bytes', () => writeFileSync(path(), 'SQLite format 3'), 'is too short'],
    ['of another program', () => sql(path(), 'CREATE TABLE mine (a)'), 'belongs to another program'],
    [
      'of a later version',
      () => {
        place.fill(rowsOf(10));
        sql(path(), 'PRAGMA user_version = 7');
      },
      'has version 7 instead of 1',
    ],
  ])('%s is set aside, with a word about it, and another is begun', (_, make, words) => {
    make();
    const file = place.file();
    const loaded = load(file);
    expect(loaded).toMatchObject({ why: '', isRead: true, isFresh: true, texts: [] });
    expect(loaded.notices).toHaveLength(1);
    expect(loaded.notices[0]).toContain(words);
    expect(broken()).toHaveLength(1);
    expect(loaded.notices[0]).toContain(broken()[0]);
    expect(file.save(rowsOf(3), none, nowSec).why).toBe('');
    file.close();
    expect(load(place.file()).rows).toBe(3);
  });

  it('is kept, but not more than three of them', () => {
    for (let times = 0; times < 6; times += 1) {
      writeFileSync(place.path, `nonsense ${times}`.repeat(100));
      const file = place.file();
      load(file, nowSec + times);
      file.close();
    }
    expect(broken().map((name) => name.slice(-8))).toEqual(
      ['141323Z', '141324Z', '141325Z'].map((s) => `T${s}`),
    );
  });

  it('that is empty is told, and used', () => {
    writeFileSync(place.path, '');
    const loaded = load(place.file());
    expect(loaded).toMatchObject({ why: '', isRead: true });
    expect(loaded.notices.join()).toContain('was empty');
  });

  it('that is a directory costs persistence only', () => {
    mkdirSync(place.path);
    const file = place.file();
    expect(load(file).why).not.toBe('');
    expect(file.save(rowsOf(1), none, nowSec).why).not.toBe('');
  });
});

describe('rows', () => {
  it('that are not what was written are left out and counted, and the file is set aside', () => {
    const rows = rowsOf(40);
    place.fill(rows);
    sql(place.path, `UPDATE known SET words = x'00' || substr(words, 2) WHERE name = '0.0.0.4'`);
    sql(place.path, `UPDATE known SET name = '0.0.0.9' WHERE name = '0.0.0.8'`);
    const file = place.file();
    const { notices, texts, isFresh } = load(file);
    expect(isFresh).toBe(true);
    expect(notices).toEqual([
      `${place.path} has damaged rows (2); it was set aside as ${join(place.directory, broken()[0]!)}; 38 rows were saved from it, 2 are lost`,
    ]);
    expect(texts).toEqual(textsOf(rows).filter((_, number) => ![4, 8].includes(number)));
  });

  it('that are missing are counted, once', () => {
    const rows = rowsOf(40);
    place.fill(rows);
    sql(place.path, `DELETE FROM known WHERE name = '0.0.0.12'`);
    const file = place.file();
    expect(load(file).notices).toEqual([`${place.path}: 1 rows are missing`]);
    file.save(none, none, nowSec);
    file.close();
    expect(load(place.file())).toMatchObject({ notices: [], rows: 39 });
  });

  it('from the future are as if from now', () => {
    const rows = rowsOf(1);
    rows[RowWord.seenSec] = nowSec + 400 * DAY;
    place.fill(rows);
    rows[RowWord.seenSec] = nowSec;
    expect(load(place.file()).texts).toEqual(textsOf(rows));
  });
});

describe('while it is open', () => {
  it('a file that is taken away is written anew', () => {
    const file = place.file();
    load(file);
    file.save(rowsOf(10), none, nowSec);
    for (const name of readdirSync(place.directory)) rmSync(join(place.directory, name));
    const outcome = file.save(rowsOf(3), none, nowSec);
    expect(outcome).toMatchObject({ why: '', isFresh: true });
    expect(outcome.notices.join()).toContain('was moved or removed');
    file.close();
    expect(load(place.file()).rows).toBe(3);
  });

  it('a file that becomes another one is set aside, and written anew', () => {
    const file = place.file();
    load(file);
    file.save(rowsOf(10), none, nowSec);
    file.close();
    writeFileSync(place.path, 'nonsense'.repeat(100));
    expect(file.save(rowsOf(4), none, nowSec)).toMatchObject({ why: '', isFresh: true });
    expect(broken().length).toBeGreaterThan(0);
    file.close();
    expect(load(place.file()).rows).toBe(4);
  });

  it('a lock of another process is told and outlived, and does not keep the rows from being read', () => {
    const rows = rowsOf(10);
    place.fill(rows);
    const other = new DatabaseSync(place.path);
    other.exec('BEGIN EXCLUSIVE');
    const file = place.file();
    const loaded = load(file);
    expect(loaded).toMatchObject({ why: 'is locked by another process', isRead: true, texts: textsOf(rows) });
    expect(file.save(rowsOf(20), none, nowSec).why).toBe('is locked by another process');
    other.exec('ROLLBACK');
    other.close();
    expect(file.save(rowsOf(20), none, nowSec)).toMatchObject({ why: '', isFresh: false });
    file.close();
    expect(load(place.file()).rows).toBe(20);
    expect(broken()).toEqual([]);
  });
});

describe('a disk', () => {
  /** Does something as a user who owns nothing here; root may write everywhere. */
  function asNobody<T>(act: () => T): T {
    if (process.geteuid!() !== 0) return act();
    process.seteuid!(65_534);
    try {
      return act();
    } finally {
      process.seteuid!(0);
    }
  }

  it('that may not be written costs persistence only: what is there is read', () => {
    const rows = rowsOf(10);
    place.fill(rows);
    chmodSync(place.path, 0o444);
    chmodSync(place.directory, 0o555);
    const file = place.file();
    const { why, texts } = asNobody(() => load(file));
    expect(why).toBe('may not be written');
    expect(texts).toEqual(textsOf(rows));
    expect(asNobody(() => file.save(rowsOf(20), none, nowSec)).why).toBe('may not be written');
    chmodSync(place.directory, 0o755);
    chmodSync(place.path, 0o644);
    expect(file.save(rowsOf(20), none, nowSec).why).toBe('');
  });

  it('on which no directory can be made costs persistence only', () => {
    const file = place.file({ path: '/proc/nothing/state.db' });
    const loaded = load(file);
    expect(loaded.isRead).toBe(false);
    expect(loaded.why).toMatch(/^cannot be used \(E[A-Z]+\)$/);
  });

  it('that is full is called full, and is not the fault of the file', () => {
    place.fill(rowsOf(10));
    const database = new DatabaseSync(place.path);
    database.exec('PRAGMA max_page_count = 1');
    let fault = faultOf(new Error('none'));
    try {
      database.exec('CREATE TABLE more AS SELECT randomblob(100000)');
    } catch (error) {
      fault = faultOf(error);
    }
    database.close();
    expect(fault).toMatchObject({ isBroken: false, why: 'cannot grow: its disk is full' });
  });
});
