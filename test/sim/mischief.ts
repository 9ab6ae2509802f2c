/**
 * mischief — the troubles that come from neither clients nor backend
 *
 * Threads that are late, disks that fail for a while, another shard that has its own opinion of a client; and the
 * draw of what befalls each client's connection.
 */
import type { Prng } from '../../src/base/prng.ts';
import { parseAddress } from '../../src/base/address.ts';
import { ONE } from '../../src/reputation/decay.ts';
import { hostKey, Kind, newKey } from '../../src/reputation/keys.ts';
import { signals } from '../../src/reputation/signals.ts';
import type { ReputationTable } from '../../src/reputation/table.ts';
import type { Trouble } from './client.ts';
import type { TriedCrowd } from './crowd.ts';
import type { Plan } from './seed-plan.ts';
import type { TriedStation } from './station.ts';

const LATE_MS = 400;
const EPOCH_SEC = 1_800_000_000;
const PASSES = 15;

export class Mischief {
  readonly #plan: Plan;
  readonly #stations: readonly TriedStation[];
  readonly #stranger: ReputationTable;
  readonly #crowd: TriedCrowd;
  readonly #random: Prng;
  readonly #troubles: Prng;
  readonly #words = new Uint32Array(4);
  readonly #key = newKey();
  #nextMs = 500;

  constructor(
    plan: Plan,
    stations: readonly TriedStation[],
    stranger: ReputationTable,
    crowd: TriedCrowd,
    random: Prng,
  ) {
    this.#plan = plan;
    this.#stations = stations;
    this.#stranger = stranger;
    this.#crowd = crowd;
    this.#random = random.fork('when');
    this.#troubles = random.fork('clients');
    const { faults } = plan;
    if (!faults.has('lateTicks') && !faults.has('foreignScores') && !faults.has('brokenDisk'))
      this.#nextMs = Infinity;
  }

  nextDueMs(): number {
    return this.#nextMs;
  }

  /** From now on nothing more happens. */
  stop(): void {
    this.#nextMs = Infinity;
    for (const { files, front, back } of this.#stations) {
      files.broken = false;
      front.calm();
      back.calm();
    }
  }

  /** Does what is due. */
  turn(nowMs: number): void {
    if (nowMs < this.#nextMs) return;
    this.#nextMs = nowMs + 10 * (1 + this.#random.below(150));
    const { faults } = this.#plan;
    const station = this.#stations[this.#random.below(this.#stations.length)] as TriedStation;
    if (faults.has('lateTicks') && this.#random.below(3) === 0) station.freeze(nowMs + LATE_MS);
    if (faults.has('brokenDisk') && this.#random.below(3) === 0) station.files.broken = !station.files.broken;
    if (faults.has('foreignScores')) this.#gossip(nowMs);
  }

  /** What befalls a client that begins now. Honest ones are spared the long stalls: those are their own fault. */
  troubleFor(isHonest: boolean): Trouble {
    const { faults } = this.#plan;
    const random = this.#troubles;
    const draw = random.below(100);
    const at = 1 + random.below(6);
    const stallMs = 1_000 + random.below(isHonest ? 20_000 : 400_000);
    if (faults.has('resets') && draw < 6) return { kind: 'reset', at, stallMs };
    if (faults.has('resets') && draw < 12)
      return { kind: 'vanish', at: at < 5 ? 5 : at, stallMs: 10 + (stallMs % 2_000) };
    if (faults.has('halfClose') && draw >= 12 && draw < 24) return { kind: 'halfClose', at, stallMs };
    if (faults.has('stalledReaders') && draw >= 24 && draw < 40) return { kind: 'stall', at, stallMs };
    return { kind: 'none', at: 0, stallMs };
  }

  /** The stranger changes what is known of a client. */
  #gossip(nowMs: number): void {
    const { clients } = this.#crowd;
    if (clients.length === 0) return;
    const client = clients[this.#random.below(clients.length)]!;
    if (!parseAddress(client.address, this.#words, 0)) return;
    const nowSec = EPOCH_SEC + Math.floor(nowMs / 1_000);
    hostKey(this.#words, 0, this.#key);
    const index = this.#stranger.claim(Kind.Host, this.#key, nowSec);
    if (index < 0) return;
    const { id } = this.#random.below(2) === 0 ? signals.pregreet : signals.delivered;
    this.#stranger.observe(index, id, nowSec, this.#random.below(2 * ONE));
    if (this.#random.below(3) === 0)
      this.#stranger.pass(index, PASSES, this.#random.below(2) === 0 ? 0 : nowSec + 60);
  }
}
