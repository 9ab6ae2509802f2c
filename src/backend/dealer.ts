/**
 * dealer — which client has which lane, and for how long
 *
 * A step gets the lane that its client holds, else one that is free, else one that is opened for it, else a place in
 * line. Behind a step the lane rests with its client (`hold`); whoever waits for one makes that short. Lanes goes by what
 * happened; this is where it is decided what becomes of it.
 */
import type { Config } from '../config/config.ts';
import { Count } from '../session/counters.ts';
import type { Counters } from '../session/counters.ts';
import type { Envelope } from '../session/envelope.ts';
import type { ReplyBook } from '../smtp/replies.ts';
import type { Lane } from './lane.ts';
import { Job, LaneState } from './lane-host.ts';
import type { Step } from './lane-host.ts';
import { Opener } from './opener.ts';
import type { OpenerParts } from './opener.ts';
import { Outcome } from './outcomes.ts';
import type { Outcomes } from './outcomes.ts';
import type { Pool } from './pool.ts';
import { ReplyTimes } from './reply-times.ts';
import { HOLD_MS_MIN, Rests } from './rests.ts';
import type { Server } from './server.ts';
import type { Servers, Wish } from './servers.ts';
import type { Wishes } from './wishes.ts';

/**
 * Refusals on one connection before it is left, where the backend counts them: Postfix makes every reply wait for a
 * second from the tenth on (smtpd_soft_error_limit), whoever is to blame.
 */
const REFUSALS_MAX = 9;
/** Under stress one lane in so many is kept for clients of good standing. */
const KEPT_SHARE = 4;
/** Where there is no choice, nothing is asked of it. */
const ANY: Wish = { needs: 0, bytes: 0, avoid: -1 };

/** What goes on around the lanes: stress (clients of good standing first), and how late this side answers what has happened. */
export interface Around {
  isUnderStress: boolean;
  ownDelayMs: number;
}

/** What there is to deal out, and to whom. */
export interface DealerParts extends OpenerParts {
  readonly around: Around;
  readonly backend: Config['backend'];
  readonly wishes: Wishes;
  readonly outcomes: Outcomes;
  readonly lanesMax: number;
  readonly sessionsMax: number;
  readonly replies: ReplyBook;
  envelopeOf(slot: number): Envelope;
}

export class Dealer {
  nowMs = 0;
  readonly #parts: DealerParts;
  readonly #opener: Opener;
  readonly #times: ReplyTimes;
  readonly #rests: Rests;
  readonly #servers: Servers;
  readonly #pool: Pool;
  readonly #wishes: Wishes;
  readonly #outcomes: Outcomes;
  readonly #counters: Counters;
  readonly #laneOf: Int16Array;

  constructor(parts: DealerParts) {
    this.#parts = parts;
    this.#opener = new Opener(parts);
    this.#times = new ReplyTimes(parts.lanesMax);
    this.#servers = parts.servers;
    this.#pool = parts.pool;
    this.#wishes = parts.wishes;
    this.#outcomes = parts.outcomes;
    this.#counters = parts.counters;
    this.#laneOf = new Int16Array(parts.sessionsMax).fill(-1);
    this.#rests = new Rests(parts);
  }

