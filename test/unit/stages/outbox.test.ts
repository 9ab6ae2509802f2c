import { expect, test } from 'vitest';
import { bytesOf, latin1 } from '../../../src/base/ascii.ts';
import { Outbox } from '../../../src/stages/outbox.ts';

test('a single reply is passed on without a copy', () => {
  const outbox = new Outbox();
  const reply = bytesOf('250 ok\r\n');
  outbox.put(reply);
  expect(outbox.takeAll()).toBe(reply);
  expect(outbox.isEmpty).toBe(true);
});

test('several replies leave as one, in order', () => {
  const outbox = new Outbox();
  for (const reply of ['250 a\r\n', '250 b\r\n', '354 c\r\n']) outbox.put(bytesOf(reply));
  const whole = outbox.takeAll();
  expect(latin1(whole, 0, whole.length)).toBe('250 a\r\n250 b\r\n354 c\r\n');
});

test('says when so much has been collected that it should go out', () => {
  const outbox = new Outbox();
  outbox.put(new Uint8Array(65_535));
  expect(outbox.isFull).toBe(false);
  outbox.put(new Uint8Array(1));
  expect(outbox.isFull).toBe(true);
  outbox.clear();
  expect([outbox.isFull, outbox.isEmpty]).toEqual([false, true]);
});

test('nothing can be taken out of an empty one', () => {
  expect(() => new Outbox().takeAll()).toThrow('nothing to take');
});
