/**
 * dns-flights — the questions of one zone that are under way, and those that wait to be
 *
 * Each zone has its own share of `dnsxl_policy.in_flight_max` and its own waiting line, so that a zone that is slow
 * or dead holds up nobody but itself. Both are bounded: what finds no room is not asked. A question that has no
 * answer by the deadline is given up, counted from when it was sent; one that waits so long is not sent any more.
 *
 * How many are under way at once is found out: a server has room for some 270 datagrams that it has not read yet, and
 * a thousand questions in one breath lose a tenth of themselves. So each zone begins with a small window. It grows, an
 * answer at a time, when the server is far away and questions are on the road rather than in its lap; and it is halved
 * by an answer that was lost and asked for again.
 *
 * What the supervisor asks (tests, proofs) is little and goes at once.
 */
import type { DnsQueries, QueryType } from './dns-queries.ts';

/** Questions at once in all zones together before anything is known of their servers. */
const WINDOW_START = 96;
const WINDOW_MIN = 8;
const WINDOW_STEP = 0.5;
/** An answer that took so much longer than the quickest one was lost once, or its question. */
const LOST_MS = 1_500;
/** A server whose quickest answer took so long is worth a second window. */
const FAR_MS = 5;
/** The least time is forgotten slowly: a server may move away. */
const LEAST_DRIFT = 1.0005;

export interface FlightBounds {
  readonly inFlightMax: number;
  readonly waitingMax: number;
  readonly deadlineMs: number;
}

/** A question, and what it is for. */
export interface Flight<Errand> {
  readonly errand: Errand;
  readonly name: string;
  readonly type: QueryType;
  /** When it was sent; while it waits, when it began to. */
  sinceMs: number;
}

export class DnsFlights<Errand> {
  readonly #queries: DnsQueries;
  readonly #bounds: FlightBounds;
  readonly #idStep: number;
  #nextId: number;
  /** In the order of sending, so the first one is the first to be overdue. */
  readonly #flying = new Map<number, Flight<Errand>>();
  #waiting: Flight<Errand>[] = [];
  #served = 0;
  readonly #first: number;
  #window: number;
  #leastMs = Infinity;

  /** Ids are `firstId`, `firstId + idStep`, …, so that zones can share one port. */
  constructor(queries: DnsQueries, bounds: FlightBounds, firstId: number, idStep: number) {
    this.#queries = queries;
    this.#bounds = bounds;
    this.#nextId = firstId;
    this.#idStep = idStep;
    this.#first = Math.min(bounds.inFlightMax, Math.max(WINDOW_MIN, WINDOW_START / idStep));
    this.#window = this.#first;
  }

  /** Questions under way. */
  get flying(): number {
    return this.#flying.size;
  }

  /** Questions that wait. */
  get waiting(): number {
    return this.#waiting.length - this.#served;
  }

  /** Sends a question at once. */
  send(errand: Errand, name: string, type: QueryType, nowMs: number): void {
    this.#send({ errand, name, type, sinceMs: nowMs });
  }

  /** Sends a question when there is room for it; false when there is not even room to wait. */
  submit(errand: Errand, name: string, type: QueryType, nowMs: number): boolean {
    const flight = { errand, name, type, sinceMs: nowMs };
    if (this.#flying.size < this.#window) this.#send(flight);
    else if (this.waiting < this.#bounds.waitingMax) this.#waiting.push(flight);
    else return false;
    return true;
  }

  /** The question that was answered, undefined when nobody wants the answer any more. */
  answered(id: number, nowMs: number): Flight<Errand> | undefined {
    const flight = this.#flying.get(id);
    if (flight !== undefined) this.#learn(nowMs - flight.sinceMs);
    this.#flying.delete(id);
    return flight;
  }

  /** The next question that is overdue, given up; undefined when there is none. */
  overdue(nowMs: number): Flight<Errand> | undefined {
    for (const [id, flight] of this.#flying) {
      if (flight.sinceMs + this.#bounds.deadlineMs > nowMs) return undefined;
      this.#flying.delete(id);
      this.#queries.giveUp(id);
      this.#shrink();
      return flight;
    }
    return undefined;
  }

  /** Sends what waits as far as there is room; gives back what has waited too long. */
  refill(nowMs: number): Flight<Errand>[] {
    const late: Flight<Errand>[] = [];
    while (this.waiting > 0) {
      const flight = this.#waiting[this.#served]!;
      if (flight.sinceMs + this.#bounds.deadlineMs <= nowMs) late.push(flight);
      else if (this.#flying.size >= this.#window) break;
      else {
        flight.sinceMs = nowMs;
        this.#send(flight);
      }
      this.#served += 1;
    }
    if (this.#served * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#served);
      this.#served = 0;
    }
    return late;
  }

  /** Gives up every question whose errand is meant, and gives the errands back. */
  abandon(isMeant: (errand: Errand) => boolean): Errand[] {
    const errands: Errand[] = [];
    for (const [id, { errand }] of this.#flying) {
      if (!isMeant(errand)) continue;
      this.#flying.delete(id);
      this.#queries.giveUp(id);
      errands.push(errand);
    }
    const waiting = this.#waiting.slice(this.#served);
    for (const { errand } of waiting) if (isMeant(errand)) errands.push(errand);
    this.#waiting = waiting.filter(({ errand }) => !isMeant(errand));
    this.#served = 0;
    return errands;
  }

  /** When the oldest question is overdue, or has waited too long; Infinity when there is none. */
  nextDueMs(): number {
    const [oldest] = this.#flying.values();
    const first = this.#waiting[this.#served];
    const sinceMs = Math.min(oldest?.sinceMs ?? Infinity, first?.sinceMs ?? Infinity);
    return sinceMs + this.#bounds.deadlineMs;
  }

  #learn(latencyMs: number): void {
    this.#leastMs = Math.min(latencyMs, this.#leastMs * LEAST_DRIFT);
    if (latencyMs > this.#leastMs * 2 + LOST_MS) return this.#shrink();
    if (this.waiting === 0) return undefined;
    const worthMax = Math.min(this.#bounds.inFlightMax, this.#first * (1 + this.#leastMs / FAR_MS));
    if (this.#window < worthMax) this.#window = Math.min(worthMax, this.#window + WINDOW_STEP);
    return undefined;
  }

  #shrink(): void {
    this.#window = Math.max(Math.min(WINDOW_MIN, this.#bounds.inFlightMax), this.#window / 2);
  }

  #send(flight: Flight<Errand>): void {
    const id = this.#nextId;
    this.#nextId += this.#idStep;
    this.#flying.set(id, flight);
    this.#queries.send(id, flight.name, flight.type);
  }
}
