import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { Permits } from '../../../src/backend/permits.ts';
import { until } from '../../system/process.ts';
import type { PermitsContest } from './permits-contender.ts';

function house(max: number, shards: number): { main: Permits; all: Permits[] } {
  const words = new Int32Array(Permits.wordsFor(shards));
  const view = (shard: number): Permits => new Permits(words, max, shards, shard);
  return { main: view(0), all: Array.from({ length: shards }, (_, shard) => view(shard)) };
}

describe('the limit of permits', () => {
  it('holds for whoever asks, and may be raised again', () => {
    const { main, all } = house(4, 2);
    const [one, other] = all as [Permits, Permits];
    expect([one.take(0), one.take(0), other.take(0)]).toEqual([true, true, true]);
    main.setLimit(2, 1);
    expect([main.limit, main.heldByAll, other.take(0)]).toEqual([2, 3, false]);
    one.giveBack();
    expect(other.take(0)).toBe(false);
    main.setLimit(3, 1);
    expect([other.take(0), other.take(0)]).toEqual([true, false]);
  });

  it('asks back from a shard above its share of it, though no other wants any', () => {
    const { main, all } = house(4, 2);
    const [one, other] = all as [Permits, Permits];
    for (const permits of [one, one, one, other]) permits.take(0);
    expect([one.isAskedBack(0, 1_000), other.isAskedBack(0, 1_000)]).toEqual([false, false]);
    main.setLimit(2, 1);
    expect([one.isAskedBack(0, 1_000), other.isAskedBack(0, 1_000)]).toEqual([true, false]);
    expect(one.isAskedBack(2, 1_000)).toBe(false);
  });

  it('that may be lowered makes every shard look that has more than its share of the lowest', () => {
    const { main, all } = house(6, 2);
    all[0]!.take(0);
    expect(all[0]!.isAboveShare).toBe(false);
    main.setLimit(6, 1);
    expect([all[0]!.isAboveShare, all[1]!.isAboveShare]).toEqual([true, false]);
  });

  it('leaves what is at rest to another process that wants it, as many as it wants and all but the lowest', () => {
    const { main, all } = house(6, 1);
    const [one] = all as [Permits];
    for (let count = 0; count < 5; count += 1) one.take(0);
    main.setLimit(6, 1);
    const isEnded = (): boolean => one.isAskedBack(0, 1_000, true);
    expect(isEnded()).toBe(false);
    main.setElsewhere(1);
    // One is free anyhow.
    expect(isEnded()).toBe(false);
    main.setElsewhere(9);
    expect([isEnded(), one.isAskedBack(0, 1_000)]).toEqual([true, false]);
    for (let count = 0; count < 4; count += 1) one.giveBack();
    expect(isEnded()).toBe(false);
  });

  it('is told apart from what shards lack, which is counted beyond their shares too', () => {
    const { main, all } = house(4, 2);
    all[0]!.want(7);
    all[1]!.want(3);
    expect(main.lackingByAll).toBe(10);
    main.forget(0);
    all[1]!.want(1);
    expect(main.lackingByAll).toBe(1);
  });

  it('is not exceeded by threads that take while it is lowered: what they had behind that is the most they will have', async () => {
    const [max, shards] = [4, 3];
    const shared = new SharedArrayBuffer(Permits.wordsFor(shards) * Int32Array.BYTES_PER_ELEMENT);
    const gate = new Int32Array(new SharedArrayBuffer(4 * Int32Array.BYTES_PER_ELEMENT));
    const entry = new URL('permits-contender.ts', import.meta.url);
    const workers = Array.from({ length: shards }, (_, shard) => {
      const workerData: PermitsContest = { shared, gate, max, shards, shard };
      return new Worker(entry, { workerData });
    });
    const exits = workers.map((worker) => once(worker, 'exit'));
    await until('all have begun', () => Atomics.load(gate, 0) === shards);
    const main = new Permits(new Int32Array(shared), max, shards, 0);
    let excess = 0;
    let lowered = 0;
    for (let round = 0; round < 20_000 || lowered === 0; round += 1) {
      main.setLimit(1, 1);
      const left = Math.max(1, main.heldByAll);
      if (left < max) lowered += 1;
      for (let look = 0; look < 10; look += 1) excess = Math.max(excess, Atomics.load(gate, 1) - left);
      main.setLimit(max, 1);
    }
    Atomics.store(gate, 3, 1);
    await Promise.all(exits);
    expect(excess).toBeLessThanOrEqual(0);
    expect(Atomics.load(gate, 2)).toBeGreaterThan(0);
    expect(main.heldByAll).toBe(0);
  });
});
