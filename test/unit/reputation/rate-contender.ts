/**
 * rate-contender — one of the threads that count in the same meters in rates.test.ts
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Kind, newKey } from '../../../src/reputation/keys.ts';
import { countEvent } from '../../../src/reputation/meters.ts';
import { Rate } from '../../../src/reputation/rates.ts';
import { ReputationTable } from '../../../src/reputation/table.ts';

/** What a contender is told. */
export interface RateContest {
  readonly shared: SharedArrayBuffer;
  readonly gate: Int32Array;
  readonly entries: number;
  readonly shards: number;
  readonly shard: number;
  readonly keys: number;
  readonly rounds: number;
  readonly limit: number;
  readonly nowMs: number;
  readonly halfMs: number;
}

const { shared, gate, entries, shards, shard, keys, rounds, limit, nowMs, halfMs } =
  workerData as RateContest;
const table = new ReputationTable(shared, entries, shards, shard);
const key = newKey();

Atomics.add(gate, 0, 1);
while (Atomics.load(gate, 0) < shards) Atomics.wait(gate, 0, Atomics.load(gate, 0), 1);

let counted = 0;
for (let round = 0; round < rounds; round += 1) {
  key[1] = 1 + (round % keys);
  if (countEvent(table, Kind.HostMeter, key, Rate.Messages, nowMs, halfMs, limit) <= limit) counted += 1;
}
parentPort!.postMessage(counted);
