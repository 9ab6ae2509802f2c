import { describe, expect, it } from 'vitest';
import { ShardBug } from '../../../src/base/assert.ts';
import { ONE } from '../../../src/reputation/decay.ts';
import { Kind, nameOfKey, newKey } from '../../../src/reputation/keys.ts';
import {
  claimAfter,
  ClaimState,
  EntryWord,
  Mark,
  Pass,
  PASSES,
  SHARDS_MAX,
  WAYS,
} from '../../../src/reputation/layout.ts';
import { signals } from '../../../src/reputation/signals.ts';
import { ReputationTable } from '../../../src/reputation/table.ts';
import { claim, DAY, find, NOW, sharedFor, tableOf, writersOf } from './tables.ts';

const PASS_ALL = (1 << PASSES) - 1;

describe('finding and claiming', () => {
  it('knows nobody before the first claim, and the claimed one after it', () => {
    const table = tableOf(64);
    expect(find(table, '192.0.2.1')).toBe(-1);
    const index = claim(table, '192.0.2.1');
    expect(find(table, '192.0.2.1')).toBe(index);
    expect(claim(table, '192.0.2.1', NOW + 5)).toBe(index);
    expect([table.firstSecOf(index), table.seenSecOf(index)]).toEqual([NOW, NOW + 5]);
  });

  it('tells the key of an entry', () => {
    const table = tableOf(8);
    const key = newKey();
    expect(table.keyOf(0, key)).toBe(0);
    for (const [name, kind] of [
      ['192.0.2.1', Kind.Host],
      ['192.0.2.0/24', Kind.Network],
      ['2001:db8:1:2::/64', Kind.Host],
    ] as const) {
      expect(table.keyOf(claim(table, name), key)).toBe(kind);
      expect(nameOfKey(kind, key[0]!, key[1]!)).toBe(name);
    }
  });

  it('says whether the last claim made its entry', () => {
    const table = tableOf(8);
    expect(table.wasNew).toBe(false);
    claim(table, '192.0.2.1');
    expect(table.wasNew).toBe(true);
    claim(table, '192.0.2.1');
    expect(table.wasNew).toBe(false);
  });

  it('spreads neighbouring addresses over the sets: 2 048 of them find room in 4 096 entries', () => {
    const table = tableOf(4096);
    for (let host = 0; host < 2048; host += 1) claim(table, `10.1.${host >> 8}.${host & 255}`);
    let known = 0;
    for (let host = 0; host < 2048; host += 1) {
      if (find(table, `10.1.${host >> 8}.${host & 255}`) >= 0) known += 1;
    }
    expect(known).toBeGreaterThan(2000);
  });

  it('puts clients elsewhere under another seed', () => {
    const places = [1, 2].map((seed) => {
      const shared = sharedFor(8000, 1);
      ReputationTable.prepare(shared, seed);
      const table = new ReputationTable(shared, 8000, 1, 0);
      return Array.from({ length: 20 }, (_, host) => claim(table, `10.0.0.${host}`) >> 3).join();
    });
    expect(places[0]).not.toBe(places[1]);
  });
});

