/**
 * crowd — ten thousand zombies and five hundred honest senders on the virtual clock
 *
 * Zombies are on the slow list, as a site that knows its botnets would have it. What was told of Traffic Control in
 * 2009 must show: honest mail goes through within its own timers, and the ages at which slowed sessions end have the spikes
 * by which Rustock (21 s) and Climbot (100 s) were told apart.
 */
import { beforeAll, expect, test } from 'vitest';
import { timerTable } from '../../src/policy/patience.ts';
import { simConfig } from './swarm.ts';
import { runSeed } from './run.ts';
import type { World } from './world.ts';

const ZOMBIES = 10_000;
const HONEST = 500;
const HONEST_NETWORK = /^127\.(?:3[2-9]|[45]\d|6[0-3])\./;
let world: World;

beforeAll(() => {
  world = runSeed({
    seed: 2009,
    sessions: ZOMBIES,
    honest: HONEST,
    shards: 2,
    lanesMax: 20,
    hasFaults: false,
    zombieAddresses: 1_000_000,
    checkEvery: 200,
    config: simConfig({ lists: { slow: ['127.64.0.0/10'] } }),
  });
}, 60_000);

test('every honest sender delivers', () => {
  const honest = world.crowd.clients.filter((client) => client.bot.honest);
  expect(honest.length).toBeGreaterThanOrEqual(HONEST);
  expect(honest.filter((client) => client.endedAs !== 'finished')).toEqual([]);
});

test('no honest sender waits beyond its patience budget', () => {
  const { shape } = world.plan.config;
  const shareMs = Math.min(...timerTable.map((row) => (row.limitMs * shape.timerShare) / 100));
  const honest = world.crowd.clients.filter((client) => client.bot.honest);
  expect(Math.max(...honest.map((client) => client.longestWaitMs))).toBeLessThanOrEqual(shareMs);
  const delays = world.reports
    .filter((report) => HONEST_NETWORK.test(report.client))
    .map((report) => report.delayMs);
  expect(delays.length).toBeGreaterThanOrEqual(HONEST);
  expect(Math.max(...delays)).toBeLessThanOrEqual(shape.totalMaxMs);
});

test('the ages at which slowed sessions end have spikes at 21 s and at 100 s', () => {
  const endedInSecond = new Map<number, number>();
  for (const { pace, durationMs } of world.reports) {
    if (pace !== 'slow') continue;
    const second = Math.floor(durationMs / 1_000);
    endedInSecond.set(second, (endedInSecond.get(second) ?? 0) + 1);
  }
  const ended = (second: number): number => endedInSecond.get(second) ?? 0;
  for (const spike of [21, 100]) {
    const beside = [-3, -2, 2, 3].map((away) => ended(spike + away));
    expect(
      ended(spike),
      `sessions that ended in second ${spike}; beside it ${beside.join(', ')}`,
    ).toBeGreaterThan(5 * Math.max(...beside));
  }
});

test('most of the slowed zombies leave before they have delivered anything', () => {
  const slowed = world.reports.filter((report) => report.pace === 'slow');
  const without = slowed.filter((report) => report.messages === 0);
  expect(slowed.length).toBeGreaterThan(ZOMBIES / 2);
  expect(without.length / slowed.length).toBeGreaterThan(0.9);
});
