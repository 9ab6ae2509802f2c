/**
 * lanes — few connections to the backend, many clients: who may speak now
 *
 * A client gets a lane at the moment it needs one and gives it back at once, so a handful of server processes
 * behind Sluice serve everybody. Whoever finds none free waits in line (backend/waiting-line) for at most
 * `backend.wait_max`, which is the stage's timer, not ours. Sessions ask here and lanes report here; backend/dealer decides who
 * gets which lane, backend/servers of which server.
 *
 * A quick client keeps its lane for `backend.hold` between two commands, which spares it a second transaction; when
 * somebody waits, for `HOLD_MS_MIN`. To take it back sooner would make two clients undo each other's work in turn.
 *
 * Under stress one lane of `KEPT_SHARE` is for clients of good standing alone, and whole messages of strangers stand in
 * line with the other strangers: a flood that names recipients would otherwise have every lane, and everybody wait.
 *
 * All shards share the connections: a lane is opened with a permit (backend/permits). A shard that finds none looks again
 * soon, by the timer of a lane that is down; one that has more than its share ends the next free lane while another wants it.
 *
 * A server that cannot be reached is tried again after a pause, by one connection before others follow; other servers have its
 * clients. When all are paused every request is answered at once: mail stays with its sender, nobody waits for nothing.
 */
import { NO_HANDLE } from '../base/handle.ts';
import type { Config } from '../config/config.ts';
import { Count } from '../session/counters.ts';
import type { Counters } from '../session/counters.ts';
import type { Envelope } from '../session/envelope.ts';
import type { Journal } from '../session/journal.ts';
import type { ReplyBook } from '../smtp/replies.ts';
import { tlsTrace } from '../smtp/tls-trace.ts';
import type { ClientIdentity } from '../smtp/xclient.ts';
import type { Wheel } from '../timing/wheel.ts';
import type { Transport } from '../transport/transport.ts';
import type { Capabilities } from './capabilities.ts';
import { Dealer } from './dealer.ts';
import type { Around } from './dealer.ts';
import type { Lane } from './lane.ts';
import type { LaneHost, Step } from './lane-host.ts';
import { Fault, Job, LaneState } from './lane-host.ts';
import { Outcome, Outcomes } from './outcomes.ts';
import type { Permits } from './permits.ts';
import { Pool } from './pool.ts';
import { ReplyReader } from './reply-reader.ts';
import type { ServerParts } from './server.ts';
import { Servers } from './servers.ts';
import type { Spool } from './spool.ts';
import { Wishes } from './wishes.ts';

const CLOSING_MS = 5_000;

/** What the pool is made of. */
export interface LanesParts {
  readonly config: Config;
  readonly servers: readonly ServerParts[];
  readonly back: Transport;
  readonly spool: Spool;
  readonly wheel: Wheel;
  /** The wheel's ids of the lanes begin here. */
  readonly timerBase: number;
  readonly lanesMax: number;
  readonly permits: Permits;
  readonly sessionsMax: number;
  readonly replies: ReplyBook;
  readonly counters: Counters;
  readonly journal: Journal;
  identityOf(slot: number): ClientIdentity;
  envelopeOf(slot: number): Envelope;
  /** Protocol and cipher of a client; '' in plaintext. */
  tlsOf(slot: number): string;
}

export class Lanes implements LaneHost {
  readonly back: Transport;
  readonly spool: Spool;
  readonly reader = new ReplyReader();
  readonly hostname: string;
  readonly needsTls: boolean;
  readonly hasTrace: boolean;
  readonly identity: Config['backend']['identity'];
  /** How steps ended, until the sessions are told. */
  readonly outcomes: Outcomes;
  /** What goes on around the lanes; the stages write it. */
  readonly around: Around = { isUnderStress: false, ownDelayMs: 0 };
  readonly #parts: LanesParts;
  readonly #servers: Servers;
  readonly #pool: Pool;
  readonly #dealer: Dealer;
  readonly #wishes: Wishes;