describe('a newcomer in a full set', () => {
  it('gets nothing of what its predecessor had', () => {
    const table = tableOf(WAYS);
    for (let host = 0; host < WAYS; host += 1) {
      const index = claim(table, `10.0.0.${host}`);
      table.observe(index, signals.trapped.id, NOW);
      table.pass(index, PASS_ALL, NOW + DAY);
      table.mark(index, Mark.Trap, 0);
    }
    const nowSec = NOW + 9;
    const index = claim(table, '10.9.9.9', nowSec);
    expect([table.scoreOf(index, nowSec), table.passesOf(index, nowSec)]).toEqual([0, 0]);
    expect([table.firstSecOf(index), table.openOf(index), table.markWordOf(index)]).toEqual([nowSec, 0, 0]);
    expect(table.rowsOf(index, nowSec)).toEqual([]);
  });

  it('never takes an entry with open sessions, and is told -1 when a set has no other', () => {
    const table = tableOf(WAYS);
    const indexes = Array.from({ length: WAYS }, (_, host) => {
      const index = claim(table, `10.0.0.${host}`);
      table.opened(index);
      return index;
    });
    expect(claim(table, '10.9.9.9')).toBe(-1);
    expect(table.wasNew).toBe(false);
    table.closed(indexes[5]!);
    expect(claim(table, '10.9.9.9')).toBe(indexes[5]);
  });

  it('leaves what another writer has claimed but not yet opened, shard or main thread', () => {
    for (const writer of [0, 2]) {
      const writers = writersOf(WAYS, 2);
      const [one, two] = [writers[writer]!, writers[1]!];
      for (let host = 1; host < WAYS; host += 1) claim(two, `10.0.0.${host}`, NOW + 50);
      const index = claim(one, '10.0.0.0', NOW);
      for (let host = 100; host < 140; host += 1) claim(two, `10.0.0.${host}`, NOW + host);
      expect(find(two, '10.0.0.0')).toBe(index);
      expect([one.openOf(index), two.openOf(index)]).toEqual([0, 0]);
      claim(one, '10.0.0.200', NOW + 200);
      for (let host = 100; host < 140; host += 1) claim(two, `10.0.0.${host}`, NOW + 200 + host);
      expect(find(two, '10.0.0.0')).toBe(-1);
    }
  });
});

describe('passes', () => {
  it('are good until their moment, each for itself', () => {
    const table = tableOf(8);
    const index = claim(table, '192.0.2.1');
    table.pass(index, Pass.pregreet | Pass.pipelining, NOW + 10);
    table.pass(index, Pass.bareNewline, NOW + 20);
    expect(table.passesOf(index, NOW + 9)).toBe(Pass.pregreet | Pass.pipelining | Pass.bareNewline);
    expect(table.passesOf(index, NOW + 10)).toBe(Pass.bareNewline);
    expect(table.passesOf(index, NOW + 20)).toBe(0);
  });

  it('can be taken back', () => {
    const table = tableOf(8);
    const index = claim(table, '192.0.2.1');
    table.pass(index, PASS_ALL, NOW + DAY);
    table.pass(index, Pass.pipelining, 0);
    expect(table.passesOf(index, NOW)).toBe(PASS_ALL - Pass.pipelining);
  });

  it('may end after 2038', () => {
    const table = tableOf(8);
    const index = claim(table, '192.0.2.1');
    table.pass(index, Pass.pregreet, 2 ** 31 + 100);
    expect([table.passesOf(index, 2 ** 31 + 99), table.passesOf(index, 2 ** 31 + 100)]).toEqual([
      Pass.pregreet,
      0,
    ]);
  });
});

describe('marks', () => {
  it('hold until their moment or for ever, and are taken away at once', () => {
    const table = tableOf(8);
    const index = claim(table, '192.0.2.1');
    expect(table.markOf(index, NOW)).toBe(Mark.None);
    table.mark(index, Mark.Trap, NOW + DAY);
    expect([table.markOf(index, NOW + DAY - 1), table.markOf(index, NOW + DAY + 4)]).toEqual([
      Mark.Trap,
      Mark.None,
    ]);
    table.mark(index, Mark.Deny, 0);
    expect(table.markOf(index, NOW + 10_000 * DAY)).toBe(Mark.Deny);
    table.mark(index, Mark.None, 0);
    expect(table.markWordOf(index)).toBe(0);
  });
});

describe('signals', () => {
  it('move the score by their weights, and are told one by one', () => {
    const table = tableOf(8);
    const index = claim(table, '192.0.2.1');
    expect(table.observe(index, signals.pregreet.id, NOW)).toBe(40);
    expect(table.observe(index, signals.delivered.id, NOW, 2 * ONE)).toBe(20);
    expect(table.scoreOf(index, NOW)).toBe(20);
    expect(table.rowsOf(index, NOW)).toEqual([
      { signal: 'pregreet', observations: 1, ageSec: 0, points: 40 },
      { signal: 'delivered', observations: 2, ageSec: 0, points: -20 },
    ]);
    expect(table.amountOf(index, signals.delivered.id, NOW)).toBe(2 * ONE);
  });

  it('fade each by its own half-life', () => {
    const table = tableOf(8);
    const index = claim(table, '192.0.2.1');
    for (const name of ['badCommand', 'passed', 'delivered'] as const)
      table.observe(index, signals[name].id, NOW, 2 * ONE);
    for (const name of ['badCommand', 'passed', 'delivered'] as const) {
      const { id, halfLifeSec } = signals[name];
      expect(table.amountOf(index, id, NOW + halfLifeSec)).toBe(ONE);
    }
  });
});

