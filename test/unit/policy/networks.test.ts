import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../../src/base/address.ts';
import { ShardBug } from '../../../src/base/assert.ts';
import { NetworkBuilder } from '../../../src/policy/network-builder.ts';
import { addNetworks, NetworkSet } from '../../../src/policy/networks.ts';

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

  it('covers everything with both zero prefixes, one range a family', () => {
    const set = NetworkSet.compile(['::/0', '2001:db8::/32', '0.0.0.0/0', '255.255.255.255', 'ffff::/16']);
    expect([set.size, set.networks]).toEqual([2, 5]);
    for (const text of ['0.0.0.0', '255.255.255.255', '::', '::1:0:0:0', 'ffff::ffff'])
      expect({ text, has: has(set, text) }).toEqual({ text, has: true });
  });

  it('keeps the first and the last address of each family apart from their neighbours', () => {
    const ends = ['0.0.0.0', '255.255.255.255', '::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'];
    const set = NetworkSet.compile(ends);
    expect(set.size).toBe(4);
    for (const text of ends) expect(has(set, text)).toBe(true);
    const beside = ['0.0.0.1', '255.255.255.254', '::1', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe'];
    for (const text of beside) expect(has(set, text)).toBe(false);
  });

  it('joins neighbours across every word of an IPv6 address', () => {
    for (const [low, high] of [
      ['2001:db8::ffff:ffff', '2001:db8::1:0:0'],
      ['2001:db8::ffff:ffff:ffff:ffff', '2001:db8:0:1::'],
      ['2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', '2001:db9::'],
    ] as const) {
      expect(NetworkSet.compile([high, low]).size).toBe(1);
    }
  });

  it('takes 8 bytes for an IPv4 range and 32 for an IPv6 one, in memory that threads share', () => {
    const build = (...cidrs: string[]): Uint8Array => {
      const builder = new NetworkBuilder();
      addNetworks(builder, cidrs);
      return builder.build();
    };
    const none = build();
    expect(none.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(build('192.0.2.0/24').length - none.length).toBe(8);
    expect(build('192.0.2.0/24', '2001:db8::/32').length - none.length).toBe(40);
  });

  it('refuses memory that is not what its head says', () => {
    const memory = new NetworkBuilder().build();
    memory[4] = 1;
    expect(() => new NetworkSet(memory)).toThrow(ShardBug);
  });

  it('calls a text that is no network our bug, since the configuration was checked', () => {
    expect(() => NetworkSet.compile(['192.0.2.0/33'])).toThrow(ShardBug);
  });
});
