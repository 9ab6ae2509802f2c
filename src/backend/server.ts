/**
 * server — what a shard knows of one mail server behind Sluice
 *
 * Where it is, what it said it can do, whether its connections are reused, and whether it is left alone for a while
 * (backoff). After such a pause one connection tries it out: the server is on trial until that one was greeted and
 * its EHLO answered. The lanes keep themselves to it; how many of them do, and what they are doing, is counted anew whenever
 * somebody asks (pool), which with a few dozen lanes costs less than to keep count.
 */
import type { Config } from '../config/config.ts';
import type { Endpoint } from '../transport/transport.ts';
import { Backoff } from './backoff.ts';
import type { Capabilities } from './capabilities.ts';
import type { Lane } from './lane.ts';
import { Window } from './window.ts';

/** A server as the shard is told of it. */
export interface ServerParts {
  /** As the configuration spells its address. */
  readonly name: string;
  readonly weight: number;
  /** Where it listens, as a literal address. */
  readonly endpoint: Endpoint;
}

/** Who hears what was found out of a server. */
export interface ServerHost {
  /** `server.known` is new. */
  learnt(): void;
  /** `server.reusable` was tried out. */
  tested(server: Server): void;
}

export class Server {
  readonly number: number;
  readonly name: string;
  readonly weight: number;
  readonly endpoint: Endpoint;
  /** True when a connection is for the client that it is opened for, or for nobody, and for no other ever. */
  readonly isForOneClient: boolean;
  readonly backoff = new Backoff();
  /** How many lanes may be used at once. */
  readonly window: Window;
  /** What it said last that it can do; null when it was never heard. */
  known: Capabilities | null = null;
  /** What it can do has to be found out, or found out anew. */
  isUnlearnt = true;
  /** Whether its connections are reused; null when that has to be tried out. */
  reusable: boolean | null;

  /** Lanes that are up or coming up, and what they do; as of the last count (pool). */
  open = 0;
  inUse = 0;
  /** Coming up, for a client or for nobody. */
  opening = 0;
  /** Coming up for nobody. */
  openingFree = 0;
  /** A lane that can take a client now, or when it has come up; null when there is none. */
  free: Lane | null = null;
  /** How well it suits a step, and its place in line among those that suit as well; kept by backend/servers. */
  rank = 0;
  turn = 0;
  readonly #host: ServerHost;

  /** `lanesMax`: of all servers together. */
  constructor(
    parts: ServerParts,
    number: number,
    { identity, reuse, adapt }: Config['backend'],
    lanesMax: number,
    host: ServerHost,
  ) {
    this.number = number;
    this.name = parts.name;
    this.weight = parts.weight;
    this.endpoint = parts.endpoint;
    this.isForOneClient = identity === 'proxy-v1' || identity === 'proxy-v2';
    // What XCLIENT allows is tried out; a header names one client, and without either nothing tells.
    this.reusable = identity === 'xclient' && reuse === 'auto' ? null : reuse === 'always';
    this.window = new Window(lanesMax, adapt);
    this.#host = host;
  }

  /** True when one more lane may be used. */
  get hasRoom(): boolean {
    return this.inUse < this.window.lanes;
  }

  /** True when a PROXY header was understood by the server that is there now. */
  get takesHeaders(): boolean {
    return !this.isUnlearnt;
  }

  /** Two XCLIENTs on one connection were tried out. */
  reuseTested(reusable: boolean): void {
    this.reusable = reusable;
    this.#host.tested(this);
  }

  /** It said what it can do. */
  learn(capabilities: Capabilities): void {
    this.isUnlearnt = false;
    this.known = capabilities;
    this.#host.learnt();
  }

  /** It greeted a connection and took its EHLO. */
  reached(): void {
    // None was up beside it: the server was away, and is not only busy.
    if (this.backoff.isOnTrial && this.open <= 1) this.window.returned();
    this.backoff.succeeded();
  }

  /** Nobody is counted yet. */
  clearCounts(): void {
    this.open = 0;
    this.inUse = 0;
    this.opening = 0;
    this.openingFree = 0;
    this.free = null;
  }
}
