/**
 * dns-zone-desk — the look-ups in one DNS list
 *
 * Puts together what the list said before (dns-cache), the questions under way (dns-flights), the proof that it does
 * not have everybody (dns-proof) and whether it can be believed at all (dns-supervisor). An inquiry that is
 * handed in gets its listing at once, later, or none; whoever it concerns is left in `touched`, to be told by
 * dns-inquiries. Every failure is no evidence.
 */
import type { Counters } from '../session/counters.ts';
import { Count } from '../session/counters.ts';
import type { CacheBounds, Known } from './dns-cache.ts';
import { DnsCache } from './dns-cache.ts';
import type { Flight, FlightBounds } from './dns-flights.ts';
import { DnsFlights } from './dns-flights.ts';
import type { Inquiry } from './dns-inquiry.ts';
import { lookUpName } from './dns-names.ts';
import { DnsProof } from './dns-proof.ts';
import type { DnsQueries, DnsReply } from './dns-queries.ts';
import { SLOW_MS, ZoneSupervisor } from './dns-supervisor.ts';
import { Entry, entryQueries, readEntry } from './dns-zone-test.ts';
import type { Zone } from './dns-zones.ts';
import { answerFault, judge, shownText } from './dns-zones.ts';

/** Look-ups at once in a zone that was suspended and has to show that it answers. */
const TRIAL_FLIGHTS_MAX = 4;

type Errand =
  | { readonly kind: 'client'; readonly inquiry: Inquiry }
  | { readonly kind: 'reason'; readonly inquiry: Inquiry; readonly known: Known }
  | { readonly kind: 'entry'; readonly place: number }
  | { readonly kind: 'proof'; readonly isIpv4: boolean };

/** A listing that waits for its proof. */
interface Held {
  readonly inquiry: Inquiry;
  readonly weight: number;
  readonly ttlMs: number;
  /** It was in memory already. */
  readonly known: Known | null;
}

export interface ZoneBounds extends FlightBounds, CacheBounds {
  readonly testIntervalMs: number;
  readonly verifyIntervalMs: number;
}

export class ZoneDesk {
  readonly zone: Zone;
  readonly supervisor: ZoneSupervisor;
  /** Inquiries for which something has changed. */
  readonly touched: Inquiry[] = [];
  /** For the operator: look-ups of clients, listings that counted, look-ups without an answer. */
  asked = 0;
  listed = 0;
  timeouts = 0;
  readonly #number: number;
  readonly #bounds: ZoneBounds;
  readonly #counters: Counters;
  readonly #cache: DnsCache;
  readonly #flights: DnsFlights<Errand>;
  readonly #proof4 = new DnsProof<Held>();
  readonly #proof6 = new DnsProof<Held>();
  #suspensionsSeen = 0;

  /** Zone `number` of `zones` ones. */
  constructor(
    zone: Zone,
    number: number,
    zones: number,
    bounds: ZoneBounds,
    queries: DnsQueries,
    counters: Counters,
  ) {
    this.zone = zone;
    this.supervisor = new ZoneSupervisor(zone, bounds.testIntervalMs);
    this.#number = number;
    this.#bounds = bounds;
    this.#counters = counters;
    this.#cache = new DnsCache(bounds);
    this.#flights = new DnsFlights(queries, bounds, number, zones);
  }

