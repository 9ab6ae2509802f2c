import { describe, expect, test } from 'vitest';
import { bytesOf } from '../../../src/base/ascii.ts';
import { UnknownRecipients } from '../../../src/backend/recipients.ts';

const unknown = bytesOf('550 5.1.1 No such user\r\n');

describe('what is remembered', () => {
  test('a 550 5.1.1, until its time is over', () => {
    const recipients = new UnknownRecipients(10, 60_000);
    recipients.learn('TO:<a@b>', 550, unknown, 1_000);
    expect(recipients.replyFor('TO:<a@b>', 60_999)).toBe(unknown);
    expect(recipients.replyFor('TO:<a@b>', 61_000)).toBe(null);
    expect(recipients.replyFor('TO:<A@b>', 1_000)).toBe(null);
  });

  test.each([
    [450, '450 4.1.1 Unknown for now\r\n'],
    [550, '550 5.7.1 Blocked\r\n'],
    [550, '550 No such user\r\n'],
    [550, '550-5.1.1 first\r\n550 5.7.1 second\r\n'.replace('550-5.1.1', '550-5.7.1')],
    [554, '554 5.1.1 No such user\r\n'],
    [550, '550 5.1.10 Null MX\r\n'],
    [250, '250 5.1.1 odd\r\n'],
  ])('not a %i that says %j', (code, reply) => {
    const recipients = new UnknownRecipients(10, 60_000);
    recipients.learn('TO:<a@b>', code, bytesOf(reply), 0);
    expect(recipients.replyFor('TO:<a@b>', 0)).toBe(null);
  });

  test('a recipient, whatever its parameters', () => {
    const recipients = new UnknownRecipients(10, 60_000);
    recipients.learn('TO:<a@b> NOTIFY=NEVER', 550, unknown, 0);
    expect(recipients.replyFor('TO:<a@b>', 0)).toBe(unknown);
  });

  test('a bracket in a parameter makes another recipient, never the wrong one', () => {
    const recipients = new UnknownRecipients(10, 60_000);
    recipients.learn('TO:<a@b> ORCPT=rfc822;<x@y>', 550, unknown, 0);
    expect(recipients.replyFor('TO:<x@y>', 0)).toBe(null);
  });

  test('names that are words of JavaScript are names', () => {
    const recipients = new UnknownRecipients(10, 60_000);
    expect(recipients.replyFor('__proto__', 0)).toBe(null);
    recipients.learn('TO:<__proto__>', 550, unknown, 0);
    expect(recipients.replyFor('TO:<__proto__>', 0)).toBe(unknown);
    expect(recipients.replyFor('TO:<constructor>', 0)).toBe(null);
  });

  test('as many as there is room for: the oldest goes first, one that was learnt again is young', () => {
    const recipients = new UnknownRecipients(3, 60_000);
    for (const name of ['a', 'b', 'c', 'a', 'd']) recipients.learn(`TO:<${name}>`, 550, unknown, 0);
    const known = ['a', 'b', 'c', 'd'].filter((name) => recipients.replyFor(`TO:<${name}>`, 0) !== null);
    expect(known).toEqual(['a', 'c', 'd']);
  });
});
