/**
 * opener — opens lanes: one that is down, to a server, with a permit
 *
 * A permit is taken before it is decided which server a lane is opened to, since the choice has to know whether one can be; what
 * was not used is given back at once (`drop`). Who finds none looks again by the timer of a lane that is down.
 */
import { Count } from '../session/counters.ts';
import type { Counters } from '../session/counters.ts';
import type { Lane } from './lane.ts';
import { LOOK_MS } from './permits.ts';
import type { Permits } from './permits.ts';
import type { Pool } from './pool.ts';
import type { Server } from './server.ts';
import type { Servers } from './servers.ts';

/** What it takes to open a lane. */
export interface OpenerParts {
  readonly servers: Servers;
  readonly pool: Pool;
  readonly permits: Permits;
  readonly counters: Counters;
}

export class Opener {
  readonly #parts: OpenerParts;
  /** A permit for the next lane was taken and not used yet. */
  #hasPermit = false;

  constructor(parts: OpenerParts) {
    this.#parts = parts;
  }

  /** True when a lane can be opened for a step, by the last count: then the permit for it is in hand. */
  canOpen(nowMs: number): boolean {
    const { pool, servers } = this.#parts;
    return pool.canOpen && servers.anyCanOpen(nowMs) && this.#take(nowMs);
  }

  /** Opens a lane to a server; null when there is none, or no permit or stream for it. */
  open(server: Server, nowMs: number): Lane | null {
    if (!this.#take(nowMs)) return null;
    const lane = this.#parts.pool.openOne(server);
    if (lane === null) {
      this.drop();
      return null;
    }
    this.#hasPermit = false;
    this.#parts.counters.add(Count.lanesOpened);
    return lane;
  }

  /** Gives back a permit that was not used. */
  drop(): void {
    if (!this.#hasPermit) return;
    this.#hasPermit = false;
    this.#parts.permits.giveBack();
  }

  /** Opens a lane for nobody to every server that is to be heard or tried out. */
  tryOut(nowMs: number): void {
    const { pool, servers } = this.#parts;
    pool.count(nowMs);
    for (let left = servers.all.length; left > 0 && pool.canOpen; left--) {
      const server = servers.toTry(nowMs);
      if (server === null || this.open(server, nowMs) === null) return;
      pool.count(nowMs);
    }
  }

  #take(nowMs: number): boolean {
    if (this.#hasPermit) return true;
    this.#hasPermit = this.#parts.permits.take(nowMs);
    if (!this.#hasPermit) this.#parts.pool.armDown(nowMs + LOOK_MS);
    return this.#hasPermit;
  }
}
