/**
 * pool — the lanes of a shard as a set: which is free, which rests, which stream is whose, which server has how many
 *
 * Looks and opens, never decides who gets what: that is backend/lanes. A few dozen lanes at most, so it looks
 * through all of them.
 */
import { assert } from '../base/assert.ts';
import type { Handle } from '../base/handle.ts';
import { NO_HANDLE, slotOf } from '../base/handle.ts';
import type { Wheel } from '../timing/wheel.ts';
import { Lane } from './lane.ts';
import type { LaneHost } from './lane-host.ts';
import { Job, LaneState } from './lane-host.ts';
import type { Server } from './server.ts';

/** One lane in so many, and at least one, may be given messages that are not whole yet. */
const STREAM_SHARE = 4;

export class Pool {
  /** True when a lane is down, as of the last count. */
  canOpen = true;
  readonly #host: LaneHost;
  readonly #servers: readonly Server[];
  readonly #wheel: Wheel;
  readonly #timerBase: number;
  readonly #lanes: readonly Lane[];
  /** Lanes by the slot of their stream. */
  readonly #byStream: (Lane | undefined)[] = [];

  /** `count` lanes for all servers together, all down. Their timers are the wheel's ids from `timerBase` on. */
  constructor(host: LaneHost, servers: readonly Server[], count: number, wheel: Wheel, timerBase: number) {
    this.#host = host;
    this.#servers = servers;
    this.#wheel = wheel;
    this.#timerBase = timerBase;
    this.#lanes = Array.from({ length: count }, (_, number) => new Lane(number, host));
  }

  /** The lane of a number (0 …). */
  at(number: number): Lane {
    return this.#lanes[number]!;
  }

  /** The lane of a stream. */
  ofStream(handle: Handle): Lane {
    const lane = this.#byStream[slotOf(handle)];
    assert(lane !== undefined, 'the backend side noted something of no lane');
    return lane;
  }

  /**
   * Counts the lanes of each server. A lane that is clean goes before one that is coming up. One that has waited for its answer for
   * very long is not in use: it keeps no hand of the server busy, or it would stop everybody (backend/window).
   */
  count(nowMs: number): void {
    for (const server of this.#servers) server.clearCounts();
    this.canOpen = false;
    for (const lane of this.#lanes) {
      const { state, server } = lane;
      if (state === LaneState.Down) this.canOpen = true;
      if (state === LaneState.Down || state === LaneState.Closing) continue;
      server.open++;
      if (state === LaneState.Idle) {
        if (server.free?.state !== LaneState.Idle) server.free = lane;
      } else if (state === LaneState.Opening && lane.owner < 0) {
        server.openingFree++;
        if (!server.isForOneClient) server.free ??= lane;
      } else if (state === LaneState.Held || nowMs - lane.askedMs < server.window.silentMs) server.inUse++;
      if (state === LaneState.Opening) server.opening++;
    }
  }

  /** Opens a lane that is down to a server; null when there is none, or no stream for it. */
  openOne(server: Server): Lane | null {
    for (const lane of this.#lanes) {
      if (lane.state !== LaneState.Down) continue;
      const handle = this.#host.back.connect(server.endpoint);
      if (handle === NO_HANDLE) return null;
      this.#byStream[slotOf(handle)] = lane;
      lane.open(handle, server);
      return lane;
    }
    return null;
  }

  /** The lane that has rested longest with its client; null when none does. */
  longestHeld(): Lane | null {
    let longest: Lane | null = null;
    for (const lane of this.#lanes) {
      if (lane.state !== LaneState.Held) continue;
      if (longest === null || lane.heldSinceMs < longest.heldSinceMs) longest = lane;
    }
    return longest;
  }

  /** Lanes whose client has a 0 in `marks`. */
  countWithout(marks: Uint8Array): number {
    let count = 0;
    for (const lane of this.#lanes) if (lane.owner >= 0 && marks[lane.owner] === 0) count++;
    return count;
  }

  /** True while fewer lanes than may be are given a message that is not whole yet; `lanesMax` is what there can be of them. */
  mayStream(lanesMax: number): boolean {
    let count = 0;
    for (const lane of this.#lanes) if (lane.job === Job.Stream) count++;
    return count < Math.max(1, Math.floor(lanesMax / STREAM_SHARE));
  }

  /** Lanes that are being closed. */
  get leaving(): number {
    let count = 0;
    for (const lane of this.#lanes) if (lane.state === LaneState.Closing) count++;
    return count;
  }

  /** Makes every lane that rests with its client do so for no longer than `holdMs` in all. */
  endHolds(holdMs: number): void {
    for (const lane of this.#lanes)
      if (lane.state === LaneState.Held) this.arm(lane, lane.heldSinceMs + holdMs);
  }

  /** True when a lane is up or coming up. */
  get anyUp(): boolean {
    return this.#lanes.some((lane) => lane.state !== LaneState.Down && lane.state !== LaneState.Closing);
  }

  /** Arms the timer of a lane. */
  arm(lane: Lane, dueMs: number): void {
    this.#wheel.arm(this.#timerBase + lane.number, dueMs);
  }

  /** Arms the timer of the first lane that is down, unless it is armed. */
  armDown(dueMs: number): void {
    const lane = this.#lanes.find(({ state }) => state === LaneState.Down);
    if (lane !== undefined && !this.#wheel.isArmed(this.#timerBase + lane.number)) this.arm(lane, dueMs);
  }

  /** Stops the timer of a lane. */
  disarm(lane: Lane): void {
    this.#wheel.cancel(this.#timerBase + lane.number);
  }
}