  constructor(parts: LanesParts) {
    this.#parts = parts;
    this.back = parts.back;
    this.spool = parts.spool;
    this.hostname = parts.config.hostname;
    this.needsTls = parts.config.backend.tls !== 'off';
    this.hasTrace = parts.config.tls.traceHeader;
    this.identity = parts.config.backend.identity;
    this.#servers = new Servers(parts);
    this.#pool = new Pool(this, this.#servers.all, parts.lanesMax, parts.wheel, parts.timerBase);
    this.#wishes = new Wishes(parts.sessionsMax);
    this.outcomes = new Outcomes(parts.sessionsMax);
    this.#dealer = new Dealer({
      ...parts,
      around: this.around,
      backend: parts.config.backend,
      servers: this.#servers,
      pool: this.#pool,
      wishes: this.#wishes,
      outcomes: this.outcomes,
    });
  }

  /** What clients may be offered. */
  get capabilities(): Capabilities {
    return this.#servers.capabilities;
  }

  /** Changes whenever `capabilities` does. */
  get capabilitiesVersion(): number {
    return this.#servers.capabilitiesVersion;
  }

  /** Opens a first lane to each server, so that what it can do is known before a client asks, and one to each on trial. */
  warmUp(nowMs: number): void {
    this.#dealer.nowMs = nowMs;
    this.#dealer.tryOut();
  }

  /**
   * Wants a step for a session; the outcome comes by `nextOutcome`, never before this returns. A session of good
   * standing waits before others.
   */
  request(slot: number, job: Job, isOfGoodStanding: boolean, nowMs: number): void {
    this.#dealer.nowMs = nowMs;
    this.#wishes.begin(slot, isOfGoodStanding);
    this.#dealer.place(slot, job);
  }

  /** The session needs its lane no more, or never again. Its step, if one is under way, is given up. */
  release(slot: number, nowMs: number): void {
    this.#dealer.nowMs = nowMs;
    this.#wishes.line.leave(slot);
    this.outcomes.drop(slot);
    this.#dealer.giveBack(slot);
  }

  /** The session is made to wait before it speaks again: a lane that rests with it is for others meanwhile. */
  letGo(slot: number, nowMs: number): void {
    this.#dealer.nowMs = nowMs;
    if (this.#dealer.laneHeldBy(slot)?.state === LaneState.Held) this.#dealer.giveBack(slot);
  }

  /** True when the session stands in line for a lane. */
  isWaiting(slot: number): boolean {
    return this.#wishes.line.has(slot);
  }

  /** True when the backend may already have the message of this session: its answer has to be awaited. */
  isCommitted(slot: number): boolean {
    return this.#dealer.laneHeldBy(slot)?.committed === true || this.outcomes.has(slot);
  }

  /** More of the message of this session can be read, from its client or its file. */
  pieceReady(slot: number, nowMs: number): void {
    this.#dealer.nowMs = nowMs;
    const lane = this.#dealer.laneHeldBy(slot);
    if (lane !== null && lane.job >= Job.Deliver && lane.state === LaneState.Busy) lane.pump();
  }

  /** True when a lane may be asked for, by `request`, for a message that is not whole: it gets one at once or not at all. */
  get mayStream(): boolean {
    return this.#dealer.mayStream;
  }

  /** True when somebody waits for a lane, here or in a shard that has less than its share. */
  get isWanted(): boolean {
    return this.#dealer.isWanted;
  }

  /** True when the message of this session is given to the backend while it comes in. */
  isStreaming(slot: number): boolean {
    return this.#dealer.laneHeldBy(slot)?.job === Job.Stream;
  }

  /** The message of this session is whole; false when no lane has a part of it, and one is to be asked for. */
  complete(slot: number, nowMs: number): boolean {
    if (this.outcomes.has(slot)) return true;
    if (!this.isStreaming(slot)) return false;
    this.#dealer.nowMs = nowMs;
    this.#dealer.laneHeldBy(slot)!.complete();
    return true;
  }

  /** Obeys what the backend's side noted. */
  turn(nowMs: number): void {
    this.#dealer.nowMs = nowMs;
    let heard = false;
    for (let handle = this.back.next(); handle !== NO_HANDLE; handle = this.back.next()) {
      heard = true;
      this.#pool.ofStream(handle).obey(this.back.take(handle));
    }
    if (heard) this.#dealer.serve();
    this.#dealer.wantPermits();
  }

  /** The timer of a lane has come due. */
  timeUp(number: number, nowMs: number): void {
    this.#dealer.nowMs = nowMs;
    const lane = this.#pool.at(number);
    switch (lane.state) {
      case LaneState.Idle:
      case LaneState.Held:
        return this.#dealer.restedEnough(lane);
      case LaneState.Closing:
        return this.back.abort(lane.handle);
      case LaneState.Down:
        this.#dealer.tryOut();
        return this.#dealer.serve();
      default:
        return lane.late();
    }
  }

  identityOf(slot: number): ClientIdentity {
    return this.#parts.identityOf(slot);
  }

  envelopeOf(slot: number): Envelope {
    return this.#parts.envelopeOf(slot);
  }

  traceOf(slot: number): Uint8Array {
    return tlsTrace(this.#parts.tlsOf(slot));
  }

  ready(lane: Lane): void {
    this.#dealer.ready(lane);
  }

  answered(lane: Lane, slot: number, code: number, reply: Uint8Array): void {
    if (code >= 400) lane.refusals += 1;
    this.#dealer.answered(lane);
    this.#dealer.hold(lane);
    this.outcomes.add(slot, Outcome.Answered, code, reply);
  }

  envelopeChanged(lane: Lane, slot: number, code: number, reply: Uint8Array): void {
    this.#dealer.hold(lane);
    this.outcomes.add(slot, Outcome.Changed, code, reply);
  }

  failed(lane: Lane, slot: number, job: Job, committed: boolean, fault: Fault, why: string): void {
    const { counters, replies } = this.#parts;
    this.#arm(lane, CLOSING_MS);
    if (fault !== Fault.None) this.#servers.blame(lane, fault, why, this.#dealer.nowMs);
    if (slot < 0) return;
    this.#dealer.forget(slot);
    // A message that is not whole is handed over when it is.
    if (job === Job.None || job === Job.Stream || fault === Fault.None) return;
    if (committed) {
      counters.add(Count.messagesUncertain);
      this.outcomes.add(slot, Outcome.Uncertain, 451, replies.backendLost);
      return;
    }
    if (!this.#wishes.mayTryAgain(slot, lane.server.number) || this.#dealer.isHopeless()) {
      this.outcomes.add(slot, Outcome.Unreachable, 451, replies.backendDown);
      return;
    }
    counters.add(Count.laneRetries);
    this.#dealer.place(slot, job);
  }

  refusedEarly(slot: number, code: number, reply: Uint8Array): void {
    this.outcomes.add(slot, Outcome.Answered, code, reply);
  }

  unreadable(slot: number): void {
    this.outcomes.add(slot, Outcome.Unreachable, 452, this.#parts.replies.spoolFull);
  }

  again(slot: number, job: Job): void {
    this.#dealer.forget(slot);
    this.#dealer.place(slot, job);
  }

  down(lane: Lane): void {
    this.#dealer.down(lane);
  }

  waits(lane: Lane, step: Step): void {
    const { backend } = this.#parts.config;
    this.#dealer.asked(lane, step);
    if (step === 'greeting' || step === 'handshake') this.#arm(lane, backend.connectTimeoutMs);
    else if (step === 'final') this.#arm(lane, backend.finalTimeoutMs);
    else if (step === 'quit') this.#arm(lane, CLOSING_MS);
    else this.#arm(lane, backend.replyTimeoutMs);
  }

  #arm(lane: Lane, delayMs: number): void {
    this.#pool.arm(lane, this.#dealer.nowMs + delayMs);
  }
}
