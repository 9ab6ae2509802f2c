/**
 * messages — what the primary and its shards say to each other
 *
 * Few and small: everything that is counted or remembered goes through shared memory instead.
 */
import type { AllowanceLimits } from '../backend/allowance.ts';
import type { Config } from '../config/config.ts';
import type { LabelTable } from '../families/labels.ts';
import type { ListsMemory } from '../policy/lists.ts';
import type { ClientTrust } from '../io/tls-client.ts';
import type { TlsIdentity } from '../io/tls-contexts.ts';
import type { Handle } from '../base/handle.ts';
import type { DnsAnswer } from '../reputation/dns-lists.ts';
import type { ServerParts } from '../backend/server.ts';

/** What a shard is told when its thread begins. */
export interface ShardOrder {
  readonly config: Config;
  readonly shard: number;
  readonly shards: number;
  readonly sessionsMax: number;
  /** What all shards of the process may have together, and the memory in which they count it. */
  readonly allowance: AllowanceLimits;
  readonly allowed: SharedArrayBuffer;
  readonly servers: readonly ServerParts[];
  /** The permanent lists; shared by all shards. */
  readonly lists: ListsMemory;
  readonly reputation: SharedArrayBuffer;
  readonly reputationEntries: number;
  readonly counters: SharedArrayBuffer;
  /** The pools of sender domains that are known when the shard begins (policy/pool-map). */
  readonly pools?: Uint32Array;
  /** The families that are known when the shard begins. */
  readonly families?: LabelTable;
  readonly idPrefix: string;
  readonly spoolDirectory: string;
  /** What listeners show in TLS handshakes, by their numbers; null for one without TLS. */
  readonly identities: readonly (TlsIdentity | null)[];
  /** Whom to believe to be which server (`Endpoint.trust`); none when they are spoken to in plaintext. */
  readonly trusts: readonly ClientTrust[];
  /** The key of the hash that clients are called by (privacy.log_ip); null when there is none. */
  readonly nameKey: Uint8Array | null;
}

/** A client of good standing that had a message accepted, and the domain it sent for. */
export interface SenderOffer {
  readonly address: string;
  readonly domain: string;
  readonly helo: string;
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
  | { readonly kind: 'lists'; readonly lists: ListsMemory }
  /** For handshakes from now on. */
  | { readonly kind: 'identities'; readonly identities: readonly (TlsIdentity | null)[] }
  /** Another map of pools (policy/pool-map), in shared memory. */
  | { readonly kind: 'pools'; readonly pools: Uint32Array }
  /** Another table of families. */
  | { readonly kind: 'families'; readonly table: LabelTable }
  /** Forget what the backend has said of names. */
  | { readonly kind: 'flushRecipients' }
  | { readonly kind: 'dnsFound'; readonly start: string; readonly found: readonly DnsFound[] };

/** From a shard to the primary. */
export type FromShard =
  | { readonly kind: 'listening'; readonly addresses: readonly string[] }
  | { readonly kind: 'notice'; readonly text: string }
  | { readonly kind: 'senders'; readonly senders: readonly SenderOffer[] }
  | { readonly kind: 'dnsAsks'; readonly asks: DnsAsks }
  /** Sessions that ended (families/leavings). */
  | { readonly kind: 'leavings'; readonly rows: Int32Array }
  | { readonly kind: 'drained' }
  | { readonly kind: 'failed'; readonly text: string };
