/**
 * shard — the tables of one engine thread, and its turn
 *
 * `step(nowMs)` is the only entry: it advances the wheel, obeys what the transports, the backend and the spool
 * have noted, and returns. Nothing happens between two steps. The shard reads no clock and opens nothing: who
 * drives it (a worker on sockets, a test on a virtual clock) hands in the time and the ports.
 *
 * The turn dispatches on the phase of a session; the stages change it. The order within a turn is fixed: loads, timers,
 * DNS lists, clients, backend, spool, outcomes, so the same input gives the same trace.
 *
 * Fairness: at most `EVENTS_MAX` client events a turn, so an accept storm cannot keep timers from firing; one
 * session handles at most `COMMANDS_MAX` pipelined commands before others have their turn.
 */
import { assert, unreachable } from '../base/assert.ts';
import { NO_HANDLE, slotOf } from '../base/handle.ts';
import type { Handle } from '../base/handle.ts';
import { SlotQueue } from '../base/slot-queue.ts';
import { Count } from '../session/counters.ts';
import { NO_ENDING } from '../session/endings.ts';
import { isWithMessage, Phase } from '../session/phase.ts';
import { Flag } from '../session/sessions.ts';
import { Noted } from '../transport/transport.ts';
import { arrive, hearHeader } from '../stages/arrive.ts';
import { continueGreeting, hearEarly } from '../stages/banner.ts';
import { converse } from '../stages/converse.ts';
import { delivered, handOver, notDeliveredInTime, refuseIfListed } from '../stages/deliver.ts';
import { cut, dismiss, finish, shutDown, streamGone } from '../stages/end.ts';
import { nextListed } from '../stages/listed.ts';
import { hearAhead, leaveIfEnded } from '../stages/meanwhile.ts';
import { noLaneInTime, recipientJudged } from '../stages/recipient.ts';
import { bodyTimeUp, receive } from '../stages/receive.ts';
import { classify } from '../stages/seat.ts';
import { hearLoopDelay, lookAround, nextLookMs } from '../stages/shed.ts';
import { flush, pay } from '../stages/speak.ts';
import { beginHandshake, secured } from '../stages/starttls.ts';
import type { Works } from '../stages/works.ts';
import type { Lists } from '../policy/lists.ts';
import type { PoolMap } from '../policy/pool-map.ts';
import { buildWorks } from './build.ts';
import type { ShardParts } from './build.ts';

const EVENTS_MAX = 2_048;
const COMMANDS_MAX = 64;

export class Shard {
  readonly works: Works;
  readonly #resting: SlotQueue;
  #capabilitiesSeen = 0;

  /** Takes all memory the shard will ever need. `nowMs` is the zero of its clock. */
  constructor(parts: ShardParts) {
    this.works = buildWorks(parts);
    this.#resting = new SlotQueue(parts.front.capacity);
    // A restarted shard has no sessions: what its forerunner had counted in is counted out.
    this.works.reputation.forgetShard(parts.shard);
    parts.counters.clear(Count.stressedNow);
    parts.counters.clear(Count.sheddingNow);
  }

  /** Makes the first connection to the backend. */
  start(nowMs: number): void {
    this.works.nowMs = nowMs;
    this.works.lanes.warmUp(nowMs);
  }

  /** Sessions that are open. */
  get sessionsOpen(): number {
    return this.works.sessions.open;
  }

  /** One turn. True when there is more to do at once. `nowMs` never goes back. */
  step(nowMs: number): boolean {
    const { works } = this;
    works.nowMs = nowMs;
    lookAround(works);
    this.#timers();
    this.#lists();
    const isMore = this.#clients();
    works.lanes.turn(nowMs);
    this.#spool();
    this.#outcomes();
    this.#learnBackend();
    works.allowance.tellUnread(works.front.inputBytesTotal);
    return isMore || this.#resting.length > 0;
  }

  /** The moment at which `step` must be called even if nothing is noted; Infinity when no timer is armed. */
  nextDueMs(): number {
    return Math.min(this.works.wheel.nextDueMs(), nextLookMs(this.works));
  }

  /** Hears that what has happened was answered `delayMs` later than it could have been. */
  hearDelay(delayMs: number): void {
    hearLoopDelay(this.works, delayMs);
  }

  /** Takes other permanent lists, for clients that come from now on. */
  setLists(lists: Lists): void {
    this.works.lists = lists;
  }

  /** Takes another map of pools, for clients that come from now on. */
  setPools(pools: PoolMap): void {
    this.works.pools = pools;
  }

  /** Begins to empty the shard: idle and waiting sessions hear 421, those with a message in hand finish first. */
  drain(nowMs: number): void {
    const { works } = this;
    works.nowMs = nowMs;
    works.draining = true;
    for (let slot = 0; slot < works.sessions.capacity; slot++) {
      const phase = works.sessions.phaseOf(slot);
      if (phase === Phase.Holding) handOver(works, slot);
      if (phase === Phase.Free || phase === Phase.Closing || isWithMessage(phase)) continue;
      shutDown(works, slot);
      this.#conclude(slot);
    }
  }

