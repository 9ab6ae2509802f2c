/**
 * Lists of networks against two naive twins: ipaddr.js asked network by network, and a union of BigInt ranges.
 */
import * as fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../src/base/address.ts';
import { Prng } from '../../src/base/prng.ts';
import { NetworkBuilder } from '../../src/policy/network-builder.ts';
import { addNetworks, NetworkSet } from '../../src/policy/networks.ts';

/** Addresses of a small part of both spaces, so that networks and probes meet. */
function randomAddress(random: Prng): string {
  const few = (): number => random.below(4) * 64 + random.below(3);
  if (random.below(2) === 0) return `10.${random.below(2)}.${few()}.${few()}`;
  return `2001:db8:${random.below(2)}:${few().toString(16)}::${few().toString(16)}`;
}

function randomNetwork(random: Prng): string {
  const address = randomAddress(random);
  const bits = address.includes(':') ? 30 + random.below(99) : 8 + random.below(25);
  return random.below(5) === 0 ? address : `${address}/${bits}`;
}

/** The naive twin: ask ipaddr.js about one network after the other. */
function matches(networks: readonly string[], text: string): boolean {
  const address = ipaddr.parse(text);
  return networks.some((network) => {
    const [base, bits] = network.includes('/')
      ? ipaddr.parseCIDR(network)
      : ([ipaddr.parse(network), -1] as const);
    if (base.kind() !== address.kind()) return false;
    return address.match(base, bits >= 0 ? bits : base.kind() === 'ipv4' ? 32 : 128);
  });
}

describe('NetworkSet', () => {
  it.each([1, 2, 3, 4, 5])(
    'agrees with ipaddr.js about 200 addresses in each of 40 lists (seed %i)',
    (seed) => {
      const random = new Prng(seed);
      const words = new Uint32Array(4);
      let inside = 0;
      for (let round = 0; round < 40; round += 1) {
        const networks = Array.from({ length: random.below(30) }, () => randomNetwork(random));
        const set = NetworkSet.compile(networks);
        for (let probe = 0; probe < 200; probe += 1) {
          const text = randomAddress(random);
          parseAddress(text, words, 0);
          const expected = matches(networks, text);
          if (expected) inside += 1;
          expect({ networks, text, has: set.has(words, 0) }).toEqual({ networks, text, has: expected });
        }
      }
      expect(inside).toBeGreaterThan(200);
    },
  );

  const network = fc.oneof(
    fc.tuple(fc.ipV4(), fc.nat(32)).map(([address, bits]) => `${address}/${bits}`),
    // ipaddr.js reads ::192.0.2.1 as ::ffff:192.0.2.1, against RFC 4291, section 2.5.5.1.
    fc
      .tuple(
        fc.ipV6().filter((text) => !/^::[0-9]+\./.test(text)),
        fc.nat(128),
      )
      .map(([address, bits]) => `${address}/${bits}`),
    // Crowded into one corner of each family, where networks meet.
    fc
      .tuple(fc.nat(63), fc.integer({ min: 26, max: 32 }))
      .map(([last, bits]) => `255.255.255.${192 + last}/${bits}`),
    fc
      .tuple(fc.nat(63), fc.integer({ min: 122, max: 128 }))
      .map(([last, bits]) => `ffff:ffff:ffff:ffff:ffff:ffff:ffff:${(0xffc0 + last).toString(16)}/${bits}`),
    fc.constantFrom('0.0.0.0/0', '::/0', '::/1', '8000::/1', '::ffff:0:0/96', '::ffff:128.0.0.0/97'),
  );

  it('has a range that starts and ends where the naive union does', () => {
    fc.assert(
      fc.property(fc.array(network, { maxLength: 12 }), (networks) => {
        const set = NetworkSet.compile(networks);
        const union = naiveUnion(networks);
        expect(set.size).toBe(union.length);
        const words = new Uint32Array(4);
        for (const { family, first, last } of union) {
          const top = family === 'ipv4' ? 2n ** 32n - 1n : 2n ** 128n - 1n;
          for (const [address, inside] of [
            [first, true],
            [last, true],
            [first - 1n, false],
            [last + 1n, false],
          ] as const) {
            if (address < 0n || address > top) continue;
            // Inside IPv6 lies all of IPv4, which an IPv6 network does not speak of.
            if (family === 'ipv6' && address >> 32n === 0xffffn) continue;
            writeAddress(words, family, address);
            expect({ networks, address, has: set.has(words, 0) }).toEqual({ networks, address, has: inside });
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('does not depend on the order or on repetitions', () => {
    fc.assert(
      fc.property(fc.array(network, { maxLength: 12 }), fc.integer(), (networks, seed) => {
        const random = new Prng(seed >>> 0);
        const shuffled = [...networks, ...networks].toSorted(() => random.below(3) - 1);
        const memory = (list: readonly string[]): number[] => {
          const builder = new NetworkBuilder();
          addNetworks(builder, list);
          // The first word counts the networks given, repetitions included.
          return [...new Uint32Array(builder.build().buffer)].slice(1);
        };
        expect(memory(shuffled)).toEqual(memory(networks));
      }),
    );
  });
});

interface Span {
  readonly family: 'ipv4' | 'ipv6';
  readonly first: bigint;
  readonly last: bigint;
}

/** Ranges of each family that neither touch nor overlap, by the book. */
function naiveUnion(networks: readonly string[]): Span[] {
  const spans = networks.map((text): Span => {
    const [base, bits] = ipaddr.parseCIDR(text);
    const isMapped = base.kind() === 'ipv6' && bits >= 96 && (base as ipaddr.IPv6).isIPv4MappedAddress();
    const family = base.kind() === 'ipv4' || isMapped ? 'ipv4' : 'ipv6';
    const bytes = base.toByteArray().slice(isMapped ? 12 : 0);
    const address = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    const hosts = 2n ** BigInt(base.toByteArray().length * 8 - bits) - 1n;
    return { family, first: address & ~hosts, last: address | hosts };
  });
  const union: Span[] = [];
  for (const span of spans.toSorted((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0))) {
    const at = union.findIndex((one) => one.family === span.family && span.first <= one.last + 1n);
    const before = union[at];
    if (before === undefined) union.push(span);
    else if (span.last > before.last) union[at] = { ...before, last: span.last };
  }
  return union;
}

function writeAddress(words: Uint32Array, family: Span['family'], address: bigint): void {
  const whole = family === 'ipv4' ? address | (0xffffn << 32n) : address;
  for (let i = 0; i < 4; i += 1) words[i] = Number((whole >> BigInt(96 - 32 * i)) & 0xffff_ffffn);
}
