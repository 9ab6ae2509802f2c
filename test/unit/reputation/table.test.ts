import { describe, expect, it } from 'vitest';
import { formatAddress, parseAddress } from '../../../src/base/address.ts';
import { ShardBug } from '../../../src/base/assert.ts';
import { claimAfter, ClaimState, EntryWord, HeaderWord, Pass, WAYS } from '../../../src/reputation/layout.ts';
import { ReputationTable } from '../../../src/reputation/table.ts';

const NOW = 1_790_000_000;
const DAY = 86_400;

function sharedFor(entries: number, shards: number): SharedArrayBuffer {
  return new SharedArrayBuffer(ReputationTable.bytesFor(entries, shards));
}

function tableOf(entries: number): ReputationTable {
  return new ReputationTable(sharedFor(entries, 1), entries, 1, 0);
}

function address(text: string): Uint32Array {
  const words = new Uint32Array(4);
  if (!parseAddress(text, words, 0)) throw new Error(`test address ${text}`);
  return words;
}

function claim(table: ReputationTable, text: string, nowSec = NOW): number {
  return table.claim(address(text), 0, nowSec);
}

function find(table: ReputationTable, text: string): number {
  return table.find(address(text), 0);
}

describe('finding and claiming', () => {
  it('knows nobody before the first claim, and the claimed one after it', () => {
    const table = tableOf(64);
    expect(find(table, '192.0.2.1')).toBe(-1);
    const index = claim(table, '192.0.2.1');
    expect(find(table, '192.0.2.1')).toBe(index);
    expect(claim(table, '192.0.2.1', NOW + 5)).toBe(index);
    expect([table.firstSecOf(index), table.seenSecOf(index)]).toEqual([NOW, NOW + 5]);
  });

  it('takes IPv4 by address, in either spelling', () => {
    const table = tableOf(64);
    expect(claim(table, '::ffff:192.0.2.1')).toBe(claim(table, '192.0.2.1'));
    expect(claim(table, '192.0.2.2')).not.toBe(claim(table, '192.0.2.1'));
  });

  it('takes IPv6 by /64', () => {
    const table = tableOf(64);
    expect(claim(table, '2001:db8::1')).toBe(claim(table, '2001:db8::ffff:ffff:ffff:ffff'));
    expect(claim(table, '2001:db8:0:1::1')).not.toBe(claim(table, '2001:db8::1'));
  });

  it('does not take the IPv6 net ::/64 for an IPv4 client or for a free entry', () => {
    const table = tableOf(8);
    claim(table, '192.0.2.1');
    expect(find(table, '::1')).toBe(-1);
    const index = claim(table, '::1');
    expect(index).not.toBe(find(table, '192.0.2.1'));
    expect(find(table, '::2')).toBe(index);
  });

  it('tells the key of an entry', () => {
    const table = tableOf(8);
    const words = new Uint32Array(4);
    expect(table.keyOf(0, words, 0)).toBe(false);
    expect(table.keyOf(claim(table, '192.0.2.1'), words, 0)).toBe(true);
    expect(formatAddress(words, 0)).toBe('192.0.2.1');
    table.keyOf(claim(table, '2001:db8:1:2:3::4'), words, 0);
    expect(formatAddress(words, 0)).toBe('2001:db8:1:2::');
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

describe('evicting', () => {
  /** A table of one set, full: 10.0.0.0 … 10.0.0.7, seen in that order. */
  function fullSet(): ReputationTable {
    const table = tableOf(WAYS);
    for (let host = 0; host < WAYS; host += 1) claim(table, `10.0.0.${host}`, NOW + host);
    return table;
  }

  function evicted(table: ReputationTable, nowSec: number): string[] {
    claim(table, '10.9.9.9', nowSec);
    return Array.from({ length: WAYS }, (_, host) => `10.0.0.${host}`).filter(
      (text) => find(table, text) < 0,
    );
  }

  it('lets go of the one seen longest ago when nothing else is known', () => {
    expect(evicted(fullSet(), NOW + 100)).toEqual(['10.0.0.0']);
  });

  it('keeps one that passed a test for 30 days longer, as long as the pass is good', () => {
    const table = fullSet();
    table.pass(find(table, '10.0.0.0'), Pass.pregreet, NOW + 60 * DAY, NOW);
    expect(evicted(table, NOW + 100)).toEqual(['10.0.0.1']);
    const late = fullSet();
    late.pass(find(late, '10.0.0.0'), Pass.pregreet, NOW + 50, NOW);
    expect(evicted(late, NOW + 100)).toEqual(['10.0.0.0']);
  });

  it('keeps one with a score, good or bad, an hour longer for each point', () => {
    const table = fullSet();
    table.add(find(table, '10.0.0.0'), 40, NOW);
    table.add(find(table, '10.0.0.1'), -10, NOW);
    expect(evicted(table, NOW + 100)).toEqual(['10.0.0.2']);
  });

  it('gives the newcomer nothing of what its predecessor had', () => {
    const table = tableOf(WAYS);
    for (let host = 0; host < WAYS; host += 1) {
      const index = claim(table, `10.0.0.${host}`);
      table.add(index, 77, NOW);
      table.pass(index, 31, NOW + DAY, NOW);
    }
    const index = claim(table, '10.9.9.9', NOW + 9);
    expect([table.scoreOf(index, NOW + 9), table.passesOf(index, NOW + 9)]).toEqual([0, 0]);
    expect([table.firstSecOf(index), table.openOf(index)]).toEqual([NOW + 9, 0]);
  });

  it('never takes an entry with open sessions, and says -1 when a set has no other', () => {
    const table = tableOf(WAYS);
    const indexes = Array.from({ length: WAYS }, (_, host) => {
      const index = claim(table, `10.0.0.${host}`);
      table.opened(index);
      return index;
    });
    expect(claim(table, '10.9.9.9')).toBe(-1);
    table.closed(indexes[5]!);
    expect(claim(table, '10.9.9.9')).toBe(indexes[5]);
  });

  it('keeps what another shard has claimed but not yet opened', () => {
    const shared = sharedFor(WAYS, 2);
    const one = new ReputationTable(shared, WAYS, 2, 0);
    const two = new ReputationTable(shared, WAYS, 2, 1);
    for (let host = 1; host < WAYS; host += 1) claim(two, `10.0.0.${host}`, NOW + 50);
    const index = claim(one, '10.0.0.0', NOW);
    for (let host = 100; host < 140; host += 1) claim(two, `10.0.0.${host}`, NOW + host);
    expect(find(two, '10.0.0.0')).toBe(index);
    expect([one.openOf(index), two.openOf(index)]).toEqual([0, 0]);
    claim(one, '10.0.0.200', NOW + 200);
    for (let host = 100; host < 140; host += 1) claim(two, `10.0.0.${host}`, NOW + 200 + host);
    expect(find(two, '10.0.0.0')).toBe(-1);
  });
});

describe('passes', () => {
  it('are good until their moment, each for itself', () => {
    const table = tableOf(8);
    const index = claim(table, '192.0.2.1');
    table.pass(index, Pass.pregreet | Pass.dnsxl, NOW + 10, NOW);
    table.pass(index, Pass.bareNewline, NOW + 20, NOW);
    expect(table.passesOf(index, NOW + 9)).toBe(Pass.pregreet | Pass.dnsxl | Pass.bareNewline);
    expect(table.passesOf(index, NOW + 10)).toBe(Pass.bareNewline);
    expect(table.passesOf(index, NOW + 20)).toBe(0);
  });

  it('can be taken back', () => {
    const table = tableOf(8);
    const index = claim(table, '192.0.2.1');
    table.pass(index, 31, NOW + DAY, NOW);
    table.pass(index, Pass.pipelining, 0, NOW);
    expect(table.passesOf(index, NOW)).toBe(31 - Pass.pipelining);
  });

  it('may end after 2038', () => {
    const table = tableOf(8);
    const index = claim(table, '192.0.2.1');
    table.pass(index, Pass.pregreet, 2 ** 31 + 100, NOW);
    expect([table.passesOf(index, 2 ** 31 + 99), table.passesOf(index, 2 ** 31 + 100)]).toEqual([
      Pass.pregreet,
      0,
    ]);
  });
});

describe('open sessions', () => {
  it('are counted over all shards, and forgotten with the shard that had them', () => {
    const shared = sharedFor(64, 3);
    const [one, two, three] = [0, 1, 2].map((shard) => new ReputationTable(shared, 64, 3, shard)) as [
      ReputationTable,
      ReputationTable,
      ReputationTable,
    ];
    const index = claim(one, '192.0.2.1');
    expect(one.opened(index)).toBe(1);
    expect(two.opened(claim(two, '192.0.2.1'))).toBe(2);
    expect(two.opened(index)).toBe(3);
    expect([one.openOf(index), two.openOf(index), three.openOf(index)]).toEqual([3, 3, 3]);
    one.closed(index);
    expect(three.openOf(index)).toBe(2);
    new ReputationTable(shared, 64, 3, 1).forgetShard();
    expect(three.openOf(index)).toBe(0);
  });

  it('cannot be closed more often than opened, not even by another shard', () => {
    const shared = sharedFor(8, 2);
    const one = new ReputationTable(shared, 8, 2, 0);
    const two = new ReputationTable(shared, 8, 2, 1);
    const index = claim(one, '192.0.2.1');
    expect(() => one.closed(index)).toThrow(ShardBug);
    one.opened(index);
    expect(() => two.closed(index)).toThrow(ShardBug);
    one.closed(index);
    expect(() => one.closed(index)).toThrow(ShardBug);
  });
});

describe('what a dead shard leaves', () => {
  const claimAt = (index: number): number => HeaderWord.COUNT + index * EntryWord.COUNT + EntryWord.claim;

  it.each([
    ['Writing', ClaimState.Writing],
    ['Intent', ClaimState.Intent],
  ])('half made (%s) stops nobody, and is freed when the shard comes back', (_, state) => {
    const shared = sharedFor(WAYS, 2);
    const living = new ReputationTable(shared, WAYS, 2, 0);
    const index = claim(living, '192.0.2.1');
    const words = new Int32Array(shared);
    words[claimAt(index)] = claimAfter(words[claimAt(index)]!, state, 1);
    // The dead way is passed over: the client gets another entry, and finds it again.
    const second = claim(living, '192.0.2.1');
    expect(second).toBeGreaterThanOrEqual(0);
    expect(second).not.toBe(index);
    expect(find(living, '192.0.2.1')).toBe(second);
    living.forgetShard();
    expect(words[claimAt(index)]! & 3).toBe(state);
    new ReputationTable(shared, WAYS, 2, 1).forgetShard();
    expect(words[claimAt(index)]! & 3).toBe(ClaimState.Free);
    expect(claim(living, '192.0.2.9')).toBe(index);
  });

  it('in the middle of an eviction is not given away while other shards have it open', () => {
    const shared = sharedFor(WAYS, 2);
    const living = new ReputationTable(shared, WAYS, 2, 0);
    const index = claim(living, '192.0.2.1');
    living.opened(index);
    const words = new Int32Array(shared);
    words[claimAt(index)] = claimAfter(words[claimAt(index)]!, ClaimState.Writing, 1);
    new ReputationTable(shared, WAYS, 2, 1).forgetShard();
    expect(claim(living, '192.0.2.2')).not.toBe(index);
    living.closed(index);
    claim(living, '192.0.2.3');
    expect(claim(living, '192.0.2.4')).toBeGreaterThanOrEqual(0);
  });
});

describe('the table', () => {
  it('rounds its entries up to whole sets and needs 64 bytes and a word per shard for each', () => {
    expect(tableOf(1).entries).toBe(8);
    expect(tableOf(9).entries).toBe(16);
    expect(ReputationTable.bytesFor(16, 3) - ReputationTable.bytesFor(8, 3)).toBe(8 * (64 + 3 * 4));
  });

  it('is the same for every shard, or the shard does not start', () => {
    const shared = sharedFor(64, 4);
    expect(new ReputationTable(shared, 64, 4, 0).entries).toBe(64);
    expect(() => new ReputationTable(shared, 32, 4, 1)).toThrow(ShardBug);
    expect(() => new ReputationTable(shared, 64, 2, 1)).toThrow(ShardBug);
    expect(() => new ReputationTable(shared, 64, 4, 4)).toThrow(ShardBug);
    expect(() => new ReputationTable(shared, 6400, 4, 1)).toThrow(ShardBug);
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
