/**
 * lanes — few connections to the backend, many clients: who may speak now
 *
 * A client gets a lane at the moment it needs one and gives it back at once, so a handful of server processes
 * behind Sluice serve everybody. Whoever finds none free waits in line (backend/waiting-line) for at most
 * `backend.wait_max`, which is the stage's timer, not ours.
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
 * A backend that cannot be reached is tried again after a pause that doubles from 0.5 to 8 seconds. In the
 * meantime every request is answered at once: mail stays with its sender, nobody waits for nothing.
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
import type { Endpoint, Transport } from '../transport/transport.ts';
import type { Capabilities } from './capabilities.ts';
import { NO_CAPABILITIES } from './capabilities.ts';
import { Backoff } from './backoff.ts';
import type { Lane } from './lane.ts';
import type { LaneHost, Step } from './lane-host.ts';
import { Fault, Job, LaneState } from './lane-host.ts';
import { Outcome, Outcomes } from './outcomes.ts';
import type { Permits } from './permits.ts';
import { LOOK_MS } from './permits.ts';
import { Pool } from './pool.ts';
import { ReplyReader } from './reply-reader.ts';
import type { Spool } from './spool.ts';
import { WaitingLine } from './waiting-line.ts';

const IDLE_MS = 60_000;
/** Whoever waits for a lane leaves a client that rests with one at least this long for its next command. */
const HOLD_MS_MIN = 50;
/**
 * Refusals on one connection before it is left, where the backend counts them: Postfix makes every reply wait for a
 * second from the tenth on (smtpd_soft_error_limit), whoever is to blame.
 */
const REFUSALS_MAX = 9;
const CLOSING_MS = 5_000;
/** Under stress one lane in so many is kept for clients of good standing. */
const KEPT_SHARE = 4;
/** Lanes on which a step is tried before its client is told to try again. */
const ATTEMPTS_MAX = 3;

/** What the pool is made of. */
export interface LanesParts {
  readonly config: Config;
  readonly endpoint: Endpoint;
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
  /** What clients may be offered. */
  capabilities: Capabilities = NO_CAPABILITIES;
  /** Changes whenever `capabilities` does. */
  capabilitiesVersion = 0;
  /** True under stress: clients of good standing first. */
  isUnderStress = false;

  readonly #parts: LanesParts;
  readonly #pool: Pool;
  readonly #laneOf: Int16Array;
  readonly #waiting: WaitingLine;
  /** Sessions of good standing, by slot: 1. */
  readonly #preferred: Uint8Array;
  readonly #waitingJobs: Uint8Array;
  readonly #attempts: Uint8Array;
  readonly #outcomes: Outcomes;
  readonly #backoff = new Backoff();
  #nowMs = 0;
  /** What the backend can do has to be found out, or found out anew. */
  #isUnlearnt = true;
  #reusable: boolean | null;

  constructor(parts: LanesParts) {
    this.#parts = parts;
    this.back = parts.back;
    this.spool = parts.spool;
    this.hostname = parts.config.hostname;
    this.needsTls = parts.config.backend.tls !== 'off';
    this.hasTrace = parts.config.tls.traceHeader;
    this.identity = parts.config.backend.identity;
    this.#pool = new Pool(this, parts.endpoint, parts.lanesMax, parts.wheel, parts.timerBase);
    this.#laneOf = new Int16Array(parts.sessionsMax).fill(-1);
    this.#waiting = new WaitingLine(parts.sessionsMax);
    this.#preferred = new Uint8Array(parts.sessionsMax);
    this.#waitingJobs = new Uint8Array(parts.sessionsMax);
    this.#attempts = new Uint8Array(parts.sessionsMax);
    this.#outcomes = new Outcomes(parts.sessionsMax);
    const { reuse } = parts.config.backend;
    // What XCLIENT allows is tried out; a header names one client, and without either nothing tells.
    this.#reusable = this.identity === 'xclient' && reuse === 'auto' ? null : reuse === 'always';
  }

