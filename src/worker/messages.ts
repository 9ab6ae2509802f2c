/**
 * messages — what the primary and its shards say to each other
 *
 * Few and small: everything that is counted or remembered goes through shared memory instead.
 */
import type { Config } from '../config/config.ts';
import type { ListsMemory } from '../policy/lists.ts';
import type { TlsIdentity } from '../io/tls-contexts.ts';
import type { Endpoint } from '../transport/transport.ts';

/** What a shard is told when its thread begins. */
export interface ShardOrder {
  readonly config: Config;
  readonly shard: number;
  readonly shards: number;
  readonly sessionsMax: number;
  readonly lanesMax: number;
  readonly endpoint: Endpoint;
  /** The permanent lists; shared by all shards. */
  readonly lists: ListsMemory;
  readonly reputation: SharedArrayBuffer;
  readonly reputationEntries: number;
  readonly counters: SharedArrayBuffer;
  /** The pools of sender domains that are known when the shard begins (policy/pool-map). */
  readonly pools?: Uint32Array;
  readonly idPrefix: string;
  readonly spoolDirectory: string;
  /** What listeners show in TLS handshakes, by their numbers; null for one without TLS. */
  readonly identities: readonly (TlsIdentity | null)[];
}

/** A client of good standing that had a message accepted, and the domain it sent for. */
export interface SenderOffer {
  readonly address: string;
  readonly domain: string;
  readonly helo: string;
}

/** From the primary to a shard. */
export type ToShard =
  | { readonly kind: 'drain' }
  | { readonly kind: 'lists'; readonly lists: ListsMemory }
  /** For handshakes from now on. */
  | { readonly kind: 'identities'; readonly identities: readonly (TlsIdentity | null)[] }
  /** Another map of pools (policy/pool-map), in shared memory. */
  | { readonly kind: 'pools'; readonly pools: Uint32Array };

/** From a shard to the primary. */
export type FromShard =
  | { readonly kind: 'listening'; readonly addresses: readonly string[] }
  | { readonly kind: 'notice'; readonly text: string }
  | { readonly kind: 'senders'; readonly senders: readonly SenderOffer[] }
  | { readonly kind: 'drained' }
  | { readonly kind: 'failed'; readonly text: string };