  /** Finds a lane for a step, or a place in line. */
  place(slot: number, job: Job): void {
    const own = this.laneHeldBy(slot);
    if (own !== null) {
      this.#pool.disarm(own);
      own.begin(slot, job);
      return;
    }
    const { line, preferred } = this.#wishes;
    const mayHave = preferred[slot] === 1 || !this.#isFullOfStrangers();
    // A permit that has just become free is for whoever stands in line already.
    if (mayHave && this.#deal(slot, job, line.length === 0)) return;
    if (job === Job.Stream) return;
    if (this.#servers.allPaused(this.nowMs) && !this.#pool.anyUp) {
      this.#outcomes.add(slot, Outcome.Unreachable, 451, this.#parts.replies.backendDown);
      return;
    }
    this.#wishes.wait(slot, job, this.#parts.around.isUnderStress);
    this.serve();
    if (!line.has(slot)) return;
    const held = this.#pool.longestHeld();
    if (held !== null && held.heldSinceMs + HOLD_MS_MIN <= this.nowMs) this.#takeBack(held);
    else this.#pool.endHolds(HOLD_MS_MIN);
  }

  /** No server can be reached; where there are several, a connection that is up is still worth waiting for. */
  isHopeless(): boolean {
    return this.#servers.allPaused(this.nowMs) && !(this.#servers.several && this.#pool.anyUp);
  }

  /** Gives a step a lane that is free, or is opened for it; false when there is none. */
  #deal(slot: number, job: Job, mayOpen: boolean): boolean {
    const lane = this.#laneFor(slot, job, mayOpen);
    if (lane === null) return false;
    this.#servers.given(lane.server);
    if (lane.uses > 0) this.#counters.add(Count.lanesReused);
    this.#laneOf[slot] = lane.number;
    this.#rests.dealt(lane, this.nowMs);
    lane.begin(slot, job);
    return true;
  }

  #laneFor(slot: number, job: Job, mayOpen: boolean): Lane | null {
    const { several } = this.#servers;
    if (several) this.tryOut();
    this.#pool.count(this.nowMs);
    const wish = several ? this.#wishes.wishOf(slot, job, this.#parts.envelopeOf(slot)) : ANY;
    // With one server a permit is asked for when nothing is free; with several the choice has to know.
    const isFree = !several && this.#servers.anyCanTake(false, this.nowMs);
    const canOpen = mayOpen && !isFree && this.#opener.canOpen(this.nowMs);
    const server = this.#servers.choose(wish, canOpen, this.nowMs);
    const lane = server === null ? null : (server.free ?? this.#opener.open(server, this.nowMs));
    this.#opener.drop();
    return lane;
  }

