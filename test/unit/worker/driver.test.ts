/**
 * The driver with a shard that only notes its turns, on timers of the test.
 */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Shard } from '../../../src/shard/shard.ts';
import { Driver } from '../../../src/worker/driver.ts';

beforeEach(
  () =>
    void vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate'],
      now: 0,
    }),
);
afterEach(() => void vi.useRealTimers());

function rig() {
  const state = {
    turns: [] as number[],
    delaysMs: [] as number[],
    afterTurns: 0,
    dueMs: Infinity,
    more: 0,
    nowMs: 0,
    afterTurn: (): void => undefined,
  };
  const shard = {
    step(nowMs: number): boolean {
      state.turns.push(nowMs);
      if (state.dueMs <= nowMs) state.dueMs = Infinity;
      state.more -= 1;
      return state.more >= 0;
    },
    nextDueMs: () => state.dueMs,
    hearDelay: (delayMs: number) => void state.delaysMs.push(delayMs),
  } as Shard;
  const driver = new Driver(shard, { nowMs: () => state.nowMs }, () => {
    state.afterTurns += 1;
    state.afterTurn();
  });
  /** Time passes on the clock of the shard and of the timers; fractions are for the former. */
  const pass = (ms: number): void => {
    for (let left = ms; left > 0; left--) {
      state.nowMs += 1;
      vi.advanceTimersByTime(1);
    }
  };
  return { state, driver, pass };
}

it('takes one turn for everything that one round of the event loop brought', () => {
  const { state, driver } = rig();
  driver.wake();
  driver.wake();
  driver.wake();
  expect(state.turns).toEqual([]);
  vi.advanceTimersByTime(0);
  expect(state.turns).toEqual([0]);
  driver.wake();
  vi.advanceTimersByTime(0);
  expect(state.turns).toHaveLength(2);
});

it('takes turns one after another while there is more to do, and lets others run in between', () => {
  const { state, driver } = rig();
  state.more = 3;
  driver.turn();
  expect(state.turns).toHaveLength(1);
  vi.advanceTimersToNextTimer();
  expect(state.turns).toHaveLength(2);
  vi.runAllTimers();
  expect(state.turns).toHaveLength(4);
  expect(vi.getTimerCount()).toBe(0);
});

it('calls what is done once a turn behind each turn', () => {
  const { state, driver } = rig();
  state.more = 2;
  driver.turn();
  vi.runAllTimers();
  expect(state.afterTurns).toBe(3);
});

it('sleeps without a timer when none is armed', () => {
  const { driver } = rig();
  driver.turn();
  expect(vi.getTimerCount()).toBe(0);
});

it('takes a turn when the next timer is due, not before', () => {
  const { state, driver, pass } = rig();
  state.dueMs = 250;
  driver.turn();
  pass(249);
  expect(state.turns).toEqual([0]);
  pass(1);
  expect(state.turns).toEqual([0, 250]);
  expect(vi.getTimerCount()).toBe(0);
});

it('sets its timer anew when the due moment has come closer, and only then', () => {
  const { state, driver, pass } = rig();
  state.dueMs = 500;
  driver.turn();
  state.dueMs = 100;
  driver.turn();
  expect(vi.getTimerCount()).toBe(1);
  state.dueMs = 300;
  driver.turn();
  expect(vi.getTimerCount()).toBe(1);
  pass(100);
  // The timer rang early: one empty turn, and a timer for the rest.
  expect(state.turns).toEqual([0, 0, 0, 100]);
  pass(200);
  expect(state.turns.at(-1)).toBe(300);
  expect(state.turns).toHaveLength(5);
});

it('does not ring before a due moment that lies between two milliseconds', () => {
  const { state, driver, pass } = rig();
  state.nowMs = 0.7;
  state.dueMs = 10.2;
  driver.turn();
  pass(9);
  expect(state.turns).toHaveLength(1);
  pass(1);
  expect(state.turns.at(-1)).toBeGreaterThanOrEqual(10.2);
});

it('takes another turn soon when the due moment passed during a turn', () => {
  const { state, driver, pass } = rig();
  state.afterTurn = () => {
    if (state.turns.length === 1) state.dueMs = -5;
  };
  driver.turn();
  pass(1);
  expect(state.turns).toEqual([0, 1]);
});

it('looks again after a minute when the due moment is far away', () => {
  const { state, driver, pass } = rig();
  state.dueMs = 150_000;
  driver.turn();
  pass(150_000);
  expect(state.turns).toEqual([0, 60_000, 120_000, 150_000]);
});

it('takes no turn and leaves no timer once it was stopped', () => {
  const { state, driver, pass } = rig();
  state.dueMs = 100;
  driver.turn();
  driver.wake();
  driver.stop();
  driver.wake();
  driver.turn();
  pass(1_000);
  expect(state.turns).toEqual([0]);
  expect(vi.getTimerCount()).toBe(0);
});

it('leaves no timer when it is stopped by what is done behind a turn', () => {
  const { state, driver } = rig();
  state.dueMs = 100;
  state.more = 5;
  state.afterTurn = () => driver.stop();
  driver.turn();
  expect(vi.getTimerCount()).toBe(0);
});

it('tells how long what has happened waited for the end of its turn, or what was due', () => {
  const { state, driver, pass } = rig();
  driver.wake();
  state.nowMs = 7;
  vi.advanceTimersByTime(0);
  expect(state.delaysMs).toEqual([7]);
  state.dueMs = 20;
  driver.turn();
  state.nowMs = 15;
  pass(13);
  expect(state.delaysMs).toEqual([7, 8]);
});
