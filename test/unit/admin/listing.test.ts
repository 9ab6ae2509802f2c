import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { pageOf } from '../../../src/admin/listing.ts';
import type { Wish } from '../../../src/admin/listing.ts';
import { NetworkSet } from '../../../src/policy/networks.ts';
import type { Inside } from '../../../src/primary/inside.ts';
import { Kind, newKey } from '../../../src/reputation/keys.ts';
import { Mark } from '../../../src/reputation/layout.ts';
import { truncatedNames } from '../../../src/reputation/names.ts';
import { entryOf, insideOf, note, NOW } from './table-with.ts';

const all: Wish = {
  kind: 0,
  mark: -1,
  scoreMin: -Infinity,
  scoreMax: Infinity,
  network: null,
  sort: 'score',
  offset: 0,
  limit: 50,
};

const anyEntries = fc.uniqueArray(fc.tuple(fc.nat(255), fc.nat(30), fc.nat(100_000)), {
  maxLength: 120,
  selector: ([host]) => host,
});

/** The entry of a host that was made before. */
function indexOf(inside: Inside, name: string): number {
  const key = newKey();
  inside.names.keyOfName(name, key);
  return inside.memory.table.find(Kind.Host, key);
}

it('a page is what a naive sort gives, for every offset, limit and order', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyEntries,
      fc.nat(40),
      fc.integer({ min: 1, max: 60 }),
      fc.constantFrom('score' as const, 'seen' as const),
      async (entries, offset, limit, sort) => {
        const inside = insideOf({ entries: 4_096 });
        const { table } = inside.memory;
        for (const [host, times, agoSec] of entries) {
          const index = entryOf(inside, Kind.Host, `192.0.2.${host}`, NOW - agoSec);
          for (let time = 0; time < times; time += 1) table.observe(index, 5, NOW - agoSec);
        }
        const wish: Wish = { ...all, sort, offset, limit };
        const page = await pageOf(table, inside.names, wish, NOW);
        const values = entries.map(([host, , agoSec]) => {
          if (sort === 'seen') return NOW - agoSec;
          return table.scoreOf(indexOf(inside, `192.0.2.${host}`), NOW);
        });
        expect(page.matched).toBe(entries.length);
        const got = page.rows.map((row) => (sort === 'score' ? row.score : Date.parse(row.seen) / 1000));
        expect(got).toEqual(values.toSorted((a, b) => b - a).slice(offset, offset + limit));
        expect(new Set(page.rows.map(({ name }) => name)).size).toBe(page.rows.length);
      },
    ),
    { numRuns: 40 },
  );
});

it('a filter leaves what it names: kind, mark, score, network', async () => {
  const inside = insideOf();
  const { table } = inside.memory;
  note(inside, Kind.Host, '192.0.2.7', 'pregreet');
  note(inside, Kind.Host, '198.51.100.7', 'passed');
  entryOf(inside, Kind.Network, '198.51.100.7');
  entryOf(inside, Kind.HostMeter, '198.51.100.9');
  entryOf(inside, Kind.Host, '2001:db8::7');
  table.mark(entryOf(inside, Kind.Host, '203.0.113.1'), Mark.Deny, 0);
  const names = async (part: Partial<Wish>): Promise<string[]> =>
    (await pageOf(table, inside.names, { ...all, ...part }, NOW)).rows.map(({ name }) => name).toSorted();
  expect(await names({})).toHaveLength(5);
  expect(await names({ kind: Kind.Network })).toEqual(['198.51.100.0/24']);
  expect(await names({ mark: Mark.Deny })).toEqual(['203.0.113.1']);
  expect(await names({ scoreMin: 1 })).toEqual(['192.0.2.7']);
  expect(await names({ scoreMax: -1 })).toEqual(['198.51.100.7']);
  expect(await names({ network: NetworkSet.compile(['198.51.0.0/16']) })).toEqual([
    '198.51.100.0/24',
    '198.51.100.7',
  ]);
  expect(await names({ network: NetworkSet.compile(['2001:db8::/32']) })).toEqual(['2001:db8::/64']);
});

it('hosts are not listed when they must not be named', async () => {
  const inside = insideOf({ names: truncatedNames });
  note(inside, Kind.Host, '192.0.2.7', 'pregreet');
  note(inside, Kind.Network, '192.0.2.7', 'badMember');
  const page = await pageOf(inside.memory.table, inside.names, all, NOW);
  expect(page).toMatchObject({ matched: 1, rows: [{ kind: 'network', name: '192.0.2.0/24' }] });
});
