/**
 * sessions — the table of all sessions of a shard, one row each
 *
 * A session is a row of typed columns plus its stream in the transport; its slot is the slot of its handle, so
 * there is no map between the two. The columns are written by the stages, each of which owns a few of them;
 * `open` and `close` are the only way a row comes and goes, and `enter` the only way its phase changes.
 *
 * Memory: about 183 bytes of columns a slot, taken at birth. Strings (address, HELO) are held from the
 * moment they are known until the row is closed. Nothing else of a session lives here: an envelope comes
 * with MAIL (session/envelope), a message with DATA (backend/spool).
 */
import { assert } from '../base/assert.ts';
import { NO_HANDLE } from '../base/handle.ts';
import type { Handle } from '../base/handle.ts';
import type { Envelope } from './envelope.ts';
import { NO_ENDING } from './endings.ts';
import { Phase } from './phase.ts';

/** What a session remembers in one bit each. */
export const Flag = {
  /** The client said EHLO, not HELO. */
  Esmtp: 1,
  /** PIPELINING was offered in the last EHLO reply. */
  PipeliningOffered: 2,
  /** Every test was passed, now or on an earlier visit. */
  Passed: 4,
  /** A failed test makes every recipient be refused. */
  RefuseRecipients: 8,
  /** The peer has finished sending. */
  PeerEnded: 16,
  /** The stream is gone; the row waits for the backend's last word. */
  StreamGone: 32,
  /** The rest of an over-long line is being thrown away. */
  SkippingLine: 64,
  /** What comes in is a chunk (BDAT), and not a message to its dot. */
  InChunk: 128,
  /** The score of the client rose over `shape.slow_at` in this session, and its network and pool were told. */
  CountedBad: 256,
  /** The client is known by its network or pool, not by itself. */
  KnownByPool: 512,
  /** A TLS handshake is under way, and counted among those of the shard. */
  Handshaking: 1024,
  /** TLS is up. */
  Secured: 2048,
  /** No limit holds for the client. */
  Unlimited: 4096,
  /** The client is of good standing: by itself, by its network or pool, or by a list. */
  GoodStanding: 8192,
  /** It was looked whether the client speaks like a family, when it first named a sender. */
  Overheard: 16_384,
  /** The client was told of a recipient that it does not exist, for its family. */
  Misled: 32_768,
} as const;

const NO_ZONES: readonly string[] = [];

export class Sessions {
  readonly capacity: number;

  /** admit: who, when, how. */
  readonly handles: Int32Array;
  readonly serials: Float64Array;
  readonly openedMs: Float64Array;
  readonly paces: Uint8Array;
  readonly scores: Int32Array;
  /** Entries of the reputation table in which the session is counted as open; -1 for none. */
  readonly reputations: Int32Array;
  readonly networks: Int32Array;
  /** The entry of the pool whose networks hold the client's address (policy/pool-map). */
  readonly pools: Int32Array;
  /** Points for the company of its network (reputation/standing). */
  readonly neighbourPoints: Int16Array;
  /** Four words a slot: base/address. */
  readonly addresses: Uint32Array;
  readonly clients: string[];

  /** banner, converse: what was said. */
  readonly phasesAfter: Uint8Array;
  readonly standings: Uint8Array;
  readonly flags: Uint16Array;
  /** Signals noted, as bits by their number in reputation/signals. */
  readonly signals: Int32Array;
  /** Bytes of an unfinished line that were looked at; of one that is too long, bytes thrown away. */
  readonly scanned: Uint32Array;
  readonly commands: Uint16Array;
  readonly errors: Uint16Array;
  readonly helos: string[];
  readonly envelopes: (Envelope | null)[];
  /** The reply that is owed, and how much of it went out in drips. */
  readonly owed: (Uint8Array | null)[];
  readonly dripped: Uint16Array;
  readonly dripSinceMs: Float64Array;
  /** How the client speaks, in bits (families/dialect), and when it was last given a whole reply; 0 for never. */
  readonly dialects: Int32Array;
  readonly repliedMs: Float64Array;

  /** limit: which was exceeded first (policy/limits), the delay that rates ask for in all, when MAIL or RCPT came last. */
  readonly limits: Uint8Array;
  readonly excessDelaysMs: Uint32Array;
  readonly askedMs: Float64Array;