describe('forgetting', () => {
  it('makes a client unknown, and its entry free', () => {
    const table = tableOf(WAYS);
    const index = claim(table, '192.0.2.1');
    table.mark(index, Mark.Deny, 0);
    expect(table.forget(index)).toBe(true);
    expect(find(table, '192.0.2.1')).toBe(-1);
    expect([table.keyOf(index, newKey()), table.markWordOf(index)]).toEqual([0, 0]);
  });

  it('of a client that is in wipes what is known, and leaves its sessions counted', () => {
    const [shard, main] = writersOf(WAYS, 1) as [ReputationTable, ReputationTable];
    const index = claim(shard, '192.0.2.1');
    shard.opened(index);
    shard.observe(index, signals.trapped.id, NOW);
    shard.pass(index, PASS_ALL, NOW + DAY);
    shard.mark(index, Mark.Allow, 0);
    expect(claim(main, '192.0.2.1')).toBe(index);
    expect(main.forget(index)).toBe(false);
    expect([main.scoreOf(index, NOW), main.passesOf(index, NOW), main.markWordOf(index)]).toEqual([0, 0, 0]);
    expect([find(main, '192.0.2.1'), main.openOf(index)]).toEqual([index, 1]);
    shard.closed(index);
    claim(shard, '192.0.2.9');
    expect(main.forget(index)).toBe(true);
  });

  it('of a meter wipes every one of its counts', () => {
    const table = tableOf(WAYS);
    const index = table.claim(Kind.HostMeter, newKey(), NOW);
    const at = table.wordOf(index);
    for (let word = EntryWord.seenSec + 1; word < EntryWord.COUNT; word += 1) table.words[at + word] = 7;
    table.opened(index);
    expect(table.forget(index)).toBe(false);
    expect([...table.words.subarray(at + EntryWord.seenSec + 1, at + EntryWord.COUNT)]).toEqual(
      new Array(12).fill(0),
    );
  });
});

describe('open sessions', () => {
  it('are counted over all shards, and forgotten with the shard that had them', () => {
    const [one, two, three, main] = writersOf(64, 3) as [
      ReputationTable,
      ReputationTable,
      ReputationTable,
      ReputationTable,
    ];
    const index = claim(one, '192.0.2.1');
    expect(one.opened(index)).toBe(1);
    expect(two.opened(claim(two, '192.0.2.1'))).toBe(2);
    expect(two.opened(index)).toBe(3);
    expect([one.openOf(index), two.openOf(index), main.openOf(index)]).toEqual([3, 3, 3]);
    one.closed(index);
    expect(three.openOf(index)).toBe(2);
    main.forgetShard(1);
    expect(three.openOf(index)).toBe(0);
  });

  it('cannot be closed more often than opened, not even by another shard', () => {
    const [one, two, main] = writersOf(8, 2) as [ReputationTable, ReputationTable, ReputationTable];
    const index = claim(one, '192.0.2.1');
    expect(() => main.opened(index)).toThrow(ShardBug);
    expect(() => one.closed(index)).toThrow(ShardBug);
    one.opened(index);
    expect(() => two.closed(index)).toThrow(ShardBug);
    one.closed(index);
    expect(() => one.closed(index)).toThrow(ShardBug);
  });
});

