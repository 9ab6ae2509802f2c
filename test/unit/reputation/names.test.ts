import { createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatAddress, parseAddress } from '../../../src/base/address.ts';
import { defaultConfig } from '../../../src/config/load.ts';
import { openNames } from '../../../src/io/client-names.ts';
import { Kind, newKey } from '../../../src/reputation/keys.ts';
import { fullNames, truncatedNames } from '../../../src/reputation/names.ts';
import type { Names } from '../../../src/reputation/names.ts';

const secret = Buffer.from('0123456789abcdef');
const hmacNames = openNames(
  defaultConfig({ privacy: { logIp: 'hmac', keyFile: '/nowhere' } }),
  new Uint8Array(secret),
);

const words = (text: string): Uint32Array => {
  const address = new Uint32Array(4);
  if (!parseAddress(text, address, 0)) throw new Error(text);
  return address;
};

const anyAddress = fc.oneof(
  fc.ipV4(),
  fc
    .tuple(fc.integer({ min: 1, max: 0xffff_ffff }), fc.nat(), fc.nat(), fc.nat())
    .map((four) => formatAddress(Uint32Array.from(four), 0)),
);

function logName(names: Names, text: string, hasKey: boolean): string {
  const key = newKey();
  if (hasKey) names.hostKey(words(text), 0, key);
  return names.clientName(text, words(text), 0, key, hasKey);
}

function tableName(names: Names, kind: number, text: string): string {
  const key = newKey();
  if (kind === Kind.Host) names.hostKey(words(text), 0, key);
  else names.networkKey(words(text), 0, key);
  return names.nameOf(kind, key);
}

describe('names', () => {
  it('are addresses and networks when log_ip is full', () => {
    expect(logName(fullNames, '192.0.2.7', true)).toBe('192.0.2.7');
    expect(tableName(fullNames, Kind.Host, '192.0.2.7')).toBe('192.0.2.7');
    expect(tableName(fullNames, Kind.Host, '2001:db8:1:2::7')).toBe('2001:db8:1:2::/64');
    expect(tableName(fullNames, Kind.Network, '2001:db8:1:2::7')).toBe('2001:db8:1::/48');
    expect(fullNames.savesHosts).toBe(true);
  });

  it('are networks alone when log_ip is truncate, and hosts are not saved', () => {
    expect(logName(truncatedNames, '192.0.2.7', true)).toBe('192.0.2.0/24');
    expect(logName(truncatedNames, '2001:db8:1:2::7', false)).toBe('2001:db8:1::/48');
    for (const kind of [Kind.Host, Kind.Network])
      expect(tableName(truncatedNames, kind, '192.0.2.7')).toBe('192.0.2.0/24');
    expect(tableName(truncatedNames, Kind.Host, '2001:db8:1:2::7')).toBe('2001:db8:1::/48');
    expect(truncatedNames.savesHosts).toBe(false);
  });

  it('are HMAC-SHA256 under the key of the file when log_ip is hmac', () => {
    const input = Buffer.from([Kind.Host, 0, 0, 0xff, 0xff, 192, 0, 2, 7]);
    const wanted = createHmac('sha256', secret).update(input).digest('hex').slice(0, 16);
    expect(logName(hmacNames, '192.0.2.7', false)).toBe(`hmac:${wanted}`);
  });

  it('of a host are the same in log and table, and the name finds the key again', () => {
    fc.assert(
      fc.property(anyAddress, (text) => {
        for (const names of [hmacNames, fullNames]) {
          const key = newKey();
          names.hostKey(words(text), 0, key);
          const name = names.nameOf(Kind.Host, key);
          const found = newKey();
          expect(names.keyOfName(name, found)).toBe(Kind.Host);
          expect(found).toEqual(key);
          expect(names.keyOfName(text, found)).toBe(Kind.Host);
          expect(found).toEqual(key);
          names.networkKey(words(text), 0, key);
          expect(names.keyOfName(names.nameOf(Kind.Network, key), found)).toBe(Kind.Network);
          expect(found).toEqual(key);
        }
        expect(logName(hmacNames, text, true)).toBe(logName(hmacNames, text, false));
        expect(logName(hmacNames, text, true)).toBe(tableName(hmacNames, Kind.Host, text));
      }),
    );
  });

  it('of a host and of its network do not meet, nor do those of two keys', () => {
    const other = openNames(
      defaultConfig({ privacy: { logIp: 'hmac', keyFile: '/nowhere' } }),
      new Uint8Array(Buffer.from('0123456789abcdeX')),
    );
    const host = logName(hmacNames, '192.0.2.0', true);
    expect(tableName(hmacNames, Kind.Network, '192.0.2.0')).toMatch(/^hmac:[0-9a-f]{16}\/net$/);
    expect(tableName(hmacNames, Kind.Network, '192.0.2.0')).not.toContain(host);
    expect(logName(other, '192.0.2.0', true)).not.toBe(host);
    expect(other.id).not.toBe(hmacNames.id);
  });

  it.each([
    '',
    'hmac:',
    'hmac:0123456789abcde',
    'hmac:0123456789ABCDEF',
    '192.0.2.0/23',
    '2001:db8::/32',
    'x',
  ])('are not %j', (text) => {
    for (const names of [fullNames, truncatedNames, hmacNames])
      expect(names.keyOfName(text, newKey())).toBe(0);
  });
});
