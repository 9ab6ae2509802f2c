import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../../src/base/address.ts';
import { ShardBug } from '../../../src/base/assert.ts';
import { NetworkSet } from '../../../src/policy/networks.ts';

const words = new Uint32Array(4);

function has(set: NetworkSet, text: string): boolean {
  if (!parseAddress(text, words, 0)) throw new Error(`test address ${text}`);
  return set.has(words, 0);
}

describe('NetworkSet', () => {
  it('has the first and the last address of a network, not the ones beside them', () => {
    const set = NetworkSet.compile(['192.0.2.64/26', '2001:db8:1::/48']);
    const inside = ['192.0.2.64', '192.0.2.127', '2001:db8:1::', '2001:db8:1:ffff:ffff:ffff:ffff:ffff'];
    const outside = ['192.0.2.63', '192.0.2.128', '2001:db8:0:ffff::', '2001:db8:2::', '0.0.0.0', '::'];
    for (const text of inside) expect({ text, has: has(set, text) }).toEqual({ text, has: true });
    for (const text of outside) expect({ text, has: has(set, text) }).toEqual({ text, has: false });
  });

  it('is empty when nothing was listed', () => {
    const set = NetworkSet.compile([]);
    expect(set.size).toBe(0);
    expect(has(set, '192.0.2.1')).toBe(false);
  });

  it('merges networks that overlap, touch or repeat into one range', () => {
    expect(NetworkSet.compile(['10.0.0.0/8', '10.1.0.0/16', '10.0.0.0/8']).size).toBe(1);
    expect(NetworkSet.compile(['192.0.2.1', '192.0.2.0', '192.0.2.2/31']).size).toBe(1);
    expect(NetworkSet.compile(['192.0.2.0', '192.0.2.2']).size).toBe(2);
  });

  it('ignores the bits behind a prefix', () => {
    const set = NetworkSet.compile(['192.0.2.77/24']);
    expect(has(set, '192.0.2.0')).toBe(true);
    expect(has(set, '192.0.3.0')).toBe(false);
  });

  it('takes ::/0 for all of IPv6 and for no IPv4 client', () => {
    for (const all of ['::/0', '::/64', '::/80', '::/81', '::fffe:0:0/95']) {
      const set = NetworkSet.compile([all]);
      expect({ all, v4: has(set, '0.0.0.0') || has(set, '255.255.255.255') }).toEqual({ all, v4: false });
    }
    const all = NetworkSet.compile(['::/0']);
    for (const text of ['::', '::fffe:ffff:ffff', '::1:0:0:0', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff']) {
      expect(has(all, text)).toBe(true);
    }
  });

  it('takes 0.0.0.0/0 and the mapped prefix for all of IPv4 and for no IPv6 client', () => {
    for (const all of ['0.0.0.0/0', '::ffff:0:0/96']) {
      const set = NetworkSet.compile([all]);
      expect(has(set, '0.0.0.0') && has(set, '255.255.255.255')).toBe(true);
      expect(has(set, '::fffe:ffff:ffff') || has(set, '::1:0:0:0') || has(set, '2001:db8::1')).toBe(false);
    }
  });

  it('covers everything with both zero prefixes', () => {
    expect(NetworkSet.compile(['::/0', '0.0.0.0/0']).size).toBe(1);
  });

  it('calls a text that is no network our bug, since the configuration was checked', () => {
    expect(() => NetworkSet.compile(['192.0.2.0/33'])).toThrow(ShardBug);
  });
});
