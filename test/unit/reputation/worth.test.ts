import { describe, expect, it } from 'vitest';
import { ONE } from '../../../src/reputation/decay.ts';
import { Kind, newKey, textKey } from '../../../src/reputation/keys.ts';
import { Mark, Pass, WAYS } from '../../../src/reputation/layout.ts';
import type { ReputationTable } from '../../../src/reputation/table.ts';
import { signals } from '../../../src/reputation/signals.ts';
import { worthOf } from '../../../src/reputation/worth.ts';
import { claim, DAY, find, HOUR, NOW, tableOf, writersOf } from './tables.ts';

const hosts = Array.from({ length: WAYS }, (_, host) => `10.0.0.${host}`);

/** A table of one set, full: 10.0.0.0 … 10.0.0.7, seen in that order. */
function fullSet(): ReputationTable {
  const table = tableOf(WAYS);
  for (const [host, name] of hosts.entries()) claim(table, name, NOW + host);
  return table;
}

/** Who has to go when somebody new comes. */
function evicted(table: ReputationTable, nowSec = NOW + 100): string[] {
  claim(table, '10.9.9.9', nowSec);
  return hosts.filter((name) => find(table, name) < 0);
}

describe('of a full set goes', () => {
  it('the one seen longest ago, when nothing else is known', () => {
    expect(evicted(fullSet())).toEqual(['10.0.0.0']);
  });

  it('a stranger before one that passed a test, for 30 days, as long as the pass is good', () => {
    for (const bit of Object.values(Pass)) {
      const table = fullSet();
      table.pass(find(table, '10.0.0.0'), bit, NOW + 60 * DAY);
      expect(evicted(table)).toEqual(['10.0.0.1']);
    }
    const late = fullSet();
    late.pass(find(late, '10.0.0.0'), Pass.pregreet, NOW + 50);
    expect(evicted(late)).toEqual(['10.0.0.0']);
    const old = fullSet();
    old.pass(find(old, '10.0.0.0'), Pass.pregreet, NOW + 60 * DAY);
    for (const [host, name] of hosts.entries()) if (host > 0) claim(old, name, NOW + 31 * DAY + host);
    expect(evicted(old, NOW + 31 * DAY + 100)).toEqual(['10.0.0.0']);
  });

  it('a stranger before one with a score, good or bad, an hour for each point', () => {
    const table = fullSet();
    table.observe(find(table, '10.0.0.0'), signals.pregreet.id, NOW);
    table.observe(find(table, '10.0.0.1'), signals.delivered.id, NOW);
    expect(evicted(table)).toEqual(['10.0.0.2']);
    const late = fullSet();
    late.observe(find(late, '10.0.0.0'), signals.stall.id, NOW);
    for (const [host, name] of hosts.entries()) if (host > 0) claim(late, name, NOW + 11 * HOUR + host);
    expect(evicted(late, NOW + 11 * HOUR + 100)).toEqual(['10.0.0.0']);
  });

  it('a zombie that is remembered before a sender that is known', () => {
    const table = tableOf(WAYS);
    for (const name of hosts) table.observe(claim(table, name), signals.pregreet.id, NOW, 3 * ONE);
    for (const name of hosts.slice(1)) table.pass(find(table, name), Pass.pregreet, NOW + 30 * DAY);
    expect(evicted(table)).toEqual(['10.0.0.0']);
  });

  it("a stranger before one that bears a trap's or an operator's word for a time, until that is over", () => {
    for (const mark of [Mark.Allow, Mark.Deny, Mark.Trap]) {
      const table = fullSet();
      table.mark(find(table, '10.0.0.0'), mark, NOW + DAY);
      expect(evicted(table)).toEqual(['10.0.0.1']);
      const late = fullSet();
      late.mark(find(late, '10.0.0.0'), mark, NOW + 8);
      expect(evicted(late)).toEqual(['10.0.0.0']);
    }
  });

  it('a meter first when its windows are over, and as a stranger of the day while they are not', () => {
    const key = newKey();
    textKey('meter', key);
    const table = tableOf(WAYS);
    const meter = table.claim(Kind.HostMeter, key, NOW);
    const at = table.wordOf(meter);
    expect(worthOf(table.words, at, Kind.HostMeter, NOW + 2 * HOUR)).toBe(NOW + DAY);
    expect(worthOf(table.words, at, Kind.HostMeter, NOW + 2 * HOUR + 1)).toBe(0);
    for (const name of hosts.slice(1)) claim(table, name, NOW - DAY);
    claim(table, '10.9.9.9', NOW + 3 * HOUR);
    expect(table.find(Kind.HostMeter, key)).toBe(-1);
  });

  it("a meter's counts are not taken for points, passes or marks", () => {
    const key = newKey();
    const table = tableOf(WAYS);
    const meter = table.claim(Kind.NetworkMeter, key, NOW);
    const at = table.wordOf(meter);
    for (let word = 4; word < 16; word += 1) table.words[at + word] = -1;
    expect(worthOf(table.words, at, Kind.NetworkMeter, NOW)).toBe(NOW + DAY);
    table.words[at + 5] = Mark.Deny;
    expect(worthOf(table.words, at, Kind.NetworkMeter, NOW)).toBe(NOW + DAY);
  });
});

describe('what an operator allowed or denied for ever', () => {
  it('never goes, however old it is', () => {
    for (const mark of [Mark.Allow, Mark.Deny]) {
      const table = fullSet();
      table.mark(find(table, '10.0.0.3'), mark, 0);
      for (let stranger = 0; stranger < 100; stranger += 1)
        expect(claim(table, `10.1.0.${stranger}`, NOW + stranger * DAY)).toBeGreaterThanOrEqual(0);
      expect(find(table, '10.0.0.3')).toBeGreaterThanOrEqual(0);
      expect(table.markOf(find(table, '10.0.0.3'), NOW + 1000 * DAY)).toBe(mark);
    }
  });

  it('fills a set for good: a newcomer is refused there and nothing changes, until one is taken back', () => {
    const table = fullSet();
    for (const name of hosts) table.mark(find(table, name), Mark.Deny, 0);
    expect(claim(table, '10.9.9.9', NOW + DAY)).toBe(-1);
    expect(hosts.filter((name) => find(table, name) < 0)).toEqual([]);
    table.mark(find(table, '10.0.0.6'), Mark.None, 0);
    expect(evicted(table)).toEqual(['10.0.0.6']);
  });

  it('stays when the word comes in the moment between choosing the entry and taking it', () => {
    const [shard, main] = writersOf(WAYS, 1) as [ReputationTable, ReputationTable];
    for (const [host, name] of hosts.entries()) claim(shard, name, NOW + host);
    const index = find(shard, '10.0.0.0');
    // The operator's word comes when the evictor has seen what the entry is worth, and nothing holds it any more.
    let looks = 0;
    const { opens } = shard as unknown as { opens: { isHeld: (index: number) => boolean } };
    const isHeld = opens.isHeld.bind(opens);
    opens.isHeld = (at) => {
      looks += 1;
      if (looks === WAYS) {
        claim(main, '10.0.0.0', NOW);
        main.mark(index, Mark.Deny, 0);
        claim(main, '10.0.0.1', NOW);
      }
      return isHeld(at);
    };
    claim(shard, '10.9.9.9', NOW + 100);
    expect(looks).toBeGreaterThan(WAYS);
    expect(find(shard, '10.0.0.0')).toBe(index);
    expect(main.markOf(index, NOW)).toBe(Mark.Deny);
    expect(find(shard, '10.9.9.9')).toBeGreaterThanOrEqual(0);
  });
});
