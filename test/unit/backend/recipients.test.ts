import { describe, expect, test } from 'vitest';
import { bytesOf } from '../../../src/base/ascii.ts';
import { Recipients } from '../../../src/backend/recipients.ts';

const minute = { noTtlMs: 60_000, yesTtlMs: 60_000 };
const known = bytesOf('250 2.1.5 Ok\r\n');
const unknown = bytesOf('550 5.1.1 No such user\r\n');

describe('what is remembered', () => {
  test('a 550 5.1.1, until its time is over', () => {
    const recipients = new Recipients(10, minute);
    recipients.learn('TO:<a@b>', 550, unknown, 1_000);
    expect(recipients.refusalFor('TO:<a@b>', 60_999)).toBe(unknown);
    expect(recipients.refusalFor('TO:<a@b>', 61_000)).toBe(null);
    expect(recipients.refusalFor('TO:<A@b>', 1_000)).toBe(null);
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
    const recipients = new Recipients(10, minute);
    recipients.learn('TO:<a@b>', code, bytesOf(reply), 0);
    expect(recipients.refusalFor('TO:<a@b>', 0)).toBe(null);
  });

  test('a recipient, whatever its parameters', () => {
    const recipients = new Recipients(10, minute);
    recipients.learn('TO:<a@b> NOTIFY=NEVER', 550, unknown, 0);
    expect(recipients.refusalFor('TO:<a@b>', 0)).toBe(unknown);
  });

  test('a bracket in a parameter makes another recipient, never the wrong one', () => {
    const recipients = new Recipients(10, minute);
    recipients.learn('TO:<a@b> ORCPT=rfc822;<x@y>', 550, unknown, 0);
    expect(recipients.refusalFor('TO:<x@y>', 0)).toBe(null);
  });

  test('names that are words of JavaScript are names', () => {
    const recipients = new Recipients(10, minute);
    expect(recipients.refusalFor('__proto__', 0)).toBe(null);
    recipients.learn('TO:<__proto__>', 550, unknown, 0);
    expect(recipients.refusalFor('TO:<__proto__>', 0)).toBe(unknown);
    expect(recipients.refusalFor('TO:<constructor>', 0)).toBe(null);
  });

  test('as many as there is room for: the oldest goes first, one that was learnt again is young', () => {
    const recipients = new Recipients(3, minute);
    for (const name of ['a', 'b', 'c', 'a', 'd']) recipients.learn(`TO:<${name}>`, 550, unknown, 0);
    const kept = ['a', 'b', 'c', 'd'].filter((name) => recipients.refusalFor(`TO:<${name}>`, 0) !== null);
    expect(kept).toEqual(['a', 'c', 'd']);
  });
});

describe('a yes', () => {
  test('is remembered until its time is over, as the backend said it', () => {
    const recipients = new Recipients(10, { noTtlMs: 60_000, yesTtlMs: 5_000 });
    expect(recipients.learn('TO:<a@b> NOTIFY=NEVER', 250, known, 1_000)).toBe(false);
    expect(recipients.acceptanceFor('TO:<a@b>', 5_999)).toBe(known);
    expect(recipients.acceptanceFor('TO:<a@b>', 6_000)).toBe(null);
    expect(recipients.refusalFor('TO:<a@b>', 1_000)).toBe(null);
  });

  test('is not remembered unless it is asked for, nor is a no that is not', () => {
    const recipients = new Recipients(10, { noTtlMs: 0, yesTtlMs: 0 });
    recipients.learn('TO:<a@b>', 250, known, 0);
    expect(recipients.acceptanceFor('TO:<a@b>', 0)).toBe(null);
    expect(recipients.learn('TO:<u@b>', 550, unknown, 0)).toBe(true);
    expect(recipients.refusalFor('TO:<u@b>', 0)).toBe(null);
  });

  test.each([
    [251, '251 2.1.5 Will forward\r\n'],
    [252, '252 2.1.5 Perhaps\r\n'],
  ])('of %i is asked for each time', (code, reply) => {
    const recipients = new Recipients(10, minute);
    recipients.learn('TO:<a@b>', code, bytesOf(reply), 0);
    expect(recipients.acceptanceFor('TO:<a@b>', 0)).toBe(null);
  });

  test.each([
    [550, '550 5.1.1 No such user\r\n'],
    [554, '554 5.7.1 Blocked\r\n'],
    [450, '450 4.2.0 Later\r\n'],
  ])('ends with a %i', (code, reply) => {
    const recipients = new Recipients(10, minute);
    recipients.learn('TO:<a@b>', 250, known, 0);
    recipients.learn('TO:<a@b>', code, bytesOf(reply), 0);
    expect(recipients.acceptanceFor('TO:<a@b>', 0)).toBe(null);
  });

  test('that did not hold is forgotten, and a flush forgets every answer', () => {
    const recipients = new Recipients(10, minute);
    for (const name of ['a', 'c']) recipients.learn(`TO:<${name}@b>`, 250, known, 0);
    recipients.learn('TO:<u@b>', 550, unknown, 0);
    recipients.forgetYes('TO:<a@b> NOTIFY=NEVER');
    expect(recipients.acceptanceFor('TO:<a@b>', 0)).toBe(null);
    expect(recipients.acceptanceFor('TO:<c@b>', 0)).toBe(known);
    recipients.flush();
    expect(recipients.acceptanceFor('TO:<c@b>', 0)).toBe(null);
    expect(recipients.refusalFor('TO:<u@b>', 0)).toBe(null);
  });

  test('and a no have a room of their own', () => {
    const recipients = new Recipients(1, minute);
    recipients.learn('TO:<a@b>', 250, known, 0);
    recipients.learn('TO:<u@b>', 550, unknown, 0);
    expect(recipients.acceptanceFor('TO:<a@b>', 0)).toBe(known);
    recipients.learn('TO:<c@b>', 250, known, 0);
    expect(recipients.acceptanceFor('TO:<a@b>', 0)).toBe(null);
    expect(recipients.refusalFor('TO:<u@b>', 0)).toBe(unknown);
  });
});
