import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endpointOf, isHostName, meets, networkFault, splitEndpoint } from '../../../src/config/addresses.ts';
import { NetworkSet } from '../../../src/policy/networks.ts';

describe('addresses', () => {
  it.each([
    ['0.0.0.0:25', '0.0.0.0', 25],
    ['[::]:25', '::', 25],
    ['[2001:db8::1]:65535', '2001:db8::1', 65_535],
    ['mail.example.net:25', 'mail.example.net', 25],
    ['127.0.0.1:0', '127.0.0.1', 0],
  ])('splits %s', (text, host, port) => {
    expect(splitEndpoint(text)).toEqual({ host, port });
    expect(endpointOf(text)).toEqual({ host, port });
  });

  it.each([
    '',
    ':25',
    '127.0.0.1',
    '127.1:25',
    '010.0.0.1:25',
    '256.0.0.1:25',
    '::1:25',
    '[::1]',
    '[127.0.0.1]:25',
    '[fe80::1%eth0]:25',
    '127.0.0.1:65536',
    '127.0.0.1:-1',
    '127.0.0.1:25 ',
    'a b:25',
    '-a:25',
  ])('does not split %j', (text) => {
    expect(splitEndpoint(text)).toBeUndefined();
    expect(() => endpointOf(text)).toThrow(RangeError);
  });

  it('knows a host name', () => {
    expect(['mx.example.net', 'a', 'a-b', '1.example', 'x'.repeat(63)].map(isHostName)).toEqual([
      true,
      true,
      true,
      true,
      true,
    ]);
    const wrong = [
      '',
      'a..b',
      '.a',
      'a.',
      '-a',
      'a-',
      'a_b',
      'a b',
      'a\r\nb',
      'a\n',
      'ü',
      'x'.repeat(64),
      'a.'.repeat(127),
    ];
    expect(wrong.filter(isHostName)).toEqual([]);
  });

  it.each([
    ['127.0.0.1:25', '127.0.0.1:25', true],
    ['0.0.0.0:25', '127.0.0.1:25', true],
    ['0.0.0.0:25', 'localhost:25', true],
    ['0.0.0.0:25', '192.0.2.1:25', true],
    ['[::]:25', '127.0.0.1:25', true],
    ['[::]:25', '[::ffff:127.0.0.1]:25', true],
    ['[::1]:25', '[0:0::1]:25', true],
    ['0.0.0.0:25', '127.0.0.1:26', false],
    ['0.0.0.0:25', '192.0.2.2:25', false],
    ['0.0.0.0:25', '[::1]:25', false],
    ['127.0.0.1:25', '127.0.0.2:25', false],
    ['192.0.2.1:25', '127.0.0.1:25', false],
    ['0.0.0.0:25', 'mail.example.net:25', false],
  ])('listener %s and backend %s are one socket: %s', (listener, target, expected) => {
    expect(meets(endpointOf(listener), endpointOf(target), () => ['192.0.2.1'])).toBe(expected);
  });

  it('says what a network should have been', () => {
    expect(networkFault('192.0.2.0/24')).toBeUndefined();
    expect(networkFault('2001:db8::/32')).toBeUndefined();
    expect(networkFault('0.0.0.0/0')).toBeUndefined();
    expect(networkFault('192.0.2.1')).toBeUndefined();
    expect(networkFault('192.0.2.1/24')?.meant).toBe('192.0.2.0/24');
    expect(networkFault('2001:db8::1/32')?.meant).toBe('2001:db8::/32');
    expect(networkFault('::ffff:192.0.2.1/120')?.meant).toBe('::ffff:192.0.2.0/120');
    expect(networkFault('::0.0.0.0/81')).toBeUndefined();
    expect(networkFault('::1.2.3.4/96')?.meant).toBe('::/96');
    expect(networkFault('192.0.2.0/33')?.want).toBe('a prefix length of 0 to 32');
    expect(networkFault('2001:db8::/129')?.want).toBe('a prefix length of 0 to 128');
    expect(networkFault('192.0.2.0/024')?.want).toBe('a prefix length of 0 to 32');
    expect(networkFault('192.0.2/24')?.want).toMatch(/^an address or network/);
  });

  it('accepts only what the engine can compile', () => {
    const almost = fc.stringMatching(/^[0-9a-f:.]{1,24}(\/[0-9]{1,3})?$/);
    const right = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(130)).map(([a, n]) => `${a}/${n}`),
    );
    fc.assert(
      fc.property(fc.oneof(almost, right, fc.string()), (text) => {
        const fault = networkFault(text);
        if (fault === undefined) expect(NetworkSet.compile([text]).size).toBeGreaterThan(0);
        else if (fault.meant !== undefined) expect(networkFault(fault.meant)).toBeUndefined();
      }),
      { numRuns: 1_000 },
    );
  });
});
