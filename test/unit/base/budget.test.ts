import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Budget } from '../../../src/base/budget.ts';
import { ShardBug } from '../../../src/base/assert.ts';
import type { BudgetContest } from './budget-contender.ts';

function house(max: number, threads: number): { view: (thread: number) => Budget; all: Budget[] } {
  const words = new Int32Array(Budget.wordsFor(threads));
  const view = (thread: number): Budget => new Budget(words, max, threads, thread);
  return { view, all: Array.from({ length: threads }, (_, thread) => view(thread)) };
}

const steps = fc.array(
  fc.record({
    thread: fc.nat({ max: 3 }),
    does: fc.constantFrom('take', 'take', 'giveBack', 'die'),
    part: fc.double({ min: 0, max: 0.6, noNaN: true }),
  }),
  { maxLength: 100 },
);

describe('a budget', () => {
  it('is never exceeded, refuses nothing that fits, and is whole when all was given back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 29 }), steps, (max, does) => {
        const { view, all } = house(max, 4);
        const sum = (): number => all.reduce((total, { held }) => total + held, 0);
        for (const { thread, does: what, part } of does) {
          const budget = all[thread]!;
          if (what === 'take') {
            const amount = Math.floor(part * max);
            const fits = sum() + amount <= max;
            expect(budget.take(amount)).toBe(fits);
          } else if (what === 'giveBack') budget.giveBack(Math.floor(part * budget.held));
          else {
            all[(thread + 1) % 4]!.forget(thread);
            all[thread] = view(thread);
          }
          expect(sum()).toBeLessThanOrEqual(max);
          expect(budget.heldByAll).toBe(sum());
        }
        for (const budget of all) budget.giveBack(budget.held);
        expect(all[3]!.heldByAll).toBe(0);
        expect(all[3]!.take(max)).toBe(true);
      }),
    );
  });

  it('counts a large amount in units, of which each thread wastes one at most', () => {
    const max = 1_000_000_000_000;
    const { all } = house(max, 3);
    const unit = Math.ceil(max / 2 ** 30);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 200_000_000_000 }), { maxLength: 40 }), (amounts) => {
        const sum = (): number => all.reduce((total, { held }) => total + held, 0);
        for (const [at, amount] of amounts.entries()) {
          const wasRoom = sum() + amount <= max - 4 * unit;
          const taken = all[at % 3]!.take(amount);
          expect(taken || !wasRoom).toBe(true);
          expect(sum()).toBeLessThanOrEqual(max);
        }
        for (const budget of all) budget.giveBack(budget.held);
        expect(all[0]!.heldByAll).toBe(0);
      }),
    );
  });

  it('takes back no more than was taken', () => {
    const budget = Budget.alone(10);
    expect(budget.take(4)).toBe(true);
    expect(() => budget.giveBack(5)).toThrow(ShardBug);
  });

  it('is not exceeded by threads that take and give back at the same time', async () => {
    const threads = 4;
    const shared = new SharedArrayBuffer(Budget.wordsFor(threads) * 4);
    const gate = new Int32Array(new SharedArrayBuffer(8));
    const workers = Array.from({ length: threads }, (_, thread) => {
      const workerData: BudgetContest = { shared, gate, max: 2, threads, thread, rounds: 50_000 };
      return new Worker(new URL('./budget-contender.ts', import.meta.url), { workerData });
    });
    const told = await Promise.all(
      workers.map(async (worker) => {
        const [[message]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
        return message as { taken: number; most: number };
      }),
    );
    for (const { taken, most } of told) {
      expect(taken).toBeGreaterThan(0);
      expect(most).toBeLessThanOrEqual(2);
    }
    expect(new Budget(new Int32Array(shared), 2, threads, 0).heldByAll).toBe(0);
  });
});
