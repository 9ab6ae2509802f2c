/**
 * pool-book — the sender domains that are pools now, and the networks of each
 *
 * A domain comes in when a client of good standing was verified for it, and stays while it is credited or its record can
 * be read. Bounds: POOLS_MAX domains and RANGES_MAX ranges together; the one that was credited longest ago goes first.
 * A record is read anew when its time is up, REFRESH_MS_MIN … REFRESH_MS_MAX; when that fails, the last good copy holds
 * for KEEP_MS. What a pool has earned is not here but in the reputation table, under the key of its domain.
 *
 * After a restart the book is empty. What pools have earned is still in the table when that was kept, so a domain
 * counts again in full as soon as one good client of it was verified: its networks are then looked up anew.
 */
import type { Key } from '../reputation/keys.ts';
import { newKey, textKey } from '../reputation/keys.ts';
import type { AddressRanges } from '../policy/address-ranges.ts';
import { compilePools } from '../policy/pool-map.ts';

const POOLS_MAX = 10_000;
const RANGES_MAX = 100_000;
const MINUTE_MS = 60_000;
const REFRESH_MS_MIN = 10 * MINUTE_MS;
const REFRESH_MS_MAX = 24 * 60 * MINUTE_MS;
/** A refresh that failed is tried again after this time. */
const RETRY_MS = 10 * MINUTE_MS;
const KEEP_MS = 24 * 60 * MINUTE_MS;
/** Without a credit for so long a pool is given up: a known sender would have sent. */
const IDLE_MS_MAX = 30 * 24 * 60 * MINUTE_MS;

/** One domain. */
export interface SenderPool {
  readonly domain: string;
  readonly key: Key;
  ranges: AddressRanges;
  /** When its record was read with success. */
  readMs: number;
  /** When it is to be read anew. */
  refreshMs: number;
  creditedMs: number;
  /** Whether it was of good standing when that was looked at last. */
  isGood: boolean;
}

export class PoolBook {
  /** In the order of their last credit. */
  readonly #pools = new Map<string, SenderPool>();
  readonly #poolsMax: number;
  readonly #rangesMax: number;
  #ranges = 0;
  #changed = false;

  constructor(poolsMax = POOLS_MAX, rangesMax = RANGES_MAX) {
    this.#poolsMax = poolsMax;
    this.#rangesMax = rangesMax;
  }

  /** Pools in the book. */
  get size(): number {
    return this.#pools.size;
  }

  /** The domain of a pool's key, '' when it is not in the book. Looks at every pool: for an operator who asks. */
  domainOf(key: Key): string {
    for (const [domain, pool] of this.#pools)
      if (pool.key[0] === key[0] && pool.key[1] === key[1]) return domain;
    return '';
  }

  /** Whether a map that was compiled before is no longer right. */
  get hasChanged(): boolean {
    return this.#changed;
  }

  /** The pool of a domain, if its networks are known. */
  find(domain: string): SenderPool | undefined {
    return this.#pools.get(domain);
  }

  /** Takes a domain in, or notes what its record says now. */
  put(domain: string, ranges: AddressRanges, ttlSec: number, nowMs: number): SenderPool {
    const refreshMs = nowMs + Math.min(REFRESH_MS_MAX, Math.max(REFRESH_MS_MIN, ttlSec * 1_000));
    let pool = this.#pools.get(domain);
    if (pool === undefined) {
      const key = newKey();
      textKey(domain, key);
      pool = { domain, key, ranges: [], readMs: nowMs, refreshMs, creditedMs: nowMs, isGood: false };
      this.#pools.set(domain, pool);
    }
    pool.readMs = nowMs;
    pool.refreshMs = refreshMs;
    if (!isSame(pool.ranges, ranges)) {
      this.#ranges += ranges.length - pool.ranges.length;
      pool.ranges = ranges;
      this.#changed = true;
    }
    this.#makeRoom();
    return pool;
  }

  /** A member was verified. */
  credited(pool: SenderPool, nowMs: number): void {
    if (this.#pools.get(pool.domain) !== pool) return;
    pool.creditedMs = nowMs;
    this.#pools.delete(pool.domain);
    this.#pools.set(pool.domain, pool);
    this.standing(pool, true);
  }

  /** Notes whether a pool is of good standing: those that are come first in the map. */
  standing(pool: SenderPool, isGood: boolean): void {
    if (pool.isGood === isGood) return;
    pool.isGood = isGood;
    this.#changed = true;
  }

  /** The record could not be read; false when the last good copy is too old now and the pool is gone. */
  notRead(pool: SenderPool, nowMs: number): boolean {
    pool.refreshMs = nowMs + RETRY_MS;
    if (nowMs - pool.readMs < KEEP_MS) return true;
    this.drop(pool);
    return false;
  }

  /** Gives a pool up. */
  drop(pool: SenderPool): void {
    if (this.#pools.get(pool.domain) !== pool) return;
    this.#pools.delete(pool.domain);
    this.#ranges -= pool.ranges.length;
    this.#changed = true;
  }

  /** Gives up what nobody sends for any more, and returns all pools whose record is to be read now. */
  due(nowMs: number): SenderPool[] {
    const due: SenderPool[] = [];
    for (const pool of this.#pools.values()) {
      if (nowMs - pool.creditedMs >= IDLE_MS_MAX) this.drop(pool);
      else if (pool.refreshMs <= nowMs) due.push(pool);
    }
    return due;
  }

  all(): Iterable<SenderPool> {
    return this.#pools.values();
  }

  /** The map of all pools (policy/pool-map): those of good standing first, then by their last credit. */
  compile(): Uint32Array {
    this.#changed = false;
    const latestFirst = [...this.#pools.values()].toReversed();
    return compilePools([
      ...latestFirst.filter((pool) => pool.isGood),
      ...latestFirst.filter((pool) => !pool.isGood),
    ]);
  }

  #makeRoom(): void {
    for (const pool of this.#pools.values()) {
      if (this.#pools.size <= this.#poolsMax && this.#ranges <= this.#rangesMax) return;
      this.drop(pool);
    }
  }
}

function isSame(a: AddressRanges, b: AddressRanges): boolean {
  return (
    a.length === b.length &&
    a.every((range, at) => range.first === b[at]!.first && range.last === b[at]!.last)
  );
}
