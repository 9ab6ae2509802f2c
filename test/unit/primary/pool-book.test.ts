import { expect, test } from 'vitest';
import { parseAddress } from '../../../src/base/address.ts';
import type { AddressRanges } from '../../../src/policy/address-ranges.ts';
import { rangeOfNetwork } from '../../../src/policy/address-ranges.ts';
import { PoolMap } from '../../../src/policy/pool-map.ts';
import { PoolBook } from '../../../src/primary/pool-book.ts';
import { newKey, textKey } from '../../../src/reputation/keys.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const networks = (...texts: string[]): AddressRanges => texts.map((text) => rangeOfNetwork(text)!);
const domains = (book: PoolBook): string[] => [...book.all()].map(({ domain }) => domain);

/** Whose the address is in the map. */
function ownerOf(book: PoolBook, address: string): string {
  const map = new PoolMap(book.compile());
  const words = new Uint32Array(4);
  parseAddress(address, words, 0);
  const pool = map.poolOf(words, 0);
  if (pool < 0) return '';
  const key = newKey();
  const own = newKey();
  map.keyOf(pool, key);
  return domains(book).find((domain) => (textKey(domain, own), own.join(' ') === key.join(' '))) ?? 'unknown';
}

test('a record is read anew when its time is up, never before ten minutes and never after a day', () => {
  const book = new PoolBook();
  book.put('short.example', networks('192.0.2.0/24'), 1, 0);
  book.put('hour.example', networks('192.0.2.0/24'), 3_600, 0);
  book.put('long.example', networks('192.0.2.0/24'), 10 * 86_400, 0);
  const dueAt = (ms: number): string[] => book.due(ms).map(({ domain }) => domain);
  expect(dueAt(10 * MINUTE_MS - 1)).toEqual([]);
  expect(dueAt(10 * MINUTE_MS)).toEqual(['short.example']);
  expect(dueAt(60 * MINUTE_MS)).toEqual(['short.example', 'hour.example']);
  expect(dueAt(DAY_MS)).toEqual(['short.example', 'hour.example', 'long.example']);
});

test('a record that cannot be read keeps its last good copy for a day', () => {
  const book = new PoolBook();
  const pool = book.put('a.example', networks('192.0.2.0/24'), 600, 0);
  expect(book.notRead(pool, DAY_MS - 1)).toBe(true);
  expect(ownerOf(book, '192.0.2.1')).toBe('a.example');
  expect(book.due(DAY_MS)).toEqual([]);
  expect(book.notRead(pool, DAY_MS)).toBe(false);
  expect(ownerOf(book, '192.0.2.1')).toBe('');
});

test('the pool that was credited longest ago makes room for a new one', () => {
  const book = new PoolBook(2, 100);
  const first = book.put('first.example', networks('192.0.2.0/24'), 600, 0);
  book.put('second.example', networks('198.51.100.0/24'), 600, 0);
  book.credited(first, 1);
  book.put('third.example', networks('203.0.113.0/24'), 600, 2);
  expect(domains(book)).toEqual(['first.example', 'third.example']);
});

test('all pools together have no more ranges than the book may hold', () => {
  const book = new PoolBook(100, 3);
  book.put('a.example', networks('192.0.2.0/24', '198.51.100.0/24'), 600, 0);
  const grown = book.put('b.example', networks('10.0.0.0/24'), 600, 0);
  expect(book.size).toBe(2);
  book.put('b.example', networks('10.0.0.0/24', '10.0.2.0/24'), 600, 0);
  expect(domains(book)).toEqual(['b.example']);
  book.put('b.example', networks('10.0.0.0/24', '10.0.2.0/24', '10.0.4.0/24', '10.0.6.0/24'), 600, 0);
  expect(book.size).toBe(0);
  book.credited(grown, 1);
  expect(book.size).toBe(0);
});

test('an address of several pools belongs to one of good standing, to the one credited last', () => {
  const book = new PoolBook();
  const pools = ['a.example', 'b.example', 'c.example'].map((domain) =>
    book.put(domain, networks('192.0.2.0/24'), 600, 0),
  );
  book.credited(pools[0]!, 1);
  book.credited(pools[1]!, 2);
  expect(ownerOf(book, '192.0.2.1')).toBe('b.example');
  book.standing(pools[1]!, false);
  expect(ownerOf(book, '192.0.2.1')).toBe('a.example');
});

test('a map is compiled anew when networks or standing change, and not for a record that says the same', () => {
  const book = new PoolBook();
  const pool = book.put('a.example', networks('192.0.2.0/24'), 600, 0);
  const change = (deed: () => void): boolean => {
    book.compile();
    deed();
    return book.hasChanged;
  };
  expect(change(() => book.put('a.example', networks('192.0.2.0/24'), 600, 1))).toBe(false);
  expect(change(() => book.put('a.example', networks('192.0.2.0/25'), 600, 2))).toBe(true);
  expect(change(() => book.credited(pool, 3))).toBe(true);
  expect(change(() => book.credited(pool, 4))).toBe(false);
  expect(change(() => book.standing(pool, false))).toBe(true);
  expect(change(() => book.drop(pool))).toBe(true);
  expect(change(() => book.drop(pool))).toBe(false);
});

test('a pool that nobody sends for is given up after a month', () => {
  const book = new PoolBook();
  book.put('a.example', networks('192.0.2.0/24'), 600, 0);
  book.due(30 * DAY_MS - 1);
  expect(book.size).toBe(1);
  book.due(30 * DAY_MS);
  expect(book.size).toBe(0);
});
