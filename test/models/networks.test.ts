import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../src/base/address.ts';
import { Prng } from '../../src/base/prng.ts';
import { NetworkSet } from '../../src/policy/networks.ts';

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
});
