/**
 * Spool files against the contract of backend/spool-files: the same tests for the files of the local disk and
 * for the twin in memory that other tests are run with, so that the twin is worth believing. Then what only
 * a disk can do: fail half way, and keep files without names.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as aroundTheLoop } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FileNoted } from '../../../src/backend/spool-files.ts';
import type { SpoolFiles } from '../../../src/backend/spool-files.ts';
import { NodeSpoolFiles } from '../../../src/io/node-spool-files.ts';
import { MemorySpoolFiles } from '../../../loadgen/virtual/spool-files.ts';

const PATIENCE_MS = 10_000;

/** What the disk refuses just now: names of functions of node:fs. */
const broken = vi.hoisted(() => new Set<string>());

vi.mock(import('node:fs'), async (original) => {
  const fs = await original();
  const breakable = (name: 'open' | 'write' | 'read'): never =>
    ((...args: unknown[]) => {
      if (!broken.has(name)) return (fs[name] as (...all: unknown[]) => void)(...args);
      const done = args.at(-1) as (error: Error) => void;
      return setImmediate(() => done(Object.assign(new Error(`no ${name}`), { code: 'EIO' })));
    }) as never;
  return { ...fs, open: breakable('open'), write: breakable('write'), read: breakable('read') };
});

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-spool-'));
});
afterEach(() => {
  broken.clear();
  rmSync(directory, { recursive: true, force: true });
});

/** Files of the spool that this process has open; a file without a name ends in " (deleted)". */
function filesHeld(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(directory) ? [path] : [];
    } catch {
      return [];
    }
  });
}

/** Goes around the event loop until it holds. */
async function until(what: string, holds: () => boolean): Promise<void> {
  const lastMs = performance.now() + PATIENCE_MS;
  while (!holds()) {
    if (performance.now() > lastMs) throw new Error(`waited in vain: ${what}`);
    await aroundTheLoop();
  }
}

/** Waits until something is noted, and takes it. */
async function noted(files: SpoolFiles): Promise<{ file: number; noted: number }> {
  let file = -1;
  await until('something is noted', () => {
    if (files instanceof MemorySpoolFiles) files.advance();
    file = files.next();
    return file >= 0;
  });
  return { file, noted: files.take(file) };
}

/** Waits for one thing to be noted of a file; other things of it may come before. */
async function seen(files: SpoolFiles, file: number, what: number): Promise<void> {
  for (;;) {
    const one = await noted(files);
    expect(one.file).toBe(file);
    expect(one.noted & FileNoted.Failed, 'the file failed').toBe(what & FileNoted.Failed);
    if ((one.noted & what) !== 0) return;
  }
}

async function readAll(files: SpoolFiles, file: number, length: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for (let position = 0; position < length;) {
    files.read(file, position, 10_000);
    await seen(files, file, FileNoted.Read);
    const piece = files.takeRead(file);
    expect(piece.length).toBeGreaterThan(0);
    pieces.push(piece);
    position += piece.length;
  }
  return Buffer.concat(pieces);
}

const kinds = [
  { name: 'on disk', make: (): SpoolFiles => new NodeSpoolFiles(directory, 'test-') },
  { name: 'in memory', make: (): SpoolFiles => new MemorySpoolFiles() },
];

