/**
 * allowance — what the shards of a process may hold together: connections to the backend, memory and disk for messages
 *
 * One piece of shared memory for the three, with a column for each shard (base/budget, backend/permits). The main thread
 * makes it, and clears the columns of a shard that has died; each shard has a view of its own. Several processes get parts of
 * what the configuration allows (primary/plan), and lend each other connections (primary/connection-desk).
 */
import { Budget } from '../base/budget.ts';
import { Permits } from './permits.ts';

/** The limits, for all shards of the process together. */
export interface AllowanceLimits {
  /** The most that there can ever be; how many there are now is the limit of the permits. */
  readonly lanesMax: number;
  readonly memoryMaxBytes: number;
  readonly diskMaxBytes: number;
}

/** A line of the cache for each shard. */
const UNREAD_WORDS = 16;
const UNREAD_MAX = 0x7fff_ffff;

export class Allowance {
  /** Bytes of shared memory for so many shards. */
  static bytesFor(shards: number): number {
    return (
      (Permits.wordsFor(shards) + 2 * Budget.wordsFor(shards) + shards * UNREAD_WORDS) *
      Int32Array.BYTES_PER_ELEMENT
    );
  }

  /** The allowance of a shard that shares with nobody. */
  static alone(limits: AllowanceLimits): Allowance {
    return new Allowance(new SharedArrayBuffer(Allowance.bytesFor(1)), limits, 1, 0);
  }

  readonly permits: Permits;
  readonly memory: Budget;
  readonly disk: Budget;
  /** Bytes of each shard that came in and were not looked at yet: they take memory too, though nobody asks before they do. */
  readonly #unread: Int32Array;
  readonly #shard: number;

  /** `shard`: whose view it is; the main thread, which takes nothing, may use any. */
  constructor(shared: SharedArrayBuffer, limits: AllowanceLimits, shards: number, shard: number) {
    const words = new Int32Array(shared);
    const memoryAt = Permits.wordsFor(shards);
    const diskAt = memoryAt + Budget.wordsFor(shards);
    const unreadAt = diskAt + Budget.wordsFor(shards);
    this.permits = new Permits(words.subarray(0, memoryAt), limits.lanesMax, shards, shard);
    this.memory = new Budget(words.subarray(memoryAt, diskAt), limits.memoryMaxBytes, shards, shard);
    this.disk = new Budget(words.subarray(diskAt, unreadAt), limits.diskMaxBytes, shards, shard);
    this.#unread = words.subarray(unreadAt);
    this.#shard = shard;
  }

  /** Says how many bytes of this shard came in and were not looked at yet; at the end of each turn, since a shard may rest behind it. */
  tellUnread(bytes: number): void {
    Atomics.store(this.#unread, this.#shard * UNREAD_WORDS, Math.min(bytes, UNREAD_MAX));
  }

  /** Memory that is in use by all shards: with messages, and with what each told last of its unread bytes. */
  get memoryBytes(): number {
    let unread = 0;
    for (let at = 0; at < this.#unread.length; at += UNREAD_WORDS) unread += Atomics.load(this.#unread, at);
    return this.memory.heldByAll + unread;
  }

  /** A shard is gone, and all it held with it. */
  forget(shard: number): void {
    this.permits.forget(shard);
    this.memory.forget(shard);
    this.disk.forget(shard);
    Atomics.store(this.#unread, shard * UNREAD_WORDS, 0);
  }
}
