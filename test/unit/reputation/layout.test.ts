import { describe, expect, it } from 'vitest';
import {
  claimAfter,
  claimShardOf,
  ClaimState,
  claimStateOf,
  EntryWord,
  Pass,
  PASSES,
  SHARDS_MAX,
} from '../../../src/reputation/layout.ts';

describe('the layout of an entry', () => {
  it('fits a cache line of 64 bytes, with no two facts in one word', () => {
    const spans = [
      [EntryWord.claim, 1],
      [EntryWord.key, 4],
      [EntryWord.score, 1],
      [EntryWord.seenSec, 1],
      [EntryWord.firstSec, 1],
      [EntryWord.passUntilSec, PASSES],
    ] as const;
    const used = spans.flatMap(([at, count]) => Array.from({ length: count }, (_, i) => at + i));
    expect(new Set(used).size).toBe(used.length);
    expect(Math.max(...used)).toBeLessThan(EntryWord.COUNT);
    expect(EntryWord.COUNT * 4).toBe(64);
  });

  it('has one bit for each test', () => {
    expect(Object.values(Pass)).toEqual(Array.from({ length: PASSES }, (_, test) => 1 << test));
  });
});

describe('a claim word', () => {
  it('tells its state and its shard, and differs from the one before', () => {
    let claim = 0;
    for (const shard of [0, 1, SHARDS_MAX - 1]) {
      for (const state of Object.values(ClaimState)) {
        const after = claimAfter(claim, state, shard);
        expect([claimStateOf(after), claimShardOf(after)]).toEqual([state, shard]);
        expect(after).not.toBe(claim);
        expect(after).toBe(after | 0);
        claim = after;
      }
    }
  });

  it('goes round after its last version without touching the rest', () => {
    const last = (-1 << 10) | (7 << 2) | ClaimState.Stable;
    const after = claimAfter(last, ClaimState.Writing, 9);
    expect(after).toBe((9 << 2) | ClaimState.Writing);
  });
});
