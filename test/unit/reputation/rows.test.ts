import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AMOUNT_MAX, ONE, slotWord } from '../../../src/reputation/decay.ts';
import { Kind, newKey } from '../../../src/reputation/keys.ts';
import { EntryWord, Mark, markWord, Pass, PASSES, WAYS } from '../../../src/reputation/layout.ts';
import { joinRow, readRow, ROW_WORDS, RowWord } from '../../../src/reputation/rows.ts';
import type { SignalName } from '../../../src/reputation/signals.ts';
import { signals, signalStepsSec } from '../../../src/reputation/signals.ts';
import type { ReputationTable } from '../../../src/reputation/table.ts';
import { claim, DAY, find, named, NOW, tableOf } from './tables.ts';

const key = newKey();
const NAME = '192.0.2.1';
/** Its entry in an empty table of one set. */
const HOME = claim(tableOf(WAYS), NAME);

/** As many signals as an entry has slots: with more, which six are kept depends on the order. */
const six = ['pregreet', 'badCommand', 'unknownRecipient', 'passed', 'delivered', 'trapped'] as const;

/** The row of an entry in another process's table, on which `work` was done. */
function rowOf(work: (table: ReputationTable, index: number) => void, seenSec = NOW): Int32Array {
  const table = tableOf(WAYS);
  const index = claim(table, NAME, seenSec);
  work(table, index);
  const row = new Int32Array(ROW_WORDS);
  expect(readRow(table, index, row, 0)).toBe(true);
  return row;
}

function join(table: ReputationTable, row: Int32Array, nowSec = NOW, takesMarks = false): number {
  return joinRow(table, row, 0, key, nowSec, takesMarks);
}

/** What a table knows of the client. */
function known(table: ReputationTable, nowSec = NOW): { facts: number[]; amounts: number[] } {
  const index = find(table, NAME);
  const passes = Array.from({ length: PASSES }, (_, test) => table.passUntilSecOf(index, test));
  return {
    facts: [table.firstSecOf(index), table.seenSecOf(index), ...passes],
    amounts: six.map((name) => table.amountOf(index, signals[name].id, nowSec)),
  };
}

/** A table that joined some rows, one after the other. */
function joined(...rows: readonly Int32Array[]): ReputationTable {
  const table = tableOf(WAYS);
  for (const row of rows) expect(join(table, row)).toBe(HOME);
  return table;
}

const anyRow = fc
  .record({
    firstAgoSec: fc.integer({ min: 0, max: 40 * DAY }),
    notes: fc.array(
      fc.record({
        name: fc.constantFrom<SignalName>(...six),
        amount: fc.integer({ min: 1, max: 10 * ONE }),
        afterSec: fc.integer({ min: 0, max: 5 * DAY }),
      }),
      { maxLength: 12 },
    ),
    passes: fc.array(
      fc.record({ bits: fc.integer({ min: 1, max: 15 }), sec: fc.integer({ min: 0, max: 60 * DAY }) }),
      { maxLength: 3 },
    ),
  })
  .map(({ firstAgoSec, notes, passes }) =>
    rowOf((table, index) => {
      let sec = NOW - firstAgoSec;
      for (const { name, amount, afterSec } of notes) {
        sec = Math.min(NOW, sec + afterSec);
        claim(table, NAME, sec);
        table.observe(index, signals[name].id, sec, amount);
      }
      for (const { bits, sec: passSec } of passes) table.pass(index, bits, NOW - 30 * DAY + passSec);
    }, NOW - firstAgoSec),
  );

function expectSame(one: ReputationTable, other: ReputationTable, nowSec = NOW, unitsMax = 0): void {
  const [left, right] = [known(one, nowSec), known(other, nowSec)];
  expect(left.facts).toEqual(right.facts);
  for (const [at, amount] of left.amounts.entries())
    expect(Math.abs(amount - right.amounts[at]!)).toBeLessThanOrEqual(unitsMax);
}