  /** Looks a client up, in memory or in the DNS. */
  lookUp(inquiry: Inquiry, nowMs: number): void {
    const { supervisor } = this;
    const isAsked = inquiry.isIpv4 ? supervisor.asks4 : supervisor.asks6;
    if (this.#isSuspended() || !isAsked) return;
    const known = this.#cache.find(inquiry.key, nowMs);
    if (known !== undefined) {
      this.#counters.add(Count.dnsCached);
      if (known.weight === null) return;
      inquiry.open += 1;
      const held = { inquiry, weight: known.weight, ttlMs: 0, known };
      const proof = this.#proofOf(inquiry.isIpv4);
      proof.hold(nowMs - this.#bounds.verifyIntervalMs, held);
      this.#release(nowMs);
      return this.#askProof(proof, inquiry.isIpv4, nowMs);
    }
    const isFull = supervisor.isOnTrial && this.#flights.flying >= TRIAL_FLIGHTS_MAX;
    const name = lookUpName(inquiry.words, 0, this.zone.name);
    if (isFull || !this.#flights.submit({ kind: 'client', inquiry }, name, 'A', nowMs)) {
      this.#counters.add(Count.dnsDropped);
      return;
    }
    this.asked += 1;
    inquiry.open += 1;
  }

  /** The answer to a question of this zone. */
  answered(id: number, reply: DnsReply, nowMs: number): void {
    const flight = this.#flights.answered(id, nowMs);
    if (flight === undefined) return;
    if (reply.kind === 'timeout') this.#timedOut(flight, nowMs);
    else this.#heard(flight, reply, nowMs);
    this.#afterwards(nowMs);
  }

  /** Gives up what is overdue, and sends what is due. */
  step(nowMs: number): void {
    for (;;) {
      const flight = this.#flights.overdue(nowMs);
      if (flight === undefined) break;
      this.#timedOut(flight, nowMs);
    }
    if (nowMs >= this.supervisor.nextDueMs()) {
      for (const [place, name] of this.supervisor.beginTest().entries())
        this.#flights.send({ kind: 'entry', place }, name, 'A', nowMs);
    }
    this.#afterwards(nowMs);
  }

  /** When `step` has something to do. */
  nextDueMs(): number {
    const supervisorMs = this.supervisor.nextDueMs();
    return Math.min(supervisorMs, this.#flights.nextDueMs(), this.#proof4.dueMs(), this.#proof6.dueMs());
  }

  #timedOut(flight: Flight<Errand>, nowMs: number): void {
    this.#counters.add(Count.dnsTimeouts);
    this.timeouts += 1;
    this.#heard(flight, { kind: 'timeout' }, nowMs);
  }

  #heard(flight: Flight<Errand>, reply: DnsReply, nowMs: number): void {
    const { errand } = flight;
    const latencyMs = nowMs - flight.sinceMs;
    const isError = reply.kind === 'addresses' && answerFault(reply.addresses) !== null;
    if (reply.kind === 'failed' || isError) this.#counters.add(Count.dnsErrors);
    if (reply.kind !== 'timeout' && latencyMs >= SLOW_MS) this.#counters.add(Count.dnsSlow);
    switch (errand.kind) {
      case 'entry':
        this.supervisor.testAnswered(errand.place, reply, latencyMs, nowMs);
        return;
      case 'proof':
        return this.#proofHeard(errand.isIpv4, reply, latencyMs, nowMs);
      case 'reason':
        if (reply.kind === 'text') errand.known.reason = shownText(this.zone, reply.text);
        return this.#settle(errand.inquiry, errand.known);
      default:
        return this.#clientHeard(errand.inquiry, reply, latencyMs, nowMs);
    }
  }

  #clientHeard(inquiry: Inquiry, reply: DnsReply, latencyMs: number, nowMs: number): void {
    const verdict = judge(this.zone, reply);
    if (verdict.kind === 'listed') {
      this.supervisor.answered(latencyMs);
      const { weight, ttlMs } = verdict;
      return this.#proofOf(inquiry.isIpv4).hold(nowMs, { inquiry, weight, ttlMs, known: null });
    }
    if (verdict.kind === 'clean') {
      this.supervisor.answered(latencyMs);
      this.#counters.add(Count.dnsClean);
      this.#cache.keep(inquiry.key, null, verdict.ttlMs, nowMs);
      if (inquiry.isGood) this.supervisor.sawGood(inquiry.words, false, nowMs);
    } else this.#wentWrong(verdict, nowMs);
    return this.#settle(inquiry, null);
  }