  /** Opens a first lane, so that the backend's abilities are known before a client asks. Does nothing once they are. */
  warmUp(nowMs: number): void {
    this.#nowMs = nowMs;
    if (!this.#isUnlearnt || this.#isPaused()) return;
    // A connection that names a client is not asked what the backend can do for others.
    if (this.identity.startsWith('proxy-') ? !this.#pool.anyOpeningFree : !this.#pool.anyUp) this.#open();
  }

  get takesHeaders(): boolean {
    return !this.#isUnlearnt;
  }

  /**
   * Wants a step for a session; the outcome comes by `nextOutcome`, never before this returns. A session of good
   * standing waits before others.
   */
  request(slot: number, job: Job, isOfGoodStanding: boolean, nowMs: number): void {
    this.#nowMs = nowMs;
    this.#attempts[slot] = 0;
    this.#preferred[slot] = isOfGoodStanding ? 1 : 0;
    this.#place(slot, job);
  }

  /** The session needs its lane no more, or never again. Its step, if one is under way, is given up. */
  release(slot: number, nowMs: number): void {
    this.#nowMs = nowMs;
    this.#waiting.leave(slot);
    this.#outcomes.drop(slot);
    const lane = this.#laneHeldBy(slot);
    if (lane === null) return;
    this.#laneOf[slot] = -1;
    lane.release();
  }

  /** True when the session stands in line for a lane. */
  isWaiting(slot: number): boolean {
    return this.#waiting.has(slot);
  }

  /** True when the backend may already have the message of this session: its answer has to be awaited. */
  isCommitted(slot: number): boolean {
    return this.#laneHeldBy(slot)?.committed === true || this.#outcomes.has(slot);
  }

  /** More of the message of this session can be read, from its client or its file. */
  pieceReady(slot: number, nowMs: number): void {
    this.#nowMs = nowMs;
    const lane = this.#laneHeldBy(slot);
    if (lane !== null && lane.job >= Job.Deliver && lane.state === LaneState.Busy) lane.pump();
  }

  /** True when a lane may be asked for, by `request`, for a message that is not whole: it gets one at once or not at all. */
  get mayStream(): boolean {
    if (this.isUnderStress || this.isWanted) return false;
    return this.#pool.mayStream(this.#parts.permits.withinReach);
  }

  /** True when somebody waits for a lane, here or in a shard that has less than its share. */
  get isWanted(): boolean {
    return this.#waiting.length > 0 || this.#isAskedBack();
  }

  /** True when the message of this session is given to the backend while it comes in. */
  isStreaming(slot: number): boolean {
    return this.#laneHeldBy(slot)?.job === Job.Stream;
  }

  /** The message of this session is whole; false when no lane has a part of it, and one is to be asked for. */
  complete(slot: number, nowMs: number): boolean {
    if (this.#outcomes.has(slot)) return true;
    if (!this.isStreaming(slot)) return false;
    this.#nowMs = nowMs;
    this.#laneHeldBy(slot)!.complete();
    return true;
  }

  /** The next session whose step has ended, -1 when there is none. */
  nextOutcome(): number {
    return this.#outcomes.next();
  }

  /** How the step of a session ended, its reply code and the reply for the client. */
  outcomeOf(slot: number): Outcome {
    return this.#outcomes.kindOf(slot);
  }

  codeOf(slot: number): number {
    return this.#outcomes.codeOf(slot);
  }

  replyOf(slot: number): Uint8Array {
    return this.#outcomes.replyOf(slot);
  }

  /** Obeys what the backend's side noted. */
  turn(nowMs: number): void {
    this.#nowMs = nowMs;
    for (;;) {
      const handle = this.back.next();
      if (handle === NO_HANDLE) break;
      const noted = this.back.take(handle);
      this.#pool.ofStream(handle).obey(noted);
    }
    this.#parts.permits.want(this.#missing());
  }

  /** The timer of a lane has come due. */
  timeUp(number: number, nowMs: number): void {
    this.#nowMs = nowMs;
    const lane = this.#pool.at(number);
    switch (lane.state) {
      case LaneState.Idle:
        return this.#restOn(lane);
      case LaneState.Held:
        return this.#heldLongEnough(lane);
      case LaneState.Closing:
        return this.back.abort(lane.handle);
      case LaneState.Down:
        this.warmUp(nowMs);
        return this.#openForWaiting();
      default:
        return lane.late();
    }
  }

  // What the lanes report.

  identityOf(slot: number): ClientIdentity {
    return this.#parts.identityOf(slot);
  }

  envelopeOf(slot: number): Envelope {
    return this.#parts.envelopeOf(slot);
  }

  traceOf(slot: number): Uint8Array {
    return tlsTrace(this.#parts.tlsOf(slot));
  }

  wantsReuseTest(): boolean {
    return this.#reusable === null;
  }

  reuseTested(reusable: boolean): void {
    this.#reusable = reusable;
    this.#parts.journal.notice(
      reusable
        ? 'backend: connections are reused (two XCLIENTs in a row were accepted)'
        : 'backend: one connection for each client (a second XCLIENT is not accepted on one connection)',
    );
  }

  capabilitiesLearnt(capabilities: Capabilities): void {
    this.#isUnlearnt = false;
    const before = this.capabilities;
    const same =
      before.extensions === capabilities.extensions &&
      before.sizeMaxBytes === capabilities.sizeMaxBytes &&
      this.capabilitiesVersion > 0;
    if (same) return;
    this.capabilities = capabilities;
    this.capabilitiesVersion++;
  }

  reached(): void {
    this.#backoff.succeeded();
  }

  ready(lane: Lane): void {
    if (this.#isSpent(lane) || this.#isAskedBack()) {
      lane.quit();
      return;
    }
    const slot = this.#nextInLine();
    if (slot < 0) {
      lane.heldSinceMs = this.#nowMs;
      this.#armUntil(lane, this.#nowMs + IDLE_MS);
      return;
    }
    this.#assign(lane, slot, this.#waitingJobs[slot] as Job);
  }

  answered(lane: Lane, slot: number, code: number, reply: Uint8Array): void {
    if (code >= 400) lane.refusals += 1;
    this.#hold(lane);
    this.#outcomes.add(slot, Outcome.Answered, code, reply);
  }

  /** A connection that is not to be used for another client, or not much longer for this one. */
  #isSpent(lane: Lane): boolean {
    const isReusable = this.#reusable === true;
    const { usesMax } = this.#parts.config.backend;
    return lane.uses >= (isReusable ? usesMax : 1) || lane.refusals >= (isReusable ? usesMax : REFUSALS_MAX);
  }

  envelopeChanged(lane: Lane, slot: number, code: number, reply: Uint8Array): void {
    this.#hold(lane);
    this.#outcomes.add(slot, Outcome.Changed, code, reply);
  }

  failed(lane: Lane, slot: number, job: Job, committed: boolean, fault: Fault, why: string): void {
    const { counters } = this.#parts;
    this.#arm(lane, CLOSING_MS);
    if (fault !== Fault.None) this.#blame(lane, fault, why);
    if (slot < 0) return;
    this.#laneOf[slot] = -1;
    // A message that is not whole is handed over when it is.
    if (job === Job.None || job === Job.Stream || fault === Fault.None) return;
    if (committed) {
      counters.add(Count.messagesUncertain);
      this.#outcomes.add(slot, Outcome.Uncertain, 451, this.#parts.replies.backendLost);
      return;
    }
    this.#attempts[slot]! += 1;
    if (this.#attempts[slot]! >= ATTEMPTS_MAX || this.#isPaused()) {
      this.#outcomes.add(slot, Outcome.Unreachable, 451, this.#parts.replies.backendDown);
      return;
    }
    counters.add(Count.laneRetries);
    this.#place(slot, job);
  }

  #blame(lane: Lane, fault: Fault, why: string): void {
    const { counters, journal, config } = this.#parts;
    counters.add(Count.lanesFailed);
    const isIdentityRefused = fault === Fault.Identity;
    if (isIdentityRefused) counters.add(Count.identityRefused);
    if (fault === Fault.Tls) counters.add(Count.lanesTlsFailed);
    // A backend that lets go of a lane at rest is within its rights; one that cannot be opened, or takes no identity,
    // is left alone for a while.
    if (isIdentityRefused && lane.uses > 1 && config.backend.reuse === 'auto') {
      // It took one from this connection before: reuse is allowed no more, which the next lane will try out anew.
      this.#reusable = null;
    } else if (!lane.cameUp || isIdentityRefused) {
      this.#backoff.failed(this.#nowMs);
      // It may be another one when it comes back.
      if (this.identity.startsWith('proxy-')) this.#isUnlearnt = true;
    }
    journal.notice(`backend ${config.backend.address}: ${why}`);
  }

  refusedEarly(slot: number, code: number, reply: Uint8Array): void {
    this.#outcomes.add(slot, Outcome.Answered, code, reply);
  }

  unreadable(slot: number): void {
    this.#outcomes.add(slot, Outcome.Unreachable, 452, this.#parts.replies.spoolFull);
  }

  again(slot: number, job: Job): void {
    this.#laneOf[slot] = -1;
    this.#place(slot, job);
  }

  down(lane: Lane): void {
    this.#pool.disarm(lane);
    this.#parts.permits.giveBack();
    if (this.#isPaused()) this.#refuseWaiting();
    else this.#openForWaiting();
  }

  waits(lane: Lane, step: Step): void {
    const { backend } = this.#parts.config;
    if (step === 'greeting' || step === 'handshake') this.#arm(lane, backend.connectTimeoutMs);
    else if (step === 'final') this.#arm(lane, backend.finalTimeoutMs);
    else if (step === 'quit') this.#arm(lane, CLOSING_MS);
    else this.#arm(lane, backend.replyTimeoutMs);
  }

  /** Finds a lane for a step, or a place in line. */
  #place(slot: number, job: Job): void {
    const own = this.#laneHeldBy(slot);
    if (own !== null) {
      this.#pool.disarm(own);
      own.begin(slot, job);
      return;
    }
    const mayHave = this.#preferred[slot] === 1 || !this.#isFullOfStrangers();
    // A permit that has just become free is for whoever stands in line already.
    const mayOpen = !this.#isPaused() && this.#waiting.length === 0;
    const free = mayHave ? (this.#pool.free() ?? (mayOpen ? this.#open() : null)) : null;
    if (free !== null) {
      this.#assign(free, slot, job);
      return;
    }
    if (job === Job.Stream) return;
    if (this.#isPaused() && !this.#pool.anyUp) {
      this.#outcomes.add(slot, Outcome.Unreachable, 451, this.#parts.replies.backendDown);
      return;
    }
    this.#waitingJobs[slot] = job;
    const isMessage = job === Job.Deliver && !this.isUnderStress;
    this.#waiting.join(slot, isMessage || this.#preferred[slot] === 1);
    this.#openForWaiting();
    if (!this.#waiting.has(slot)) return;
    const held = this.#pool.longestHeld();
    if (held !== null && held.heldSinceMs + HOLD_MS_MIN <= this.#nowMs) this.#takeBack(held);
    else this.#pool.endHolds(HOLD_MS_MIN);
  }

  #assign(lane: Lane, slot: number, job: Job): void {
    if (lane.uses > 0) this.#parts.counters.add(Count.lanesReused);
    this.#laneOf[slot] = lane.number;
    lane.begin(slot, job);
  }

  #open(): Lane | null {
    const { permits, counters } = this.#parts;
    if (!permits.take(this.#nowMs)) {
      this.#pool.armDown(this.#nowMs + LOOK_MS);
      return null;
    }
    const lane = this.#pool.openOne();
    if (lane === null) permits.giveBack();
    else counters.add(Count.lanesOpened);
    return lane;
  }

  /** Whoever waits is given the lanes that can be opened. */
  #openForWaiting(): void {
    while (!this.#isPaused() && this.#missing() > 0) {
      const lane = this.#open();
      const slot = lane === null ? -1 : this.#nextInLine();
      if (slot < 0) return;
      this.#assign(lane!, slot, this.#waitingJobs[slot] as Job);
    }
  }

  /** Lanes that would be opened if there were permits. */
  #missing(): number {
    if (this.#isPaused()) return 0;
    if (this.#waiting.length === 0) return this.#isUnlearnt && !this.#pool.anyUp ? 1 : 0;
    return this.#isFullOfStrangers() ? this.#waiting.preferredLength : this.#waiting.length;
  }

  /** Takes out of the line whoever is served next; -1 when nobody is. */
  #nextInLine(): number {
    return this.#isFullOfStrangers() ? this.#waiting.servePreferred() : this.#waiting.serve();
  }

  /** Another shard is to have the next lane that is free, or another process one that `isIdle`. */
  #isAskedBack(isIdle = false): boolean {
    return this.#parts.permits.isAskedBack(this.#pool.leaving, this.#nowMs, isIdle);
  }

  /** A lane rests with its client: for long when nobody else wants it, for a moment when somebody does. */
  #hold(lane: Lane): void {
    lane.heldSinceMs = this.#nowMs;
    if (lane.refusals >= REFUSALS_MAX && this.#isSpent(lane)) {
      this.#takeBack(lane);
      return;
    }
    const holdMs = this.#waiting.length > 0 ? HOLD_MS_MIN : this.#parts.config.backend.holdMs;
    this.#armUntil(lane, this.#nowMs + holdMs);
  }

