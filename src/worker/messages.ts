/**
 * messages — what the primary and its shards say to each other
 *
 * Few and small: everything that is counted or remembered goes through shared memory instead.
 */
import type { Config } from '../config/config.ts';
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
  /** The key of the hash that clients are called by (privacy.log_ip); null when there is none. */
  readonly nameKey: Uint8Array | null;
}

/** From the primary to a shard. */
export type ToShard = { readonly kind: 'drain' };

/** From a shard to the primary. */
export type FromShard =
  | { readonly kind: 'listening'; readonly addresses: readonly string[] }
  | { readonly kind: 'notice'; readonly text: string }
  | { readonly kind: 'drained' }
  | { readonly kind: 'failed'; readonly text: string };
