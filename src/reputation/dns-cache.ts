/**
 * dns-cache — what one DNS list said of its last clients
 *
 * Kept for the answer's own time to live, within `dnsxl_policy.ttl_min` and `ttl_max`. Bounded: the answer that
 * was kept first makes room. A map of small objects is good enough here, on the primary's thread: a look-up that
 * finds nothing costs a datagram anyway.
 */

/** What is known of a client: a listing with its weight, or (weight null) that it is not listed. */
export interface Known {
  readonly weight: number | null;
  /** What the list says about it; '' while that is not known. */
  reason: string;
  readonly untilMs: number;
}

export interface CacheBounds {
  readonly ttlMinMs: number;
  readonly ttlMaxMs: number;
  readonly entriesMax: number;
}

export class DnsCache {
  readonly #bounds: CacheBounds;
  readonly #known = new Map<number | string, Known>();

  constructor(bounds: CacheBounds) {
    this.#bounds = bounds;
  }

  /** Clients that something is known of, expired or not. */
  get size(): number {
    return this.#known.size;
  }

  /** What is known of a client at this moment; undefined when it has to be asked. */
  find(key: number | string, nowMs: number): Known | undefined {
    const known = this.#known.get(key);
    if (known === undefined || known.untilMs > nowMs) return known;
    this.#known.delete(key);
    return undefined;
  }

  /** Keeps an answer. */
  keep(key: number | string, weight: number | null, ttlMs: number, nowMs: number): Known {
    const { ttlMinMs, ttlMaxMs, entriesMax } = this.#bounds;
    const known = { weight, reason: '', untilMs: nowMs + Math.min(ttlMaxMs, Math.max(ttlMinMs, ttlMs)) };
    this.#known.delete(key);
    if (this.#known.size >= entriesMax) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    this.#known.set(key, known);
    return known;
  }

  /** Forgets everything: the list is not believed any more. */
  clear(): void {
    this.#known.clear();
  }
}