describe('joining rows', () => {
  it('gives a newcomer all that its row says', () => {
    fc.assert(
      fc.property(anyRow, (row) => {
        const table = joined(row);
        const back = new Int32Array(ROW_WORDS);
        expect(readRow(table, HOME, back, 0)).toBe(true);
        expect(back).toEqual(row);
      }),
    );
  });

  it('is idempotent: a row that comes twice, or a day later again, changes nothing', () => {
    fc.assert(
      fc.property(anyRow, anyRow, (one, two) => {
        const table = joined(one, two);
        const twice = joined(one, two, one, two, two);
        expectSame(table, twice);
        for (const row of [one, two]) join(twice, row, NOW + DAY);
        expectSame(table, twice, NOW + DAY, 2);
      }),
    );
  });

  it('is commutative', () => {
    fc.assert(
      fc.property(anyRow, anyRow, (one, two) => {
        const [forward, back] = [joined(one, two), joined(two, one)];
        expectSame(forward, back);
        expectSame(forward, back, NOW + 3 * DAY, 1);
      }),
    );
  });

  it('is associative: it does not matter which two tables meet first', () => {
    const rowIn = (table: ReputationTable): Int32Array => {
      const row = new Int32Array(ROW_WORDS);
      readRow(table, find(table, NAME), row, 0);
      return row;
    };
    fc.assert(
      fc.property(anyRow, anyRow, anyRow, (one, two, three) => {
        const left = joined(rowIn(joined(one, two)), three);
        const right = joined(one, rowIn(joined(two, three)));
        expectSame(left, right, NOW, 1);
        expectSame(left, joined(three, two, one), NOW, 1);
      }),
    );
  });

  it('keeps the larger amount of each signal, the longer pass, the later and the earlier date', () => {
    const one = rowOf((table, index) => {
      table.observe(index, signals.badCommand.id, NOW - DAY, 8 * ONE);
      table.observe(index, signals.delivered.id, NOW - DAY);
      table.pass(index, Pass.pregreet, NOW + 5);
      table.pass(index, Pass.pipelining, NOW + 50);
    }, NOW - DAY);
    const two = rowOf((table, index) => {
      table.observe(index, signals.badCommand.id, NOW, 3 * ONE);
      table.observe(index, signals.trapped.id, NOW);
      table.pass(index, Pass.pregreet, NOW + 9);
    });
    const table = joined(one, two);
    const index = find(table, NAME);
    expect(table.amountOf(index, signals.badCommand.id, NOW)).toBe(4 * ONE);
    expect(table.amountOf(index, signals.trapped.id, NOW)).toBe(ONE);
    expect(known(table).facts).toEqual([NOW - DAY, NOW, NOW + 9, NOW + 50, 0, 0]);
  });

  it('counts a signal that has two slots in a row as one, on whichever side it is', () => {
    const { id } = signals.badCommand;
    const twice = rowOf(() => undefined);
    for (const place of [0, 3])
      twice[RowWord.slots + place] = slotWord(id, 2 * ONE, NOW, signalStepsSec[id]!);
    const once = rowOf((table, index) => table.observe(index, id, NOW, 3 * ONE));
    for (const table of [joined(twice, once), joined(once, twice), joined(once, twice, twice)])
      expect(table.amountOf(HOME, id, NOW)).toBe(4 * ONE);
  });

  it('does not wake what an entry has long forgotten', () => {
    const { id, halfLifeSec } = signals.badCommand;
    for (const halfLives of [20, 40, 63, 64, 65]) {
      const table = tableOf(WAYS);
      const index = claim(table, NAME, NOW - halfLives * halfLifeSec);
      table.observe(index, id, NOW - halfLives * halfLifeSec, 100 * ONE);
      join(
        table,
        rowOf(() => undefined),
      );
      expect([table.amountOf(index, id, NOW), table.seenSecOf(index)]).toEqual([0, NOW]);
      join(
        table,
        rowOf((other, at) => other.observe(at, id, NOW, 2 * ONE)),
      );
      expect(table.amountOf(index, id, NOW)).toBe(2 * ONE);
    }
  });

  it('does not wake what a row that lay about for long has in it', () => {
    const { id } = signals.badCommand;
    for (const days of [20, 40, 63, 64, 65]) {
      const old = rowOf(
        (table, index) => table.observe(index, id, NOW - days * DAY, 100 * ONE),
        NOW - days * DAY,
      );
      const table = joined(old);
      expect(table.amountOf(HOME, id, NOW)).toBe(0);
      claim(table, NAME);
      join(table, old);
      expect([table.amountOf(HOME, id, NOW), table.seenSecOf(HOME)]).toEqual([0, NOW]);
    }
  });

  it('makes an amount no larger than a slot can hold', () => {
    const { id } = signals.badCommand;
    const row = rowOf((table, index) => table.observe(index, id, NOW, AMOUNT_MAX));
    expect(joined(row, row).amountOf(HOME, id, NOW)).toBe(AMOUNT_MAX);
  });

  it("takes an operator's word over only when it is told to, and an empty one never", () => {
    const denied = rowOf((table, index) => table.mark(index, Mark.Deny, 0));
    const silent = rowOf(() => undefined);
    const table = joined(denied);
    expect(table.markWordOf(HOME)).toBe(0);
    join(table, denied, NOW, true);
    expect(table.markWordOf(HOME)).toBe(markWord(Mark.Deny, 0));
    join(table, silent, NOW, true);
    expect(table.markWordOf(HOME)).toBe(markWord(Mark.Deny, 0));
    join(
      table,
      rowOf((other, index) => other.mark(index, Mark.Allow, NOW + DAY)),
      NOW,
      true,
    );
    expect(table.markOf(HOME, NOW)).toBe(Mark.Allow);
  });

  it('finds no room in a set of permanent entries, and says so', () => {
    const table = tableOf(WAYS);
    for (let host = 0; host < WAYS; host += 1) table.mark(claim(table, `10.0.0.${host}`), Mark.Deny, 0);
    expect(
      join(
        table,
        rowOf(() => undefined),
      ),
    ).toBe(-1);
  });

  it('takes nothing of a kind or a signal that there is not, and no meter', () => {
    const row = rowOf((table, index) => table.observe(index, signals.badCommand.id, NOW));
    for (const kind of [-1, 0, 7, 8, 255, Kind.HostMeter, Kind.NetworkMeter]) {
      const odd = row.slice();
      odd[RowWord.kind] = kind;
      const table = tableOf(WAYS);
      expect(join(table, odd)).toBe(-1);
      for (let index = 0; index < WAYS; index += 1) expect(table.keyOf(index, key)).toBe(0);
    }
    row[RowWord.slots + 1] = slotWord(31, ONE, NOW, 1350);
    const table = joined(row);
    expect(
      [...table.words.subarray(table.wordOf(HOME) + EntryWord.slots)].filter((slot) => slot !== 0),
    ).toHaveLength(1);
  });

  it('believes no date ahead of its own clock', () => {
    const table = joined(rowOf(() => undefined, NOW + 1000 * DAY));
    expect(table.seenSecOf(HOME)).toBe(NOW);
  });

  it('does not date an entry that a client of this process has used since, nor note it as changed', () => {
    const old = rowOf(() => undefined, NOW - 9 * DAY);
    const table = tableOf(WAYS);
    claim(table, NAME);
    table.dirty.take(0, 32, () => undefined);
    join(table, old);
    expect([table.firstSecOf(HOME), table.seenSecOf(HOME)]).toEqual([NOW - 9 * DAY, NOW]);
    const noted: number[] = [];
    table.dirty.take(0, 32, (index) => noted.push(index));
    expect(noted).toEqual([]);
  });
});

describe('a row', () => {
  it('is the kind, the key and the words of an entry', () => {
    const { key: host } = named(NAME);
    const row = rowOf((table, index) => table.mark(index, Mark.Trap, 0));
    expect([row[RowWord.kind], row[RowWord.key], row[RowWord.key + 1]]).toEqual([Kind.Host, ...host]);
    expect([row[RowWord.seenSec], row[RowWord.firstSec], row[RowWord.mark]]).toEqual([NOW, NOW, Mark.Trap]);
    expect(ROW_WORDS).toBe(EntryWord.COUNT);
  });

  it('is none for an entry that is nobody’s', () => {
    expect(readRow(tableOf(WAYS), 0, new Int32Array(ROW_WORDS), 0)).toBe(false);
  });
});
