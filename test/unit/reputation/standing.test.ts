import { describe, expect, it } from 'vitest';
import { ONE } from '../../../src/reputation/decay.ts';
import { Pass } from '../../../src/reputation/layout.ts';
import { signals } from '../../../src/reputation/signals.ts';
import {
  GOOD_SCORE,
  isGoodHost,
  isGoodPool,
  neighbourPoints,
  NEIGHBOURS_CAP,
} from '../../../src/reputation/standing.ts';
import type { ReputationTable } from '../../../src/reputation/table.ts';
import { claim, DAY, NOW, tableOf } from './tables.ts';

function network(bad: number, good: number): { table: ReputationTable; index: number } {
  const table = tableOf(8);
  const index = claim(table, '192.0.2.0/24');
  if (bad > 0) table.observe(index, signals.badMember.id, NOW, bad * ONE);
  if (good > 0) table.observe(index, signals.goodMember.id, NOW, good * ONE);
  return { table, index };
}

function density(bad: number, good: number): number {
  const { table, index } = network(bad, good);
  return neighbourPoints(table, index, NOW);
}

describe('the company of a client', () => {
  it('says nothing of an unknown network, or of one without a bad member', () => {
    expect(neighbourPoints(tableOf(8), -1, NOW)).toBe(0);
    expect([density(0, 0), density(0, 100)]).toEqual([0, 0]);
  });

  it('says more with each bad member, little with the first, and never its cap', () => {
    const points = [1, 2, 4, 8, 16, 32, 64, 127].map((bad) => density(bad, 0));
    expect(points).toEqual([6, 10, 15, 20, 24, 26, 28, 29]);
    expect(points.every((count) => count < NEIGHBOURS_CAP)).toBe(true);
  });

  it('is judged by the share of the bad: good members outweigh them', () => {
    expect([density(8, 0), density(8, 8), density(8, 100)]).toEqual([20, 12, 2]);
  });

  it('is forgotten as its members are: the bad in days, the good in weeks', () => {
    const { table, index } = network(8, 8);
    const points = [0, 1, 2, 4, 8].map((days) => neighbourPoints(table, index, NOW + days * DAY));
    expect(points).toEqual(points.toSorted((a, b) => b - a));
    expect([points[0], points.at(-1)]).toEqual([12, 0]);
  });
});

describe('a network or pool of good standing', () => {
  const needed = Pass.pregreet | Pass.pipelining;

  function isGood(bad: number, good: number, passes: number, nowSec = NOW): boolean {
    const { table, index } = network(bad, good);
    if (passes !== 0) table.pass(index, passes, NOW + 30 * DAY);
    return isGoodPool(table, index, needed, nowSec);
  }

  it('has passed every test that is needed, delivers, and has few bad members', () => {
    expect(isGood(0, 1, needed)).toBe(true);
    expect(isGood(0, 1, needed | Pass.bareNewline)).toBe(true);
    expect(isGood(0, 1, Pass.pregreet)).toBe(false);
    expect(isGood(0, 0, needed)).toBe(false);
    expect([isGood(2, 4, needed), isGood(3, 4, needed)]).toEqual([true, false]);
  });

  it('is none that nobody knows, and none where no test is needed', () => {
    expect(isGoodPool(tableOf(8), -1, needed, NOW)).toBe(false);
    const { table, index } = network(0, 5);
    expect(isGoodPool(table, index, 0, NOW)).toBe(false);
  });

  it('loses it when its pass is over, or nobody has delivered for a half-life and more', () => {
    expect(isGood(0, 1, needed, NOW + 14 * DAY)).toBe(true);
    expect(isGood(0, 1, needed, NOW + 15 * DAY)).toBe(false);
    expect(isGood(0, 50, needed, NOW + 30 * DAY)).toBe(false);
  });
});

describe('a host of good standing', () => {
  it('has delivered itself, and has the credit', () => {
    const table = tableOf(8);
    expect(isGoodHost(table, -1, NOW)).toBe(false);
    const index = claim(table, '192.0.2.1');
    table.observe(index, signals.passed.id, NOW, 2 * ONE);
    expect([table.scoreOf(index, NOW), isGoodHost(table, index, NOW)]).toEqual([GOOD_SCORE, false]);
    table.observe(index, signals.delivered.id, NOW);
    expect(isGoodHost(table, index, NOW)).toBe(true);
    table.observe(index, signals.badCommand.id, NOW, 3 * ONE);
    expect([table.scoreOf(index, NOW), isGoodHost(table, index, NOW)]).toEqual([-18, false]);
  });
});
