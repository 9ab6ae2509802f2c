import { describe, expect, it } from 'vitest';
import {
  clearHostBits,
  formatAddress,
  isIpv4,
  parseAddress,
  parseNetwork,
} from '../../../src/base/address.ts';

function parsed(text: string): number[] | undefined {
  const words = new Uint32Array(4);
  return parseAddress(text, words, 0) ? [...words] : undefined;
}

describe('parseAddress', () => {
  it.each([
    ['192.0.2.1', [0, 0, 0xffff, 0xc0000201]],
    ['255.255.255.255', [0, 0, 0xffff, 0xffffffff]],
    ['0.0.0.0', [0, 0, 0xffff, 0]],
    ['2001:db8::1', [0x20010db8, 0, 0, 1]],
    ['2001:DB8::aB', [0x20010db8, 0, 0, 0xab]],
    ['::', [0, 0, 0, 0]],
    ['::1', [0, 0, 0, 1]],
    ['1::', [0x10000, 0, 0, 0]],
    ['1:2:3:4:5:6:7:8', [0x10002, 0x30004, 0x50006, 0x70008]],
    ['1:2:3:4:5:6:7::', [0x10002, 0x30004, 0x50006, 0x70000]],
    ['::2:3:4:5:6:7:8', [0x2, 0x30004, 0x50006, 0x70008]],
    ['::ffff:192.0.2.1', [0, 0, 0xffff, 0xc0000201]],
    ['::ffff:c000:201', [0, 0, 0xffff, 0xc0000201]],
    ['64:ff9b::192.0.2.33', [0x0064ff9b, 0, 0, 0xc0000221]],
    ['1:2:3:4:5:6:192.0.2.1', [0x10002, 0x30004, 0x50006, 0xc0000201]],
  ])('reads %s', (text, words) => {
    expect(parsed(text)).toEqual(words);
  });

  it.each([
    [
      '',
      '.',
      ':',
      ':::',
      '1',
      '1.2.3',
      '1.2.3.4.5',
      '1.2.3.',
      '.1.2.3',
      '1..2.3',
      '256.0.0.1',
      '1.2.3.04',
      '1.2.3.4 ',
    ],
    [
      '01.2.3.4',
      '1.2.3.0x4',
      '-1.2.3.4',
      '1.2.3.4/32',
      '1:2',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:9',
      '1::2::3',
    ],
    [
      '1:',
      ':1',
      '1:2:3:4:5:6:7:',
      ':1:2:3:4:5:6:7',
      '1:2:3:4::5:6:7:8',
      '12345::',
      '::g',
      '::1%eth0',
      'fe80::1%1',
    ],
    [
      '[::1]',
      '::1.2.3',
      '::1.2.3.256',
      '1:2:3:4:5:6:7:1.2.3.4',
      '1.2.3.4::',
      '::1.2.3.4:5',
      '::01.2.3.4',
      'a.b.c.d',
      '::１',
    ],
  ])('refuses %s, %s, %s and the like, and leaves the words alone', (...texts) => {
    for (const text of texts) {
      const words = Uint32Array.of(9, 9, 9, 9);
      expect({ text, read: parseAddress(text, words, 0) }).toEqual({ text, read: false });
      expect([...words]).toEqual([9, 9, 9, 9]);
    }
  });

  it('writes to the place it is given', () => {
    const words = Uint32Array.of(9, 9, 9, 9, 9, 9);
    expect(parseAddress('10.0.0.1', words, 1)).toBe(true);
    expect([...words]).toEqual([9, 0, 0, 0xffff, 0x0a000001, 9]);
  });
});

describe('parseNetwork', () => {
  const bits = (text: string): number => parseNetwork(text, new Uint32Array(4), 0);

  it.each([
    ['192.0.2.1', 128],
    ['192.0.2.0/24', 120],
    ['0.0.0.0/0', 96],
    ['192.0.2.1/32', 128],
    ['2001:db8::', 128],
    ['2001:db8::/32', 32],
    ['::/0', 0],
    ['::ffff:192.0.2.0/120', 120],
  ])('reads %s as a prefix of %i of 128 bits', (text, expected) => {
    expect(bits(text)).toBe(expected);
  });

  it.each([
    '',
    '/24',
    '192.0.2.0/',
    '192.0.2.0/33',
    '::/129',
    '192.0.2.0/024',
    '::/00',
    '192.0.2.0/-1',
    '1.2.3/24',
    '::/6 4',
    '::/64/64',
  ])('refuses "%s"', (text) => {
    expect(bits(text)).toBe(-1);
  });
});

describe('formatAddress', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['0:1:0:0:0:0:0:0', '0:1::'],
    ['::1.2.3.4', '::102:304'],
  ])('prints %s as %s (RFC 5952)', (text, expected) => {
    const words = new Uint32Array(4);
    parseAddress(text, words, 0);
    expect(formatAddress(words, 0)).toBe(expected);
  });
});

describe('isIpv4', () => {
  it('is true of IPv4 in either spelling and of nothing else', () => {
    const words = new Uint32Array(4);
    const answers = ['192.0.2.1', '::ffff:c000:201', '::1', '::fffe:c000:201', '1::ffff:c000:201'].map(
      (text) => {
        parseAddress(text, words, 0);
        return isIpv4(words, 0);
      },
    );
    expect(answers).toEqual([true, true, false, false, false]);
  });
});

describe('clearHostBits', () => {
  it.each([
    ['2001:db8::1', 128, '2001:db8::1', false],
    ['2001:db8::1', 127, '2001:db8::', true],
    ['2001:db8:ffff:ffff::', 33, '2001:db8:8000::', true],
    ['2001:db8:8000::', 33, '2001:db8:8000::', false],
    ['8000::', 0, '::', true],
    ['192.0.2.255', 120, '192.0.2.0', true],
    ['255.255.255.255', 128, '255.255.255.255', false],
  ])('leaves of %s the first %i bits: %s, others were set: %s', (text, bits, left, found) => {
    const words = new Uint32Array(6);
    expect(parseAddress(text, words, 1)).toBe(true);
    words[0] = words[5] = 7;
    expect(clearHostBits(words, 1, bits)).toBe(found);
    expect(formatAddress(words, 1)).toBe(left);
    expect([words[0], words[5]]).toEqual([7, 7]);
  });
});
