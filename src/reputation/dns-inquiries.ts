/**
 * dns-inquiries — what all DNS lists together say of clients
 *
 * The whole of the matter without the network: sessions ask, each zone's desk (dns-zone-desk) looks up, and what was
 * found goes back to every session that has asked, in steps: a client is as bad as is known so far. One inquiry
 * serves all sessions of a client that come while it runs.
 *
 * Driven by `ask`, `answered` and `step` with the time handed in; what there is to tell is taken with `takeAll`. Runs on
 * a virtual clock with a script for the network.
 *
 * Bounded: inquiries under way, sessions that wait for one, questions in flight and in the line of each zone, answers
 * kept. Whoever finds no room gets no evidence, which is counted.
 */
import type { Config } from '../config/config.ts';
import type { Counters } from '../session/counters.ts';
import { Count } from '../session/counters.ts';
import type { Known } from './dns-cache.ts';
import type { Asker } from './dns-inquiry.ts';
import { Inquiry } from './dns-inquiry.ts';
import type { DnsAnswer } from './dns-lists.ts';
import type { Words } from './dns-names.ts';
import { clientKeyOf } from './dns-names.ts';
import type { DnsQueries, DnsReply } from './dns-queries.ts';
import { ZoneDesk } from './dns-zone-desk.ts';
import { zonesOf } from './dns-zones.ts';

const INQUIRIES_MAX = 200_000;
const ASKERS_MAX = 400_000;
const WAITING_MAX = 50_000;
const ENTRIES_MAX = 1_000_000;
const ENTRIES_OF_ZONE_MAX = 200_000;

/** Who is to be told what. */
export interface Finding {
  readonly askers: readonly Asker[];
  readonly answer: DnsAnswer;
}

export class DnsInquiries {
  readonly desks: readonly ZoneDesk[];
  readonly #counters: Counters;
  readonly #inquiries = new Map<number | string, Inquiry>();
  readonly #news: Inquiry[] = [];
  readonly #findings: Finding[] = [];
  #askers = 0;

  /** `counters` is a row of its own. */
  constructor(config: Config, queries: DnsQueries, counters: Counters) {
    const zones = zonesOf(config);
    const policy = config.dnsxlPolicy;
    const bounds = {
      inFlightMax: Math.max(1, Math.floor(policy.inFlightMax / Math.max(1, zones.length))),
      waitingMax: WAITING_MAX,
      deadlineMs: policy.deadlineMs,
      ttlMinMs: policy.ttlMinMs,
      ttlMaxMs: policy.ttlMaxMs,
      entriesMax: Math.min(ENTRIES_OF_ZONE_MAX, Math.floor(ENTRIES_MAX / Math.max(1, zones.length))),
      testIntervalMs: policy.testIntervalMs,
      verifyIntervalMs: policy.verifyIntervalMs,
    };
    this.#counters = counters;
    const counting: DnsQueries = {
      send(id, name, type) {
        counters.add(Count.dnsQueries);
        queries.send(id, name, type);
      },
      giveUp: (id) => queries.giveUp(id),
    };
    this.desks = zones.map(
      (zone, number) => new ZoneDesk(zone, number, zones.length, bounds, counting, counters),
    );
  }

  /** Clients that are being looked up. */
  get open(): number {
    return this.#inquiries.size;
  }

  /**
   * A session asks about the client with the address in words[at … at + 3]. Who `insists` is told at the end, even if
   * nothing was found out.
   */
  ask(asker: Asker, words: Words, at: number, isGood: boolean, nowMs: number, insists = false): void {
    if (this.#askers >= ASKERS_MAX) return this.#counters.add(Count.dnsDropped);
    const running = this.#inquiries.get(clientKeyOf(words, at));
    if (running !== undefined) {
      this.#counters.add(Count.dnsCoalesced);
      this.#askers += 1;
      running.askers.push(asker);
      if (insists) running.wasTold = true;
      if (running.listings.some((listing) => listing !== null)) {
        running.wasTold = true;
        this.#findings.push({ askers: [asker], answer: this.#answerOf(running) });
      }
      return undefined;
    }
    if (this.#inquiries.size >= INQUIRIES_MAX) return this.#counters.add(Count.dnsDropped);
    const inquiry = new Inquiry(words, at, isGood, this.desks.length);
    inquiry.askers.push(asker);
    inquiry.wasTold = insists;
    this.#askers += 1;
    this.#inquiries.set(inquiry.key, inquiry);
    for (const desk of this.desks) desk.lookUp(inquiry, nowMs);
    this.#news.push(inquiry);
    return this.#gather();
  }

  /** The answer to a question that was put with this id. */
  answered(id: number, reply: DnsReply, nowMs: number): void {
    this.desks[id % this.desks.length]!.answered(id, reply, nowMs);
    this.#gather();
  }

  /** Does what is due. */
  step(nowMs: number): void {
    for (const desk of this.desks) desk.step(nowMs);
    this.#gather();
  }

  /** When `step` is to be called next; Infinity when nothing is under way. */
  nextDueMs(): number {
    let dueMs = Infinity;
    for (const desk of this.desks) dueMs = Math.min(dueMs, desk.nextDueMs());
    return dueMs;
  }

  /** Everything there is to tell since the last time. */
  takeAll(): Finding[] {
    this.#tell();
    return this.#findings.splice(0);
  }

  /** The next sentence for the operator, undefined when there is none. */
  takeNotice(): string | undefined {
    for (const { supervisor } of this.desks) {
      const notice = supervisor.notices.shift();
      if (notice !== undefined) return notice;
    }
    return undefined;
  }

  #gather(): void {
    for (const desk of this.desks) {
      for (const inquiry of desk.touched) this.#news.push(inquiry);
      desk.touched.length = 0;
    }
  }

  /** Makes findings of what is new; ends what is complete. */
  #tell(): void {
    for (const inquiry of this.#news) {
      if (this.#inquiries.get(inquiry.key) !== inquiry) continue;
      const isLast = inquiry.open === 0;
      if (inquiry.isNews || (isLast && inquiry.wasTold)) {
        inquiry.isNews = false;
        inquiry.wasTold = true;
        this.#findings.push({ askers: inquiry.askers, answer: this.#answerOf(inquiry) });
      }
      if (!isLast) continue;
      this.#inquiries.delete(inquiry.key);
      this.#askers -= inquiry.askers.length;
    }
    this.#news.length = 0;
  }

  #answerOf(inquiry: Inquiry): DnsAnswer {
    const found: { shown: string; weight: number; known: Known }[] = [];
    for (const [number, known] of inquiry.listings.entries()) {
      if (known === null) continue;
      found.push({ shown: this.desks[number]!.zone.shown, weight: known.weight ?? 0, known });
    }
    found.sort((one, other) => other.weight - one.weight);
    return {
      weight: found.reduce((sum, { weight }) => sum + weight, 0),
      zones: found.map(({ shown }) => shown),
      reason: found[0]?.known.reason ?? '',
      isLast: inquiry.open === 0,
    };
  }
}
