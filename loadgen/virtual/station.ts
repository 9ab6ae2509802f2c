/**
 * station — one real shard on the virtual clock, with its two transports and its disk
 *
 * Takes turns as the worker's driver does: when something was noted, when a timer is due, when the last turn had more to
 * do. Whoever makes trouble for it extends it (test/sim/station).
 */
import { bytesOf } from '../../src/base/ascii.ts';
import type { Allowance } from '../../src/backend/allowance.ts';
import type { Config } from '../../src/config/config.ts';
import { Leavings } from '../../src/families/leavings.ts';
import type { Lists } from '../../src/policy/lists.ts';
import type { ReputationTable } from '../../src/reputation/table.ts';
import type { Counters } from '../../src/session/counters.ts';
import type { Journal } from '../../src/session/journal.ts';
import { Shard } from '../../src/shard/shard.ts';
import type { DialAnswer, PeerHandle } from '../../src/transport/memory-transport.ts';
import { TICK_MS } from './crowd.ts';
import { SimTransport } from './sim-transport.ts';
import { MemorySpoolFiles } from './spool-files.ts';
import type { VirtualDns } from './virtual-dns.ts';

/** Wall clock at the zero of the virtual one. */
export const EPOCH_MS = 1_800_000_000_000;

/** What a station is made of. */
export interface StationOrder {
  readonly config: Config;
  readonly number: number;
  readonly shards: number;
  /** Slots of the transport in front. */
  readonly slots: number;
  /** Sessions that may be open; as many as there are slots when absent. */
  readonly sessionsMax?: number;
  readonly lanesMax: number;
  /** What the station shares with others. */
  readonly allowance?: Allowance;
  /** Bytes of the longest piece in which input comes; as it was sent when absent. */
  readonly splitBytes?: number;
  readonly reputation: ReputationTable;
  readonly counters: Counters;
  readonly journal: Journal;
  readonly lists?: Lists;
  readonly dns?: VirtualDns;
  /** The backend is called. */
  readonly onDial: (net: SimTransport, peer: PeerHandle) => DialAnswer;
}

export class Station {
  readonly front: SimTransport;
  readonly back: SimTransport;
  readonly files = new MemorySpoolFiles();
  readonly leavings = new Leavings();
  readonly shard: Shard;
  protected isMore = false;
  #woken = true;
  #diskDueMs = Infinity;
  readonly #dns: VirtualDns | undefined;

  constructor(order: StationOrder) {
    const wake = (): void => {
      this.#woken = true;
    };
    const splitBytes = order.splitBytes ?? Number.MAX_SAFE_INTEGER;
    this.front = new SimTransport({
      capacity: order.slots,
      inputBytesMax: 16_384,
      outputBytesMax: 65_536,
      splitBytes,
      fullReply: bytesOf('421 4.3.2 mx.example.com All sessions are in use, try again\r\n'),
    });
    this.back = new SimTransport({
      capacity: order.lanesMax,
      inputBytesMax: 65_536,
      outputBytesMax: 262_144,
      splitBytes,
      onDial: (_endpoint, peer) => order.onDial(this.back, peer),
    });
    this.#dns = order.dns;
    this.front.onNoted = wake;
    this.back.onNoted = wake;
    this.files.onNoted = wake;
    if (order.dns !== undefined) order.dns.onNoted = wake;
    this.shard = new Shard({
      config: order.config,
      front: this.front,
      back: this.back,
      servers: [{ name: 'backend', weight: 1, endpoint: { host: '127.0.0.1', port: 10_025 } }],
      journal: order.journal,
      reputation: order.reputation,
      shard: order.number,
      shards: order.shards,
      ...(order.sessionsMax === undefined ? {} : { sessionsMax: order.sessionsMax }),
      ...(order.lists === undefined ? {} : { lists: order.lists }),
      ...(order.dns === undefined ? {} : { dns: order.dns }),
      counters: order.counters,
      files: this.files,
      leavings: this.leavings,
      lanesMax: order.lanesMax,
      ...(order.allowance === undefined ? {} : { allowance: order.allowance }),
      idPrefix: `s${order.number}-`,
      epochMs: EPOCH_MS,
      startMs: 0,
    });
    this.shard.start(0);
  }

  /** Whether the next tick has something to do here. */
  get isBusy(): boolean {
    return this.front.busy || this.back.busy || this.wantsTurn;
  }

  /** Something was noted, or the last turn had more to do. */
  protected get wantsTurn(): boolean {
    return this.#woken || this.isMore;
  }

  /** When there is something to do by time alone. */
  nextDueMs(): number {
    if (this.#woken) return 0;
    return Math.min(this.shard.nextDueMs(), this.#diskDueMs, this.#dns?.nextDueMs() ?? Infinity);
  }

  /** Moves what the network, the disk and DNS lists have under way. */
  advance(nowMs: number): void {
    this.front.advance(nowMs / TICK_MS);
    this.back.advance(nowMs / TICK_MS);
    this.#dns?.turn(nowMs);
    if (nowMs >= this.#diskDueMs) {
      this.#diskDueMs = Infinity;
      this.files.advance();
    }
  }

  /** A turn, if it is time for one. */
  step(nowMs: number): void {
    if (!this.wantsTurn && this.shard.nextDueMs() > nowMs) return;
    this.#woken = false;
    this.isMore = this.shard.step(nowMs);
    this.onTurn(nowMs);
    if (this.files.filesOpen > 0 && this.#diskDueMs === Infinity)
      this.#diskDueMs = nowMs + TICK_MS * this.diskTicks();
  }

  /** Ticks until the disk has done what it was asked for. */
  protected diskTicks(): number {
    return 1;
  }

  /** A turn was taken. */
  protected onTurn(_nowMs: number): void {}
}
