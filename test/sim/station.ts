/**
 * station — one simulated shard with its two transports and its disk
 *
 * Takes turns as the worker's driver does: when something was noted, when a timer is due, when the last turn
 * had more to do; and not while it is frozen, which is what a busy machine does to a thread.
 */
import type { Random } from '../../src/base/prng.ts';
import { bytesOf } from '../../src/base/ascii.ts';
import { Leavings } from '../../src/families/leavings.ts';
import type { ReputationTable } from '../../src/reputation/table.ts';
import type { Counters } from '../../src/session/counters.ts';
import type { Journal } from '../../src/session/journal.ts';
import { Shard } from '../../src/shard/shard.ts';
import { MemorySpoolFiles } from '../../loadgen/virtual/spool-files.ts';
import type { Backend } from './backend.ts';
import { checkShard } from './checkers.ts';
import type { Plan } from './seed-plan.ts';
import { SimTransport } from '../../loadgen/virtual/sim-transport.ts';

const EPOCH_MS = 1_800_000_000_000;

export class Station {
  readonly front: SimTransport;
  readonly back: SimTransport;
  readonly files = new MemorySpoolFiles();
  readonly leavings = new Leavings();
  readonly shard: Shard;
  readonly #random: Random;
  readonly #checkEvery: number;
  readonly #isDiskSlow: boolean;
  #woken = true;
  #isMore = false;
  #frozenUntilMs = 0;
  #diskDueMs = Infinity;
  #turns = 0;

  constructor(
    plan: Plan,
    number: number,
    backend: Backend,
    reputation: ReputationTable,
    counters: Counters,
    journal: Journal,
    random: Random,
  ) {
    const wake = (): void => {
      this.#woken = true;
    };
    this.#random = random;
    this.#checkEvery = plan.checkEvery;
    this.#isDiskSlow = plan.faults.has('slowDisk');
    this.front = new SimTransport({
      capacity: plan.slotsPerShard,
      inputBytesMax: 16_384,
      outputBytesMax: 65_536,
      splitBytes: plan.splitBytes,
      fullReply: bytesOf('421 4.3.2 mx.example.com All sessions are in use, try again\r\n'),
    });
    this.back = new SimTransport({
      capacity: plan.lanesMax,
      inputBytesMax: 65_536,
      outputBytesMax: 262_144,
      splitBytes: plan.splitBytes,
      onDial: (_endpoint, peer) => backend.dialled(this.back, peer),
    });
    this.files.readBytesMax = plan.readBytesMax;
    this.front.onNoted = wake;
    this.back.onNoted = wake;
    this.files.onNoted = wake;
    this.shard = new Shard({
      config: plan.config,
      front: this.front,
      back: this.back,
      endpoint: { host: '127.0.0.1', port: 10_025 },
      journal,
      reputation,
      shard: number,
      counters,
      files: this.files,
      leavings: this.leavings,
      lanesMax: plan.lanesMax,
      idPrefix: `s${number}-`,
      epochMs: EPOCH_MS,
      startMs: 0,
    });
    this.shard.start(0);
  }

  /** Whether the next tick has something to do here. */
  get isBusy(): boolean {
    return this.front.busy || this.back.busy || ((this.#woken || this.#isMore) && this.#frozenUntilMs === 0);
  }

  /** When there is something to do by time alone. */
  nextDueMs(): number {
    const dueMs = Math.min(this.shard.nextDueMs(), this.#diskDueMs);
    return Math.max(this.#frozenUntilMs, this.#woken ? 0 : dueMs);
  }

  /** The thread does not run until then. */
  freeze(untilMs: number): void {
    this.#frozenUntilMs = untilMs;
  }

  /** Moves what the network and the disk have under way. */
  advance(nowMs: number): void {
    this.front.advance(nowMs / 10);
    this.back.advance(nowMs / 10);
    if (nowMs >= this.#diskDueMs) {
      this.#diskDueMs = Infinity;
      this.files.advance();
    }
  }

  /** A turn, if it is time for one. */
  step(nowMs: number): void {
    if (nowMs < this.#frozenUntilMs) return;
    this.#frozenUntilMs = 0;
    if (!this.#woken && !this.#isMore && this.shard.nextDueMs() > nowMs) return;
    this.#woken = false;
    this.#isMore = this.shard.step(nowMs);
    this.#turns += 1;
    if (this.#turns % this.#checkEvery === 0) checkShard(this.shard, this.front, nowMs, this.#isMore);
    if (this.files.filesOpen > 0 && this.#diskDueMs === Infinity) {
      this.#diskDueMs = nowMs + 10 * (1 + this.#random.below(this.#isDiskSlow ? 60 : 2));
    }
  }
}
