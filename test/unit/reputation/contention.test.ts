import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { ONE } from '../../../src/reputation/decay.ts';
import { newKey } from '../../../src/reputation/keys.ts';
import { ClaimState, claimStateOf, WAYS } from '../../../src/reputation/layout.ts';
import { readRow, ROW_WORDS } from '../../../src/reputation/rows.ts';
import { signals } from '../../../src/reputation/signals.ts';
import { ReputationTable } from '../../../src/reputation/table.ts';
import type { Contest, Outcome } from './contest.ts';
import { Gate, noted } from './contest.ts';
import { NOW, sharedFor } from './tables.ts';

const SHARDS = 4;

type Plan = Pick<Contest, 'entries' | 'keys' | 'rounds'>;

/** A table and the threads that will fight for it. */
class Ring {
  readonly shared: SharedArrayBuffer;
  readonly gate = new Int32Array(new SharedArrayBuffer(Gate.COUNT * 4));
  /** The table as the main thread sees it. */
  readonly table: ReputationTable;
  readonly plan: Plan;
  readonly threads: number;

  constructor(plan: Plan, threads: number) {
    this.plan = plan;
    this.threads = threads;
    this.shared = sharedFor(plan.entries, SHARDS);
    this.table = new ReputationTable(this.shared, plan.entries, SHARDS, SHARDS);
  }

  start(job: Contest['job'], writer: number): Worker {
    const { shared, gate, plan, threads } = this;
    const workerData: Contest = {
      ...plan,
      job,
      shared,
      gate,
      threads,
      workers: SHARDS,
      shards: SHARDS,
      writer,
      nowSec: NOW,
    };
    return new Worker(new URL('./contender.ts', import.meta.url), { workerData });
  }

  /** How many entries each key has. */
  entriesPerKey(): Map<number, number> {
    const key = newKey();
    const counts = new Map<number, number>();
    for (let index = 0; index < this.table.entries; index += 1) {
      if (this.table.keyOf(index, key) !== 0) counts.set(key[1]!, (counts.get(key[1]!) ?? 0) + 1);
    }
    return counts;
  }

  /** That no key has two entries, no session is open, no entry half made, and every one can be given up. */
  expectNothingHeld(): void {
    const { table } = this;
    // Each thread has still pinned the entry of its last claim.
    for (let shard = 0; shard < SHARDS; shard += 1) table.forgetShard(shard);
    expect([...this.entriesPerKey().values()].filter((count) => count !== 1)).toEqual([]);
    for (let index = 0; index < table.entries; index += 1) {
      expect(table.openOf(index)).toBe(0);
      const state = claimStateOf(Atomics.load(table.words, table.wordOf(index)));
      expect([ClaimState.Free, ClaimState.Stable]).toContain(state);
      expect(state === ClaimState.Free || table.forget(index)).toBe(true);
    }
  }
}

/** What a worker tells at its end. */
async function outcomeOf(worker: Worker): Promise<Outcome> {
  // Both are listened for at once: the last message and the end may come in the same turn.
  const [message] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
  return message[0] as Outcome;
}

/** Lets one thread a job loose on one table and waits for what they tell. */
async function fight(plan: Plan, jobs: readonly Contest['job'][]): Promise<[Ring, Outcome[]]> {
  const ring = new Ring(plan, jobs.length);
  const outcomes = await Promise.all(jobs.map((job, writer) => outcomeOf(ring.start(job, writer))));
  return [ring, outcomes];
}

const four = (job: Contest['job']): Contest['job'][] => new Array<Contest['job']>(SHARDS).fill(job);

describe('four shards on one table', () => {
  it('lose none of 300 000 signals of three kinds about the same 1 000 clients, and a sweeper sees the last of each', async () => {
    const rounds = 25;
    const [{ table }, outcomes] = await fight({ entries: 16_384, keys: 1000, rounds }, [
      ...four('observe'),
      'sweep',
    ]);
    const { indexes } = outcomes[0]!;
    const amounts = indexes.flatMap((index) =>
      noted.map((name) => table.amountOf(index, signals[name].id, NOW)),
    );
    expect(amounts).toEqual(new Array(3000).fill(SHARDS * rounds * ONE));
    const swept = outcomes[SHARDS]!.rows;
    expect(swept.size).toBe(1000);
    const row = new Int32Array(ROW_WORDS);
    for (const index of indexes) {
      expect(readRow(table, index, row, 0)).toBe(true);
      expect(swept.get(index)).toEqual(row);
    }
  });

  it('make one entry per client when all claim the same 1 000 at once', async () => {
    const [ring, outcomes] = await fight({ entries: 16_384, keys: 1000, rounds: 1 }, four('claim'));
    const counts = ring.entriesPerKey();
    expect(counts.size).toBe(1000);
    expect([...counts.values()].filter((count) => count !== 1)).toEqual([]);
    for (const outcome of outcomes) expect(outcome.indexes).toEqual(outcomes[0]!.indexes);
  });

  it('never take an entry from a client that is in, though 1 000 clients fight for 64 entries', async () => {
    const [ring, outcomes] = await fight({ entries: 64, keys: 1000, rounds: 50_000 }, [
      ...four('churn'),
      'sweep',
    ]);
    expect(outcomes.map((outcome) => outcome.stolen)).toEqual([0, 0, 0, 0, 0]);
    // At most four of eight ways are open at a time: there is always room.
    expect(outcomes.map((outcome) => outcome.refused)).toEqual([0, 0, 0, 0, 0]);
    const row = new Int32Array(ROW_WORDS);
    for (const [index, last] of outcomes[SHARDS]!.rows) {
      expect(readRow(ring.table, index, row, 0)).toBe(true);
      expect(last).toEqual(row);
    }
    ring.expectNothingHeld();
  });

  it('keep what they have open while the main thread forgets clients beside them', async () => {
    const [ring, outcomes] = await fight({ entries: 64, keys: 200, rounds: 50_000 }, [
      ...four('churn'),
      'forget',
    ]);
    expect(outcomes.map((outcome) => outcome.stolen)).toEqual([0, 0, 0, 0, 0]);
    expect(outcomes.map((outcome) => outcome.refused)).toEqual([0, 0, 0, 0, 0]);
    expect(outcomes[SHARDS]!.forgotten).toBeGreaterThan(10_000);
    ring.expectNothingHeld();
  });
});

describe('a shard that is killed in the middle of claims, 25 times over', () => {
  it('leaves nothing held once it is forgotten, and takes nothing from the one that lives', async () => {
    const ring = new Ring({ entries: WAYS * 2, keys: 200, rounds: 3_000_000_000 }, 1);
    const survivor = outcomeOf(ring.start('churn', 0));
    for (let death = 0; death < 25; death += 1) {
      const victim = ring.start('churn', 1);
      await once(victim, 'online');
      const before = Atomics.load(ring.gate, Gate.progress);
      while (Atomics.load(ring.gate, Gate.progress) - before < 1000 + death * 37)
        await new Promise((resolve) => setImmediate(resolve));
      await victim.terminate();
      ring.table.forgetShard(1);
    }
    Atomics.store(ring.gate, Gate.stop, 1);
    const { stolen, refused } = await survivor;
    expect([stolen, refused]).toEqual([0, 0]);
    ring.expectNothingHeld();
  });
});