  /** Whoever waits gets what is free by now. */
  serve(): void {
    for (let left = this.#wishes.line.length; left > 0; left--) {
      this.#pool.count(this.nowMs);
      if (!this.#servers.anyCanTake(false, this.nowMs) && !this.#opener.canOpen(this.nowMs)) return;
      const slot = this.#nextInLine();
      if (slot < 0) break;
      const job = this.#wishes.jobOf(slot);
      if (!this.#deal(slot, job, true)) this.#wishes.wait(slot, job, this.#parts.around.isUnderStress);
    }
    this.#opener.drop();
  }

  /** Takes out of the line whoever is served next; -1 when nobody is. */
  #nextInLine(): number {
    const { line } = this.#wishes;
    return this.#isFullOfStrangers() ? line.servePreferred() : line.serve();
  }

  /** Opens a lane for nobody to every server that is to be heard or tried out. */
  tryOut(): void {
    if (this.#servers.anyDoubtful()) this.#opener.tryOut(this.nowMs);
  }

  /** Says how many lanes would be opened if there were permits. */
  wantPermits(): void {
    this.#parts.permits.want(this.#missing());
  }

  #missing(): number {
    const { line } = this.#wishes;
    if (line.length === 0 && !this.#servers.anyDoubtful()) return 0;
    this.#pool.count(this.nowMs);
    if (line.length === 0) return this.#servers.toTry(this.nowMs) === null ? 0 : 1;
    const waiting = this.#isFullOfStrangers() ? line.preferredLength : line.length;
    return Math.min(waiting, this.#servers.room(this.nowMs));
  }

  /** A lane is clean: it ends, serves the next, or rests. */
  ready(lane: Lane): void {
    if (this.#isSpent(lane) || this.#rests.isAskedBack(this.nowMs) || this.#isSurplus(lane.server)) {
      lane.quit();
      return;
    }
    this.#rests.idle(lane, this.nowMs);
    this.serve();
  }

  /** A lane is down: its permit is for others, and what it did for others again. */
  down(lane: Lane): void {
    this.#pool.disarm(lane);
    this.#parts.permits.giveBack();
    if (this.#servers.allPaused(this.nowMs)) return this.#refuseWaiting();
    if (this.#servers.several) this.tryOut();
    return this.serve();
  }

  /** A lane has asked its server something. */
  asked(lane: Lane, step: Step): void {
    lane.askedMs = this.nowMs;
    this.#times.asked(lane.number, step, this.nowMs);
  }

  /** The server has answered the last that a lane asked: its window hears how long it took. */
  answered(lane: Lane): void {
    const kind = this.#times.kindOf(lane.number);
    if (kind === null) return;
    this.#pool.count(this.nowMs);
    const { window, inUse } = lane.server;
    const latencyMs = this.#times.sinceAsked(lane.number, this.nowMs) - 2 * this.#parts.around.ownDelayMs;
    window.answered(kind, latencyMs, inUse, this.#wishes.line.length > 0, this.nowMs);
  }

  /** A connection that is not to be used for another client, or not much longer for this one. */
  #isSpent(lane: Lane): boolean {
    const isReusable = lane.server.reusable === true;
    const { usesMax } = this.#parts.backend;
    return lane.uses >= (isReusable ? usesMax : 1) || lane.refusals >= (isReusable ? usesMax : REFUSALS_MAX);
  }

  /** Every connection is up, and another server should have one of this server's. */
  #isSurplus(server: Server): boolean {
    if (!this.#servers.several) return false;
    const { permits } = this.#parts;
    this.#pool.count(this.nowMs);
    const canOpen = this.#pool.canOpen && permits.held < permits.withinReach;
    return !canOpen && this.#servers.isSurplus(server, this.nowMs);
  }

  /** True when somebody waits for a lane, here or in a shard that has less than its share. */
  get isWanted(): boolean {
    return this.#wishes.line.length > 0 || this.#rests.isAskedBack(this.nowMs);
  }

  /** True when a lane may be asked for, for a message that is not whole: it gets one at once or not at all. */
  get mayStream(): boolean {
    if (this.#parts.around.isUnderStress || this.isWanted) return false;
    return this.#pool.mayStream(this.#parts.permits.withinReach);
  }

  /** Behind a step a lane rests with its client, unless its time or the connection is used up. */
  hold(lane: Lane): void {
    const isUsedUp = lane.refusals >= REFUSALS_MAX && this.#isSpent(lane);
    if (isUsedUp || !this.#rests.hold(lane, this.nowMs)) this.#takeBack(lane);
  }

  /** The time of a lane that rests is up, unless nobody wants it yet. */
  restedEnough(lane: Lane): void {
    if (lane.state === LaneState.Held) {
      if (this.#rests.isHeldEnough(lane, this.nowMs)) this.#takeBack(lane);
    } else if (this.#rests.isIdleEnough(lane, this.nowMs)) lane.quit();
  }

  /** The client of a lane needs it no more. */
  giveBack(slot: number): void {
    const lane = this.laneHeldBy(slot);
    if (lane !== null) this.#takeBack(lane);
  }

  /** A lane is a client's no more. */
  forget(slot: number): void {
    this.#laneOf[slot] = -1;
  }

  #takeBack(lane: Lane): void {
    this.#laneOf[lane.owner] = -1;
    lane.release();
  }

  /** Under stress: strangers have all the lanes that they may have. */
  #isFullOfStrangers(): boolean {
    if (!this.#parts.around.isUnderStress) return false;
    const lanesMax = this.#parts.permits.withinReach;
    return this.#pool.countWithout(this.#wishes.preferred) >= lanesMax - Math.floor(lanesMax / KEPT_SHARE);
  }

  /** No server can be reached: whoever waits is answered. */
  #refuseWaiting(): void {
    if (this.#pool.anyUp) return;
    const { line } = this.#wishes;
    for (let slot = line.serve(); slot >= 0; slot = line.serve()) {
      this.#outcomes.add(slot, Outcome.Unreachable, 451, this.#parts.replies.backendDown);
    }
  }

  /** The lane of a client; null when it has none. */
  laneHeldBy(slot: number): Lane | null {
    const number = this.#laneOf[slot]!;
    return number < 0 ? null : this.#pool.at(number);
  }
}
