/**
 * station — a simulated shard that is looked at after its turns, whose disk may be slow, and which may be frozen, as a busy
 * machine does to a thread
 */
import { Station } from '../../loadgen/virtual/station.ts';
import type { Allowance } from '../../src/backend/allowance.ts';
import type { Random } from '../../src/base/prng.ts';
import type { ReputationTable } from '../../src/reputation/table.ts';
import type { Counters } from '../../src/session/counters.ts';
import type { Journal } from '../../src/session/journal.ts';
import type { Backend } from './backend.ts';
import { checkShard } from './checkers.ts';
import type { Plan } from './seed-plan.ts';

export class TriedStation extends Station {
  readonly #random: Random;
  readonly #checkEvery: number;
  readonly #isDiskSlow: boolean;
  #frozenUntilMs = 0;
  #turns = 0;

  constructor(
    plan: Plan,
    number: number,
    backend: Backend,
    allowance: Allowance,
    reputation: ReputationTable,
    counters: Counters,
    journal: Journal,
    random: Random,
  ) {
    super({
      config: plan.config,
      number,
      shards: 1,
      slots: plan.slotsPerShard,
      lanesMax: plan.lanesMax,
      allowance,
      splitBytes: plan.splitBytes,
      reputation,
      counters,
      journal,
      onDial: (net, peer) => backend.dialled(net, peer),
    });
    this.#random = random;
    this.#checkEvery = plan.checkEvery;
    this.#isDiskSlow = plan.faults.has('slowDisk');
    this.files.readBytesMax = plan.readBytesMax;
  }

  override get isBusy(): boolean {
    return this.front.busy || this.back.busy || (this.wantsTurn && this.#frozenUntilMs === 0);
  }

  override nextDueMs(): number {
    return Math.max(this.#frozenUntilMs, super.nextDueMs());
  }

  /** The thread does not run until then. */
  freeze(untilMs: number): void {
    this.#frozenUntilMs = untilMs;
  }

  override step(nowMs: number): void {
    if (nowMs < this.#frozenUntilMs) return;
    this.#frozenUntilMs = 0;
    super.step(nowMs);
  }

  protected override onTurn(nowMs: number): void {
    this.#turns += 1;
    if (this.#turns % this.#checkEvery === 0) checkShard(this.shard, this.front, nowMs, this.isMore);
  }

  protected override diskTicks(): number {
    return 1 + this.#random.below(this.#isDiskSlow ? 60 : 2);
  }
}
