/**
 * visitor — one of the threads that visit one reputation table at once (reputation)
 *
 * Does a round of visits each time it is told to, and tells what CPU it took.
 */
import process from 'node:process';
import { parentPort, workerData } from 'node:worker_threads';
import { ReputationTable } from '../src/reputation/table.ts';
import { visitTable } from './visits.ts';

/** What a visitor is told at its start. */
export interface VisitorPlan {
  readonly shared: SharedArrayBuffer;
  readonly entries: number;
  readonly shards: number;
  readonly shard: number;
  /** Clients to visit, a part of them for each thread. */
  readonly draws: Uint32Array;
  readonly ids: readonly number[];
}

const { shared, entries, shards, shard, draws, ids } = workerData as VisitorPlan;
const table = new ReputationTable(shared, entries, shards, shard);
const share = Math.floor(draws.length / shards);

parentPort!.on('message', (startSec: number) => {
  if (startSec < 0) {
    parentPort!.close();
    return;
  }
  const before = process.threadCpuUsage();
  visitTable(table, draws, shard * share, (shard + 1) * share, startSec, ids);
  const { user, system } = process.threadCpuUsage(before);
  parentPort!.postMessage((user + system) * 1000);
});