  #heldLongEnough(lane: Lane): void {
    const untilMs = lane.heldSinceMs + this.#parts.config.backend.holdMs;
    if (this.#waiting.length > 0 || this.#nowMs >= untilMs || this.#isAskedBack()) this.#takeBack(lane);
    else this.#armUntil(lane, untilMs);
  }

  /** A lane has been idle for long, or may be wanted by another shard. */
  #restOn(lane: Lane): void {
    const untilMs = lane.heldSinceMs + IDLE_MS;
    if (this.#nowMs >= untilMs || this.#isAskedBack(true)) lane.quit();
    else this.#armUntil(lane, untilMs);
  }

  /** Lets a lane rest; one that another shard may want looks up in between. */
  #armUntil(lane: Lane, untilMs: number): void {
    const looks = this.#parts.permits.isAboveShare;
    this.#pool.arm(lane, looks ? Math.min(untilMs, this.#nowMs + LOOK_MS) : untilMs);
  }

  #takeBack(lane: Lane): void {
    this.#laneOf[lane.owner] = -1;
    lane.release();
  }

  /** Under stress: strangers have all the lanes that they may have. */
  #isFullOfStrangers(): boolean {
    if (!this.isUnderStress) return false;
    const lanesMax = this.#parts.permits.withinReach;
    return this.#pool.countWithout(this.#preferred) >= lanesMax - Math.floor(lanesMax / KEPT_SHARE);
  }

  #isPaused(): boolean {
    return this.#backoff.isOn(this.#nowMs);
  }

  #refuseWaiting(): void {
    if (this.#pool.anyUp) return;
    for (let slot = this.#waiting.serve(); slot >= 0; slot = this.#waiting.serve()) {
      this.#outcomes.add(slot, Outcome.Unreachable, 451, this.#parts.replies.backendDown);
    }
  }

  #laneHeldBy(slot: number): Lane | null {
    const number = this.#laneOf[slot]!;
    return number < 0 ? null : this.#pool.at(number);
  }

  #arm(lane: Lane, delayMs: number): void {
    this.#pool.arm(lane, this.#nowMs + delayMs);
  }
}
