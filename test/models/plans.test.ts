/**
 * Slow clients of every score on a virtual clock, under plans of every kind: whatever the configuration says, no timer of a client
 * is broken, no session loses more than total_max, and who has waited is in the end served.
 */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { defaultConfig } from '../../src/config/load.ts';
import { allowedDelayMs, Timer, timerTable } from '../../src/policy/patience.ts';
import { World } from '../dialogues/world.ts';
import type { Client } from '../dialogues/world.ts';

const FAR_MS = 7_200_000;
/** A tick of the wheel, and one of the wire in each direction. */
const TICKS_MS = 40;

const configs = fc
  .record({
    shape: fc.record({
      slowFrom: fc.integer({ min: 0, max: 30 }),
      slowAt: fc.integer({ min: 31, max: 60 }),
      scaleMax: fc.integer({ min: 100, max: 1_000 }),
      replyDelayMs: fc.integer({ min: 0, max: 240_000 }),
      bodyRateBytes: fc.constantFrom(64, 500, 5_000, 1_000_000),
      holdMs: fc.integer({ min: 0, max: 300_000 }),
      timerShare: fc.integer({ min: 1, max: 90 }),
      totalMaxMs: fc.integer({ min: 0, max: 1_200_000 }),
      dripBytes: fc.integer({ min: 1, max: 100 }),
      dripIntervalMs: fc.integer({ min: 100, max: 60_000 }),
      dripReplies: fc.boolean(),
    }),
    screen: fc.record({ greetWaitMs: fc.constantFrom(0, 1_000, 6_000) }),
  })
  .map((parts) => defaultConfig(parts));

const LINE = '0123456789012345678901234567890123456789012345678901234567890123456789012345\r\n';

it('no plan breaks a timer of a client, nor takes more than total_max, and who waits delivers', () => {
  let slow = 0;
  fc.assert(
    fc.property(
      configs,
      fc.integer({ min: 0, max: 400 }),
      fc.integer({ min: 0, max: 1_500 }),
      (config, score, bodyLines) => {
        const world = new World({ config });
        world.onEnded = ({ delayMs, messages, pace }) => {
          expect(delayMs).toBeLessThanOrEqual(config.shape.totalMaxMs);
          expect(messages).toBe(2);
          if (delayMs > 0) slow += 1;
          expect(pace).not.toBe('refused');
        };
        world.start();
        world.remember('192.0.2.7', score, false);
        const client = world.dial('192.0.2.7');
        const tookMs = (doIt: () => void, isDone: () => boolean): number => {
          const sinceMs = world.nowMs;
          doIt();
          expect(world.runUntil(world.nowMs + FAR_MS, isDone)).toBe(true);
          return world.nowMs - sinceMs;
        };
        const keeps = (timer: Timer, ms: number): void => {
          const row = timerTable[timer]!;
          expect(ms, row.name).toBeLessThanOrEqual((row.oursMs * config.shape.timerShare) / 100 + TICKS_MS);
        };
        const say = (line: string, timer: Timer): void =>
          keeps(timer, tookMs(...sends(client, `${line}\r\n`)));
        keeps(
          Timer.Greeting,
          tookMs(
            () => undefined,
            () => /^220 /m.test(client.heard),
          ),
        );
        say('EHLO c.example', Timer.Helo);
        for (const body of [LINE.repeat(bodyLines), 'short\r\n']) {
          say('MAIL FROM:<a@c.example>', Timer.Mail);
          say('RCPT TO:<good@example.org>', Timer.Rcpt);
          say('DATA', Timer.Data);
          // All of it at once: one large write, whose end waits for all of it to be read; then the hold.
          const bodyMs = tookMs(...sends(client, `${body}.\r\n`));
          const blocks = Math.ceil((body.length + 3) / 65_536);
          const blockMs = (timerTable[Timer.Block]!.oursMs * config.shape.timerShare) / 100;
          const holdMs = allowedDelayMs(config, Timer.Dot, config.shape.holdMs * 10, 0);
          expect(bodyMs).toBeLessThanOrEqual(
            blocks * blockMs + config.shape.dripIntervalMs + holdMs + TICKS_MS,
          );
          expect(client.heard).toMatch(/\r\n250 2\.0\.0 Ok: queued as \d+\r\n$/);
        }
        say('QUIT', Timer.Helo);
        world.runUntil(world.nowMs + FAR_MS, () => world.leaks().length === 0);
        expect(world.leaks()).toEqual([]);
      },
    ),
    { numRuns: 150 },
  );
  expect(slow).toBeGreaterThan(50);
});

function sends(client: Client, text: string): [() => void, () => boolean] {
  const from = client.heard.length;
  return [(): void => client.send(text), (): boolean => client.gone || client.isAnswered(from)];
}
