/**
 * dns-flights — the questions of one zone that are under way, and those that wait to be
 *
 * Each zone has its own share of `dnsxl_policy.in_flight_max` and its own waiting line, so that a zone that is slow
 * or dead holds up nobody but itself. Both are bounded: what finds no room is not asked. A question that has no
 * answer by the deadline is given up, counted from when it was sent; one that waits three times as long is not sent any more.
 *
 * How many are under way at once is found out: a server has room for some 270 datagrams that it has not read yet, and
 * a thousand questions in one breath lose a tenth of themselves. So each zone begins with a small window, which grows by
 * one for each window of answers while others wait, and is halved when a question was lost, as TCP does.
 *
 * What the supervisor asks (tests, proofs) is little and goes at once.
 */
import type { DnsQueries, QueryType } from './dns-queries.ts';

/** Questions at once in all zones together before anything is known of their servers. */
const WINDOW_START = 192;
/** A zone has at least so many, whatever is lost. */
const WINDOW_MIN = 16;
/** An answer that took so much longer than twice the quickest one was lost once, or its question. */
const LOST_MS = 1_500;
/** A question waits for its turn at most so many deadlines: a late answer still counts, a very late one finds nobody. */
const DEADLINES_WAITED = 3;

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
  #window: number;
  #shrunkMs = -Infinity;
  #leastMs = Infinity;

  /** Ids are `firstId`, `firstId + idStep`, …, so that zones can share one port. */
  constructor(queries: DnsQueries, bounds: FlightBounds, firstId: number, idStep: number) {
    this.#queries = queries;
    this.#bounds = bounds;
    this.#nextId = firstId;
    this.#idStep = idStep;
    this.#window = Math.min(bounds.inFlightMax, Math.max(WINDOW_MIN, WINDOW_START / idStep));
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
    if (flight !== undefined) this.#learn(nowMs - flight.sinceMs, nowMs);
    this.#flying.delete(id);
    return flight;
  }

  /** The next question that is overdue, given up; undefined when there is none. */
  overdue(nowMs: number): Flight<Errand> | undefined {
    for (const [id, flight] of this.#flying) {
      if (flight.sinceMs + this.#bounds.deadlineMs > nowMs) return undefined;
      this.#flying.delete(id);
      this.#queries.giveUp(id);
      this.#shrink(nowMs);
      return flight;
    }
    return undefined;
  }

  /** Sends what waits as far as there is room; gives back what has waited too long. */
  refill(nowMs: number): Flight<Errand>[] {
    const late: Flight<Errand>[] = [];
    while (this.waiting > 0) {
      const flight = this.#waiting[this.#served]!;
      if (flight.sinceMs + this.#bounds.deadlineMs * DEADLINES_WAITED <= nowMs) late.push(flight);
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
    const { deadlineMs } = this.#bounds;
    return Math.min(
      (oldest?.sinceMs ?? Infinity) + deadlineMs,
      (first?.sinceMs ?? Infinity) + deadlineMs * DEADLINES_WAITED,
    );
  }

  #learn(latencyMs: number, nowMs: number): void {
    this.#leastMs = Math.min(latencyMs, this.#leastMs);
    if (latencyMs > this.#leastMs * 2 + LOST_MS) return this.#shrink(nowMs);
    if (this.waiting > 0) this.#window = Math.min(this.#bounds.inFlightMax, this.#window + 1 / this.#window);
    return undefined;
  }

  /** Once for all questions that were lost together. */
  #shrink(nowMs: number): void {
    if (nowMs - this.#shrunkMs < LOST_MS) return;
    this.#shrunkMs = nowMs;
    this.#window = Math.max(Math.min(WINDOW_MIN, this.#bounds.inFlightMax), this.#window / 2);
  }

  #send(flight: Flight<Errand>): void {
    const id = this.#nextId;
    this.#nextId += this.#idStep;
    this.#flying.set(id, flight);
    this.#queries.send(id, flight.name, flight.type);
  }
}
