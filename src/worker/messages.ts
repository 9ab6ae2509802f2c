/**
 * messages — what the primary and its shards say to each other
 *
 * Few and small: everything that is counted or remembered goes through shared memory instead.
 */
import type { Config } from '../config/config.ts';
import type { Handle } from '../base/handle.ts';
import type { DnsAnswer } from '../reputation/dns-lists.ts';
import type { Endpoint } from '../transport/transport.ts';

/** What a shard is told when its thread begins. */
export interface ShardOrder {
  readonly config: Config;
  readonly shard: number;
  readonly shards: number;
  readonly sessionsMax: number;
  readonly lanesMax: number;
  readonly endpoint: Endpoint;
  readonly reputation: SharedArrayBuffer;
  readonly reputationEntries: number;
  readonly counters: SharedArrayBuffer;
  readonly idPrefix: string;
  readonly spoolDirectory: string;
}

/** Clients that a shard wants looked up in DNS lists (worker/dns-port), all of one turn together. */
export interface DnsAsks {
  /** The start of the shard that asks. */
  readonly start: string;
  readonly handles: readonly Handle[];
  readonly serials: readonly number[];
  /** Four for each handle: base/address. */
  readonly words: readonly number[];
  /** 1 for a client of good standing. */
  readonly good: readonly number[];
}

/** What DNS lists say of the client of one session. */
export interface DnsFound {
  readonly handle: Handle;
  readonly serial: number;
  readonly answer: DnsAnswer;
}

/** From the primary to a shard. */
export type ToShard =
  | { readonly kind: 'drain' }
  | { readonly kind: 'dnsFound'; readonly start: string; readonly found: readonly DnsFound[] };

/** From a shard to the primary. */
export type FromShard =
  | { readonly kind: 'listening'; readonly addresses: readonly string[] }
  | { readonly kind: 'notice'; readonly text: string }
  | { readonly kind: 'dnsAsks'; readonly asks: DnsAsks }
  | { readonly kind: 'drained' }
  | { readonly kind: 'failed'; readonly text: string };
