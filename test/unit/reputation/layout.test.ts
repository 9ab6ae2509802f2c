import { describe, expect, it } from 'vitest';
import {
  claimAfter,
  claimKindOf,
  ClaimState,
  claimStateOf,
  claimWriterOf,
  EntryWord,
  isPermanent,
  Mark,
  markOf,
  markUntilSec,
  markWord,
  METER_RATES,
  Pass,
  PASSES,
  SHARDS_MAX,
  SLOTS,
} from '../../../src/reputation/layout.ts';
import { Kind } from '../../../src/reputation/keys.ts';
import { DAY, NOW } from './tables.ts';

describe('the layout of an entry', () => {
  it('is a cache line of 64 bytes, every word of it used once', () => {
    const spans = [
      [EntryWord.claim, 1],
      [EntryWord.key, 2],
      [EntryWord.seenSec, 1],
      [EntryWord.firstSec, 1],
      [EntryWord.mark, 1],
      [EntryWord.passUntilSec, PASSES],
      [EntryWord.slots, SLOTS],
    ] as const;
    const used = spans.flatMap(([at, count]) => Array.from({ length: count }, (_, i) => at + i));
    expect(used).toEqual(Array.from({ length: EntryWord.COUNT }, (_, word) => word));
    expect(EntryWord.COUNT * 4).toBe(64);
    expect(METER_RATES).toBe(EntryWord.seenSec + 1);
  });

  it('has one bit for each test', () => {
    expect(Object.values(Pass)).toEqual(Array.from({ length: PASSES }, (_, test) => 1 << test));
  });
});

describe('a claim word', () => {
  it('tells its state, its kind and its writer, and differs from the one before', () => {
    let claim = 0;
    for (const writer of [0, 1, SHARDS_MAX - 1, SHARDS_MAX]) {
      for (const kind of [0, ...Object.values(Kind)]) {
        for (const state of Object.values(ClaimState)) {
          const after = claimAfter(claim, state, kind, writer);
          expect([claimStateOf(after), claimKindOf(after), claimWriterOf(after)]).toEqual([
            state,
            kind,
            writer,
          ]);
          expect(after).not.toBe(claim);
          expect(after).toBe(after | 0);
          claim = after;
        }
      }
    }
  });

  it('goes round after its last version without touching the rest', () => {
    const last = (-1 << 13) | (7 << 5) | (Kind.Pool << 2) | ClaimState.Stable;
    expect(claimAfter(last, ClaimState.Writing, Kind.Tuple, 9)).toBe(
      (9 << 5) | (Kind.Tuple << 2) | ClaimState.Writing,
    );
  });
});

describe('a word of marks', () => {
  it('holds until its moment, at most 3 s longer, and says nothing from then on', () => {
    for (let rest = 0; rest < 4; rest += 1) {
      const untilSec = NOW + DAY + rest;
      const word = markWord(Mark.Deny, untilSec);
      expect(markOf(word, untilSec - 1)).toBe(Mark.Deny);
      expect(markOf(word, untilSec + 3)).toBe(Mark.None);
      expect(markUntilSec(word) - untilSec).toBeLessThan(4);
      expect(markUntilSec(word)).toBeGreaterThanOrEqual(untilSec);
    }
  });

  it('without a moment holds for ever', () => {
    for (const mark of [Mark.Allow, Mark.Deny, Mark.Trap]) {
      const word = markWord(mark, 0);
      expect([markOf(word, 0), markOf(word, 2 ** 32 - 1), markUntilSec(word)]).toEqual([mark, mark, 0]);
    }
  });

  it('may end after 2038', () => {
    const word = markWord(Mark.Trap, 2 ** 31 + DAY);
    expect(markUntilSec(word)).toBe(2 ** 31 + DAY);
    expect([markOf(word, 2 ** 31 + DAY - 1), markOf(word, 2 ** 31 + DAY)]).toEqual([Mark.Trap, Mark.None]);
  });

  it("is permanent when it is an operator's and for ever, and only then", () => {
    expect([Mark.Allow, Mark.Deny].map((mark) => isPermanent(markWord(mark, 0)))).toEqual([true, true]);
    expect(isPermanent(markWord(Mark.Trap, 0))).toBe(false);
    expect(isPermanent(markWord(Mark.Deny, NOW))).toBe(false);
    expect(isPermanent(0)).toBe(false);
  });
});
