/**
 * wheel-million.test — a million timers armed at once, and the promises of the wheel kept for each of them
 *
 * The twin is one array of moments and one of arming numbers. What a timer does is judged when it is taken, by
 * plain comparisons that count: a million calls of `expect` would be most of the run.
 */
import { describe, expect, it } from 'vitest';
import { Prng } from '../../src/base/prng.ts';
import { Wheel } from '../../src/timing/wheel.ts';

const TIMERS = 1_000_000;
const TICK_MS = 10;
const START_MS = 77_777;
const DELAY_MIN_MS = 2000;
const DELAY_MAX_MS = 300_000;

/** A crowd on a wheel, and what is known of it without the wheel. */
class Crowd {
  readonly wheel = new Wheel(TIMERS, TICK_MS, START_MS);
  readonly dueMs = new Float64Array(TIMERS).fill(Infinity);
  readonly armings = new Float64Array(TIMERS);
  readonly wrong = { early: 0, late: 0, unarmed: 0, 'out of order': 0 };
  nowMs = START_MS;
  armed = 0;
  private readonly random: Prng;
  private armingsMade = 0;
  private lastTick = 0;
  private lastArming = 0;

  constructor(seed: number) {
    this.random = new Prng(seed);
  }

  any(): number {
    return this.random.below(TIMERS);
  }

  /** Arms for a moment of 2 s … 5 min from now, with a fraction of a millisecond. */
  arm(id: number): void {
    const delayMs = DELAY_MIN_MS + this.random.below((DELAY_MAX_MS - DELAY_MIN_MS) * 8) / 8;
    if (this.dueMs[id] === Infinity) this.armed += 1;
    this.dueMs[id] = this.nowMs + delayMs;
    this.armings[id] = this.armingsMade += 1;
    this.wheel.arm(id, this.nowMs + delayMs);
  }

  cancel(id: number): void {
    if (this.dueMs[id]! < Infinity) this.armed -= 1;
    this.dueMs[id] = Infinity;
    this.wheel.cancel(id);
  }

  /** Lets so much time pass and takes what is due; returns how many timers that were. */
  pass(stepMs: number): number {
    this.nowMs += stepMs;
    this.wheel.advance(this.nowMs);
    let taken = 0;
    for (let id = this.wheel.take(); id >= 0; id = this.wheel.take()) {
      this.judge(id, stepMs);
      this.dueMs[id] = Infinity;
      taken += 1;
    }
    this.armed -= taken;
    return taken;
  }

  private judge(id: number, stepMs: number): void {
    const { wrong } = this;
    const dueMs = this.dueMs[id]!;
    const tick = Math.ceil((dueMs - START_MS) / TICK_MS);
    if (dueMs === Infinity) wrong.unarmed += 1;
    else if (dueMs > this.nowMs) wrong.early += 1;
    // The clock of a step stood before this tick, or the timer should have been taken then.
    else if (START_MS + tick * TICK_MS <= this.nowMs - stepMs) wrong.late += 1;
    if (tick < this.lastTick) wrong['out of order'] += 1;
    if (tick === this.lastTick && this.armings[id]! < this.lastArming) wrong['out of order'] += 1;
    this.lastTick = tick;
    this.lastArming = this.armings[id]!;
  }
}

const nothing = { early: 0, late: 0, unarmed: 0, 'out of order': 0 };

describe('a wheel with a million timers', () => {
  // With steps of one tick, not late means: less than one tick after the moment. The longer steps are stalls.
  it.each([
    { stepMs: TICK_MS, seed: 21 },
    { stepMs: 1730, seed: 22 },
  ])(
    'fires each once, in order, none early, none after its tick when $stepMs ms pass at a time (seed $seed)',
    ({ stepMs, seed }) => {
      const crowd = new Crowd(seed);
      for (let id = 0; id < TIMERS; id += 1) crowd.arm((id * 611_953) % TIMERS);
      expect(crowd.wheel.armed).toBe(TIMERS);
      let fired = 0;
      // While it runs down, timers are armed again and cancelled, whether they have fired or not.
      while (crowd.nowMs < START_MS + 2 * DELAY_MAX_MS) {
        fired += crowd.pass(stepMs);
        if (crowd.nowMs > START_MS + DELAY_MAX_MS) continue;
        for (let more = 0; more < stepMs; more += 1) {
          crowd.arm(crowd.any());
          crowd.cancel(crowd.any());
        }
        if (crowd.wheel.armed !== crowd.armed) break;
      }
      expect(crowd.wrong).toEqual(nothing);
      expect(crowd.armed).toBe(0);
      expect(crowd.wheel.armed).toBe(0);
      expect(fired).toBeGreaterThan(TIMERS / 2);
    },
  );

  it('fires all that a day without a turn has left over, in order and each once', () => {
    const crowd = new Crowd(23);
    for (let id = 0; id < TIMERS; id += 1) crowd.arm(id);
    expect(crowd.pass(86_400_000)).toBe(TIMERS);
    expect(crowd.wrong).toEqual(nothing);
    expect(crowd.wheel.nextDueMs()).toBe(Infinity);
  });
});
