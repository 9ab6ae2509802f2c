import { describe, expect, it, vi } from 'vitest';
import { ShardBug } from '../../../src/base/assert.ts';
import { Prng } from '../../../src/base/prng.ts';
import { Dirty } from '../../../src/reputation/dirty.ts';
import { Mark, Pass } from '../../../src/reputation/layout.ts';
import { readRow, ROW_WORDS } from '../../../src/reputation/rows.ts';
import { signals } from '../../../src/reputation/signals.ts';
import type { ReputationTable } from '../../../src/reputation/table.ts';
import { claim, NOW, tableOf } from './tables.ts';

function dirtyOf(entries: number): Dirty {
  return new Dirty(new Int32Array(new SharedArrayBuffer(Dirty.wordsFor(entries) * 4)));
}

/** All that is noted, taken in steps of `countMax`. */
function takeAll(dirty: Dirty, entries: number, countMax = 32): number[] {
  const taken: number[] = [];
  for (let from = 0; from < entries;) from = dirty.take(from, countMax, (index) => taken.push(index));
  return taken;
}

describe('what has changed', () => {
  it('is told once, in order, however often it was noted', () => {
    const dirty = dirtyOf(100);
    for (const index of [99, 0, 31, 32, 31, 99, 63]) dirty.note(index);
    expect(takeAll(dirty, 100)).toEqual([0, 31, 32, 63, 99]);
    expect(takeAll(dirty, 100)).toEqual([]);
    dirty.note(31);
    expect(takeAll(dirty, 100)).toEqual([31]);
  });

  it('is taken in steps of a bounded size, and the rest stays noted', () => {
    const dirty = dirtyOf(1000);
    for (let index = 0; index < 1000; index += 1) dirty.note(index);
    let steps = 0;
    let total = 0;
    for (let from = 0; from < 1000; steps += 1) {
      let count = 0;
      from = dirty.take(from, 100, () => (count += 1));
      expect(count).toBeLessThanOrEqual(100);
      total += count;
    }
    expect([total, steps]).toEqual([1000, 11]);
  });

  it('agrees with a Set for random notes and takings', () => {
    const random = new Prng(1);
    const dirty = dirtyOf(512);
    const noted = new Set<number>();
    for (let step = 0; step < 5000; step += 1) {
      const index = random.below(512);
      dirty.note(index);
      noted.add(index);
      if (random.below(50) !== 0) continue;
      const from = random.below(16) * 32;
      const to = dirty.take(from, 32 + random.below(100), (at) => {
        expect(at >= from && noted.delete(at)).toBe(true);
      });
      for (const at of noted) expect(at < from || at >= to).toBe(true);
    }
  });

  it('cannot be taken in steps that are too small to go on', () => {
    const dirty = dirtyOf(64);
    expect(() => dirty.take(0, 31, () => undefined)).toThrow(ShardBug);
    expect(() => dirty.take(8, 32, () => undefined)).toThrow(ShardBug);
  });
});

describe('a change', () => {
  /** What the entry holds at the last moment at which `work` noted a change, as a sweeper that comes at once reads it. */
  function sweptAt(table: ReputationTable, index: number, work: () => void): Int32Array | undefined {
    const note = table.dirty.note.bind(table.dirty);
    let row: Int32Array | undefined;
    const spy = vi.spyOn(table.dirty, 'note').mockImplementation((at) => {
      note(at);
      row = new Int32Array(ROW_WORDS);
      if (at === index && !readRow(table, at, row, 0)) row.fill(-1);
    });
    work();
    spy.mockRestore();
    return row;
  }

  const changes: Record<string, (table: ReputationTable, index: number) => void> = {
    'a visit': (table) => claim(table, '192.0.2.1', NOW + 1),
    'a visit after a long time': (table) => claim(table, '192.0.2.1', NOW + 100 * 86_400),
    'a signal': (table, index) => table.observe(index, signals.stall.id, NOW),
    'a pass': (table, index) => table.pass(index, Pass.pregreet | Pass.bareNewline, NOW + 9),
    'a mark': (table, index) => table.mark(index, Mark.Deny, 0),
    forgetting: (table, index) => table.forget(index),
  };

  it.each(Object.keys(changes))('is whole when it is noted: %s', (name) => {
    const table = tableOf(8);
    const index = claim(table, '192.0.2.1');
    table.observe(index, signals.badCommand.id, NOW);
    const swept = sweptAt(table, index, () => changes[name]!(table, index));
    const after = new Int32Array(ROW_WORDS);
    if (!readRow(table, index, after, 0)) after.fill(-1);
    expect(swept).toEqual(after);
  });

  it('is whole when it is noted: a new entry', () => {
    const table = tableOf(8);
    const home = claim(tableOf(8), '192.0.2.1');
    const swept = sweptAt(table, home, () => claim(table, '192.0.2.1'));
    const after = new Int32Array(ROW_WORDS);
    expect(readRow(table, home, after, 0)).toBe(true);
    expect(swept).toEqual(after);
  });

  it('is none when a client comes twice in a second, opens and closes', () => {
    const table = tableOf(8);
    const index = claim(table, '192.0.2.1');
    takeAll(table.dirty, 8);
    claim(table, '192.0.2.1');
    table.opened(index);
    table.closed(index);
    expect(takeAll(table.dirty, 8)).toEqual([]);
  });
});
