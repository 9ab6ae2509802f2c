import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultConfig } from '../../../src/config/load.ts';
import { planTotalMs, Timer } from '../../../src/policy/patience.ts';
import { enoughMs, SCALE_FULL, scaleForPatience, scaleForScore } from '../../../src/policy/plan.ts';

const config = defaultConfig();
const { slowFrom, slowAt, scaleMax } = config.shape;

describe('the plan for a score', () => {
  it.each([
    [slowFrom, 0],
    [slowFrom + 1, 4],
    [slowAt, SCALE_FULL],
    [slowAt + (slowAt - slowFrom), 2 * SCALE_FULL],
    [10_000, scaleMax],
    [-50, 0],
  ])('of %i points is %i percent', (score, percent) => {
    expect(scaleForScore(config, score)).toBe(percent);
  });

  it('never falls when the score rises', () => {
    fc.assert(
      fc.property(fc.integer({ min: -500, max: 5_000 }), fc.nat(5_000), (score, more) => {
        expect(scaleForScore(config, score + more)).toBeGreaterThanOrEqual(scaleForScore(config, score));
      }),
    );
  });
});

describe('the plan for the patience of a family', () => {
  it('is the smallest that outlasts it by a fifth', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 225_000 }),
        fc.constantFrom(Timer.Greeting, Timer.Mail, Timer.Rcpt),
        (patienceMs, first) => {
          const scale = scaleForPatience(config, patienceMs, first);
          const leastMs = enoughMs(patienceMs);
          expect(leastMs).toBe(Math.round(patienceMs * 1.2));
          expect(planTotalMs(config, scale, first)).toBeGreaterThanOrEqual(leastMs);
          if (scale > 1) expect(planTotalMs(config, scale - 1, first)).toBeLessThan(leastMs);
        },
      ),
    );
  });

  it('is the longest for a family that outlasts every plan', () => {
    expect(scaleForPatience(config, 3_600_000)).toBe(scaleMax);
  });
});

describe('the plan as shipped', () => {
  it('outlasts 100 s for a client of the full plan, and has up to eight minutes for a worse one', () => {
    expect(planTotalMs(config, SCALE_FULL)).toBe(135_000);
    expect(planTotalMs(config, SCALE_FULL, Timer.Mail)).toBe(105_000);
    expect(planTotalMs(config, scaleMax)).toBe(450_000);
  });
});
