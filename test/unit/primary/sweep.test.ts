/**
 * What has changed is swept: all of it, once, in bites, and again when a bite was lost.
 */
import { describe, expect, it } from 'vitest';
import { Prng } from '../../../src/base/prng.ts';
import { Sweep } from '../../../src/primary/sweep.ts';
import type { Bite } from '../../../src/primary/sweep.ts';
import { Kind } from '../../../src/reputation/keys.ts';
import { ROW_WORDS, RowWord } from '../../../src/reputation/rows.ts';
import { host, newTable, nowSec, visit } from './tables.ts';

/** The hosts of a bite. */
function hostsOf({ rows }: Bite): number[] {
  const hosts: number[] = [];
  for (let at = 0; at < rows.length; at += ROW_WORDS) hosts.push(rows[at + RowWord.key + 1]!);
  return hosts;
}

/** The bites of one round; `take` says whether each was taken well. */
function roundOf(sweep: Sweep, take: () => boolean = () => true): Bite[] {
  const bites: Bite[] = [];
  for (let turns = 0; turns < 1_000; turns += 1) {
    const bite = sweep.next();
    if (bite === null) return bites;
    if (bite === 'more') continue;
    const isTaken = take();
    if (isTaken) sweep.taken();
    else sweep.failed();
    if (isTaken) bites.push(bite);
  }
  throw new Error('a round has no end');
}

describe('a round', () => {
  it('has each entry that changed once, in bites of a bounded size, and the next one has none', () => {
    const { shard, main } = newTable(16_384);
    const sweep = new Sweep(main, main.dirty);
    for (let number = 0; number < 5_000; number += 1) visit(shard, number);
    const bites = roundOf(sweep);
    expect(Math.max(...bites.map(({ rows }) => rows.length / ROW_WORDS))).toBeLessThanOrEqual(2_048);
    const found = bites.flatMap(hostsOf).toSorted((a, b) => a - b);
    expect(found.length).toBeGreaterThan(4_900);
    expect(new Set(found).size).toBe(found.length);
    expect(roundOf(sweep)).toEqual([]);
  });

  it.each([0, 1, 2, 3, 4])(
    'for somebody new has all there is, wherever the one before had come to (after %i bites)',
    (bitesBefore) => {
      const { shard, main } = newTable(16_384);
      const sweep = new Sweep(main, main.dirty);
      for (let number = 0; number < 5_000; number += 1) visit(shard, number);
      const all = new Set<number>();
      for (let number = 0; number < 5_000; number += 1)
        if (main.find(Kind.Host, host(number)) >= 0) all.add(number);
      for (let bite = 0; bite < bitesBefore; bite += 1) sweep.next();
      sweep.beginAnew();
      expect(new Set(roundOf(sweep).flatMap(hostsOf))).toEqual(all);
    },
  );

  it('ends, however quickly entries change', () => {
    const { shard, main } = newTable();
    const sweep = new Sweep(main, main.dirty);
    const index = visit(shard, 1);
    const bites = roundOf(sweep, () => {
      shard.pass(index, 1, nowSec + 5);
      return true;
    });
    expect(bites).toHaveLength(1);
    expect(roundOf(sweep)).toHaveLength(1);
  });

  it('leaves meters out, and single hosts where these are not wanted', () => {
    const { shard, main } = newTable();
    const all = new Sweep(main, main.dirty);
    visit(shard, 1);
    shard.dirty.note(shard.claim(Kind.HostMeter, host(1), nowSec));
    shard.claim(Kind.Network, host(256), nowSec);
    expect(
      roundOf(all)
        .flatMap(hostsOf)
        .toSorted((a, b) => a - b),
    ).toEqual([1, 256]);
    const networks = new Sweep(main, main.dirty, false);
    networks.noteAll();
    expect(roundOf(networks).flatMap(hostsOf)).toEqual([256]);
  });

  it('has every entry after `noteAll`, also in a table larger than is noted in one call', () => {
    const { shard, main } = newTable(200_000);
    const sweep = new Sweep(main, main.dirty);
    for (let number = 0; number < 3_000; number += 1) visit(shard, number);
    roundOf(sweep);
    sweep.noteAll();
    expect(roundOf(sweep).flatMap(hostsOf)).toHaveLength(3_000);
  });
});

it('a forgotten key is told until that was taken, before the rows, and again when it is forgotten again', () => {
  const { main } = newTable();
  const sweep = new Sweep(main, main.dirty);
  sweep.forget(Kind.Host, 0xffff, 5);
  expect(sweep.next()).toMatchObject({ forgotten: Int32Array.of(Kind.Host, 0xffff, 5) });
  sweep.failed();
  expect(sweep.isForgotten(Kind.Host, 0xffff, 5)).toBe(true);
  expect(sweep.next()).toMatchObject({ forgotten: Int32Array.of(Kind.Host, 0xffff, 5) });
  sweep.forget(Kind.Host, 0xffff, 5);
  sweep.taken();
  expect(sweep.isForgotten(Kind.Host, 0xffff, 5)).toBe(true);
  roundOf(sweep);
  expect(sweep.isForgotten(Kind.Host, 0xffff, 5)).toBe(false);
});

it.each([1, 2, 3])('nothing is missed when bites are lost and entries change meanwhile (seed %i)', (seed) => {
  const random = new Prng(seed);
  const { shard, main } = newTable();
  const sweep = new Sweep(main, main.dirty);
  const last = new Map<number, number>();
  const written = new Map<number, number>();
  for (let step = 0; step < 2_000; step += 1) {
    const number = random.below(500);
    last.set(number, nowSec + step);
    visit(shard, number, nowSec + step);
    if (random.below(20) > 0) continue;
    for (const { rows } of roundOf(sweep, () => random.below(3) > 0)) {
      for (let at = 0; at < rows.length; at += ROW_WORDS)
        written.set(rows[at + RowWord.key + 1]!, rows[at + RowWord.passUntilSec]!);
    }
  }
  for (const { rows } of roundOf(sweep)) {
    for (let at = 0; at < rows.length; at += ROW_WORDS)
      written.set(rows[at + RowWord.key + 1]!, rows[at + RowWord.passUntilSec]!);
  }
  expect(written).toEqual(last);
});
