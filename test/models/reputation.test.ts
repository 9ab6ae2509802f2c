import { describe, expect, it } from 'vitest';
import { Prng } from '../../src/base/prng.ts';
import { AMOUNT_MAX, ONE } from '../../src/reputation/decay.ts';
import type { Key } from '../../src/reputation/keys.ts';
import { Kind, newKey } from '../../src/reputation/keys.ts';
import { Mark, PASSES } from '../../src/reputation/layout.ts';
import { bounded } from '../../src/reputation/points.ts';
import type { SignalName } from '../../src/reputation/signals.ts';
import { signals } from '../../src/reputation/signals.ts';
import { ReputationTable } from '../../src/reputation/table.ts';

const START_SEC = 1_790_000_000;
const DAY = 86_400;
const SHARDS = 3;

/** As many signals as an entry remembers, with half-lives from a day to a fortnight, credit and suspicion. */
const names = ['pregreet', 'badCommand', 'stall', 'passed', 'delivered', 'goodMember'] as const;

/** What is left of a signal: exactly, and how far integers may be from that. */
interface Left {
  amount: number;
  slack: number;
  atSec: number;
}

/** What the naive twin knows of a key. */
interface Known {
  readonly signals: Map<SignalName, Left>;
  seenSec: number;
  firstSec: number;
  readonly passUntilSec: number[];
  readonly opens: number[];
  mark: Mark;
  markUntilSec: number;
}

function newcomer(nowSec: number): Known {
  return {
    signals: new Map(),
    seenSec: nowSec,
    firstSec: nowSec,
    passUntilSec: new Array<number>(PASSES).fill(0),
    opens: new Array<number>(SHARDS).fill(0),
    mark: Mark.None,
    markUntilSec: 0,
  };
}

/** Half of it is gone after each half-life. */
function leftAt(known: Known, name: SignalName, nowSec: number): Left {
  const last = known.signals.get(name);
  if (last === undefined) return { amount: 0, slack: 0, atSec: nowSec };
  const share = 2 ** -((nowSec - last.atSec) / signals[name].halfLifeSec);
  return { amount: last.amount * share, slack: last.slack * share, atSec: nowSec };
}

function observe(known: Known, name: SignalName, amount: number, nowSec: number): void {
  const left = leftAt(known, name, nowSec);
  // Each addition rounds to the nearest unit what was there before.
  known.signals.set(name, {
    amount: Math.min(AMOUNT_MAX, left.amount + amount),
    slack: left.slack + 0.51,
    atSec: nowSec,
  });
}