describe('what a dead shard leaves', () => {
  it.each([
    ['Writing', ClaimState.Writing],
    ['Intent', ClaimState.Intent],
  ])('half made (%s) stops nobody, and is freed when the shard comes back', (_name, state) => {
    const shared = sharedFor(WAYS, 2);
    const living = new ReputationTable(shared, WAYS, 2, 0);
    const index = claim(living, '192.0.2.1');
    const words = new Int32Array(shared);
    words[living.wordOf(index)] = claimAfter(words[living.wordOf(index)]!, state, Kind.Host, 1);
    // The dead way is passed over: the client gets another entry, and finds it again.
    const second = claim(living, '192.0.2.1');
    expect(second).toBeGreaterThanOrEqual(0);
    expect(second).not.toBe(index);
    expect(find(living, '192.0.2.1')).toBe(second);
    living.forgetShard(0);
    expect(words[living.wordOf(index)]! & 3).toBe(state);
    new ReputationTable(shared, WAYS, 2, 2).forgetShard(1);
    expect(words[living.wordOf(index)]! & 3).toBe(ClaimState.Free);
    // Nothing is lost of the set: seven newcomers find room beside the client.
    const all = Array.from({ length: WAYS - 1 }, (_, host) => claim(living, `10.0.0.${host}`, NOW + 1));
    expect([...all, second].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('in the middle of an eviction is not given away while other shards have it open', () => {
    const shared = sharedFor(WAYS, 2);
    const living = new ReputationTable(shared, WAYS, 2, 0);
    const index = claim(living, '192.0.2.1');
    living.opened(index);
    const words = new Int32Array(shared);
    words[living.wordOf(index)] = claimAfter(words[living.wordOf(index)]!, ClaimState.Writing, Kind.Host, 1);
    new ReputationTable(shared, WAYS, 2, 2).forgetShard(1);
    expect(claim(living, '192.0.2.2')).not.toBe(index);
    living.closed(index);
    claim(living, '192.0.2.3');
    expect(claim(living, '192.0.2.4')).toBeGreaterThanOrEqual(0);
  });
});

describe('the table', () => {
  it('rounds its entries up to whole sets; each needs 64 bytes, a word per shard (made up to an even number) and a bit', () => {
    expect(tableOf(1).entries).toBe(8);
    expect(tableOf(9).entries).toBe(16);
    for (const shards of [1, 2, 3, 4, 255]) {
      const bytes = ReputationTable.bytesFor(320, shards) - ReputationTable.bytesFor(64, shards);
      expect(bytes).toBe(256 * (64 + (shards + (shards % 2)) * 4 + 1 / 8));
    }
  });

  it('of a million entries for two shards takes at most 72 MiB', () => {
    expect(ReputationTable.bytesFor(1_000_000, 2)).toBeLessThanOrEqual(72 * 2 ** 20);
  });

  it('is the same for every shard, or the shard does not start', () => {
    const shared = sharedFor(64, 4);
    expect(new ReputationTable(shared, 64, 4, 0).entries).toBe(64);
    expect(() => new ReputationTable(shared, 32, 4, 1)).toThrow(ShardBug);
    expect(() => new ReputationTable(shared, 64, 2, 1)).toThrow(ShardBug);
    expect(new ReputationTable(shared, 64, 4, 4).entries).toBe(64);
    for (const writer of [-1, 5]) expect(() => new ReputationTable(shared, 64, 4, writer)).toThrow(ShardBug);
    expect(() => new ReputationTable(shared, 6400, 4, 1)).toThrow(ShardBug);
  });

  it('has room for 255 shards and a main thread, and no more', () => {
    const shared = sharedFor(8, SHARDS_MAX);
    const main = new ReputationTable(shared, 8, SHARDS_MAX, SHARDS_MAX);
    const last = new ReputationTable(shared, 8, SHARDS_MAX, SHARDS_MAX - 1);
    expect(claim(main, '192.0.2.1')).toBe(claim(last, '192.0.2.1'));
    expect(last.opened(find(last, '192.0.2.1'))).toBe(1);
    expect(() => new ReputationTable(sharedFor(8, 256), 8, 256, 0)).toThrow(ShardBug);
  });

  it('calls an index outside it our bug', () => {
    const table = tableOf(8);
    for (const index of [-1, 8]) {
      expect(() => table.scoreOf(index, NOW)).toThrow(ShardBug);
      expect(() => table.opened(index)).toThrow(ShardBug);
      expect(() => table.openOf(index)).toThrow(ShardBug);
    }
  });
});
