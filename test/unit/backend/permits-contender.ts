/**
 * permits-contender — one of the shards that take permits in permits-limit.test.ts, while the limit changes
 */
import { workerData } from 'node:worker_threads';
import { Permits } from '../../../src/backend/permits.ts';

/** What a contender is told. */
export interface PermitsContest {
  readonly shared: SharedArrayBuffer;
  /** How many have begun, how many connections there are at this moment, how many there were in all, and whether it is over. */
  readonly gate: Int32Array;
  readonly max: number;
  readonly shards: number;
  readonly shard: number;
}

const { shared, gate, max, shards, shard } = workerData as PermitsContest;
const permits = new Permits(new Int32Array(shared), max, shards, shard);

Atomics.add(gate, 0, 1);
while (Atomics.load(gate, 3) === 0) {
  while (permits.take(0)) {
    Atomics.add(gate, 1, 1);
    Atomics.add(gate, 2, 1);
  }
  for (let had = permits.held; had > 0; had -= 1) {
    Atomics.sub(gate, 1, 1);
    permits.giveBack();
  }
}
