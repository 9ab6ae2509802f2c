import { describe, expect, it } from 'vitest';
import { ShardBug } from '../../../src/base/assert.ts';
import { Wheel } from '../../../src/timing/wheel.ts';

const HOUR_MS = 3_600_000;

function takeAll(wheel: Wheel): number[] {
  const ids: number[] = [];
  for (let id = wheel.take(); id >= 0; id = wheel.take()) ids.push(id);
  return ids;
}

function firedAt(wheel: Wheel, nowMs: number): number[] {
  wheel.advance(nowMs);
  return takeAll(wheel);
}

describe('Wheel', () => {
  it('fires once, in the tick it was armed for', () => {
    const wheel = new Wheel(4, 10, 1000);
    wheel.arm(2, 1050);
    expect(firedAt(wheel, 1049)).toEqual([]);
    expect(firedAt(wheel, 1050)).toEqual([2]);
    expect(firedAt(wheel, 9999)).toEqual([]);
    expect(wheel.armed).toBe(0);
  });

  it('rounds a moment inside a tick up: never early', () => {
    const wheel = new Wheel(1, 10, 0);
    wheel.arm(0, 41);
    expect(firedAt(wheel, 49)).toEqual([]);
    expect(firedAt(wheel, 50)).toEqual([0]);
  });

  it('is early by no fraction of a millisecond', () => {
    const wheel = new Wheel(1, 10, 3.7);
    wheel.arm(0, 20.25);
    for (let now = 3.7; now < 20.25; now += 0.25) expect(firedAt(wheel, now)).toEqual([]);
    expect(firedAt(wheel, 31)).toEqual([0]);
  });

  it('hands out by due tick, and ties in the order of arming', () => {
    const wheel = new Wheel(8, 10, 0);
    for (const [id, dueMs] of [
      [0, 7000],
      [1, 30],
      [2, 7000],
      [3, 500],
      [4, 29],
      [5, 30],
      [6, 6999],
    ] as const) {
      wheel.arm(id, dueMs);
    }
    expect(firedAt(wheel, 10_000)).toEqual([1, 4, 5, 3, 0, 2, 6]);
  });

  it('keeps ties in order when one id was armed long before and one at the last moment', () => {
    const wheel = new Wheel(3, 10, 0);
    wheel.arm(2, 100_000);
    wheel.advance(95_000);
    wheel.arm(0, 100_000);
    wheel.advance(99_990);
    wheel.arm(1, 100_000);
    expect(firedAt(wheel, 100_000)).toEqual([2, 0, 1]);
  });

  it('forgets the old moment when an id is armed again', () => {
    const wheel = new Wheel(1, 10, 0);
    wheel.arm(0, 100);
    wheel.arm(0, 300);
    expect(wheel.armed).toBe(1);
    expect(wheel.dueMsOf(0)).toBe(300);
    expect(firedAt(wheel, 299)).toEqual([]);
    wheel.arm(0, 5000);
    wheel.arm(0, 400);
    expect(firedAt(wheel, 400)).toEqual([0]);
  });

  it('lets an id that is due already be cancelled or armed again', () => {
    const wheel = new Wheel(3, 10, 0);
    for (let id = 0; id < 3; id += 1) wheel.arm(id, 100);
    wheel.advance(100);
    wheel.cancel(0);
    wheel.arm(1, 200);
    expect([wheel.isArmed(0), wheel.isArmed(1), wheel.isArmed(2)]).toEqual([false, true, true]);
    expect(takeAll(wheel)).toEqual([2]);
    expect(firedAt(wheel, 200)).toEqual([1]);
  });

  it('disarms by taking, and can be armed from then on', () => {
    const wheel = new Wheel(1, 10, 0);
    wheel.arm(0, 10);
    wheel.advance(10);
    expect(wheel.take()).toBe(0);
    expect(wheel.isArmed(0)).toBe(false);
    expect(wheel.dueMsOf(0)).toBe(Infinity);
    wheel.arm(0, 20);
    expect(firedAt(wheel, 20)).toEqual([0]);
  });

  it('fires what is armed for the past at the next advance, not in the same turn', () => {
    const wheel = new Wheel(2, 10, 0);
    wheel.advance(500);
    wheel.arm(0, 500);
    wheel.arm(1, -70);
    expect(wheel.take()).toBe(-1);
    expect(wheel.nextDueMs()).toBeLessThanOrEqual(500);
    expect(firedAt(wheel, 500)).toEqual([0, 1]);
  });

  it('ignores cancelling what is not armed', () => {
    const wheel = new Wheel(1, 10, 0);
    wheel.cancel(0);
    expect(wheel.armed).toBe(0);
    expect(wheel.nextDueMs()).toBe(Infinity);
  });

  it('crosses a jump of weeks over thousands of far timers', () => {
    const wheel = new Wheel(5000, 10, 0);
    for (let id = 0; id < 5000; id += 1) wheel.arm(id, HOUR_MS * (id + 1) - (id % 7));
    const fired = firedAt(wheel, 5001 * HOUR_MS);
    expect(fired).toEqual(Array.from({ length: 5000 }, (_, id) => id));
  });

  it('keeps timers beyond its longest span, and fires them in their tick', () => {
    const tickMs = 10;
    const wheel = new Wheel(2, tickMs, 0);
    const farMs = 2 ** 31 * tickMs + 70;
    wheel.arm(0, farMs);
    let wakeUps = 0;
    for (let nextMs = wheel.nextDueMs(); nextMs < farMs; nextMs = wheel.nextDueMs()) {
      expect(firedAt(wheel, nextMs)).toEqual([]);
      expect((wakeUps += 1)).toBeLessThan(100);
    }
    expect(wheel.nextDueMs()).toBe(farMs);
    expect(firedAt(wheel, farMs - 1)).toEqual([]);
    expect(firedAt(wheel, farMs)).toEqual([0]);
    // The tick count has left 31 bits behind; near timers work as on the first day.
    wheel.arm(1, farMs + 35);
    expect(wheel.nextDueMs()).toBe(farMs + 40);
    expect(firedAt(wheel, farMs + 39)).toEqual([]);
    expect(firedAt(wheel, farMs + 40)).toEqual([1]);
  });

  it('names the next moment with anything to do: exact when near, never after the firing', () => {
    const wheel = new Wheel(2, 10, 0);
    wheel.arm(0, 320);
    expect(wheel.nextDueMs()).toBe(320);
    wheel.arm(1, 90_000);
    wheel.cancel(0);
    for (let nextMs = wheel.nextDueMs(); nextMs < 90_000; nextMs = wheel.nextDueMs()) {
      expect(firedAt(wheel, nextMs)).toEqual([]);
      expect(wheel.nextDueMs()).toBeGreaterThan(nextMs);
    }
    expect(firedAt(wheel, 90_000)).toEqual([1]);
  });

  it('calls it our bug when the clock goes back, an id is none, or a moment is no number', () => {
    const wheel = new Wheel(2, 10, 0);
    wheel.advance(100);
    expect(() => wheel.advance(99)).toThrow(ShardBug);
    expect(() => wheel.advance(NaN)).toThrow(ShardBug);
    expect(() => wheel.advance(Infinity)).toThrow(ShardBug);
    expect(() => wheel.arm(2, 100)).toThrow(ShardBug);
    expect(() => wheel.cancel(-1)).toThrow(ShardBug);
    expect(() => wheel.arm(0, Infinity)).toThrow(ShardBug);
    expect(() => new Wheel(1, 0, 0)).toThrow(ShardBug);
    expect(() => new Wheel(1, 0.5, 0)).toThrow(ShardBug);
  });
});