describe.each(kinds)('spool files $name', ({ make }) => {
  it('keep what was appended in order, whatever the sizes', async () => {
    const files = make();
    const file = files.open();
    const pieces = [1, 70_000, 3, 200_000, 1, 1].map((length) => randomBytes(length));
    for (const piece of pieces) files.append(file, piece);
    const whole = Buffer.concat(pieces);
    expect(files.unwritten(file)).toBe(whole.length);
    await seen(files, file, FileNoted.Written);
    expect(files.unwritten(file)).toBe(0);
    expect((await readAll(files, file, whole.length)).equals(whole)).toBe(true);
    files.close(file);
  });

  it('let a read see what was appended just before it, and note nothing inside a call', async () => {
    const files = make();
    let calls = 0;
    files.onNoted = () => (calls += 1);
    const file = files.open();
    files.append(file, Buffer.from('first '));
    files.append(file, Buffer.from('second'));
    files.read(file, 6, 100);
    expect(calls).toBe(0);
    expect(files.next()).toBe(-1);
    await seen(files, file, FileNoted.Read);
    expect(Buffer.from(files.takeRead(file)).toString()).toBe('second');
    expect(calls).toBeGreaterThan(0);
    files.close(file);
  });

  it('read nothing behind the end', async () => {
    const files = make();
    const file = files.open();
    files.append(file, Buffer.from('abc'));
    files.read(file, 3, 100);
    await seen(files, file, FileNoted.Read);
    expect(files.takeRead(file)).toHaveLength(0);
    files.close(file);
  });

  it('note nothing of a file that was closed, and keep files apart', async () => {
    const files = make();
    const [gone, kept] = [files.open(), files.open()];
    files.append(gone, Buffer.from('gone'));
    files.append(kept, Buffer.from('kept'));
    files.close(gone);
    await seen(files, kept, FileNoted.Written);
    expect((await readAll(files, kept, 4)).toString()).toBe('kept');
    files.close(kept);
    expect(files.next()).toBe(-1);
  });

  it('clear what was noted when it is taken', async () => {
    const files = make();
    const file = files.open();
    files.append(file, Buffer.from('abc'));
    await seen(files, file, FileNoted.Written);
    expect(files.take(file)).toBe(0);
    expect(files.next()).toBe(-1);
    files.close(file);
  });
});

describe('spool files on disk', () => {
  it('have no names once they are open, and no descriptors once they are closed', async () => {
    const files = new NodeSpoolFiles(directory, 'test-');
    const file = files.open();
    files.append(file, randomBytes(100_000));
    await seen(files, file, FileNoted.Written);
    expect(readdirSync(directory)).toEqual([]);
    expect(filesHeld()).toHaveLength(1);
    files.close(file);
    await until('the descriptor is closed', () => filesHeld().length === 0);
  });

  it('are closed also when they were given up before they were open', async () => {
    const files = new NodeSpoolFiles(directory, 'test-');
    files.close(files.open());
    const other = files.open();
    files.append(other, Buffer.from('abc'));
    await seen(files, other, FileNoted.Written);
    files.close(other);
    await until(
      'the descriptors are closed',
      () => filesHeld().length === 0 && readdirSync(directory).length === 0,
    );
    expect(files.next()).toBe(-1);
  });

  it('fail when the directory is not there', async () => {
    const files = new NodeSpoolFiles(join(directory, 'none'), 'test-');
    const file = files.open();
    files.append(file, Buffer.from('abc'));
    await seen(files, file, FileNoted.Failed);
    files.append(file, Buffer.from('more'));
    expect(files.unwritten(file)).toBe(0);
    files.close(file);
  });

  it('leave a file alone that is there already', async () => {
    writeFileSync(join(directory, 'test-0'), 'somebody else');
    const files = new NodeSpoolFiles(directory, 'test-');
    const file = files.open();
    files.append(file, Buffer.from('abc'));
    await seen(files, file, FileNoted.Written);
    files.close(file);
    expect(readFileSync(join(directory, 'test-0'), 'utf8')).toBe('somebody else');
  });

  it.each(['write', 'read'] as const)('give their descriptor back after a failed %s', async (what) => {
    const files = new NodeSpoolFiles(directory, 'test-');
    const file = files.open();
    files.append(file, Buffer.from('abc'));
    await seen(files, file, FileNoted.Written);
    expect(filesHeld()).toHaveLength(1);
    broken.add(what);
    if (what === 'write') files.append(file, Buffer.from('more'));
    else files.read(file, 0, 3);
    await seen(files, file, FileNoted.Failed);
    files.close(file);
    await until('the descriptor is closed', () => filesHeld().length === 0);
  });

  it('note a failure once, and do nothing more with a file that has failed', async () => {
    const files = new NodeSpoolFiles(directory, 'test-');
    broken.add('open');
    const file = files.open();
    await seen(files, file, FileNoted.Failed);
    broken.clear();
    files.append(file, Buffer.from('abc'));
    files.read(file, 0, 3);
    const other = files.open();
    files.append(other, Buffer.from('abc'));
    await seen(files, other, FileNoted.Written);
    expect(files.next()).toBe(-1);
    files.close(file);
    files.close(other);
  });
});
