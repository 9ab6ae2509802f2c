/**
 * state-rows-of — rows to be saved, drawn from a seed, and a state file to save them in
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Prng } from '../../../src/base/prng.ts';
import { StateFile } from '../../../src/io/state-file.ts';
import type { Loaded, StateOptions } from '../../../src/io/state-file.ts';
import { Kind } from '../../../src/reputation/keys.ts';
import { ROW_WORDS, RowWord } from '../../../src/reputation/rows.ts';
import { signals } from '../../../src/reputation/signals.ts';
import { slotWord } from '../../../src/reputation/decay.ts';

export const nowSec = 1_790_000_000;
export const none = new Int32Array(0);

/** Rows of hosts, networks, pools and tuples, each of another key; number n was seen n seconds after the first. */
export function rowsOf(count: number, seed = 1): Int32Array {
  const random = new Prng(seed);
  const rows = new Int32Array(count * ROW_WORDS);
  for (let number = 0; number < count; number += 1) {
    const at = number * ROW_WORDS;
    const kind = 1 + (number % 4);
    rows[at + RowWord.kind] = kind;
    rows[at + RowWord.key] = kind === Kind.Host ? 0xffff : number + 1;
    rows[at + RowWord.key + 1] = kind === Kind.Network ? number << 16 : number;
    rows[at + RowWord.seenSec] = nowSec - count + number;
    rows[at + RowWord.firstSec] = nowSec - count - random.below(1_000_000);
    rows[at + RowWord.passUntilSec] = nowSec + random.below(1_000_000);
    const stepSec = signals.delivered.halfLifeSec / 64;
    rows[at + RowWord.slots] = slotWord(signals.delivered.id, 1 + random.below(2_000), nowSec, stepSec);
  }
  return rows;
}

/** A row by itself, as text; its key stands first. */
export function textsOf(rows: Int32Array): string[] {
  const texts: string[] = [];
  for (let at = 0; at < rows.length; at += ROW_WORDS) texts.push(rows.subarray(at, at + ROW_WORDS).join(' '));
  return texts;
}

/** A directory that goes away with the test. */
export class Place {
  readonly directory = mkdtempSync(join(tmpdir(), 'sluice-state-'));
  readonly path = join(this.directory, 'state.db');
  private readonly open: StateFile[] = [];

  file(more: Partial<StateOptions> = {}): StateFile {
    const file = new StateFile({
      path: this.path,
      rowsMax: 1_000_000,
      keepSec: 60 * 86_400,
      savesHosts: true,
      namesId: 'plain',
      ...more,
    });
    this.open.push(file);
    return file;
  }

  /** Makes a file with these rows and closes it. */
  fill(rows: Int32Array): void {
    const file = this.file();
    load(file);
    const { why } = file.save(rows, none, nowSec);
    if (why !== '') throw new Error(why);
    file.close();
  }

  close(): void {
    for (const file of this.open) file.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Everything that a file holds, and what it says of it. */
export function load(file: StateFile, atSec = nowSec): Loaded & { readonly texts: string[] } {
  const texts: string[] = [];
  const reading = file.load(atSec);
  for (;;) {
    const next = reading.next();
    if (next.done === true) return { ...next.value, texts };
    texts.push(...textsOf(next.value));
  }
}
