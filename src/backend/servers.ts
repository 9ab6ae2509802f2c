/**
 * servers — the mail servers behind Sluice as a set: which one is next, and what all of them can do
 *
 * A client is given to a server that suits it best: that can do what its message needs, was heard before, is not
 * left alone, and did not just fail this very step; its window (backend/window) has to have room. Among those that suit as well each may have its share of the
 * lanes in use, by the weights, rounded up; among those below it the one is next whose turn it is. So few clients are
 * dealt out by weight, many by lanes in use: a server that is slow gets fewer.
 * Turns are start times (start-time fair queueing): a server that was away has saved up nothing.
 *
 * Clients are offered what every server can do that was ever heard. One that was not yet does not widen it; one that
 * is down goes on to narrow it, since it may be back before the message is.
 *
 * With one server, as most have, every choice is that one or nobody.
 */
import type { Config } from '../config/config.ts';
import { Count } from '../session/counters.ts';
import type { Counters } from '../session/counters.ts';
import type { Journal } from '../session/journal.ts';
import type { Capabilities } from './capabilities.ts';
import { NO_CAPABILITIES } from './capabilities.ts';
import type { Lane } from './lane.ts';
import { Fault } from './lane-host.ts';
import { suits } from './needs.ts';
import { Server } from './server.ts';
import type { ServerHost, ServerParts } from './server.ts';

/** What speaks against a server, the worst last; they add up. */
const RANK_AVOIDED = 1;
const RANK_DOUBTFUL = 2;
const RANK_UNHEARD = 4;
const RANK_UNFIT = 8;
const RANK_NEVER = 16;

/** What a step asks of its server. */
export interface Wish {
  /** `Extension` bits. */
  needs: number;
  bytes: number;
  /** The number of the server on which the step has just failed, -1 when it has on none. */
  avoid: number;
}

/** What the set is made of. */
export interface ServersParts {
  readonly config: Config;
  readonly servers: readonly ServerParts[];
  /** Lanes of all servers together. */
  readonly lanesMax: number;
  readonly counters: Counters;
  readonly journal: Journal;
}

export class Servers implements ServerHost {
  readonly all: readonly Server[];
  /** What clients may be offered. */
  capabilities: Capabilities = NO_CAPABILITIES;
  /** Changes whenever `capabilities` does. */
  capabilitiesVersion = 0;
  readonly #parts: ServersParts;
  /** The start of the turn that was given last. */
  #lastTurn = 0;

  constructor(parts: ServersParts) {
    const { config, servers, lanesMax } = parts;
    this.#parts = parts;
    this.all = servers.map((one, number) => new Server(one, number, config.backend, lanesMax, this));
  }

  get several(): boolean {
    return this.all.length > 1;
  }

  /** True while every server is left alone. */
  allPaused(nowMs: number): boolean {
    for (const server of this.all) if (!server.backoff.isOn(nowMs)) return false;
    return true;
  }

  /** True when what a server can do is not known, or one is to be tried out. */
  anyDoubtful(): boolean {
    for (const server of this.all)
      if (server.isUnlearnt || (this.several && server.backoff.isOnTrial)) return true;
    return false;
  }

  /** True when some server can take some step now. */
  anyCanTake(canOpen: boolean, nowMs: number): boolean {
    for (const server of this.all) if (canTake(server, canOpen, nowMs)) return true;
    return false;
  }

  /** True when a lane might be opened to some server for a step. */
  anyCanOpen(nowMs: number): boolean {
    for (const server of this.all) if (server.hasRoom && mayOpen(server, nowMs)) return true;
    return false;
  }

  /** Lanes that may be opened for steps, if there are connections enough. */
  room(nowMs: number): number {
    let room = 0;
    for (const server of this.all)
      if (mayOpen(server, nowMs)) room += Math.max(0, server.window.lanes - server.inUse);
    return room;
  }

  /** The server for a step, by the last count of its lanes; null when none can take it now. `canOpen`: a lane is down. */
  choose(wish: Wish, canOpen: boolean, nowMs: number): Server | null {
    if (!this.several) {
      const [server] = this.all;
      return canTake(server!, canOpen, nowMs) ? server! : null;
    }
    const isFitKnown = this.all.some(({ known }) => known !== null && suits(known, wish.needs, wish.bytes));
    let best = RANK_NEVER;
    for (const server of this.all) {
      server.rank = canTake(server, canOpen, nowMs) ? rankOf(server, wish, isFitKnown, nowMs) : RANK_NEVER;
      best = Math.min(best, server.rank);
    }
    return best === RANK_NEVER ? null : this.#nextOf(best);
  }

  #nextOf(rank: number): Server {
    let weights = 0;
    let inUse = 1;
    for (const server of this.all) {
      if (server.rank !== rank) continue;
      weights += server.weight;
      inUse += server.inUse;
    }
    let next: Server | null = null;
    for (const server of this.all) {
      if (server.rank !== rank || server.inUse >= Math.ceil((inUse * server.weight) / weights)) continue;
      if (next === null || this.#turnOf(server) < this.#turnOf(next)) next = server;
    }
    // The shares add up to more than is in use, so one of them is not used up.
    return next!;
  }

