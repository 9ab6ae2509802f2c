import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOf, latin1 } from '../../../src/base/ascii.ts';
import { Found, ReplyReader } from '../../../src/backend/reply-reader.ts';

const reader = new ReplyReader();
const found = (text: string): Found => reader.find(bytesOf(text));

describe('a whole reply', () => {
  test.each([
    ['250 ok\r\n', 250],
    ['250\r\n', 250],
    ['250 \r\n', 250],
    ['250-a\r\n250-b\r\n250 c\r\n', 250],
    ['554 5.7.1 \xe4\r\n', 554],
    ['354 go\r\n', 354],
  ])('%j', (text, code) => {
    for (let length = 0; length < text.length; length++)
      expect(found(text.slice(0, length))).toBe(Found.Nothing);
    expect(found(`${text}250 next`)).toBe(Found.Reply);
    expect(reader.code).toBe(code);
    expect(reader.used).toBe(text.length);
    expect(latin1(reader.reply, 0, reader.reply.length)).toBe(text);
  });

  test('control bytes are shown as question marks', () => {
    expect(found('250 a\0b\x1b[2J\x7f\rc\r\n')).toBe(Found.Reply);
    expect(latin1(reader.reply, 0, reader.reply.length)).toBe('250 a?b?[2J??c\r\n');
  });

  test('is a copy: what comes later does not change it', () => {
    const bytes = bytesOf('250 ok\r\n');
    reader.find(bytes);
    bytes.fill(0x78);
    expect(latin1(reader.reply, 0, 3)).toBe('250');
  });
});

describe('what is no reply', () => {
  test.each([
    '250 ok\n',
    'hello\r\n',
    '25\r\n',
    '2500 ok\r\n',
    '150 no\r\n',
    '650 no\r\n',
    '099 no\r\n',
    '250_ok\r\n',
    '\r\n',
    '250-a\r\n251 b\r\n',
    '250-a\r\n550 b\r\n',
    ' 250 ok\r\n',
    '2 50 ok\r\n',
    '250-a\r\nhello\r\n',
    `250 ${'x'.repeat(1000)}\r\n`,
    'x'.repeat(1001),
    `${'250-x\r\n'.repeat(3000)}250 x\r\n`,
    '250-x\r\n'.repeat(3000),
  ])('%j', (text) => {
    expect(found(text)).toBe(Found.Garbage);
  });
});

test('replies come out one by one, however the stream is cut', () => {
  const reply = fc.record({
    code: fc.integer({ min: 200, max: 599 }),
    lines: fc.array(fc.constantFrom('a', '', '-', ' x ', '250 ok'), { minLength: 1, maxLength: 4 }),
  });
  fc.assert(
    fc.property(fc.array(reply, { maxLength: 5 }), fc.nat({ max: 80 }), (replies, cut) => {
      const texts = replies.map(({ code, lines }) =>
        lines.map((line, row) => `${code}${row === lines.length - 1 ? ' ' : '-'}${line}\r\n`).join(''),
      );
      const stream = texts.join('');
      const got: string[] = [];
      let at = 0;
      for (const end of [Math.min(cut, stream.length), stream.length]) {
        while (found(stream.slice(at, end)) === Found.Reply) {
          got.push(latin1(reader.reply, 0, reader.reply.length));
          at += reader.used;
        }
      }
      expect(got).toEqual(texts);
    }),
    { numRuns: 2_000 },
  );
});

test('any bytes at all are read without a throw, and a reply is never longer than what was given', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      if (reader.find(bytes) === Found.Reply) expect(reader.used).toBeLessThanOrEqual(bytes.length);
    }),
  );
});
