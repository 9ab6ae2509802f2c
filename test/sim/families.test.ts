/**
 * families — planted families in a crowd of others on the virtual clock, and honest traffic alone
 *
 * Half of the zombies come from slow networks and half are unknown, so that the same program meets two paces. Judged is what the
 * log lines say, from a third of the run on: before, nothing is known yet.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { judgedOf, scoresOf } from './family-score.ts';
import type { Judged } from './family-score.ts';
import { runSeed } from './run.ts';
import { simConfig } from './swarm.ts';
import type { World } from './world.ts';

const ARRIVALS_MS = 600_000;
const JUDGED_FROM_MS = 420_000;
const NAMED = ['rustock', 'climbot', 'storm'] as const;
const NAMELESS = ['whisperer', 'clumsy', 'punctual'] as const;

function crowd(seed: number, sessions: number, honest: number, hasFaults = false): World {
  return runSeed({
    seed,
    sessions,
    honest,
    shards: 2,
    lanesMax: 10,
    hasFaults,
    zombieAddresses: 1_000_000,
    checkEvery: 500,
    population: 'families',
    arrivalsMs: ARRIVALS_MS,
    config: simConfig({ lists: { slow: ['127.64.0.0/11'] } }),
  });
}

describe.each([1, 2, 3])('with seed %d', (seed) => {
  let world: World;
  let judged: readonly Judged[];

  beforeAll(() => {
    world = crowd(seed, 5_000, 500);
    judged = judgedOf(world, JUDGED_FROM_MS);
  });

  test('each planted family is found, with precision and recall of 0.95 at least', () => {
    for (const score of scoresOf(judged, [...NAMED, ...NAMELESS])) {
      expect(score.sessions, score.kind).toBeGreaterThan(50);
      expect(score.labels, score.kind).toHaveLength(1);
      expect(score.precision, `precision of ${score.kind}`).toBeGreaterThanOrEqual(0.95);
      expect(score.recall, `recall of ${score.kind}`).toBeGreaterThanOrEqual(0.95);
    }
  });

  test('known habits have their names, the others an id', () => {
    for (const { kind, labels } of scoresOf(judged, NAMED)) expect(labels).toEqual([kind]);
    for (const { labels } of scoresOf(judged, NAMELESS)) expect(labels[0]).toMatch(/^family-[0-9a-f]{4}$/);
  });

  test('those who leave at any time, and honest senders, are no family', () => {
    for (const { kind, labels } of scoresOf(judged, ['hasty', 'dripper', 'polite']))
      expect(labels, kind).toEqual([]);
    const delivered = world.reports.filter(({ messages }) => messages > 0);
    expect(delivered.length).toBeGreaterThan(500);
    expect(delivered.filter(({ family }) => family !== '')).toEqual([]);
  });
});

test.each([11, 12, 13, 14])('honest traffic has no family, whatever befalls it: seed %d', (seed) => {
  const world = crowd(seed, 0, 2_000, true);
  expect(world.reports.length).toBeGreaterThan(1_500);
  expect(world.families.list).toEqual([]);
  expect(world.reports.filter(({ family }) => family !== '')).toEqual([]);
});
