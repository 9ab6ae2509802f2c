import { expect, it } from 'vitest';
import { parseAddress } from '../../../src/base/address.ts';
import { handleOf, NO_HANDLE } from '../../../src/base/handle.ts';
import type { DnsAnswer } from '../../../src/reputation/dns-lists.ts';
import { DnsPort } from '../../../src/worker/dns-port.ts';

const answer: DnsAnswer = { weight: 8, zones: ['list.test'], reason: '', isLast: true };
const words = new Uint32Array(8);
parseAddress('192.0.2.7', words, 0);
parseAddress('2001:db8::7', words, 4);

it('what a turn asks leaves in one message', () => {
  const port = new DnsPort(true, 'start-1', 16);
  expect(port.takeAsks()).toBeNull();
  port.ask(handleOf(3, 0), words, 0, true);
  port.ask(handleOf(4, 7), words, 4, false);
  expect(port.takeAsks()).toEqual({
    start: 'start-1',
    handles: [handleOf(3, 0), handleOf(4, 7)],
    serials: [1, 2],
    words: [...words],
    good: [1, 0],
  });
  expect(port.takeAsks()).toBeNull();
});

it('an answer is noted, and taken on a turn', () => {
  const port = new DnsPort(true, 'start-1', 16);
  let woken = 0;
  port.onNoted = () => (woken += 1);
  port.ask(handleOf(3, 0), words, 0, false);
  port.take('start-1', [{ handle: handleOf(3, 0), serial: 1, answer }]);
  expect(woken).toBe(1);
  expect([port.next(), port.answer]).toEqual([handleOf(3, 0), answer]);
  expect(port.next()).toBe(NO_HANDLE);
});

it('an answer for the last owner of a slot is not for the next one, even when their handles are the same', () => {
  const port = new DnsPort(true, 'start-1', 16);
  port.ask(handleOf(3, 0), words, 0, false);
  port.ask(handleOf(3, 1_024), words, 4, false);
  expect(handleOf(3, 1_024)).toBe(handleOf(3, 0));
  port.take('start-1', [{ handle: handleOf(3, 0), serial: 1, answer }]);
  expect(port.next()).toBe(NO_HANDLE);
});

it('an answer for an earlier start of the shard is for nobody', () => {
  const port = new DnsPort(true, 'start-2', 16);
  port.ask(handleOf(3, 0), words, 0, false);
  port.take('start-1', [{ handle: handleOf(3, 0), serial: 1, answer }]);
  expect(port.next()).toBe(NO_HANDLE);
});
