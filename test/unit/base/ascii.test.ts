import { describe, expect, it } from 'vitest';
import { bytesOf, equalsIgnoreCase, latin1, parseDecimal, upper } from '../../../src/base/ascii.ts';

describe('upper', () => {
  it('changes the 26 letters a–z and no other byte', () => {
    for (let byte = 0; byte < 256; byte += 1) {
      const isSmall = byte >= 97 && byte <= 122;
      expect(upper(byte)).toBe(isSmall ? byte - 32 : byte);
    }
  });
});

describe('equalsIgnoreCase', () => {
  const bytes = bytesOf('xx QuIt yy');
  const quit = bytesOf('QUIT');

  it('compares the range and nothing around it', () => {
    expect(equalsIgnoreCase(bytes, 3, 7, quit)).toBe(true);
    expect(equalsIgnoreCase(bytes, 2, 7, quit)).toBe(false);
    expect(equalsIgnoreCase(bytes, 3, 6, quit)).toBe(false);
    expect(equalsIgnoreCase(bytes, 4, 8, quit)).toBe(false);
  });

  it('finds no match in a range outside the array', () => {
    expect(equalsIgnoreCase(bytes, -4, 0, quit)).toBe(false);
    expect(equalsIgnoreCase(bytes, 8, 12, quit)).toBe(false);
  });

  it('does not take a byte for a letter because they differ in the case bit', () => {
    expect(equalsIgnoreCase(bytesOf('{'), 0, 1, bytesOf('['))).toBe(false);
    expect(equalsIgnoreCase(bytesOf('@'), 0, 1, bytesOf('`'))).toBe(false);
  });
});

describe('parseDecimal', () => {
  const parse = (text: string): number => parseDecimal(bytesOf(text), 0, text.length);

  it.each([
    ['0', 0],
    ['007', 7],
    ['1500', 1500],
    ['2147483648', 2 ** 31],
    ['0000000000000000000012', 12],
  ])('reads %s', (text, value) => {
    expect(parse(text)).toBe(value);
  });

  it.each(['', '-1', '+1', ' 1', '1 ', '1.0', '0x10', '2147483649', '99999999999999999999', '1e3', '\u00b2'])(
    'refuses "%s"',
    (text) => {
      expect(parse(text)).toBe(-1);
    },
  );

  it('reads the range and nothing around it', () => {
    expect(parseDecimal(bytesOf('91234'), 1, 3)).toBe(12);
    expect(parseDecimal(bytesOf('12'), 0, 3)).toBe(-1);
    expect(parseDecimal(bytesOf('12'), 2, 1)).toBe(-1);
  });
});

describe('latin1 and bytesOf', () => {
  it('carry all 256 bytes there and back', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const text = latin1(bytes, 0, 256);
    expect(text).toBe(Buffer.from(bytes).toString('latin1'));
    expect(bytesOf(text)).toEqual(bytes);
  });

  it('join long ranges without a seam', () => {
    const bytes = Uint8Array.from({ length: 20_000 }, (_, i) => (i * 7) & 255);
    expect(latin1(bytes, 5, 19_990)).toBe(Buffer.from(bytes.subarray(5, 19_990)).toString('latin1'));
  });

  it('keep to the array', () => {
    expect(latin1(bytesOf('abc'), -1, 9)).toBe('abc');
    expect(latin1(bytesOf('abc'), 2, 1)).toBe('');
  });
});