  /**
   * slow: percent of the plan (policy/plan), the least that it may be for what the client did, and the patience of its
   * family in milliseconds, 0 for none.
   */
  readonly scales: Uint16Array;
  readonly scaleFloors: Uint16Array;
  readonly patienceMs: Uint32Array;
  /** recognise: the number of the family that the client speaks like, -1 for none. */
  readonly families: Int16Array;
  /** deliver: when more of a slow body may be read; 0 while nothing is kept back. */
  readonly bodyDueMs: Float64Array;

  /** deliver: the body's state between two pieces (smtp/body-end, smtp/bdat). */
  readonly bodyStates: Uint8Array;
  /** chunk: octets of it that are still to come. */
  readonly chunkOctets: Float64Array;
  readonly backendSinceMs: Float64Array;

  /** listed: the weight that DNS lists give the client, its share in `scores`, marks (stages/listed), and who said why. */
  readonly dnsWeights: Int16Array;
  readonly dnsPoints: Int32Array;
  readonly dnsMarks: Uint8Array;
  readonly dnsZones: (readonly string[])[];
  readonly dnsReasons: string[];

  /** Sums for the log line. */
  readonly endings: Uint8Array;
  readonly endPhases: Uint8Array;
  readonly bytesIn: Float64Array;
  readonly bytesOut: Float64Array;
  readonly delaysMs: Uint32Array;
  readonly backendMs: Uint32Array;
  readonly recipientsOk: Uint16Array;
  readonly recipientsBad: Uint16Array;
  readonly messages: Uint16Array;

  readonly #phases: Uint8Array;
  #openCount = 0;

