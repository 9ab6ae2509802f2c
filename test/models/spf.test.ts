import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseAddress } from '../../src/base/address.ts';
import { addressNumber, holds } from '../../src/policy/address-ranges.ts';
import { expandSpf } from '../../src/primary/spf-expand.ts';
import type { AskSpf } from '../../src/primary/spf-names.ts';
import { verifySpf } from '../../src/primary/spf-verify.ts';

/** Addresses of small spaces, so that terms and probes meet. */
const address = fc.oneof(
  fc
    .tuple(fc.nat({ max: 1 }), fc.nat({ max: 3 }), fc.nat({ max: 3 }))
    .map(([b, c, d]) => `10.${b}.${c * 64}.${d * 64}`),
  fc.tuple(fc.nat({ max: 1 }), fc.nat({ max: 3 })).map(([b, c]) => `2001:db8:${b}::${c}`),
);
const qualifier = fc.constantFrom('', '', '', '+', '-', '~', '?');
const domains = ['start.test', 'one.test', 'two.test', 'three.test'] as const;
const domain = fc.constantFrom(...domains.slice(1));
const bits4 = fc.integer({ min: 14, max: 32 });
const bits6 = fc.integer({ min: 32, max: 128 });
const network = fc
  .tuple(address, bits4, bits6)
  .map(([text, short, long]) => (text.includes(':') ? `ip6:${text}/${long}` : `ip4:${text}/${short}`));
const term = fc.oneof(
  { arbitrary: fc.tuple(qualifier, network).map(([q, n]) => q + n), weight: 4 },
  { arbitrary: fc.tuple(qualifier, domain).map(([q, d]) => `${q}include:${d}`), weight: 2 },
  {
    arbitrary: fc.tuple(qualifier, domain, bits4, bits6).map(([q, d, a, b]) => `${q}a:${d}/${a}//${b}`),
    weight: 1,
  },
  { arbitrary: fc.tuple(qualifier, domain, bits4).map(([q, d, a]) => `${q}mx:${d}/${a}`), weight: 1 },
  { arbitrary: fc.constantFrom('-all', '~all', '?all', 'exp=why.test'), weight: 1 },
);
const record = fc
  .tuple(fc.array(term, { maxLength: 5 }), fc.option(domain))
  .map(([terms, redirect]) =>
    ['v=spf1', ...terms, ...(redirect === null ? [] : [`redirect=${redirect}`])].join(' '),
  );
const house = fc.record({ record, hosts: fc.array(address, { minLength: 1, maxLength: 3 }) });
const zone = fc.tuple(house, house, house, house);

type Zone = readonly { readonly record: string; readonly hosts: readonly string[] }[];

/** The DNS of a zone. The mail servers of a domain are all domains of the zone. */
function asker(houses: Zone): AskSpf {
  return (name, type) => {
    const one = houses[domains.findIndex((wanted) => wanted === name)];
    const isIpv6 = type === 'AAAA';
    const values =
      one === undefined
        ? []
        : type === 'TXT'
          ? [one.record]
          : type === 'MX'
            ? [...domains]
            : one.hosts.filter((host) => host.includes(':') === isIpv6);
    return Promise.resolve({ state: values.length === 0 ? 'void' : 'found', values, ttlSec: 60 });
  };
}

test('an expansion authorises whom the library authorises, one address after the other', async () => {
  const words = new Uint32Array(4);
  let authorised = 0;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(zone, fc.array(address, { minLength: 8, maxLength: 8 }), async (houses, probes) => {
      const ask = asker(houses);
      const expansion = await expandSpf(ask, domains[0], 1_000);
      // A record with a fault somewhere has no expansion; the library may find a match in front of the fault.
      if (expansion.kind === 'unfit' && !expansion.why.startsWith('names no network')) return;
      const ranges = expansion.kind === 'networks' ? expansion.ranges : [];
      for (const probe of probes) {
        const verdict = await verifySpf(ask, { address: probe, domain: domains[0], helo: '' }, 'mx.test');
        parseAddress(probe, words, 0);
        const isIn = holds(ranges, addressNumber(words, 0));
        if (isIn) authorised += 1;
        else refused += 1;
        expect({ houses, probe, verdict }).toEqual({ houses, probe, verdict: isIn ? 'pass' : 'other' });
      }
    }),
    { numRuns: 1_000 },
  );
  expect(authorised).toBeGreaterThan(200);
  expect(refused).toBeGreaterThan(200);
});
