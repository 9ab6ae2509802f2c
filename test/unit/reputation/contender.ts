/**
 * contender — one of the threads that fight for a reputation table in contention.test.ts
 *
 * Waits at a gate until all are there, does its job on the shared table, and tells what it got.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Prng } from '../../../src/base/prng.ts';
import { ReputationTable } from '../../../src/reputation/table.ts';

/** What a contender is told. */
export interface Contest {
  readonly job: 'add' | 'claim' | 'churn';
  readonly shared: SharedArrayBuffer;
  readonly gate: Int32Array;
  readonly entries: number;
  readonly shards: number;
  readonly shard: number;
  readonly keys: number;
  readonly rounds: number;
  readonly nowSec: number;
}

/** What a contender tells. */
export interface Outcome {
  /** claim: the index of each key. */
  readonly indexes: readonly number[];
  /** churn: entries that belonged to someone else while they were open. */
  readonly stolen: number;
  /** churn: claims that found no way. */
  readonly refused: number;
}

const { job, shared, gate, entries, shards, shard, keys, rounds, nowSec } = workerData as Contest;
const table = new ReputationTable(shared, entries, shards, shard);
const address = Uint32Array.of(0, 0, 0xffff, 0);
const stored = new Uint32Array(4);
const indexes: number[] = [];
let stolen = 0;
let refused = 0;

Atomics.add(gate, 0, 1);
while (Atomics.load(gate, 0) < shards) Atomics.wait(gate, 0, Atomics.load(gate, 0), 1);

/** Every thread the same keys in the same order, so that they meet at nearly every one. */
function claimAll(): void {
  for (let key = 0; key < keys; key += 1) {
    address[3] = 0x0a000000 + key;
    indexes.push(table.claim(address, 0, nowSec));
  }
}

switch (job) {
  case 'add':
    claimAll();
    for (let round = 0; round < rounds; round += 1) {
      for (const index of indexes) table.add(index, 2, nowSec);
    }
    break;
  case 'claim':
    claimAll();
    break;
  case 'churn': {
    // Many more clients than entries, each opened for a moment: its entry must be its own until it is closed.
    const random = new Prng(shard);
    for (let round = 0; round < rounds; round += 1) {
      const key = 0x0a000000 + random.below(keys);
      address[3] = key;
      const index = table.claim(address, 0, nowSec + round);
      if (index < 0) {
        refused += 1;
        continue;
      }
      table.opened(index);
      for (let look = 0; look < 4; look += 1) {
        if (!table.keyOf(index, stored, 0)) continue;
        if (stored[3] !== key) stolen += 1;
      }
      table.closed(index);
    }
    break;
  }
}

parentPort!.postMessage({ indexes, stolen, refused } satisfies Outcome);
