/**
 * rests — how long a lane rests, with its client or with nobody
 *
 * A quick client keeps its lane for `backend.hold`; when somebody waits, for `HOLD_MS_MIN`, and not at all once it has had it for
 * `TURN_MS_MAX`: a client that goes on and on would otherwise keep it for good. A lane that another shard or process may
 * want looks up in between. Says what is over; what becomes of the lane then is decided by backend/dealer.
 */
import type { Config } from '../config/config.ts';
import type { Lane } from './lane.ts';
import { LOOK_MS } from './permits.ts';
import type { Permits } from './permits.ts';
import type { Pool } from './pool.ts';
import type { Wishes } from './wishes.ts';

/** Whoever waits for a lane leaves a client that rests with one at least this long for its next command. */
export const HOLD_MS_MIN = 50;
const TURN_MS_MAX = 1_000;
const IDLE_MS = 60_000;

/** What it goes by. */
export interface RestsParts {
  readonly backend: Config['backend'];
  readonly pool: Pool;
  readonly permits: Permits;
  readonly wishes: Wishes;
  readonly lanesMax: number;
}

export class Rests {
  readonly #parts: RestsParts;
  /** Since when each lane is its client's. */
  readonly #dealtMs: Float64Array;

  constructor(parts: RestsParts) {
    this.#parts = parts;
    this.#dealtMs = new Float64Array(parts.lanesMax);
  }

  /** A lane was given to a client. */
  dealt(lane: Lane, nowMs: number): void {
    this.#dealtMs[lane.number] = nowMs;
  }

  /** Lets a lane rest with its client; false when the client has had its turn and others wait. */
  hold(lane: Lane, nowMs: number): boolean {
    lane.heldSinceMs = nowMs;
    if (this.#isWanted && nowMs - this.#dealtMs[lane.number]! >= TURN_MS_MAX) return false;
    this.#armUntil(lane, nowMs + (this.#isWanted ? HOLD_MS_MIN : this.#parts.backend.holdMs), nowMs);
    return true;
  }

  /** True when a lane has rested with its client for long enough; else it rests on. */
  isHeldEnough(lane: Lane, nowMs: number): boolean {
    const untilMs = lane.heldSinceMs + this.#parts.backend.holdMs;
    if (this.#isWanted || nowMs >= untilMs || this.isAskedBack(nowMs)) return true;
    this.#armUntil(lane, untilMs, nowMs);
    return false;
  }

  /** Lets a lane rest that is nobody's. */
  idle(lane: Lane, nowMs: number): void {
    lane.heldSinceMs = nowMs;
    this.#armUntil(lane, nowMs + IDLE_MS, nowMs);
  }

  /** True when a lane was nobody's for long enough; else it rests on. */
  isIdleEnough(lane: Lane, nowMs: number): boolean {
    const untilMs = lane.heldSinceMs + IDLE_MS;
    if (nowMs >= untilMs || this.isAskedBack(nowMs, true)) return true;
    this.#armUntil(lane, untilMs, nowMs);
    return false;
  }

  /** Another shard is to have the next lane that is free, or another process one that `isIdle`. */
  isAskedBack(nowMs: number, isIdle = false): boolean {
    return this.#parts.permits.isAskedBack(this.#parts.pool.leaving, nowMs, isIdle);
  }

  get #isWanted(): boolean {
    return this.#parts.wishes.line.length > 0;
  }

  #armUntil(lane: Lane, untilMs: number, nowMs: number): void {
    const looks = this.#parts.permits.isAboveShare;
    this.#parts.pool.arm(lane, looks ? Math.min(untilMs, nowMs + LOOK_MS) : untilMs);
  }
}
