/**
 * dns-world — the look-ups of DNS lists on a virtual clock, with a script for the network
 *
 * Each zone is a function from a name and a moment to what it answers and how much later; `null` is silence. What is
 * told to sessions is kept as it comes.
 */
import { parseAddress } from '../../../src/base/address.ts';
import type { Handle } from '../../../src/base/handle.ts';
import type { Config } from '../../../src/config/config.ts';
import { parseConfig } from '../../../src/config/load.ts';
import type { Asker } from '../../../src/reputation/dns-inquiry.ts';
import { DnsInquiries } from '../../../src/reputation/dns-inquiries.ts';
import type { DnsAnswer } from '../../../src/reputation/dns-lists.ts';
import type { DnsQueries, DnsReply, QueryType } from '../../../src/reputation/dns-queries.ts';
import { Counters } from '../../../src/session/counters.ts';

export interface Answered {
  readonly afterMs: number;
  readonly reply: DnsReply;
}

/** `client` is the name in front of the zone: `7.2.0.192` for 192.0.2.7. */
export type ZoneScript = (client: string, type: QueryType, nowMs: number) => Answered | null;

export const listedAs = (code: number, ttlMs = 60_000): DnsReply => ({
  kind: 'addresses',
  addresses: [code],
  ttlMs,
});
export const absent = (ttlMs = 60_000): DnsReply => ({ kind: 'nothing', ttlMs });

export const LISTED_4 = '2.0.0.127';
export const CLEAN_4 = '1.0.0.127';
const zeros = (count: number): string => '0.'.repeat(count);
export const LISTED_6 = `2.0.0.0.0.0.f.7.f.f.f.f.${zeros(20)}`.slice(0, -1);
export const CLEAN_6 = `1.0.0.0.0.0.f.7.f.f.f.f.${zeros(20)}`.slice(0, -1);

/** A zone as it should be: it has the test entries and `clients`, each with its code. */
export function honestZone(clients: Readonly<Record<string, number>> = {}, afterMs = 5): ZoneScript {
  return (client, type) => {
    const isListed = client === LISTED_4 || client === LISTED_6;
    const code = isListed ? 0x7f00_0002 : clients[client];
    if (code === undefined) return { afterMs, reply: absent() };
    if (type === 'TXT') return { afterMs, reply: { kind: 'text', text: `because ${client}`, ttlMs: 60_000 } };
    return { afterMs, reply: listedAs(code) };
  };
}

export interface Sent {
  readonly atMs: number;
  readonly name: string;
  readonly type: QueryType;
}

export class DnsWorld implements DnsQueries {
  nowMs = 0;
  readonly inquiries: DnsInquiries;
  readonly counters = new Counters(new SharedArrayBuffer(Counters.bytesFor(1)), 0);
  readonly sent: Sent[] = [];
  /** What each asker was told, in order. */
  readonly told = new Map<number, { atMs: number; answer: DnsAnswer }[]>();
  readonly notices: string[] = [];
  inFlight = 0;
  inFlightMost = 0;
  readonly #scripts: Readonly<Record<string, ZoneScript>>;
  #coming: { id: number; atMs: number; reply: DnsReply }[] = [];
  readonly #open = new Set<number>();
  #asker = 0;

  /** `scripts` by zone; `toml` is the configuration, whose zones have to be those of the scripts. */
  constructor(toml: string, scripts: Readonly<Record<string, ZoneScript>>) {
    this.#scripts = scripts;
    const config: Config = parseConfig(`hostname = "mx.example.net"\n${toml}`, 'settings');
    this.inquiries = new DnsInquiries(config, this, this.counters);
  }

  send(id: number, name: string, type: QueryType): void {
    this.sent.push({ atMs: this.nowMs, name, type });
    this.#open.add(id);
    this.inFlight = this.#open.size;
    this.inFlightMost = Math.max(this.inFlightMost, this.inFlight);
    const zone = Object.keys(this.#scripts).find((one) => name.endsWith(`.${one}`));
    if (zone === undefined) throw new Error(`nobody answers for ${name}`);
    const answered = this.#scripts[zone]!(name.slice(0, -zone.length - 1), type, this.nowMs);
    if (answered !== null)
      this.#coming.push({ id, atMs: this.nowMs + answered.afterMs, reply: answered.reply });
  }

  giveUp(id: number): void {
    this.#open.delete(id);
    this.inFlight = this.#open.size;
  }

  /** A session of a client asks; the number by which it is told. */
  ask(address: string, isGood = false): number {
    const words = new Uint32Array(4);
    if (!parseAddress(address, words, 0)) throw new Error(`${address} is no address`);
    const number = this.#asker++;
    this.told.set(number, []);
    const asker: Asker = { handle: number as Handle, serial: number, seat: 0 };
    this.inquiries.ask(asker, words, 0, isGood, this.nowMs);
    this.#take();
    return number;
  }

  /** Lets time pass until a moment. */
  runUntil(untilMs: number): void {
    for (;;) {
      const dueMs = Math.min(this.inquiries.nextDueMs(), ...this.#coming.map(({ atMs }) => atMs));
      if (dueMs > untilMs) break;
      this.nowMs = Math.max(this.nowMs, dueMs);
      const due = this.#coming.filter(({ atMs }) => atMs <= this.nowMs);
      this.#coming = this.#coming.filter(({ atMs }) => atMs > this.nowMs);
      for (const { id, reply } of due) {
        this.giveUp(id);
        this.inquiries.answered(id, reply, this.nowMs);
      }
      this.inquiries.step(this.nowMs);
      this.#take();
    }
    this.nowMs = untilMs;
  }

  /** Lets so many milliseconds pass. */
  run(ms: number): void {
    this.runUntil(this.nowMs + ms);
  }

  /** The last that an asker was told: weight and zones; null when it was told nothing. */
  lastTold(asker: number): DnsAnswer | null {
    return this.told.get(asker)?.at(-1)?.answer ?? null;
  }

  /** Questions sent for a client (its name in front of the zone) since the beginning. */
  questions(client: string, type: QueryType = 'A'): number {
    return this.sent.filter((one) => one.type === type && one.name.startsWith(`${client}.`)).length;
  }

  #take(): void {
    for (const { askers, answer } of this.inquiries.takeAll())
      for (const { serial } of askers) this.told.get(serial)!.push({ atMs: this.nowMs, answer });
    for (let text = this.inquiries.takeNotice(); text !== undefined; text = this.inquiries.takeNotice())
      this.notices.push(text);
  }
}

/** `[[dnsxl]]` blocks for zones of weight 8. */
export function blocksOf(...zones: readonly string[]): string {
  return zones.map((zone) => `[[dnsxl]]\nzone = "${zone}"\nweight = 8\n`).join('');
}