  /** A client was given to a server. */
  given(server: Server): void {
    if (!this.several) return;
    this.#lastTurn = this.#turnOf(server);
    server.turn = this.#lastTurn + 1 / server.weight;
  }

  #turnOf(server: Server): number {
    return Math.max(server.turn, this.#lastTurn);
  }

  /** A server that is to be tried out, or heard for the first time, by a connection of nobody's; null when none is. */
  toTry(nowMs: number): Server | null {
    for (const server of this.all) {
      if (server.backoff.isOn(nowMs) || server.openingFree > 0) continue;
      if (this.several && server.backoff.isOnTrial && server.opening === 0) return server;
      // A connection that names a client is not asked what the server can do for others.
      if (server.isUnlearnt && (server.isForOneClient || server.open === 0)) return server;
    }
    return null;
  }

  /** True when a lane of a server that has more than its share would better be one of another. */
  isSurplus(server: Server, nowMs: number): boolean {
    const { open, weight } = server;
    for (const other of this.all) {
      if (other === server || !other.hasRoom || !mayOpen(other, nowMs)) continue;
      if ((other.open + 1) / other.weight < open / weight) return true;
    }
    return false;
  }

  /** A lane failed through a fault of its server, which may be left alone for a while. */
  blame(lane: Lane, fault: Fault, why: string, nowMs: number): void {
    const { server } = lane;
    const { counters, journal } = this.#parts;
    counters.add(Count.lanesFailed);
    if (fault === Fault.Identity) counters.add(Count.identityRefused);
    if (fault === Fault.Tls) counters.add(Count.lanesTlsFailed);
    journal.notice(`backend ${server.name}: ${why}`);
    if (fault === Fault.Busy) server.window.refused(nowMs);
    const isIdentityRefused = fault === Fault.Identity;
    if (isIdentityRefused && lane.uses > 1 && this.#parts.config.backend.reuse === 'auto') {
      // It took one from this connection before: reuse is allowed no more, which the next lane will try out anew.
      server.reusable = null;
      return;
    }
    // A server that lets go of a lane at rest is within its rights; one that cannot be opened, or takes no identity,
    // is left alone for a while, and where there are others, one that is silent or says 421.
    const isElsewhereBetter = fault === Fault.Busy && this.several;
    if (lane.cameUp && !isIdentityRefused && !isElsewhereBetter) return;
    server.backoff.failed(nowMs);
    // It may be another one when it comes back.
    if (server.isForOneClient) server.isUnlearnt = true;
  }

  learnt(): void {
    const capabilities = common(this.all);
    const before = this.capabilities;
    const isSame =
      before.extensions === capabilities.extensions &&
      before.sizeMaxBytes === capabilities.sizeMaxBytes &&
      this.capabilitiesVersion > 0;
    if (isSame) return;
    this.capabilities = capabilities;
    this.capabilitiesVersion++;
  }

  tested(server: Server): void {
    this.#parts.journal.notice(
      `backend${this.several ? ` ${server.name}` : ''}: ${
        server.reusable === true
          ? 'connections are reused (two XCLIENTs in a row were accepted)'
          : 'one connection for each client (a second XCLIENT is not accepted on one connection)'
      }`,
    );
  }
}

function rankOf(server: Server, wish: Wish, isFitKnown: boolean, nowMs: number): number {
  const { known, backoff } = server;
  let rank = server.number === wish.avoid ? RANK_AVOIDED : 0;
  if (backoff.isOn(nowMs) || backoff.isOnTrial) rank += RANK_DOUBTFUL;
  if (known === null) return rank + RANK_UNHEARD;
  if (suits(known, wish.needs, wish.bytes)) return rank;
  // It is better to wait for one that can do it; when there is none, the backend's own answer is the best there is.
  return isFitKnown ? RANK_NEVER : rank + RANK_UNFIT;
}

function canTake(server: Server, canOpen: boolean, nowMs: number): boolean {
  return server.hasRoom && (server.free !== null || (canOpen && mayOpen(server, nowMs)));
}

/** A server on trial gets one connection; the others follow when that one was taken. */
function mayOpen({ backoff, opening }: Server, nowMs: number): boolean {
  return !backoff.isOn(nowMs) && (!backoff.isOnTrial || opening === 0);
}

/** What all servers can do that were ever heard. */
function common(servers: readonly Server[]): Capabilities {
  let shared: Capabilities | null = null;
  for (const { known } of servers) {
    if (known === null) continue;
    shared = shared === null ? known : narrower(shared, known);
  }
  return shared ?? NO_CAPABILITIES;
}

function narrower(one: Capabilities, other: Capabilities): Capabilities {
  const sizes = [one.sizeMaxBytes, other.sizeMaxBytes].filter((size) => size > 0);
  return {
    ...one,
    extensions: one.extensions & other.extensions,
    sizeMaxBytes: sizes.length === 0 ? 0 : Math.min(...sizes),
  };
}
