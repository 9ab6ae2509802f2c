/**
 * budget-contender — one of the threads that take from the same budget in budget.test.ts
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Budget } from '../../../src/base/budget.ts';

/** What a contender is told. */
export interface BudgetContest {
  readonly shared: SharedArrayBuffer;
  /** How many have begun, and how many have something at this moment. */
  readonly gate: Int32Array;
  readonly max: number;
  readonly threads: number;
  readonly thread: number;
  readonly rounds: number;
}

const { shared, gate, max, threads, thread, rounds } = workerData as BudgetContest;
const budget = new Budget(new Int32Array(shared), max, threads, thread);

Atomics.add(gate, 0, 1);
while (Atomics.load(gate, 0) < threads) Atomics.wait(gate, 0, Atomics.load(gate, 0), 1);

let taken = 0;
let most = 0;
for (let round = 0; round < rounds || taken === 0; round += 1) {
  if (!budget.take(1)) {
    // Those that hold it may be waiting for a core.
    if (round % 1_024 === 0) Atomics.wait(gate, 0, threads, 1);
    continue;
  }
  taken += 1;
  most = Math.max(most, Atomics.add(gate, 1, 1) + 1);
  Atomics.sub(gate, 1, 1);
  budget.giveBack(1);
}
parentPort!.postMessage({ taken, most });