  #timers(): void {
    const { works } = this;
    const { wheel, sessions } = works;
    wheel.advance(works.nowMs);
    for (;;) {
      const id = wheel.take();
      if (id < 0) return;
      if (id >= sessions.capacity) {
        works.lanes.timeUp(id - sessions.capacity, works.nowMs);
        continue;
      }
      this.#timeUp(id);
      this.#run(id);
    }
  }

  #timeUp(slot: number): void {
    const { works } = this;
    const { sessions, replies } = works;
    const phase = sessions.phaseOf(slot);
    switch (phase) {
      case Phase.Greeting:
        return continueGreeting(works, slot);
      case Phase.Owing:
        return pay(works, slot);
      case Phase.Listening:
        return dismiss(works, slot, 'commandTimeLimit', replies.commandTimeLimit);
      case Phase.Verifying:
        return noLaneInTime(works, slot);
      case Phase.Receiving:
        return bodyTimeUp(works, slot);
      case Phase.Holding:
        return handOver(works, slot);
      case Phase.Delivering:
        return notDeliveredInTime(works, slot);
      case Phase.Handshaking:
        return cut(works, slot, 'tlsTimeLimit');
      case Phase.Announcing:
        return cut(works, slot, 'headerTimeLimit');
      case Phase.Closing:
        return works.front.abort(sessions.handleOf(slot));
      case Phase.Free:
        return assert(false, 'a timer rang for a free row');
      default:
        return unreachable(phase);
    }
  }

  /** What DNS lists have said is known before the client says more. */
  #lists(): void {
    const { works } = this;
    for (let slot = nextListed(works); slot >= 0; slot = nextListed(works)) {
      refuseIfListed(works, slot);
      this.#run(slot);
    }
  }

  #clients(): boolean {
    const { front } = this.works;
    // Sessions that had more to say than one turn allows come first.
    for (let count = this.#resting.length; count > 0; count--) this.#run(this.#resting.serve());
    for (let events = 0; events < EVENTS_MAX; events++) {
      const handle = front.next();
      if (handle === NO_HANDLE) return false;
      this.#obey(handle, front.take(handle));
    }
    return true;
  }

  #obey(handle: Handle, noted: number): void {
    const { works } = this;
    const slot = slotOf(handle);
    if ((noted & Noted.Opened) !== 0) arrive(works, handle);
    assert(works.sessions.handleOf(slot) === handle, 'an event came for a stranger');
    if ((noted & Noted.Secured) !== 0) secured(works, slot);
    if ((noted & Noted.Ended) !== 0) works.sessions.set(slot, Flag.PeerEnded);
    if ((noted & Noted.Closed) !== 0) {
      works.outbox.clear();
      this.#resting.leave(slot);
      return streamGone(works, slot);
    }
    return this.#run(slot);
  }

  /** Lets a session do all it can do now. */
  #run(slot: number): void {
    const { works } = this;
    const { sessions } = works;
    for (let commands = 0; ; commands++) {
      if (commands === COMMANDS_MAX || works.outbox.isFull) {
        if (!this.#resting.has(slot)) this.#resting.join(slot);
        break;
      }
      if (!this.#advance(slot)) break;
    }
    if (sessions.phaseOf(slot) !== Phase.Free) this.#conclude(slot);
  }

  /** One step of a session by its phase; true when there may be another at once. */
  #advance(slot: number): boolean {
    const { works } = this;
    const { sessions, front } = works;
    const phase = sessions.phaseOf(slot);
    switch (phase) {
      case Phase.Greeting:
        hearEarly(works, slot);
        return leaveIfEnded(works, slot);
      case Phase.Announcing:
        return hearHeader(works, slot);
      case Phase.Listening:
        if (!works.draining) return converse(works, slot);
        shutDown(works, slot);
        return false;
      case Phase.Owing:
      case Phase.Verifying:
        hearAhead(works, slot);
        return leaveIfEnded(works, slot);
      case Phase.Receiving:
        return receive(works, slot);
      case Phase.Holding:
      case Phase.Delivering:
        return leaveIfEnded(works, slot);
      case Phase.Handshaking:
        return false;
      case Phase.Closing: {
        const handle = sessions.handleOf(slot);
        front.consume(handle, front.peek(handle).length);
        return false;
      }
      case Phase.Free:
        return false;
      default:
        return unreachable(phase);
    }
  }

  /** Behind everything a session did: writes what it said, and closes behind a last reply. */
  #conclude(slot: number): void {
    const { works } = this;
    const { sessions } = works;
    classify(works, slot);
    if (sessions.has(slot, Flag.StreamGone)) return works.outbox.clear();
    const hadWords = !works.outbox.isEmpty;
    if (!flush(works, slot)) {
      cut(works, slot, 'notReading');
      return classify(works, slot);
    }
    if (hadWords && sessions.phaseOf(slot) === Phase.Handshaking) return beginHandshake(works, slot);
    const isLast =
      sessions.phaseOf(slot) === Phase.Closing && hadWords && sessions.endings[slot] !== NO_ENDING;
    if (isLast) finish(works, slot);
    return undefined;
  }

  #spool(): void {
    const { works } = this;
    for (let slot = works.spool.nextNoted(); slot >= 0; slot = works.spool.nextNoted()) {
      if (works.sessions.phaseOf(slot) === Phase.Receiving) this.#run(slot);
      works.lanes.pieceReady(slot, works.nowMs);
    }
  }

  #outcomes(): void {
    const { works } = this;
    for (let slot = works.lanes.outcomes.next(); slot >= 0; slot = works.lanes.outcomes.next()) {
      const phase = works.sessions.phaseOf(slot);
      if (phase === Phase.Verifying) recipientJudged(works, slot);
      else if (phase === Phase.Delivering || phase === Phase.Receiving) delivered(works, slot);
      else assert(false, 'the backend answered a session that asked nothing');
      this.#run(slot);
    }
  }

  #learnBackend(): void {
    const { lanes, greetings } = this.works;
    if (lanes.capabilitiesVersion === this.#capabilitiesSeen) return;
    this.#capabilitiesSeen = lanes.capabilitiesVersion;
    greetings.learn(lanes.capabilities);
  }
}
