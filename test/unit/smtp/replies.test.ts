import { describe, expect, test } from 'vitest';
import { latin1 } from '../../../src/base/ascii.ts';
import { classOf, encodeLine, hangsUp, replyBook, replyTable } from '../../../src/smtp/replies.ts';
import type { ReplyName } from '../../../src/smtp/replies.ts';

const LINE_BYTES_MAX = 512;
const longestHost = `${'h'.repeat(63)}.${'h'.repeat(63)}.${'h'.repeat(63)}.${'h'.repeat(59)}.de`;
const names = Object.keys(replyTable) as ReplyName[];

describe.each(names)('%s', (name) => {
  const { text } = replyTable[name];

  test('fits a line of 512 bytes with the longest host name (RFC 5321 §4.5.3.1.5)', () => {
    const bytes = replyBook(longestHost)[name];
    expect(bytes.length).toBeLessThanOrEqual(LINE_BYTES_MAX);
    expect(latin1(bytes, 0, bytes.length)).toMatch(/^[2-5]\d\d [\x20-\x7e]*\r\n$/);
  });

  test('has an enhanced code of its own class (RFC 2034 §4)', () => {
    const enhanced = /^(\d)\d\d (\d)\.\d{1,3}\.\d{1,3} /.exec(text);
    if (enhanced !== null) expect(enhanced[2]).toBe(enhanced[1]);
    else expect(['helo', 'badHello', 'startData']).toContain(name);
    expect(classOf(encodeLine(text))).toBe(Number(text[0]));
  });

  test('closes behind 421, and behind no other reply that lets the client go on', () => {
    const goesOn = /^(?:2(?!21)|3|45)/.test(text);
    expect(hangsUp(name)).toBe(text.startsWith('421') || (hangsUp(name) && !goesOn));
  });
});

// chunkOk is said to a part of a message before its last one.
test('Sluice has no reply of its own that accepts a message', () => {
  const accepting = names.filter((name) => replyTable[name].text.startsWith('2'));
  expect(accepting).toEqual(['bye', 'startTls', 'ok', 'helo', 'mailOk', 'rcptOk', 'vrfy', 'chunkOk']);
});
