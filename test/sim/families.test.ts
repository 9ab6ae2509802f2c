/**
 * families — planted families in a crowd of others on the virtual clock, and honest traffic alone
 *
 * Judged is what the log lines say, once each family has had the time to be known (family-crowd, family-score).
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { familyCrowd, JUDGED_FROM_MS, NAMED, NAMELESS } from './family-crowd.ts';
import { judgedOf, scoresOf } from './family-score.ts';
import type { Judged } from './family-score.ts';
import type { World } from './world.ts';

describe.each([1, 2, 3])('with seed %d', (seed) => {
  let world: World;
  let judged: readonly Judged[];

  beforeAll(() => {
    world = familyCrowd({ seed, sessions: 5_000, honest: 500 });
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
  const world = familyCrowd({ seed, sessions: 0, honest: 2_000, hasFaults: true });
  expect(world.reports.length).toBeGreaterThan(1_500);
  expect(world.families.list).toEqual([]);
  expect(world.reports.filter(({ family }) => family !== '')).toEqual([]);
});
