/**
 * set-aside — a broken state file makes room for a new one, and is kept for whoever wants to look at it
 *
 * It is renamed beside its old place, with what SQLite keeps next to it. Only a few such files are kept: a disk that
 * breaks one file after the other must not fill up with them.
 */
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Broken files that are kept, the newest ones. */
const KEPT_MAX = 3;

/** What SQLite keeps beside a file. */
const COMPANIONS = ['-wal', '-shm', '-journal'];

/** Renames the file and returns its new path. Throws what the file system throws. */
export function setAside(path: string, nowSec: number): string {
  const stamp = new Date(nowSec * 1000).toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  let target = `${path}.broken-${stamp}Z`;
  for (let more = 2; existsSync(target); more += 1) target = `${path}.broken-${stamp}Z.${more}`;
  // The companions first: a file that was left behind by a failure in between still has its name.
  for (const companion of COMPANIONS) {
    if (existsSync(path + companion)) renameSync(path + companion, target + companion);
  }
  renameSync(path, target);
  dropOld(path);
  return target;
}

function dropOld(path: string): void {
  const directory = dirname(path);
  const start = `${basename(path)}.broken-`;
  const isCompanion = (name: string): boolean => COMPANIONS.some((companion) => name.endsWith(companion));
  const old = readdirSync(directory)
    .filter((name) => name.startsWith(start) && !isCompanion(name))
    .sort()
    .slice(0, -KEPT_MAX);
  for (const name of old) {
    for (const companion of ['', ...COMPANIONS]) rmSync(join(directory, name + companion), { force: true });
  }
}
