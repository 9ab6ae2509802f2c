/**
 * engine-order — what one engine process is told, and what it tells back
 *
 * The same for shards that run as threads of the primary and for those of a child process: plain values that can
 * be sent.
 */
import type { Config } from '../config/config.ts';
import type { Endpoint } from '../transport/transport.ts';
import type { FromShard } from '../worker/messages.ts';

export interface EngineOrder {
  readonly config: Config;
  readonly shards: number;
  readonly sessionsMax: number;
  readonly lanesMax: number;
  readonly endpoint: Endpoint;
  readonly reputationEntries: number;
  readonly idPrefix: string;
  readonly spoolDirectory: string;
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
  | { readonly kind: 'start'; readonly order: EngineOrder }
  | { readonly kind: 'drain' }
  | { readonly kind: 'count' };

/** From a child process to the primary. */
export type FromEngine =
  | MemoryFromEngine
  | { readonly kind: 'told'; readonly shard: number; readonly message: FromShard }
  | { readonly kind: 'counts'; readonly counts: Record<string, number> }
  | { readonly kind: 'drained' };
