/**
 * inside — what an operator's window (admin) may see and touch of a Sluice that runs
 *
 * Made by the primary when the engine is up. Sources are whoever knows something of a client that the reputation table does
 * not hold (DNS lists, limits, pools): each answers in its own time, and whoever asks gives up on it after a deadline.
 */
import type { Config } from '../config/config.ts';
import type { Lists } from '../policy/lists.ts';
import type { Key } from '../reputation/keys.ts';
import type { Names } from '../reputation/names.ts';
import type { FamilyReport } from './family-desk.ts';
import type { Memory } from './memory.ts';

/** The client that is asked about. */
export interface ExplainClient {
  /** Four words (base/address); null when the operator named it by its hash. */
  readonly address: Uint32Array | null;
  /** What it is called where people read. */
  readonly name: string;
}

/** One thing that a source knows of a client. */
export interface ExplainRow {
  /** What it is, as the end of "the client …". */
  readonly says: string;
  /** On what it rests: a zone with its answer, a rate with its limit. */
  readonly evidence: string;
  /** What it is worth in the source's own measure ("weight 3", "42 of 50"); '' when it has none. */
  readonly worth: string;
}

/** Somebody who knows something of a client. Rows stand beside the score and are no part of its sum. */
export interface ExplainSource {
  /** The heading of its rows: "DNS lists". */
  readonly name: string;
  /** What it knows; none: nothing. May take long or reject; both are shown and neither is waited for. */
  rows(client: ExplainClient): Promise<readonly ExplainRow[]>;
}

export interface Inside {
  readonly config: Config;
  readonly memory: Memory;
  readonly names: Names;
  /** The permanent lists in effect. */
  readonly lists: () => Lists;
  /** The key of the pool whose networks hold an address (four words), null when there is none; valid until asked again. */
  readonly poolKeyOf: (address: Uint32Array) => Key | null;
  readonly sources: readonly ExplainSource[];
  /** The families that were found, and when sessions leave. */
  readonly families: () => FamilyReport;
  /** Makes every shard forget what the backend has said of names. */
  readonly flushRecipients: () => void;
  /** Seconds since 1970. */
  readonly nowSec: () => number;
  /** Prints a line for the operator. */
  readonly say: (line: string) => void;
}

/** Something that runs beside the engine and ends with it. It never throws: a window that breaks stops no mail. */
export type Beside = (inside: Inside) => Promise<{ close(): void }>;
