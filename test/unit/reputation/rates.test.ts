import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { Kind, newKey } from '../../../src/reputation/keys.ts';
import { EntryWord, METER_RATES } from '../../../src/reputation/layout.ts';
import { countEvent, rateNow, uncountEvent } from '../../../src/reputation/meters.ts';
import { admit, COUNT_MAX, Rate, RATE_WORDS, rateOf, rateWord } from '../../../src/reputation/rates.ts';
import { ReputationTable } from '../../../src/reputation/table.ts';
import type { RateContest } from './rate-contender.ts';

const NOW = 1_790_000_000_000;
const HALF = 30_000;

it('fill a meter behind its date, to the last word', () => {
  expect(Object.keys(Rate)).toHaveLength(METER_RATES);
  expect(rateWord(0, 0)).toBe(EntryWord.seenSec + 1);
  expect(rateWord(0, (METER_RATES - 1) as Rate) + RATE_WORDS).toBe(EntryWord.COUNT);
});

it('stop at the largest count', () => {
  const words = new Int32Array(EntryWord.COUNT);
  const half = Math.floor(NOW / HALF);
  words[half % RATE_WORDS] = ((half % 4096) << 20) | (COUNT_MAX - 1);
  expect([1, 2, 3].map(() => admit(words, 0, NOW, HALF, Infinity))).toEqual([
    COUNT_MAX,
    COUNT_MAX + 1,
    COUNT_MAX + 1,
  ]);
  expect(rateOf(words, 0, NOW, HALF)).toBe(COUNT_MAX);
});

it('are counted for each rate and each key by itself', () => {
  const table = new ReputationTable(new SharedArrayBuffer(ReputationTable.bytesFor(64, 1)), 64, 1, 0);
  const [one, other] = [newKey(), newKey()];
  one[1] = 1;
  other[1] = 2;
  const count = (
    kind: typeof Kind.HostMeter | typeof Kind.NetworkMeter,
    key: typeof one,
    rate: Rate,
  ): number => countEvent(table, kind, key, rate, NOW, HALF, 2);
  expect([1, 2, 3, 4].map(() => count(Kind.HostMeter, one, Rate.Messages))).toEqual([1, 2, 3, 3]);
  expect(count(Kind.HostMeter, one, Rate.Recipients)).toBe(1);
  expect(count(Kind.HostMeter, other, Rate.Messages)).toBe(1);
  expect(count(Kind.NetworkMeter, one, Rate.Messages)).toBe(1);
  uncountEvent(table, Kind.HostMeter, one, Rate.Messages, NOW, HALF);
  expect(rateNow(table, Kind.HostMeter, one, Rate.Messages, NOW, HALF)).toBe(1);
  expect(rateNow(table, Kind.HostMeter, one, Rate.TlsSessions, NOW, HALF)).toBe(0);
  expect(table.find(Kind.Host, one)).toBe(-1);
});

it('limit nobody when the table has no room for a meter', () => {
  const table = new ReputationTable(new SharedArrayBuffer(ReputationTable.bytesFor(8, 1)), 8, 1, 0);
  const key = newKey();
  for (let host = 1; host <= 8; host += 1) {
    key[1] = host;
    table.opened(table.claim(Kind.Host, key, NOW / 1000));
  }
  const rates = [1, 2, 3].map(() => countEvent(table, Kind.HostMeter, key, Rate.Messages, NOW, HALF, 1));
  expect(rates).toEqual([0, 0, 0]);
});

const SHARDS = 4;

/** Lets four threads count in the same few meters; how many events each of them got in. */
async function contend(contest: Pick<RateContest, 'limit' | 'rounds' | 'keys'>): Promise<{
  counted: readonly number[];
  table: ReputationTable;
}> {
  const entries = 1_024;
  const shared = new SharedArrayBuffer(ReputationTable.bytesFor(entries, SHARDS));
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const counted = await Promise.all(
    Array.from({ length: SHARDS }, async (_, shard) => {
      const workerData: RateContest = {
        ...contest,
        shared,
        gate,
        entries,
        shards: SHARDS,
        shard,
        nowMs: NOW,
        halfMs: HALF,
      };
      const worker = new Worker(new URL('./rate-contender.ts', import.meta.url), { workerData });
      const [message] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
      return message[0] as number;
    }),
  );
  return { counted, table: new ReputationTable(shared, entries, SHARDS, 0) };
}

function ratesOf(table: ReputationTable, keys: number): number[] {
  const key = newKey();
  return Array.from({ length: keys }, (_, number) => {
    key[1] = number + 1;
    return rateNow(table, Kind.HostMeter, key, Rate.Messages, NOW, HALF);
  });
}

it('lose none of 200 000 events that four threads count in three meters', async () => {
  const { counted, table } = await contend({ limit: Infinity, rounds: 50_000, keys: 3 });
  expect(counted).toEqual([50_000, 50_000, 50_000, 50_000]);
  const sum = ratesOf(table, 3).reduce((all, rate) => all + rate, 0);
  expect(sum).toBe(200_000);
});

it('let exactly the limit through, whichever of four threads is quicker', async () => {
  const { counted, table } = await contend({ limit: 1_000, rounds: 20_000, keys: 3 });
  expect(counted.reduce((all, one) => all + one, 0)).toBe(3_000);
  expect(ratesOf(table, 3)).toEqual([1_000, 1_000, 1_000]);
});
