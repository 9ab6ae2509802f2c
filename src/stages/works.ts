/**
 * works — what the five stages of a shard share
 *
 * The tables, ports and prepared bytes of one shard, and the moment of the present turn. A stage is a handful of
 * functions over `(works, slot)`; it changes a session by its columns and its phase, never by calling
 * another stage: the shard's turn looks at the phase and calls whoever is next (shard/shard).
 */
import type { Allowance } from '../backend/allowance.ts';
import type { Lanes } from '../backend/lanes.ts';
import type { Recipients } from '../backend/recipients.ts';
import type { Spool } from '../backend/spool.ts';
import type { Config } from '../config/config.ts';
import type { Labels } from '../families/labels.ts';
import type { Leavings } from '../families/leavings.ts';
import type { Lists } from '../policy/lists.ts';
import type { LimitPlan } from '../policy/limits.ts';
import type { NetworkSet } from '../policy/networks.ts';
import type { Recent } from '../policy/recent.ts';
import type { Room, Stress } from '../policy/stress.ts';
import type { Would } from '../policy/would.ts';
import type { PoolMap } from '../policy/pool-map.ts';
import type { SenderPools } from '../reputation/sender-pools.ts';
import type { DnsLists } from '../reputation/dns-lists.ts';
import type { Names } from '../reputation/names.ts';
import type { ReputationTable } from '../reputation/table.ts';
import type { Counters } from '../session/counters.ts';
import type { Ends } from '../session/ends.ts';
import type { Envelopes } from '../session/envelope.ts';
import type { Journal, SessionReport } from '../session/journal.ts';
import type { Seats } from '../session/seats.ts';
import type { Sessions } from '../session/sessions.ts';
import type { ChunkReader, ChunkStuffer } from '../smtp/bdat.ts';
import type { BodyScanner } from '../smtp/body-end.ts';
import type { LineReader } from '../smtp/line-reader.ts';
import type { MailboxReader } from '../smtp/mailbox.ts';
import type { ReplyBook } from '../smtp/replies.ts';
import type { Wheel } from '../timing/wheel.ts';
import type { Transport } from '../transport/transport.ts';
import type { Greetings } from './greetings.ts';
import type { Outbox } from './outbox.ts';

/** Where no honest sender comes. */
export interface Traps {
  /** Mailboxes in small letters. */
  readonly recipients: ReadonlySet<string>;
  /** Our own addresses with the lowest priority. */
  readonly lowPriority: NetworkSet;
}

/** Recipients with a standing of their own (stages/always), in small letters. */
export interface Hearing {
  /** Local parts. */
  readonly always: ReadonlySet<string>;
  /** Domains. */
  readonly neverSlow: ReadonlySet<string>;
}

/** What is too much, and since when (stages/shed). */
export interface Strain {
  readonly stress: Stress;
  readonly room: Room;
  /** How late the thread comes to what has happened; told by whoever drives the shard. */
  readonly loopMs: Recent;
  /** How long recipients wait to be judged. */
  readonly backendMs: Recent;
  lookedMs: number;
}

export interface Works {
  readonly config: Config;
  readonly front: Transport;
  readonly sessions: Sessions;
  readonly ends: Ends;
  readonly wheel: Wheel;
  readonly replies: ReplyBook;
  readonly greetings: Greetings;
  readonly outbox: Outbox;
  readonly counters: Counters;
  readonly journal: Journal;
  readonly reputation: ReputationTable;
  readonly dns: DnsLists;
  /** Keys of clients in the table, and what they are called. */
  readonly names: Names;
  readonly lanes: Lanes;
  readonly recipients: Recipients;
  readonly hearing: Hearing;
  readonly spool: Spool;
  /** What the shard shares with others. */
  readonly allowance: Allowance;
  readonly envelopes: Envelopes;
  /** Replaced as a whole, between two turns: a look-up sees the old lists or the new ones. */
  lists: Lists;
  /** Likewise. */
  pools: PoolMap;
  /** Likewise: the families that are known. */
  families: Labels;
  readonly leavings: Leavings;
  readonly senders: SenderPools;
  readonly traps: Traps;
  readonly strain: Strain;
  readonly seats: Seats;
  readonly limits: LimitPlan;
  /** In observe mode, what enforce mode would have done; without room otherwise. */
  readonly would: Would;
  readonly lines: LineReader;
  readonly mailboxes: MailboxReader;
  readonly bodies: BodyScanner;
  readonly chunks: ChunkReader;
  readonly stuffer: ChunkStuffer;
  readonly report: SessionReport;
  /** Pass bits a client needs to be known. */
  readonly passesNeeded: number;
  /** How long the pass of each test holds, by its place in Pass. */
  readonly passTtlsSec: readonly number[];
  /** Prefix of session ids; unique for this start of this shard. */
  readonly idPrefix: string;
  /** The text of each listener's address, by its number. */
  readonly listeners: readonly string[];
  /** The proxies that a listener is for, by its number; null for one that is for clients. */
  readonly proxies: readonly (NetworkSet | null)[];
  /** Which listeners have a certificate. */
  readonly tlsListeners: readonly boolean[];
  /** Wall clock at the shard's zero, milliseconds since 1970. */
  readonly epochMs: number;
  /** When the shard was built, on the clock of `nowMs`. */
  readonly startMs: number;
  /** The present turn, milliseconds since the shard's zero. */
  nowMs: number;
  serial: number;
  /** TLS handshakes under way. */
  handshakes: number;
  draining: boolean;
}

/** Seconds since 1970, as the reputation table counts. */
export function epochSec(works: Works): number {
  return Math.floor((works.epochMs + works.nowMs) / 1000);
}
