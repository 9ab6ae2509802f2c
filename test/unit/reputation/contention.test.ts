import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { ReputationTable } from '../../../src/reputation/table.ts';
import type { Contest, Outcome } from './contender.ts';

const SHARDS = 4;
const NOW = 1_790_000_000;

interface Fight {
  readonly shared: SharedArrayBuffer;
  readonly outcomes: readonly Outcome[];
}

/** Lets four threads loose on one table and waits for what they tell. */
async function fight(contest: Pick<Contest, 'job' | 'entries' | 'keys' | 'rounds'>): Promise<Fight> {
  const shared = new SharedArrayBuffer(ReputationTable.bytesFor(contest.entries, SHARDS));
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const outcomes = await Promise.all(
    Array.from({ length: SHARDS }, async (_, shard) => {
      const workerData: Contest = { ...contest, shared, gate, shards: SHARDS, shard, nowSec: NOW };
      const worker = new Worker(new URL('./contender.ts', import.meta.url), { workerData });
      // Both are listened for at once: the last message and the end may come in the same turn.
      const [message] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
      return message[0] as Outcome;
    }),
  );
  return { shared, outcomes };
}

/** How many entries each key has in a table. */
function entriesPerKey(shared: SharedArrayBuffer, entries: number): Map<number, number> {
  const table = new ReputationTable(shared, entries, SHARDS, 0);
  const words = new Uint32Array(4);
  const counts = new Map<number, number>();
  for (let index = 0; index < table.entries; index += 1) {
    if (table.keyOf(index, words, 0)) counts.set(words[3]!, (counts.get(words[3]!) ?? 0) + 1);
  }
  return counts;
}

describe('four shards on one table', () => {
  it('lose none of 400 000 additions to the same 1 000 clients', async () => {
    const entries = 16_384;
    const { shared, outcomes } = await fight({ job: 'add', entries, keys: 1000, rounds: 100 });
    const table = new ReputationTable(shared, entries, SHARDS, 0);
    const scores = outcomes[0]!.indexes.map((index) => table.scoreOf(index, NOW));
    expect(scores).toEqual(new Array(1000).fill(SHARDS * 100 * 2));
  });

  it('make one entry per client when all claim the same 1 000 at once', async () => {
    const entries = 16_384;
    const { shared, outcomes } = await fight({ job: 'claim', entries, keys: 1000, rounds: 1 });
    const counts = entriesPerKey(shared, entries);
    expect(counts.size).toBe(1000);
    expect([...counts.values()].filter((count) => count !== 1)).toEqual([]);
    for (const outcome of outcomes) expect(outcome.indexes).toEqual(outcomes[0]!.indexes);
  });

  it('never take an entry from a client that is in, though 1 000 clients fight for 64 entries', async () => {
    const entries = 64;
    const { shared, outcomes } = await fight({ job: 'churn', entries, keys: 1000, rounds: 50_000 });
    expect(outcomes.map((outcome) => outcome.stolen)).toEqual([0, 0, 0, 0]);
    // At most four of eight ways are open at a time: there is always room.
    expect(outcomes.map((outcome) => outcome.refused)).toEqual([0, 0, 0, 0]);
    const counts = entriesPerKey(shared, entries);
    expect([...counts.values()].filter((count) => count !== 1)).toEqual([]);
    const table = new ReputationTable(shared, entries, SHARDS, 0);
    for (let index = 0; index < table.entries; index += 1) expect(table.openOf(index)).toBe(0);
  });
});
