/**
 * dns-proof — a listing counts only beside a sign that the list does not have everybody
 *
 * A list that was sold, that lost its data or that lists the world on purpose looks like a good one from its last
 * test until its next. So a fresh listing is held until a look-up of 127.0.0.1 that was sent behind it has shown
 * "not listed"; a listing from memory is content with one that is at most `dnsxl_policy.verify_interval` old. The
 * session waits for none of this: what is held counts when it is released.
 *
 * One such look-up at a time serves all listings that came before it, and the next is sent after a pause: a storm of
 * listed clients costs ten questions a second and zone. There is one of these for each family of a zone.
 */
const PAUSE_MS = 100;

export class DnsProof<Held> {
  #provenMs = -Infinity;
  #sentMs: number | null = null;
  #lastSentMs = -Infinity;
  /** The latest moment that something held waits for. */
  #wantedMs = -Infinity;
  #held: { readonly sinceMs: number; readonly held: Held }[] = [];

  /** Listings that wait. */
  get holding(): number {
    return this.#held.length;
  }

  /** True when a look-up sent at `sinceMs` or later showed that the list does not have everybody. */
  covers(sinceMs: number): boolean {
    return this.#provenMs >= sinceMs;
  }

  /** Keeps a listing until a look-up sent at `sinceMs` or later is answered. */
  hold(sinceMs: number, held: Held): void {
    this.#held.push({ sinceMs, held });
    this.#wantedMs = Math.max(this.#wantedMs, sinceMs);
  }

  /** When the next look-up should be sent; Infinity when nothing waits or one is under way. */
  dueMs(): number {
    if (this.#held.length === 0 || this.#sentMs !== null || this.#provenMs >= this.#wantedMs) return Infinity;
    return this.#lastSentMs + PAUSE_MS;
  }

  /** A look-up was sent. */
  sent(nowMs: number): void {
    this.#sentMs = nowMs;
    this.#lastSentMs = nowMs;
  }

  /** It showed that the list does not have everybody. */
  proven(): void {
    this.#provenMs = this.#sentMs ?? this.#provenMs;
    this.#sentMs = null;
  }

  /** What is proven of what was held. */
  release(): Held[] {
    return this.#take((sinceMs) => sinceMs <= this.#provenMs);
  }

  /** It was not answered: what waited for it is given up. */
  failed(): Held[] {
    const sentMs = this.#sentMs ?? -Infinity;
    this.#sentMs = null;
    return this.#take((sinceMs) => sinceMs <= sentMs);
  }

  /** Everything that is held, proven or not: the list is not believed any more. Nor is what was proven. */
  drop(): Held[] {
    this.#provenMs = -Infinity;
    return this.#take(() => true);
  }

  #take(isMeant: (sinceMs: number) => boolean): Held[] {
    const taken = this.#held.filter(({ sinceMs }) => isMeant(sinceMs)).map(({ held }) => held);
    if (taken.length > 0) this.#held = this.#held.filter(({ sinceMs }) => !isMeant(sinceMs));
    if (this.#held.length === 0) this.#wantedMs = -Infinity;
    return taken;
  }
}