  #proofHeard(isIpv4: boolean, reply: DnsReply, latencyMs: number, nowMs: number): void {
    const answer = readEntry(reply);
    const proof = this.#proofOf(isIpv4);
    if (answer.kind === 'clean') {
      this.supervisor.answered(latencyMs);
      return proof.proven();
    }
    const entry = isIpv4 ? '127.0.0.1' : '::FFFF:7F00:1';
    if (answer.kind === 'listed') this.#suspend(`it lists ${entry}, so it lists everybody`, nowMs);
    else this.#wentWrong({ kind: answer.kind, why: answer.why }, nowMs);
    for (const { inquiry } of proof.failed()) {
      this.#counters.add(Count.dnsUnproven);
      this.#settle(inquiry, null);
    }
    return undefined;
  }

  /** An answer that is an error of the list, or none that can be used. */
  #wentWrong(
    wrong: { readonly kind: 'error' | 'failed' | 'timeout'; readonly why?: string },
    nowMs: number,
  ): void {
    if (wrong.kind === 'error') this.#suspend(wrong.why ?? 'it answers errors', nowMs);
    else this.supervisor.failed(wrong.why ?? 'it does not answer', nowMs);
  }

  #suspend(why: string, nowMs: number): void {
    if (!this.#isSuspended()) this.supervisor.suspend(why, nowMs);
  }

  /** Behind everything that has happened: lets go what is proven, or all when the zone is not believed any more. */
  #afterwards(nowMs: number): void {
    if (!this.#isSuspended()) this.#release(nowMs);
    // Among what was released may have been the listing of a good client that was one too many.
    if (this.#isSuspended()) this.#clear();
    const { suspensions } = this.supervisor;
    this.#counters.addMany(Count.dnsSuspensions, suspensions - this.#suspensionsSeen);
    this.#suspensionsSeen = suspensions;
    this.#askProof(this.#proof4, true, nowMs);
    this.#askProof(this.#proof6, false, nowMs);
    for (const { errand } of this.#flights.refill(nowMs)) {
      this.#counters.add(Count.dnsDropped);
      if ('inquiry' in errand) this.#settle(errand.inquiry, errand.kind === 'reason' ? errand.known : null);
    }
  }

  #isSuspended(): boolean {
    return this.supervisor.state === 'suspended';
  }

  #release(nowMs: number): void {
    if (!this.supervisor.isTrusted) return;
    for (const held of [...this.#proof4.release(), ...this.#proof6.release()]) this.#count(held, nowMs);
  }

  /** A listing counts from now on; what the list says about it is asked for. */
  #count(held: Held, nowMs: number): void {
    const { inquiry, weight, ttlMs } = held;
    const isNew = held.known === null;
    if (isNew && inquiry.isGood) this.supervisor.sawGood(inquiry.words, true, nowMs);
    if (this.#isSuspended()) return this.#settle(inquiry, null);
    const known = held.known ?? this.#cache.keep(inquiry.key, weight, ttlMs, nowMs);
    if (isNew) {
      this.#counters.add(Count.dnsListed);
      this.listed += 1;
      const name = lookUpName(inquiry.words, 0, this.zone.name);
      if (this.#flights.submit({ kind: 'reason', inquiry, known }, name, 'TXT', nowMs)) inquiry.open += 1;
    }
    return this.#settle(inquiry, known);
  }

  /** Forgets what the zone has said, and settles whoever waits for it. */
  #clear(): void {
    this.#cache.clear();
    for (const { inquiry } of [...this.#proof4.drop(), ...this.#proof6.drop()]) {
      this.#counters.add(Count.dnsUnproven);
      this.#settle(inquiry, null);
    }
    for (const errand of this.#flights.abandon(({ kind }) => kind !== 'entry'))
      if ('inquiry' in errand) this.#settle(errand.inquiry, null);
    this.#proof4.failed();
    this.#proof6.failed();
  }

  #settle(inquiry: Inquiry, known: Known | null): void {
    inquiry.open -= 1;
    const before = inquiry.listings[this.#number]!;
    inquiry.listings[this.#number] = known;
    if (known !== null || before !== null) inquiry.isNews = true;
    this.touched.push(inquiry);
  }

  #askProof(proof: DnsProof<Held>, isIpv4: boolean, nowMs: number): void {
    if (nowMs < proof.dueMs()) return;
    proof.sent(nowMs);
    const name = entryQueries(this.zone)[isIpv4 ? Entry.Clean4 : Entry.Clean6]!;
    this.#flights.send({ kind: 'proof', isIpv4 }, name, 'A', nowMs);
  }

  #proofOf(isIpv4: boolean): DnsProof<Held> {
    return isIpv4 ? this.#proof4 : this.#proof6;
  }
}
