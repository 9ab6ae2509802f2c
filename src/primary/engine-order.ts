/**
 * engine-order — what one engine process is told, and what it tells back
 *
 * The same for shards that run as threads of the primary and for those of a child process: plain values that can
 * be sent.
 */
import type { AllowanceLimits } from '../backend/allowance.ts';
import type { Config } from '../config/config.ts';
import type { ClientTrust } from '../io/tls-client.ts';
import type { LabelTable } from '../families/labels.ts';
import type { ListsMemory } from '../policy/lists.ts';
import type { ServerParts } from '../backend/server.ts';
import type { FromShard, ToShard } from '../worker/messages.ts';
import type { Identities } from './certificates.ts';
import type { ConnectionNews, ConnectionOrder } from './connection-desk.ts';
import type { PeakReport } from './peak-lines.ts';

export interface EngineOrder {
  readonly config: Config;
  readonly shards: number;
  readonly sessionsMax: number;
  /** What all shards of the process may have together. */
  readonly allowance: AllowanceLimits;
  /** Connections to the backend that the process begins with, when it shares them with others (connection-desk). */
  readonly connections?: number;
  readonly servers: readonly ServerParts[];
  readonly lists: ListsMemory;
  readonly reputationEntries: number;
  readonly idPrefix: string;
  readonly spoolDirectory: string;
  readonly identities: Identities;
  /** Whom to believe to be which server (`Endpoint.trust`); none when they are spoken to in plaintext. */
  readonly trusts: readonly ClientTrust[];
  /** The key of the hash that clients are called by; null when there is none. */
  readonly nameKey: Uint8Array | null;
  /** The map of pools (policy/pool-map), when there is one. */
  readonly pools?: Uint32Array;
  /** The families that are known, when there are some. */
  readonly families?: LabelTable;
}

/** A part of the shards, in this process or in a child. */
export interface Engine {
  start(): void;
  drain(): void;
  kill(): void;
  /** Says something to one shard, by its number in this part; one that is being started again does not hear it. */
  tell(shard: number, message: ToShard): void;
  /** Says something to every shard. */
  tellAll(message: ToShard): void;
  counts(): Record<string, number> | Promise<Record<string, number>>;
  peaks(): PeakReport | Promise<PeakReport>;
}

/** What an engine reports. */
export interface EngineEvents {
  /** A shard said something. */
  told(shard: number, message: FromShard): void;
  /** Every shard has ended after `drain`. */
  drained(): void;
}

/** What the primary tells a child process of clients. */
export type MemoryToEngine =
  /** Keys to forget, then rows to join; to be answered by `taken`. */
  | { readonly kind: 'rows'; readonly rows: Int32Array; readonly forgotten: Int32Array }
  /** Rows that came up were taken in. */
  | { readonly kind: 'taken' }
  /** All that was known when the process began has been sent. */
  | { readonly kind: 'filled' };

/** What a child process tells the primary of clients. */
export type MemoryFromEngine =
  | { readonly kind: 'rows'; readonly rows: Int32Array }
  | { readonly kind: 'taken' };

/** From the primary to a child process. */
export type ToEngine =
  | MemoryToEngine
  | ConnectionOrder
  | { readonly kind: 'start'; readonly order: EngineOrder }
  | { readonly kind: 'drain' }
  /** For one shard of the process, or, -1, for all. */
  | { readonly kind: 'tell'; readonly shard: number; readonly message: ToShard }
  | { readonly kind: 'count' }
  | { readonly kind: 'peaks' };

/** From a child process to the primary. */
export type FromEngine =
  | MemoryFromEngine
  | ConnectionNews
  | { readonly kind: 'told'; readonly shard: number; readonly message: FromShard }
  | { readonly kind: 'counts'; readonly counts: Record<string, number> }
  | { readonly kind: 'peaks'; readonly report: PeakReport }
  | { readonly kind: 'drained' };
