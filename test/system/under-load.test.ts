/**
 * The same 5,000 messages while 10,000 zombies hold sessions: as many, as exact, and no honest sender waits longer
 * than its patience allows. Sluice runs with its own defaults here, the six seconds of greeting included.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { deliverWithSmtpSource, storedOf, toldOf } from './delivery.ts';
import type { Delivery } from './delivery.ts';
import { until } from './process.ts';
import type { SessionLine } from './sluice.ts';
import { honestSources } from './tap.ts';
import { openWay, sluiceWays } from './way.ts';
import type { Way } from './way.ts';
import { Zombies } from './zombies.ts';

const count = 5000;
const zombieSessions = 10_000;
/** Half of each timer of RFC 5321 section 4.5.3.2: what `shape.timer_share` leaves by default. */
const budget = { greetingMs: 150_000, commandMs: 150_000, finalMs: 300_000 };
const totalMaxMs = 600_000;

describe.each(sluiceWays)('%s', (name) => {
  let way: Way;
  let zombies: Zombies;
  let delivery: Delivery;
  let heldAtBegin = 0;
  let heldLeast = Number.POSITIVE_INFINITY;

  beforeAll(async () => {
    const config = {
      engine: { max_sessions: 30_000, processes: 0 },
      screen: { greet_wait: '6s' },
      shape: { reply_delay: '15s' },
      reputation: { entries: 200_000 },
    };
    way = await openWay(name, { config });
    zombies = new Zombies({ target: way.port, sessions: zombieSessions, seed: 5, durationSec: 400 });
    await zombies.holding(zombieSessions * 0.95);
    heldAtBegin = zombies.held();
    const watch = setInterval(() => (heldLeast = Math.min(heldLeast, zombies.held())), 1000);
    delivery = await deliverWithSmtpSource(way, count).finally(() => clearInterval(watch));
    if (delivery.complaints !== '')
      process.stdout.write(`${delivery.complaints}${way.sluice?.said.slice(-3000)}\n`);
    const { longest } = delivery.tap;
    process.stdout.write(
      `smtp-source ${name}, ${heldAtBegin} sessions held at its begin, never under ${heldLeast}: ` +
        `${count} messages in ${delivery.durationMs} ms; longest waits ` +
        `${Object.entries(longest)
          .map(([what, ms]) => `${what} ${Math.round(ms)}`)
          .join(', ')}\n`,
    );
  });

  afterAll(async () => {
    try {
      await zombies?.stop();
    } finally {
      await way?.close();
    }
  });

  test(`${count} messages are told 250, while the zombies hold their sessions`, () => {
    expect(delivery.complaints).toBe('');
    expect(toldOf(delivery.tap)).toHaveLength(count);
    expect(heldLeast).toBeGreaterThan(zombieSessions * 0.8);
  });

  test('the queue holds exactly what was sent, byte for byte, under the addresses it was sent from', async () => {
    expect(await storedOf(way)).toEqual(toldOf(delivery.tap));
  });

  test('no honest session waits longer than its patience budget', () => {
    const { longest } = delivery.tap;
    const over = Object.entries(budget).filter(([what, ms]) => longest[what as keyof typeof budget] > ms);
    expect(over).toEqual([]);
    expect(longest.sessionMs).toBeLessThan(totalMaxMs);
  });

  test('the log has a line for each honest session, and none was delayed beyond the budget', async () => {
    const sources = new Set(honestSources(20));
    const lines = (): SessionLine[] =>
      way.sluice?.sessions.filter((line) => sources.has(String(line['client']))) ?? [];
    await until('each honest session is in the log', () => lines().length >= count);
    expect(lines()).toHaveLength(count);
    expect(Math.max(...lines().map((line) => Number(line['delay_ms'])))).toBeLessThanOrEqual(totalMaxMs);
  });
});
