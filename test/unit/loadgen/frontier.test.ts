import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dominates, frontierOf, judgedOf, outcomeOf } from '../../../loadgen/virtual/frontier.ts';
import type { Judged } from '../../../loadgen/virtual/frontier.ts';
import { figuresOf } from '../../../loadgen/virtual/figures.ts';
import { registerOf, someBots } from './some-register.ts';

/** Few values, so that plans are equal in one thing or in all. */
const plan = fc.tuple(fc.nat(5), fc.nat(5), fc.nat(5));

/** Better in something, worse in nothing, written down once more. */
function naivelyBeats([gone, honestMs, slotSec]: Judged, [gone2, honestMs2, slotSec2]: Judged): boolean {
  const gains = [gone - gone2, honestMs2 - honestMs, slotSec2 - slotSec];
  return gains.every((gain) => gain >= 0) && gains.some((gain) => gain > 0);
}

describe('the frontier', () => {
  it('has the plans that no other plan beats, and no others', () => {
    fc.assert(
      fc.property(fc.array(plan, { maxLength: 40 }), (plans) => {
        const naive = plans.map((one) => !plans.some((other) => naivelyBeats(other, one)));
        expect(frontierOf(plans)).toEqual(naive);
      }),
    );
  });

  it('hangs on no order of the plans', () => {
    fc.assert(
      fc.property(fc.array(plan, { minLength: 1, maxLength: 20 }), (plans) => {
        expect(frontierOf(plans.toReversed()).reverse()).toEqual(frontierOf(plans));
      }),
    );
  });

  it('knows that nobody beats himself, and that of two at most one beats the other', () => {
    fc.assert(
      fc.property(plan, plan, (one, other) => {
        expect(dominates(one, one)).toBe(false);
        expect(dominates(one, other) && dominates(other, one)).toBe(false);
        expect(dominates(one, other)).toBe(naivelyBeats(one, other));
      }),
    );
  });
});

describe('the outcome of a plan', () => {
  const quick = figuresOf(registerOf([{ kind: 1, leftMs: 10_000 }]), someBots);
  const slow = figuresOf(
    registerOf([
      { kind: 1, leftMs: 40_000, messages: 1 },
      { kind: 0, deliverMs: 6_000, messages: 1 },
    ]),
    someBots,
  );

  it('is the mean over its seeds, with the smallest and the largest', () => {
    const { goneShare, slotSec } = outcomeOf([quick, slow]);
    expect(goneShare).toEqual({ mean: 0.5, min: 0, max: 1 });
    expect(slotSec).toEqual({ mean: 25, min: 10, max: 40 });
  });

  it('is judged by the share gone, the wait of honest mail and the time of slots', () => {
    expect(judgedOf(outcomeOf([slow]))).toEqual([0, 6_000, 400]);
  });
});
