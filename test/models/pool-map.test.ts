import { deserialize, serialize } from 'node:v8';
import { describe, expect, it } from 'vitest';
import { formatAddress, parseAddress } from '../../src/base/address.ts';
import { Prng } from '../../src/base/prng.ts';
import {
  addressNumber,
  holds,
  ipv4Count,
  merged,
  rangeOfNetwork,
  without,
} from '../../src/policy/address-ranges.ts';
import type { AddressRanges } from '../../src/policy/address-ranges.ts';
import { compilePools, copyPools, PoolMap } from '../../src/policy/pool-map.ts';
import { newKey, textKey } from '../../src/reputation/keys.ts';

/** Addresses of a small part of both spaces, so that networks and probes meet. */
function randomAddress(random: Prng): string {
  const few = (): number => random.below(4) * 64 + random.below(3);
  if (random.below(2) === 0) return `10.${random.below(2)}.${few()}.${few()}`;
  return `2001:db8:${random.below(2)}:${few().toString(16)}::${few().toString(16)}`;
}

function randomRanges(random: Prng): AddressRanges {
  const networks = Array.from({ length: random.below(12) }, () => {
    const address = randomAddress(random);
    return `${address}/${address.includes(':') ? 40 + random.below(89) : 14 + random.below(19)}`;
  });
  return merged(networks.map((network) => rangeOfNetwork(network)!));
}

const words = new Uint32Array(4);

function numberOf(address: string): bigint {
  parseAddress(address, words, 0);
  return addressNumber(words, 0);
}

describe('PoolMap', () => {
  it.each([1, 2, 3, 4, 5])(
    'gives an address to the first pool that holds it, as a walk over all pools does (seed %i)',
    (seed) => {
      const random = new Prng(seed);
      const key = newKey();
      const wanted = newKey();
      let inside = 0;
      for (let round = 0; round < 40; round += 1) {
        const pools = Array.from({ length: random.below(8) }, (_, at) => {
          const own = newKey();
          textKey(`pool-${at}.example`, own);
          return { key: own, ranges: randomRanges(random) };
        });
        const map = new PoolMap(compilePools(pools));
        for (let probe = 0; probe < 200; probe += 1) {
          const text = randomAddress(random);
          const number = numberOf(text);
          const expected = pools.findIndex(({ ranges }) => holds(ranges, number));
          expect({ round, text, pool: map.poolOf(words, 0) }).toEqual({ round, text, pool: expected });
          if (expected < 0) continue;
          inside += 1;
          map.keyOf(expected, key);
          textKey(`pool-${expected}.example`, wanted);
          expect(key).toEqual(wanted);
        }
      }
      expect(inside).toBeGreaterThan(200);
    },
  );

  it('tells the first and the last address of a network from their neighbours', () => {
    const ranges = merged([rangeOfNetwork('192.0.2.0/24')!, rangeOfNetwork('0.0.0.0/32')!]);
    const map = new PoolMap(compilePools([{ key: newKey(), ranges }]));
    const poolOf = (address: string): number => {
      parseAddress(address, words, 0);
      return map.poolOf(words, 0);
    };
    expect(['192.0.1.255', '192.0.2.0', '192.0.2.255', '192.0.3.0'].map(poolOf)).toEqual([-1, 0, 0, -1]);
    expect(['0.0.0.0', '0.0.0.1', '255.255.255.255', '::', 'ffff::'].map(poolOf)).toEqual([
      0, -1, -1, -1, -1,
    ]);
  });

  it('keeps IPv4 apart from the IPv6 addresses that stand beside it', () => {
    const ranges = merged(
      ['::fffe:0:0/96', '0.0.0.0/8', '255.0.0.0/8', '::1:0:0:0/96'].map((network) =>
        rangeOfNetwork(network)!,
      ),
    );
    expect(ranges).toHaveLength(4);
    const other = merged([rangeOfNetwork('0.0.0.0/4')!]);
    const map = new PoolMap(
      compilePools([
        { key: newKey(), ranges },
        { key: newKey(), ranges: other },
      ]),
    );
    const poolOf = (address: string): number => {
      parseAddress(address, words, 0);
      return map.poolOf(words, 0);
    };
    expect(['::fffe:1:1', '0.1.2.3', '1.2.3.4', '255.1.1.1', '::1:0:0:1'].map(poolOf)).toEqual([
      0, 0, 1, 0, 0,
    ]);
  });

  it('is the same in a copy for another process', () => {
    const ranges = merged([rangeOfNetwork('2001:db8::/32')!, rangeOfNetwork('192.0.2.0/24')!]);
    const block = compilePools([{ key: newKey(), ranges }]);
    expect(block.buffer).toBeInstanceOf(SharedArrayBuffer);
    const sent = copyPools(block, false);
    expect(sent.buffer).toBeInstanceOf(ArrayBuffer);
    const received = copyPools(deserialize(serialize({ pools: sent })).pools, true);
    expect(received.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect([...received]).toEqual([...block]);
  });

  it('without pools holds nobody', () => {
    parseAddress('192.0.2.7', words, 0);
    expect(PoolMap.empty.poolOf(words, 0)).toBe(-1);
    expect(new PoolMap(compilePools([])).poolOf(words, 0)).toBe(-1);
  });

  it('gives the networks that ten thousand customers of one provider share to the first of them, in bounded time', () => {
    const shared = merged(Array.from({ length: 20 }, (_, at) => rangeOfNetwork(`10.${at}.0.0/20`)!));
    const pools = Array.from({ length: 10_000 }, (_, at) => {
      const key = newKey();
      textKey(`customer-${at}.example`, key);
      return { key, ranges: shared };
    });
    const map = new PoolMap(compilePools(pools));
    expect([map.pools, map.ranges]).toEqual([10_000, 20]);
    parseAddress('10.19.15.255', words, 0);
    expect(map.poolOf(words, 0)).toBe(0);
  });
});

describe('sets of addresses', () => {
  it.each([1, 2, 3])('what is left of a range is what the set does not hold (seed %i)', (seed) => {
    const random = new Prng(seed);
    for (let round = 0; round < 100; round += 1) {
      const taken = randomRanges(random);
      const [range] = randomRanges(random);
      if (range === undefined) continue;
      const left = without(range, taken);
      for (let probe = 0; probe < 50; probe += 1) {
        const number = numberOf(randomAddress(random));
        const isIn = range.first <= number && number <= range.last;
        expect(holds(left, number)).toBe(isIn && !holds(taken, number));
      }
    }
  });

  it('an IPv6 network that reaches into the place of IPv4 is none', () => {
    for (const network of ['::/0', '::/32', '::/80']) expect(rangeOfNetwork(network), network).toBeNull();
    for (const network of ['', 'x', '10.0.0.0/33', '1.2.3'])
      expect(rangeOfNetwork(network), network).toBeNull();
    const range = rangeOfNetwork('::ffff:192.0.2.0/120')!;
    expect(ipv4Count([range])).toBe(256);
    expect(formatAddress(Uint32Array.of(0, 0, 0xffff, Number(range.first & 0xffff_ffffn)), 0)).toBe(
      '192.0.2.0',
    );
    expect(ipv4Count([rangeOfNetwork('2001:db8::/32')!])).toBe(0);
  });
});