/** How far an amount may be from the twin's: a date is exact to a sixty-fourth of a half-life, 1.1 %. */
function boundOf(left: Left): number {
  return left.amount * 0.011 + left.slack * 1.02 + 0.51;
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

/** One of `count` hosts, networks and pools: its kind, and its name in the twin. */
function draw(random: Prng, count: number, key: Key): { kind: number; name: string } {
  const client = random.below(count);
  const kind = [Kind.Host, Kind.Network, Kind.Pool][client % 3]!;
  // Two kinds of words, of which some stand for different things under different kinds.
  if (client % 2 === 0) key.set([0xffff, 0x0a000000 + (Math.floor(client / 6) << 8)]);
  else key.set([0x20010db8, Math.floor(client / 6) << 16]);
  return { kind, name: `${kind}/${key.join('/')}` };
}

/** The three shards and, behind them, the main thread, on one table. */
function writersOf(entries: number): ReputationTable[] {
  const shared = new SharedArrayBuffer(ReputationTable.bytesFor(entries, SHARDS));
  ReputationTable.prepare(shared, 0x5eed);
  return Array.from(
    { length: SHARDS + 1 },
    (_, writer) => new ReputationTable(shared, entries, SHARDS, writer),
  );
}

/** Seconds, minutes, hours, days or months. */
function jumpSec(random: Prng): number {
  return random.below([10, 600, 20_000, 20 * DAY, 200 * DAY][random.below(5)]!);
}

/** Compares all that a table says of an entry with the twin. */
function expectAgrees(table: ReputationTable, index: number, known: Known, nowSec: number): void {
  const wrong = names.filter((name) => {
    const left = leftAt(known, name, nowSec);
    return Math.abs(table.amountOf(index, signals[name].id, nowSec) - left.amount) > boundOf(left);
  });
  const passes = known.passUntilSec.map((untilSec, test) => (untilSec > nowSec ? 1 << test : 0));
  const isMarked = known.markUntilSec === 0 || Math.ceil(known.markUntilSec / 4) * 4 > nowSec;
  expect([
    wrong,
    table.scoreOf(index, nowSec),
    table.passesOf(index, nowSec),
    table.markOf(index, nowSec),
    table.seenSecOf(index),
    table.firstSecOf(index),
    table.openOf(index),
  ]).toEqual([
    [],
    bounded(sum(table.rowsOf(index, nowSec).map((row) => row.points))),
    sum(passes),
    isMarked ? known.mark : Mark.None,
    known.seenSec,
    known.firstSec,
    sum(known.opens),
  ]);
}

/** One random thing that a writer does to an entry, and the twin with it. `shard`: SHARDS for the main thread. */
function act(
  random: Prng,
  table: ReputationTable,
  index: number,
  known: Known,
  shard: number,
  nowSec: number,
): void {
  switch (random.below(5)) {
    case 0:
    case 1: {
      const name = names[random.below(names.length)]!;
      const amount = random.below(3) === 0 ? 1 + random.below(20 * ONE) : ONE;
      observe(known, name, amount, nowSec);
      const score = table.observe(index, signals[name].id, nowSec, amount);
      expect(score).toBe(table.scoreOf(index, nowSec));
      break;
    }
    case 2: {
      const bits = 1 + random.below((1 << PASSES) - 1);
      const untilSec = random.below(4) === 0 ? 0 : nowSec + random.below(40 * DAY);
      table.pass(index, bits, untilSec);
      for (let test = 0; test < PASSES; test += 1)
        if ((bits & (1 << test)) !== 0) known.passUntilSec[test] = untilSec;
      break;
    }
    case 3:
      known.mark = random.below(4) as Mark;
      known.markUntilSec = known.mark === Mark.None || random.below(3) === 0 ? 0 : nowSec + random.below(DAY);
      table.mark(index, known.mark, known.markUntilSec);
      break;
    default:
      if (shard === SHARDS) break;
      if (random.below(2) === 0) {
        known.opens[shard]! += 1;
        expect(table.opened(index)).toBe(sum(known.opens));
      } else if (known.opens[shard]! > 0) {
        known.opens[shard]! -= 1;
        table.closed(index);
      }
  }
}

describe('ReputationTable', () => {
  it.each([1, 2, 3, 4])(
    'agrees with a Map for 20 000 random operations of three shards and the main thread (seed %i)',
    (seed) => {
      const random = new Prng(seed);
      const writers = writersOf(2048);
      const twin = new Map<string, Known>();
      const key = newKey();
      let nowSec = START_SEC;
      let forgotten = 0;
      for (let step = 0; step < 20_000; step += 1) {
        if (random.below(60) === 0) nowSec += jumpSec(random);
        const writer = random.below(SHARDS + 1);
        const table = writers[writer]!;
        const { kind, name } = draw(random, 300, key);
        let known = twin.get(name);
        const found = table.find(kind, key);
        expect(found >= 0).toBe(known !== undefined);
        if (known !== undefined) expectAgrees(table, found, known, nowSec);
        else if (random.below(4) !== 0) continue;
        const index = table.claim(kind, key, nowSec);
        expect(table.wasNew).toBe(known === undefined);
        if (known === undefined) {
          known = newcomer(nowSec);
          twin.set(name, known);
        } else expect(index).toBe(found);
        known.seenSec = nowSec;
        expectAgrees(table, index, known, nowSec);
        act(random, table, index, known, writer, nowSec);
        expectAgrees(table, index, known, nowSec);
        if (random.below(50) !== 0 || sum(known.opens) > 0) continue;
        // Whoever else has just claimed it holds it still; they go on to somebody else.
        for (const other of writers) other.claim(Kind.Tuple, newKey(), nowSec);
        table.claim(kind, key, nowSec);
        expect(table.forget(index)).toBe(true);
        twin.delete(name);
        forgotten += 1;
      }
      expect(twin.size).toBeGreaterThan(150);
      expect(forgotten).toBeGreaterThan(50);
    },
  );

  it.each([5, 6, 7])(
    'keeps every entry that is open or permanent while thousands come and go (seed %i)',
    (seed) => {
      const random = new Prng(seed);
      const writers = writersOf(128);
      const main = writers[SHARDS]!;
      const key = newKey();
      const open = new Map<string, { kind: number; key: Key; index: number; shard: number }>();
      const permanent = new Map<string, { kind: number; key: Key; index: number }>();
      let newcomers = 0;
      let refused = 0;
      for (let step = 0; step < 20_000; step += 1) {
        const nowSec = START_SEC + step * 60;
        const shard = random.below(SHARDS);
        const { kind, name } = draw(random, 6000, key);
        const isOperator = permanent.size < 60 && random.below(100) === 0;
        const table = isOperator ? main : writers[shard]!;
        const index = table.claim(kind, key, nowSec);
        const before = open.get(name) ?? permanent.get(name);
        if (before !== undefined) expect(index).toBe(before.index);
        if (index < 0) {
          refused += 1;
          continue;
        }
        if (table.wasNew) newcomers += 1;
        if (isOperator) {
          table.mark(index, random.below(2) === 0 ? Mark.Allow : Mark.Deny, 0);
          permanent.set(name, { kind, key: key.slice(), index });
        } else if (!open.has(name) && open.size < 50 && random.below(2) === 0) {
          table.opened(index);
          open.set(name, { kind, key: key.slice(), index, shard });
        }
        for (const held of [open, permanent]) {
          if (held.size === 0) continue;
          const one = [...held.values()][random.below(held.size)]!;
          expect(writers[random.below(SHARDS + 1)]!.find(one.kind, one.key)).toBe(one.index);
        }
        if (open.size === 0 || random.below(3) !== 0) continue;
        const [oldName, old] = [...open][random.below(open.size)]!;
        expect(main.openOf(old.index)).toBe(1);
        writers[old.shard]!.closed(old.index);
        open.delete(oldName);
      }
      expect(newcomers).toBeGreaterThan(5000);
      expect(refused).toBeGreaterThan(0);
      for (const { kind, key: held, index } of permanent.values()) {
        expect(main.find(kind, held)).toBe(index);
        expect([Mark.Allow, Mark.Deny]).toContain(main.markOf(index, START_SEC + 1e9));
      }
    },
  );
});
