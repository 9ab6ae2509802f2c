import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../../src/base/address.ts';
import { parseConfig } from '../../../src/config/load.ts';
import { clientKeyOf, lookUpName } from '../../../src/reputation/dns-names.ts';
import type { Zone } from '../../../src/reputation/dns-zones.ts';
import { answerFault, judge, shownText, zonesOf } from '../../../src/reputation/dns-zones.ts';

function zoneOf(toml: string): Zone {
  return zonesOf(parseConfig(`hostname = "mx.example.net"\n${toml}`, 'settings'))[0]!;
}

function nameOf(address: string): string {
  const words = new Uint32Array(8);
  parseAddress(address, words, 4);
  return lookUpName(words, 4, 'z.test');
}

const plain = zoneOf('[[dnsxl]]\nzone = "z.test"\n');

describe('names', () => {
  it('are octets or nibbles, the last one first', () => {
    expect(nameOf('192.0.2.99')).toBe('99.2.0.192.z.test');
    expect(nameOf('::ffff:192.0.2.99')).toBe('99.2.0.192.z.test');
    expect(nameOf('2001:db8:1:2:3:4:567:89ab')).toBe(
      'b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.z.test',
    );
  });

  it('have one key for an IPv6 /64, and one for each IPv4 address', () => {
    const keyOf = (address: string): number | string => {
      const words = new Uint32Array(4);
      parseAddress(address, words, 0);
      return clientKeyOf(words, 0);
    };
    expect(keyOf('2001:db8::1')).toBe(keyOf('2001:db8::ffff:2'));
    expect(keyOf('2001:db8::1')).not.toBe(keyOf('2001:db8:0:1::1'));
    expect(keyOf('192.0.2.1')).not.toBe(keyOf('192.0.2.2'));
  });
});

describe('an answer', () => {
  it('is never a listing when any of its addresses is outside 127.0.0.0/8, an error, or 127.0.0.1', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0xffff_ffff), { minLength: 1, maxLength: 5 }), (addresses) => {
        const isRotten = addresses.some(
          (one) => one >>> 24 !== 127 || one >>> 8 === 0x7fffff || one === 0x7f000001,
        );
        expect(answerFault(addresses) !== null).toBe(isRotten);
        const { kind } = judge(plain, { kind: 'addresses', addresses, ttlMs: 1 });
        if (isRotten) expect(kind).toBe('error');
        else expect(['listed', 'clean']).toContain(kind);
      }),
    );
  });

  it('that no block names is no listing', () => {
    const reply = { kind: 'addresses', addresses: [0x7f00_0105], ttlMs: 5 } as const;
    expect(judge(plain, reply)).toEqual({ kind: 'clean', ttlMs: 5 });
    const wide = zoneOf('[[dnsxl]]\nzone = "z.test"\ncodes = ["127.0.[0..255].[2;4..7]"]\nweight = -2\n');
    expect(judge(wide, reply)).toEqual({ kind: 'listed', weight: -2, ttlMs: 5 });
  });
});

describe('a text of a list', () => {
  const secret = zoneOf('[[dnsxl]]\nzone = "abcdef0123456789.zen.test"\nshown_as = "zen.test"\n');

  it('is shown without the key of its zone, without control characters, and not at length', () => {
    expect(shownText(secret, 'ABCDEF0123456789.zen.test, abcdef0123456789!\r\n\x1b[31m')).toBe(
      'zen.test, ...!???[31m',
    );
    expect(shownText(plain, 'x'.repeat(10_000))).toHaveLength(250);
  });

  it('never holds the key, whatever stands around it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('abcdef0123456789', '.', 'zen.test', 'ABCDEF', '0123456789', ' ')),
        (parts) => {
          expect(shownText(secret, parts.join('')).toLowerCase()).not.toContain('abcdef0123456789');
        },
      ),
    );
  });
});