  /** A table for slots 0 … capacity - 1. */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.handles = new Int32Array(capacity).fill(NO_HANDLE);
    this.serials = new Float64Array(capacity);
    this.openedMs = new Float64Array(capacity);
    this.paces = new Uint8Array(capacity);
    this.scores = new Int32Array(capacity);
    this.reputations = new Int32Array(capacity);
    this.networks = new Int32Array(capacity);
    this.pools = new Int32Array(capacity);
    this.neighbourPoints = new Int16Array(capacity);
    this.addresses = new Uint32Array(capacity * 4);
    this.clients = Array.from<string>({ length: capacity }).fill('');
    this.phasesAfter = new Uint8Array(capacity);
    this.standings = new Uint8Array(capacity);
    this.flags = new Uint16Array(capacity);
    this.signals = new Int32Array(capacity);
    this.scanned = new Uint32Array(capacity);
    this.commands = new Uint16Array(capacity);
    this.errors = new Uint16Array(capacity);
    this.helos = Array.from<string>({ length: capacity }).fill('');
    this.envelopes = Array.from<Envelope | null>({ length: capacity }).fill(null);
    this.owed = Array.from<Uint8Array | null>({ length: capacity }).fill(null);
    this.dripped = new Uint16Array(capacity);
    this.dripSinceMs = new Float64Array(capacity);
    this.dialects = new Int32Array(capacity);
    this.repliedMs = new Float64Array(capacity);
    this.limits = new Uint8Array(capacity);
    this.excessDelaysMs = new Uint32Array(capacity);
    this.askedMs = new Float64Array(capacity);
    this.scales = new Uint16Array(capacity);
    this.scaleFloors = new Uint16Array(capacity);
    this.patienceMs = new Uint32Array(capacity);
    this.families = new Int16Array(capacity);
    this.bodyDueMs = new Float64Array(capacity);
    this.bodyStates = new Uint8Array(capacity);
    this.chunkOctets = new Float64Array(capacity);
    this.backendSinceMs = new Float64Array(capacity);
    this.dnsWeights = new Int16Array(capacity);
    this.dnsPoints = new Int32Array(capacity);
    this.dnsMarks = new Uint8Array(capacity);
    this.dnsZones = Array.from({ length: capacity }, () => NO_ZONES);
    this.dnsReasons = Array.from<string>({ length: capacity }).fill('');
    this.endings = new Uint8Array(capacity);
    this.endPhases = new Uint8Array(capacity);
    this.bytesIn = new Float64Array(capacity);
    this.bytesOut = new Float64Array(capacity);
    this.delaysMs = new Uint32Array(capacity);
    this.backendMs = new Uint32Array(capacity);
    this.recipientsOk = new Uint16Array(capacity);
    this.recipientsBad = new Uint16Array(capacity);
    this.messages = new Uint16Array(capacity);
    this.#phases = new Uint8Array(capacity);
  }

  /** Sessions that are open now. */
  get open(): number {
    return this.#openCount;
  }

  /** Takes a free row into use for a stream; its phase is Greeting. */
  begin(slot: number, handle: Handle, serial: number, nowMs: number): void {
    assert(this.#phases[slot] === Phase.Free, 'a session begins in a free row');
    this.#openCount++;
    this.#phases[slot] = Phase.Greeting;
    this.handles[slot] = handle;
    this.serials[slot] = serial;
    this.openedMs[slot] = nowMs;
    this.paces[slot] = 0;
    this.scores[slot] = 0;
    this.reputations[slot] = -1;
    this.networks[slot] = -1;
    this.pools[slot] = -1;
    this.neighbourPoints[slot] = 0;
    this.phasesAfter[slot] = Phase.Listening;
    this.standings[slot] = 0;
    this.flags[slot] = 0;
    this.signals[slot] = 0;
    this.scanned[slot] = 0;
    this.commands[slot] = 0;
    this.errors[slot] = 0;
    this.dripped[slot] = 0;
    this.dripSinceMs[slot] = 0;
    this.dialects[slot] = 0;
    this.repliedMs[slot] = 0;
    this.limits[slot] = 0;
    this.excessDelaysMs[slot] = 0;
    this.askedMs[slot] = nowMs;
    this.scales[slot] = 0;
    this.scaleFloors[slot] = 0;
    this.patienceMs[slot] = 0;
    this.families[slot] = -1;
    this.bodyDueMs[slot] = 0;
    this.bodyStates[slot] = 0;
    this.chunkOctets[slot] = 0;
    this.backendSinceMs[slot] = 0;
    this.dnsWeights[slot] = 0;
    this.dnsPoints[slot] = 0;
    this.dnsMarks[slot] = 0;
    this.endings[slot] = NO_ENDING;
    this.endPhases[slot] = Phase.Free;
    this.bytesIn[slot] = 0;
    this.bytesOut[slot] = 0;
    this.delaysMs[slot] = 0;
    this.backendMs[slot] = 0;
    this.recipientsOk[slot] = 0;
    this.recipientsBad[slot] = 0;
    this.messages[slot] = 0;
  }

  /** Gives a row back. */
  close(slot: number): void {
    assert(this.#phases[slot] !== Phase.Free, 'only an open session closes');
    assert(this.envelopes[slot] === null, 'an envelope was left behind');
    this.#openCount--;
    this.#phases[slot] = Phase.Free;
    this.handles[slot] = NO_HANDLE;
    this.clients[slot] = '';
    this.helos[slot] = '';
    this.owed[slot] = null;
    this.dnsZones[slot] = NO_ZONES;
    this.dnsReasons[slot] = '';
  }

  phaseOf(slot: number): Phase {
    return this.#phases[slot] as Phase;
  }

  /** Changes the phase of an open session. */
  enter(slot: number, phase: Phase): void {
    assert(this.#phases[slot] !== Phase.Free && phase !== Phase.Free, 'a phase belongs to an open session');
    this.#phases[slot] = phase;
  }

  handleOf(slot: number): Handle {
    return this.handles[slot] as Handle;
  }

  has(slot: number, flag: number): boolean {
    return (this.flags[slot]! & flag) !== 0;
  }

  set(slot: number, flag: number): void {
    this.flags[slot]! |= flag;
  }

  clear(slot: number, flag: number): void {
    this.flags[slot]! &= ~flag;
  }

  /** Adds to a 16-bit sum of the log line, which stays at its end instead of going round. */
  bump(column: Uint16Array, slot: number): number {
    const value = column[slot]!;
    if (value < 0xffff) column[slot] = value + 1;
    return column[slot]!;
  }
}
