import { describe, expect, it } from 'vitest';
import { Prng } from '../../src/base/prng.ts';
import { Wheel } from '../../src/timing/wheel.ts';

interface Timer {
  readonly id: number;
  readonly dueMs: number;
  /** The tick it fires in, as the wheel's page says. */
  readonly dueTick: number;
}

/** The naive twin: a list in the order of arming, sorted when something must be known. */
class SortedList {
  readonly timers: Timer[] = [];
  readonly due: Timer[] = [];
  private readonly tickMs: number;
  private readonly startMs: number;

  constructor(tickMs: number, startMs: number) {
    this.tickMs = tickMs;
    this.startMs = startMs;
  }

  arm(id: number, dueMs: number): void {
    this.cancel(id);
    this.timers.push({ id, dueMs, dueTick: Math.ceil((dueMs - this.startMs) / this.tickMs) });
  }

  cancel(id: number): void {
    for (const list of [this.timers, this.due]) {
      const at = list.findIndex((timer) => timer.id === id);
      if (at >= 0) list.splice(at, 1);
    }
  }

  advance(nowMs: number, lastTick: number): void {
    const tick = Math.floor((nowMs - this.startMs) / this.tickMs);
    const ready = this.timers.filter((timer) => timer.dueTick <= tick);
    // What was armed for the past comes first, in the order of arming; the rest by due tick.
    ready.sort((a, b) => Math.max(a.dueTick, lastTick) - Math.max(b.dueTick, lastTick));
    for (const timer of ready) this.timers.splice(this.timers.indexOf(timer), 1);
    this.due.push(...ready);
  }

  take(): number {
    return this.due.shift()?.id ?? -1;
  }

  find(id: number): Timer | undefined {
    return this.due.find((timer) => timer.id === id) ?? this.timers.find((timer) => timer.id === id);
  }

  get armed(): number {
    return this.timers.length + this.due.length;
  }

  /** When the next one fires; Infinity if nothing is armed. */
  firesMs(): number {
    return Math.min(
      Infinity,
      ...[...this.due, ...this.timers].map((timer) => this.startMs + timer.dueTick * this.tickMs),
    );
  }
}

/** A span of time of any order of magnitude up to 2^bits milliseconds. */
function span(random: Prng, bits: number): number {
  return random.below(2 ** (1 + random.below(bits)));
}

describe('Wheel', () => {
  it.each([1, 2, 3, 4, 5, 6])('agrees with a sorted list for 10 000 random operations (seed %i)', (seed) => {
    const random = new Prng(seed);
    const capacity = 1 + random.below(60);
    const tickMs = [1, 7, 10, 100][random.below(4)]!;
    const startMs = random.below(100_000);
    const wheel = new Wheel(capacity, tickMs, startMs);
    const list = new SortedList(tickMs, startMs);
    let nowMs = startMs;
    for (let step = 0; step < 10_000; step += 1) {
      const id = random.below(capacity);
      switch (random.below(8)) {
        case 0:
        case 1:
        case 2: {
          const dueMs = nowMs + span(random, 26) - random.below(50);
          wheel.arm(id, dueMs);
          list.arm(id, dueMs);
          break;
        }
        case 3:
          wheel.cancel(id);
          list.cancel(id);
          break;
        case 4:
        case 5: {
          const lastTick = Math.floor((nowMs - startMs) / tickMs);
          // Jumps of all sizes, and often exactly to where the wheel says that something happens.
          const nextMs = wheel.nextDueMs();
          nowMs =
            random.below(2) === 0 && nextMs < Infinity ? Math.max(nowMs, nextMs) : nowMs + span(random, 24);
          wheel.advance(nowMs);
          list.advance(nowMs, lastTick);
          break;
        }
        default:
          expect(wheel.take()).toBe(list.take());
      }
      expect(wheel.armed).toBe(list.armed);
      expect(wheel.isArmed(id)).toBe(list.find(id) !== undefined);
      expect(wheel.dueMsOf(id)).toBe(list.find(id)?.dueMs ?? Infinity);
      if (list.armed === 0) expect(wheel.nextDueMs()).toBe(Infinity);
      else expect(wheel.nextDueMs()).toBeLessThanOrEqual(Math.max(nowMs, list.firesMs()));
    }
  });

  it.each([11, 12, 13])(
    'fires all of 2 000 timers in their own tick when driven by nextDueMs alone (seed %i)',
    (seed) => {
      const random = new Prng(seed);
      const wheel = new Wheel(2000, 10, 0);
      const dueMs = Array.from({ length: 2000 }, () => span(random, 31) + 1);
      for (const [id, ms] of dueMs.entries()) wheel.arm(id, ms);
      let fired = 0;
      let wakeUps = 0;
      for (let nowMs = wheel.nextDueMs(); nowMs < Infinity; nowMs = wheel.nextDueMs()) {
        wheel.advance(nowMs);
        wakeUps += 1;
        for (let id = wheel.take(); id >= 0; id = wheel.take()) {
          expect(nowMs).toBe(Math.ceil(dueMs[id]! / 10) * 10);
          fired += 1;
        }
      }
      expect(fired).toBe(2000);
      // Each timer costs its own wake-up and at most one for every level that it comes down.
      expect(wakeUps).toBeLessThanOrEqual(2000 * 5);
    },
  );
});
