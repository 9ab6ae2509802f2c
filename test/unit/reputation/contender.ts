/**
 * contender — one of the threads that fight for a reputation table in contention.test.ts
 *
 * Waits at a gate until all are there, does its job on the shared table, and tells what it got.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Prng } from '../../../src/base/prng.ts';
import { Kind, newKey } from '../../../src/reputation/keys.ts';
import { readRow, ROW_WORDS } from '../../../src/reputation/rows.ts';
import { signals } from '../../../src/reputation/signals.ts';
import { ReputationTable } from '../../../src/reputation/table.ts';
import type { Contest, Outcome } from './contest.ts';
import { Gate, noted } from './contest.ts';

const contest = workerData as Contest;
const { gate, shards, keys, rounds, nowSec } = contest;
const table = new ReputationTable(contest.shared, contest.entries, shards, contest.writer);
const key = newKey();
const stored = newKey();
const indexes: number[] = [];
const rows = new Map<number, Int32Array>();
let stolen = 0;
let refused = 0;
let forgotten = 0;

function claim(client: number, sec: number): number {
  key[0] = 0xffff;
  key[1] = 0x0a000000 + client;
  return table.claim(Kind.Host, key, sec);
}

/** Every thread the same keys in the same order, so that they meet at nearly every one. */
function claimAll(): void {
  for (let client = 0; client < keys; client += 1) indexes.push(claim(client, nowSec));
}

function observeAll(): void {
  for (let round = 0; round < rounds; round += 1) {
    for (const name of noted) {
      for (const index of indexes) table.observe(index, signals[name].id, nowSec);
    }
  }
}

/** Looks four times whether an entry that is held is still the one of `key`. */
function watch(index: number): void {
  for (let look = 0; look < 4; look += 1) {
    if (table.keyOf(index, stored) !== 0 && stored[1] !== key[1]) stolen += 1;
  }
}

/** Many more clients than entries, each opened for a moment: its entry must be its own until it is closed. */
function churn(): void {
  const random = new Prng(contest.writer);
  for (let round = 0; round < rounds && Atomics.load(gate, Gate.stop) === 0; round += 1) {
    const index = claim(random.below(keys), nowSec + round);
    Atomics.add(gate, Gate.progress, 1);
    if (index < 0) {
      refused += 1;
      continue;
    }
    table.opened(index);
    watch(index);
    table.closed(index);
  }
}

/** As the main thread does: claims, looks, forgets. */
function forget(): void {
  const random = new Prng(contest.writer);
  for (let round = 0; round < rounds; round += 1) {
    const index = claim(random.below(keys), nowSec + round);
    if (index < 0) {
      refused += 1;
      continue;
    }
    watch(index);
    if (table.forget(index)) forgotten += 1;
  }
}

/** Takes what has changed until all others are done, and once more. */
function sweep(): void {
  const visit = (index: number): void => {
    const row = new Int32Array(ROW_WORDS);
    // Of an entry that is just given to another key the row is half made; it is noted again when it is whole.
    if (readRow(table, index, row, 0)) rows.set(index, row);
  };
  for (let isLast = false; !isLast;) {
    isLast = Atomics.load(gate, Gate.done) === contest.workers;
    for (let from = 0; from < table.entries;) from = table.dirty.take(from, 64, visit);
  }
}

Atomics.add(gate, Gate.arrived, 1);
for (let arrived = 0; arrived < contest.threads; arrived = Atomics.load(gate, Gate.arrived))
  Atomics.wait(gate, Gate.arrived, arrived, 1);

switch (contest.job) {
  case 'observe':
    claimAll();
    observeAll();
    break;
  case 'claim':
    claimAll();
    break;
  case 'churn':
    churn();
    break;
  case 'forget':
    forget();
    break;
  case 'sweep':
    sweep();
    break;
}
Atomics.add(gate, Gate.done, 1);

parentPort!.postMessage({ indexes, stolen, refused, forgotten, rows } satisfies Outcome);
