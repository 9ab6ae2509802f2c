/**
 * Sessions of one busy client on a virtual clock, under rates, shares and totals of every kind: whatever it does, no
 * timer of it is broken and no session loses more than it may.
 */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { defaultConfig } from '../../src/config/load.ts';
import { timerTable, Timer } from '../../src/policy/patience.ts';
import { World } from '../dialogues/world.ts';

const FAR_MS = 3_600_000;

const configs = fc
  .record({
    limits: fc.record({
      connectionRate: fc.integer({ min: 0, max: 8 }),
      messageRate: fc.integer({ min: 0, max: 8 }),
      recipientRate: fc.integer({ min: 0, max: 8 }),
      networkMessageRate: fc.integer({ min: 0, max: 8 }),
      networkRecipientRate: fc.integer({ min: 0, max: 8 }),
      slowFrom: fc.integer({ min: 1, max: 100 }),
      windowMs: fc.constantFrom(2_000, 60_000, 3_600_000),
    }),
    shape: fc.record({
      // Nobody becomes slow for what he says: a slow client waits for us behind the backend, not beside it.
      slowFrom: fc.constant(999),
      slowAt: fc.constant(1_000),
      timerShare: fc.integer({ min: 1, max: 90 }),
      totalMaxMs: fc.integer({ min: 0, max: 1_200_000 }),
    }),
    screen: fc.record({ greetWaitMs: fc.constantFrom(0, 1_000) }),
  })
  .map((parts) => defaultConfig(parts));

const commands = fc.constantFrom(
  'MAIL FROM:<a@c.example>',
  'RCPT TO:<good@example.org>',
  'RCPT TO:<unknown@example.org>',
  'RSET',
);
const sessions = fc.array(fc.array(commands, { maxLength: 12 }), { minLength: 1, maxLength: 6 });

it('a delay is never longer than its share of the timer, nor all of a session than total_max', () => {
  let delays = 0;
  fc.assert(
    fc.property(configs, sessions, fc.integer({ min: 0, max: 100 }), (config, all, backendSec) => {
      const world = new World({ config });
      world.backend.delay('rcpt', backendSec * 1_000);
      world.onEnded = ({ delayMs }) => expect(delayMs).toBeLessThanOrEqual(config.shape.totalMaxMs);
      world.start();
      /** How long one thing took; the backend's own time is not ours. */
      const took = (timer: number, waitMs: number, doIt: () => void, isDone: () => boolean): void => {
        const sinceMs = world.nowMs;
        doIt();
        expect(world.runUntil(world.nowMs + FAR_MS, isDone)).toBe(true);
        const limitMs = (timerTable[timer]!.limitMs * config.shape.timerShare) / 100;
        const tookMs = world.nowMs - sinceMs;
        expect(tookMs).toBeLessThanOrEqual(Math.max(limitMs, waitMs) + 20);
        if (tookMs > 1_000 + waitMs) delays += 1;
      };
      for (const lines of all) {
        const client = world.dial('192.0.2.7');
        const say = (line: string, timer: number, waitMs: number): void => {
          if (client.gone) return;
          const from = client.heard.length;
          const send = (): void => client.send(`${line}\r\n`);
          took(timer, waitMs, send, () => client.gone || client.isAnswered(from));
        };
        took(
          Timer.Greeting,
          0,
          () => undefined,
          () => client.gone || /^220 /m.test(client.heard),
        );
        say('EHLO c.example', Timer.Helo, 0);
        for (const line of lines)
          say(
            line,
            line.startsWith('R') ? Timer.Rcpt : Timer.Mail,
            line.startsWith('RC') ? backendSec * 1_000 : 0,
          );
        say('QUIT', Timer.Helo, 0);
      }
      world.runUntil(world.nowMs + FAR_MS, () => world.leaks().length === 0);
      expect(world.leaks()).toEqual([]);
    }),
    { numRuns: 60 },
  );
  expect(delays).toBeGreaterThan(0);
});
