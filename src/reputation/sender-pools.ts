/**
 * sender-pools — where a shard tells which domain a good sender wrote from (port)
 *
 * When a client of good standing had a message accepted, its address, the domain of MAIL FROM and its HELO are offered.
 * Whoever takes them (worker/sender-offers, a list in the tests) finds out whether the domain's SPF record authorises
 * the client, and what else it authorises; what comes of it is another map of pools, on some later turn, or
 * nothing. The session does not hear of it.
 */
export interface SenderPools {
  /** False when nobody listens: the shard then looks for no domain. */
  readonly enabled: boolean;

  /** Tells of a client with the address in words[at … at + 3]. Never waits, never fails: what it cannot take it drops. */
  offer(words: Uint32Array, at: number, domain: string, helo: string): void;
}

/** Nobody listens. */
export const noSenderPools: SenderPools = { enabled: false, offer: () => undefined };
