import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOf, latin1 } from '../../../src/base/ascii.ts';
import { withEnhancedCode } from '../../../src/backend/enhanced.ts';

const anew = (text: string): string => {
  const reply = withEnhancedCode(bytesOf(text));
  return latin1(reply, 0, reply.length);
};

describe('a reply that has its code', () => {
  test.each(['250 2.1.5 Ok\r\n', '550-5.1.1 a\r\n550 5.1.1 b\r\n', '451 4.3.0\r\n', '554 5.7.999 x\r\n'])(
    '%j is the very same bytes',
    (text) => {
      const reply = bytesOf(text);
      expect(withEnhancedCode(reply)).toBe(reply);
    },
  );
});

describe('a reply that has none', () => {
  test.each([
    ['250 Ok\r\n', '250 2.0.0 Ok\r\n'],
    ['450 try later\r\n', '450 4.0.0 try later\r\n'],
    ['550-no\r\n550 such user\r\n', '550-5.0.0 no\r\n550 5.0.0 such user\r\n'],
    ['250\r\n', '250 2.0.0\r\n'],
    ['250 \r\n', '250 2.0.0 \r\n'],
    ['550-5.1.1 first\r\n550 second\r\n', '550-5.1.1 first\r\n550 5.1.1 second\r\n'],
    ['550 4.1.1 of another class\r\n', '550 5.0.0 4.1.1 of another class\r\n'],
    ['550 5.1 half\r\n', '550 5.0.0 5.1 half\r\n'],
    ['550 5.1.1.1 an address\r\n', '550 5.0.0 5.1.1.1 an address\r\n'],
    ['550 5.1234.1 too long\r\n', '550 5.0.0 5.1234.1 too long\r\n'],
    ['550 5..1 a digit is missing\r\n', '550 5.0.0 5..1 a digit is missing\r\n'],
    ['550 5.1.1x stuck\r\n', '550 5.0.0 5.1.1x stuck\r\n'],
  ])('%j becomes %j', (text, want) => {
    expect(anew(text)).toBe(want);
  });
});

test('every line has a code of its class in the end, its digits and words are kept, and twice is once', () => {
  const words = fc.constantFrom('', 'Ok', '5.1.1 x', '4.7.1', '2.0.0 y', '5.1', '250', '5.1.1.', 'a b');
  const reply = fc.tuple(
    fc.constantFrom('250', '421', '450', '550', '554'),
    fc.array(words, { minLength: 1 }),
  );
  fc.assert(
    fc.property(reply, ([code, texts]) => {
      const text = texts.map((one, at) => `${code}${at === texts.length - 1 ? ' ' : '-'}${one}\r\n`).join('');
      const lines = anew(text).split('\r\n').slice(0, -1);
      expect(lines).toHaveLength(texts.length);
      for (const [at, line] of lines.entries()) {
        expect(line).toMatch(new RegExp(`^${code}[ -]${code[0]}\\.\\d{1,3}\\.\\d{1,3}(?: |$)`));
        expect(line.endsWith(texts[at]!)).toBe(true);
      }
      expect(anew(anew(text))).toBe(anew(text));
    }),
  );
});
