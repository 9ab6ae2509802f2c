/**
 * What observe mode foretells is what enforce mode does: the same patient client meets the same server in both modes, and the
 * delays that were foretold are those that it then suffers.
 */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import type { SessionReport } from '../../src/session/journal.ts';
import { settingsToml } from '../dialogues/transcript.ts';
import { World } from '../dialogues/world.ts';

const CLIENT = '192.0.2.7';
const DAY_MS = 86_400_000;

interface Visit {
  readonly mode: 'observe' | 'enforce';
  readonly settings: string;
  readonly score: number;
  readonly isKnown: boolean;
  readonly lines: readonly number[];
}

/** One session with a message for each number of body lines; what was told of it. */
function visit({ mode, settings, score, isKnown, lines }: Visit): SessionReport {
  const config = parseConfig(
    `hostname = "mx.example.net"\nmode = "${mode}"\n${settingsToml(settings)}`,
    'settings',
  );
  const world = new World({ config });
  let told: SessionReport | null = null;
  world.onEnded = (report) => (told = { ...report });
  world.start();
  world.remember(CLIENT, score, isKnown);
  const client = world.dial(CLIENT);
  const say = (text: string): void => {
    const from = client.heard.length;
    client.send(text);
    world.runUntil(world.nowMs + DAY_MS, () => client.isAnswered(from));
  };
  world.runUntil(DAY_MS, () => /^220 /m.test(client.heard));
  say('EHLO patient.example\r\n');
  for (const count of lines) {
    say('MAIL FROM:<a@patient.example>\r\n');
    say('RCPT TO:<good@example.org>\r\n');
    say('DATA\r\n');
    say(`${'0123456789abcdef\r\n'.repeat(count)}.\r\n`);
  }
  say('QUIT\r\n');
  world.runUntil(world.nowMs + DAY_MS, () => told !== null);
  return told!;
}

const visits = fc.record({
  settings: fc
    .record({
      greet: fc.constantFrom('0s', '6s', '20s'),
      hold: fc.constantFrom('0s', '60s', '4min'),
      reply: fc.constantFrom('0s', '7s', '15s', '100s'),
      total: fc.constantFrom('30s', '3min', '10min'),
      lists: fc.constantFrom('', ' lists.slow=["192.0.2.0/24"]', ' lists.allow=["192.0.2.7"]'),
      // Rates of messages fall while enforce mode makes the client wait: there the two worlds part.
      rates: fc.constantFrom('', ' limits.connection_rate=1 limits.slow_from=10'),
    })
    .map(
      ({ greet, hold, reply, total, lists, rates }) =>
        `screen.greet_wait=${greet} shape.hold=${hold} shape.reply_delay=${reply} shape.total_max=${total}${lists}${rates}`,
    ),
  score: fc.integer({ min: -20, max: 130 }),
  isKnown: fc.boolean(),
  lines: fc.array(fc.integer({ min: 0, max: 600 }), { minLength: 1, maxLength: 3 }),
});

it('foretells the delays that enforce mode adds', () => {
  fc.assert(
    fc.property(visits, (one) => {
      const real = visit({ ...one, mode: 'enforce' });
      const seen = visit({ ...one, mode: 'observe' });
      expect(seen).toMatchObject({ delayMs: 0, pace: 'instant', ending: 'quit', messages: one.lines.length });
      expect(real.messages).toBe(one.lines.length);
      expect(seen.wouldDelayMs).toBe(real.delayMs);
      expect(seen.wouldPace === 'instant').toBe(real.delayMs === 0 && seen.wouldReason === '');
    }),
    { numRuns: 100 },
  );
});
