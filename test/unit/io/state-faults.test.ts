/**
 * A state file that a disk has spoilt: cut short anywhere, or with a bit turned round anywhere. Sluice begins, has no
 * row that was not written, and says when it has not got all of them.
 */
import { copyFileSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Prng } from '../../../src/base/prng.ts';
import { ROW_WORDS } from '../../../src/reputation/rows.ts';
import { load, none, nowSec, Place, rowsOf, textsOf } from './state-rows-of.ts';

const ROWS = 3_000;
const rows = rowsOf(ROWS);
const written = new Set(textsOf(rows));
const whole = new Place();
let bytes = 0;

beforeAll(() => {
  whole.fill(rows);
  bytes = statSync(whole.path).size;
});
afterAll(() => whole.close());

/** Loads a spoilt copy, and saves to it; what was said, and how many different rows came back. */
function outlive(spoil: (path: string) => void): { notices: readonly string[]; count: number } {
  const place = new Place();
  try {
    copyFileSync(whole.path, place.path);
    spoil(place.path);
    const file = place.file();
    const { why, texts, notices, isRead } = load(file);
    expect({ why, isRead }).toEqual({ why: '', isRead: true });
    for (const text of texts) expect(written.has(text), text).toBe(true);
    // Every row is written anew, as a process does that knows them; then the file is whole.
    expect(file.save(rows, none, nowSec).why).toBe('');
    file.close();
    const again = load(place.file());
    expect(again.texts).toHaveLength(ROWS);
    return { notices, count: new Set(texts).size };
  } finally {
    place.close();
  }
}

it.each([0, 10, 20, 30, 40, 50, 60, 70, 80, 90])(
  'cut to %i percent of its length it is set aside or empty, and told',
  (percent) => {
    const { notices, count } = outlive((path) => truncateSync(path, Math.floor((bytes * percent) / 100)));
    expect(count).toBeLessThan(ROWS);
    expect(notices.length, 'notices').toBeGreaterThan(0);
    if (percent >= 50) expect(count, 'rows that were saved').toBeGreaterThan(0);
  },
);

it.each([1, 2, 3, 4])(
  'with a bit turned round, fifty times (seed %i), nothing that is lost goes unsaid',
  (seed) => {
    const random = new Prng(seed);
    for (let time = 0; time < 50; time += 1) {
      const at = random.below(bytes);
      const bit = random.below(8);
      const { notices, count } = outlive((path) => {
        const content = readFileSync(path);
        content[at]! ^= 1 << bit;
        writeFileSync(path, content);
      });
      expect(count === ROWS || notices.length > 0, `byte ${at}, bit ${bit}`).toBe(true);
    }
  },
);

it('a kill in the middle of writing, at any byte of the log beside it, costs no row from before', () => {
  const place = new Place();
  const old = rows.slice(0, (ROWS / 2) * ROW_WORDS);
  place.fill(old);
  const file = place.file();
  load(file);
  file.save(rows.slice(old.length), none, nowSec);
  const copy = new Place();
  for (let percent = 0; percent <= 100; percent += 10) {
    // What stands on the disk at this moment, with as much of the log as was written.
    copyFileSync(place.path, copy.path);
    copyFileSync(`${place.path}-wal`, `${copy.path}-wal`);
    truncateSync(`${copy.path}-wal`, Math.floor((statSync(`${place.path}-wal`).size * percent) / 100));
    const killed = copy.file();
    const { texts, why } = load(killed);
    expect(why).toBe('');
    const found = new Set(texts);
    for (const text of textsOf(old)) expect(found.has(text)).toBe(true);
    if (percent === 100) expect(texts).toHaveLength(ROWS);
    killed.close();
    for (const end of ['', '-wal', '-shm']) rmSync(join(copy.path + end), { force: true });
  }
  copy.close();
  place.close();
});
