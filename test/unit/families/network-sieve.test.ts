/**
 * The sieve: a network counts once an hour in one place, and its memory does not grow.
 */
import { expect, it } from 'vitest';
import { bitsIn, networkBit, NetworkSieve } from '../../../src/families/network-sieve.ts';

it('a network is new once in each place, and again after an hour', () => {
  const sieve = new NetworkSieve();
  sieve.age(0);
  expect([sieve.isNew(1, 2, 3, 4), sieve.isNew(1, 2, 3, 4)]).toEqual([true, false]);
  expect([sieve.isNew(1, 3, 3, 4), sieve.isNew(1, 2, 3, 5)]).toEqual([true, true]);
  sieve.age(3_599_999);
  expect(sieve.isNew(1, 2, 3, 4)).toBe(false);
  sieve.age(3_600_000);
  expect(sieve.isNew(1, 2, 3, 4)).toBe(true);
});

it('takes few new ones for old as long as they are a tenth of its bits', () => {
  const sieve = new NetworkSieve();
  let news = 0;
  for (let network = 0; network < 100_000; network++) if (sieve.isNew(7, 9, 4, network << 8)) news++;
  expect(news).toBeGreaterThan(93_000);
});

it('the bits of networks are spread', () => {
  let all = 0;
  for (let network = 0; network < 200; network++) all |= networkBit(4, network << 8);
  expect(bitsIn(all)).toBeGreaterThan(28);
});

it('bits are counted in any word', () => {
  expect([0, 1, -1, 0x80000000 | 0, 0x55555555].map(bitsIn)).toEqual([0, 1, 32, 1, 16]);
});
