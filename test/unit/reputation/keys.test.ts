import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../../src/base/address.ts';
import {
  hostKey,
  isMeter,
  keyOfName,
  Kind,
  kindNames,
  nameOfKey,
  networkKey,
  networkOf,
  newKey,
  textKey,
} from '../../../src/reputation/keys.ts';
import { claim, find, NOW, tableOf } from './tables.ts';

function words(address: string): Uint32Array {
  const found = new Uint32Array(4);
  if (!parseAddress(address, found, 0)) throw new Error(`test address ${address}`);
  return found;
}

function host(address: string): string {
  const key = newKey();
  hostKey(words(address), 0, key);
  return nameOfKey(Kind.Host, key[0]!, key[1]!);
}

function network(address: string): string {
  const key = newKey();
  networkKey(words(address), 0, key);
  return nameOfKey(Kind.Network, key[0]!, key[1]!);
}

function text(of: string): string {
  const key = newKey();
  textKey(of, key);
  return nameOfKey(Kind.Pool, key[0]!, key[1]!);
}

const anyAddress = fc.oneof(fc.ipV4(), fc.ipV6());

describe('a host', () => {
  it('is an IPv4 address, in either spelling', () => {
    expect(host('192.0.2.7')).toBe('192.0.2.7');
    expect(host('::ffff:192.0.2.7')).toBe('192.0.2.7');
    expect(host('255.255.255.255')).toBe('255.255.255.255');
  });

  it('is the /64 of an IPv6 address', () => {
    expect(host('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64');
    expect(host('2001:db8:1:2::')).toBe('2001:db8:1:2::/64');
    expect(host('2001:db8:1:3::')).toBe('2001:db8:1:3::/64');
    expect(host('ffff:ffff:ffff:ffff::1')).toBe('ffff:ffff:ffff:ffff::/64');
    expect(host('::1')).toBe('::/64');
  });
});

describe('a network', () => {
  it('is the /24 of an IPv4 address and the /48 of an IPv6 address', () => {
    expect(network('192.0.2.7')).toBe('192.0.2.0/24');
    expect(network('::ffff:203.0.113.255')).toBe('203.0.113.0/24');
    expect(network('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1::/48');
    expect(network('ffff:ffff:ffff:ffff::1')).toBe('ffff:ffff:ffff::/48');
  });

  it('is the same whether made from an address or from the key of its host', () => {
    fc.assert(
      fc.property(anyAddress, (address) => {
        const key = newKey();
        hostKey(words(address), 0, key);
        networkOf(key);
        expect(nameOfKey(Kind.Network, key[0]!, key[1]!)).toBe(network(address));
      }),
    );
  });
});

describe('the name of a key', () => {
  it('leads back to it, for hosts and networks of every address', () => {
    fc.assert(
      fc.property(anyAddress, (address) => {
        const key = newKey();
        const back = newKey();
        hostKey(words(address), 0, key);
        expect(keyOfName(nameOfKey(Kind.Host, key[0]!, key[1]!), back)).toBe(Kind.Host);
        expect(back).toEqual(key);
        expect(keyOfName(address, back)).toBe(Kind.Host);
        expect(back).toEqual(key);
        networkOf(key);
        expect(keyOfName(nameOfKey(Kind.Network, key[0]!, key[1]!), back)).toBe(Kind.Network);
        expect(back).toEqual(key);
      }),
    );
  });

  it('may have bits behind its prefix', () => {
    const key = newKey();
    expect(keyOfName('192.0.2.99/24', key)).toBe(Kind.Network);
    expect(nameOfKey(Kind.Network, key[0]!, key[1]!)).toBe('192.0.2.0/24');
    expect(keyOfName('2001:db8:1:2:3::/48', key)).toBe(Kind.Network);
    expect(nameOfKey(Kind.Network, key[0]!, key[1]!)).toBe('2001:db8:1::/48');
    expect(keyOfName('192.0.2.9/32', key)).toBe(Kind.Host);
    expect(keyOfName('2001:db8::9/128', key)).toBe(Kind.Host);
  });

  it.each([
    '',
    'localhost',
    '192.0.2',
    '192.0.2.0/23',
    '192.0.2.0/25',
    '2001:db8::/47',
    '2001:db8::/56',
    '/24',
  ])('is not %j', (name) => {
    expect(keyOfName(name, newKey())).toBe(0);
  });

  it('tells a meter as it tells its host or network', () => {
    expect(nameOfKey(Kind.HostMeter, 0xffff, 0x0a000001)).toBe('10.0.0.1');
    expect(nameOfKey(Kind.NetworkMeter, 0xffff, 0x0a000000)).toBe('10.0.0.0/24');
    expect(Object.values(Kind).filter(isMeter)).toEqual([Kind.HostMeter, Kind.NetworkMeter]);
    expect(Object.values(Kind).map((kind) => kindNames[kind])).toHaveLength(kindNames.length - 1);
  });
});

describe('the key of a text', () => {
  it('is the same on every host and in every version, for it is stored', () => {
    expect([text(''), text('example.org'), text('example.com')]).toEqual([
      '20cbb2fe4796c5c8',
      'a1fbcd4d828e0c8f',
      'fc8055372905dbe9',
    ]);
  });

  it('differs for 200 000 names that differ little', () => {
    const seen = new Set<string>();
    for (let at = 0; at < 50_000; at += 1) {
      seen.add(text(`mail${at}.example.org`));
      seen.add(text(`${at}`));
      seen.add(text(`${at}.`));
      seen.add(text(`a${String.fromCharCode(at)}`));
    }
    expect(seen.size).toBe(200_000);
  });

  it('depends on the order of the letters and on what follows the last one', () => {
    const texts = ['ab', 'ba', 'aab', 'aba', 'baa', 'ab\0', '\0ab', '', '\0', '\0\0'];
    expect(new Set(texts.map(text)).size).toBe(texts.length);
  });
});

describe('keys of different kinds', () => {
  it('never meet in a table, though their words are the same', () => {
    const table = tableOf(64);
    const key = newKey();
    key.set([0xffff, 0x0a000000]);
    const indexes = Object.values(Kind).map((kind) => table.claim(kind, key, NOW));
    expect(new Set(indexes).size).toBe(indexes.length);
    for (const [at, kind] of Object.values(Kind).entries()) expect(table.find(kind, key)).toBe(indexes[at]);
  });

  it('are apart for a network and its first host, and for ::/64 and an IPv4 host', () => {
    const table = tableOf(8);
    const indexes = ['192.0.2.0', '192.0.2.0/24', '::1', '2001:db8::', '2001:db8::/48'].map((name) =>
      claim(table, name),
    );
    expect(new Set(indexes).size).toBe(indexes.length);
    expect(find(table, '::2')).toBe(indexes[2]);
  });
});
