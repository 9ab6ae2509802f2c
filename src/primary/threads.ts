/**
 * threads — the shards of one process: started, watched, restarted, drained
 *
 * Plain long-lived worker threads. A thread that ends without being asked to has taken its own sessions with it;
 * another is started after a pause that doubles from 0.1 to 10 seconds and is forgotten after a minute without a
 * fault. Shared memory (reputation, counters, allowance) outlives its threads.
 */
import { randomInt } from 'node:crypto';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Allowance } from '../backend/allowance.ts';
import type { Permits } from '../backend/permits.ts';
import { ReputationTable } from '../reputation/table.ts';
import { Counters, sumCounters, takePeaks } from '../session/counters.ts';
import type { FromShard, ShardOrder, ToShard } from '../worker/messages.ts';
import type { EngineEvents, EngineOrder } from './engine-order.ts';
import { withFact } from './facts.ts';
import type { PeakReport } from './peak-lines.ts';

const PAUSE_MS_MIN = 100;
const PAUSE_MS_MAX = 10_000;
const FORGIVEN_AFTER_MS = 60_000;

const entry = new URL(`../worker/main${extname(new URL(import.meta.url).pathname)}`, import.meta.url);

interface Thread {
  worker: Worker | null;
  starts: number;
  startedAtMs: number;
  pauseMs: number;
  restart: NodeJS.Timeout | null;
  ended: boolean;
}

export class Threads {
  /** The counters of all shards of this process. */
  readonly counters: SharedArrayBuffer;
  /** What the shards of this process remember of clients, as this thread reads and writes it. */
  readonly table: ReputationTable;
  #order: EngineOrder;
  readonly #events: EngineEvents;
  readonly #reputation: SharedArrayBuffer;
  readonly #allowed: SharedArrayBuffer;
  readonly #allowance: Allowance;
  readonly #threads: Thread[];
  #draining = false;

  /** Takes the shared memory; nothing runs yet. */
  constructor(order: EngineOrder, events: EngineEvents) {
    this.#order = order;
    this.#events = events;
    this.counters = new SharedArrayBuffer(Counters.bytesFor(order.shards));
    this.#reputation = new SharedArrayBuffer(ReputationTable.bytesFor(order.reputationEntries, order.shards));
    ReputationTable.prepare(this.#reputation, randomInt(2 ** 32));
    this.table = new ReputationTable(this.#reputation, order.reputationEntries, order.shards, order.shards);
    this.#allowed = new SharedArrayBuffer(Allowance.bytesFor(order.shards));
    this.#allowance = new Allowance(this.#allowed, order.allowance, order.shards, 0);
    const none = { worker: null, starts: 0, startedAtMs: 0, pauseMs: 0, restart: null, ended: false };
    this.#threads = Array.from({ length: order.shards }, () => ({ ...none }));
  }

  /** The connections to the backend that the shards share: here nobody takes any. */
  get permits(): Permits {
    return this.#allowance.permits;
  }

  /** Starts every shard. What becomes of them comes as events. */
  start(): void {
    for (const shard of this.#threads.keys()) this.#start(shard);
  }

  /** Says something to one shard; one that is being started again does not hear it. */
  tell(shard: number, message: ToShard): void {
    this.#threads[shard]?.worker?.postMessage(message);
  }

  /** What all shards have counted since the process began. */
  counts(): Record<string, number> {
    return sumCounters(this.counters, this.#order.shards);
  }

  /** Says something to every shard that runs. Facts (facts) reach those that are started later too. */
  tellAll(message: ToShard): void {
    this.#order = withFact(this.#order, message);
    for (const { worker } of this.#threads) worker?.postMessage(message);
  }

  /** The peaks since they were asked for the last time, and the clients of the last window. */
  peaks(): PeakReport {
    const sinceSec = Math.floor((Date.now() - this.#order.config.limits.windowMs) / 1000);
    return {
      peaks: takePeaks(this.counters, this.#order.shards),
      clients: this.table.hostsSince(sinceSec),
    };
  }

  /** Asks every shard to empty itself; `drained` is told when all have ended. */
  drain(): void {
    this.#draining = true;
    for (const thread of this.#threads) {
      if (thread.restart !== null) clearTimeout(thread.restart);
      if (thread.worker === null) thread.ended = true;
      else thread.worker.postMessage({ kind: 'drain' } satisfies ToShard);
    }
    this.#tellIfDrained();
  }

  /** Ends every shard at once, with its sessions. */
  kill(): void {
    this.#draining = true;
    for (const thread of this.#threads) {
      if (thread.restart !== null) clearTimeout(thread.restart);
      void thread.worker?.terminate();
    }
  }

  /** Kills one shard, as a fault would: for tests of the restart. */
  async killShard(shard: number): Promise<void> {
    await this.#threads[shard]?.worker?.terminate();
  }

  #start(shard: number): void {
    const thread = this.#threads[shard]!;
    thread.starts += 1;
    thread.startedAtMs = performance.now();
    thread.restart = null;
    const order: ShardOrder = {
      ...this.#order,
      shard,
      idPrefix: `${this.#order.idPrefix}.${shard}.${thread.starts}-`,
      reputation: this.#reputation,
      counters: this.counters,
      allowed: this.#allowed,
    };
    const worker = new Worker(entry, { workerData: order, name: `shard-${shard}` });
    thread.worker = worker;
    worker.on('message', (message: FromShard) => this.#events.told(shard, message));
    worker.on('error', (error: unknown) => {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#events.told(shard, { kind: 'notice', text: `shard ${shard} failed: ${text}` });
    });
    worker.on('exit', () => this.#exited(shard));
  }

  #exited(shard: number): void {
    const thread = this.#threads[shard]!;
    thread.worker = null;
    // What it held open is given back now, not when its successor comes.
    this.table.forgetShard(shard);
    if (this.#draining) {
      this.#allowance.forget(shard);
      thread.ended = true;
      this.#tellIfDrained();
      return;
    }
    const livedMs = performance.now() - thread.startedAtMs;
    thread.pauseMs =
      livedMs > FORGIVEN_AFTER_MS
        ? PAUSE_MS_MIN
        : Math.min(PAUSE_MS_MAX, Math.max(PAUSE_MS_MIN, thread.pauseMs * 2));
    this.#events.told(shard, {
      kind: 'notice',
      text: `shard ${shard} ended; it is started again in ${thread.pauseMs / 1000} s`,
    });
    // Its connections go to others when the backend has had time to see their end, and before its successor begins.
    setTimeout(() => this.#allowance.forget(shard), PAUSE_MS_MIN);
    thread.restart = setTimeout(() => this.#start(shard), thread.pauseMs);
  }

  #tellIfDrained(): void {
    if (this.#threads.every((thread) => thread.ended)) this.#events.drained();
  }
}
