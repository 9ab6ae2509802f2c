/**
 * zone-check — one DNS list asked for its test entries, and for an address, by `sluice dnsxl test`
 *
 * The questions are those of the running supervisor (reputation/dns-zone-test), and so is the judgement; here each
 * answer is kept with the time it took, for a person to read.
 */
import { parseAddress } from '../base/address.ts';
import type { DnsClient } from '../io/dns-client.ts';
import { lookUpName } from '../reputation/dns-names.ts';
import type { DnsReply, QueryType } from '../reputation/dns-queries.ts';
import { SLOW_MS } from '../reputation/dns-supervisor.ts';
import { entryNames, entryQueries, judgeTest, readEntry } from '../reputation/dns-zone-test.ts';
import type { Zone } from '../reputation/dns-zones.ts';
import { judge, shownText } from '../reputation/dns-zones.ts';

/** An answer and how long it took. */
interface Timed {
  readonly reply: DnsReply;
  readonly ms: number;
}

/** What a zone answered to one test entry. */
export interface EntryReport {
  readonly entry: string;
  readonly answer: 'listed' | 'clean' | 'error' | 'failed' | 'timeout';
  readonly why: string;
  readonly ms: number;
}

/** What a zone says about an address. */
export interface AddressReport {
  readonly address: string;
  readonly answer: 'listed' | 'clean' | 'error' | 'failed' | 'timeout';
  readonly weight: number;
  readonly reason: string;
}

/** Everything that was found out about a zone. */
export interface ZoneReport {
  readonly zone: string;
  readonly verdict: 'good' | 'slow' | 'broken';
  /** What it is asked about when Sluice runs. */
  readonly families: readonly ('IPv4' | 'IPv6')[];
  readonly slowestMs: number;
  readonly faults: readonly string[];
  /** What to do about each fault. */
  readonly advice: readonly string[];
  readonly entries: readonly EntryReport[];
  readonly address: AddressReport | null;
}

/** Which fault calls for what; the first that fits. */
const adviceTable: readonly (readonly [RegExp, string])[] = [
  [/so it lists everybody|every IPv6/, 'Take it out of the configuration: it lists everybody.'],
  [/127\.255\.255\.252/, 'See how the zone is spelt, its key included.'],
  [/127\.255\.255\.254/, 'Ask through a resolver of your own: name it in dnsxl_policy.resolvers.'],
  [/127\.255\.255\.255/, 'Ask for a subscription of this list, or take it out.'],
  [/outside 127/, 'The list is gone or the resolver invents answers: take it out, or name another resolver.'],
  [/127\.0\.0\.1, as/, 'The list is closed: take it out.'],
  [/does not list/, 'See how the zone is spelt, its key included; a list without its test entry is closed.'],
  [/does not answer|cannot be reached/, 'See dnsxl_policy.resolvers; if others answer, take this one out.'],
  [/slow/, 'What comes late still counts. A resolver close by makes it quicker, or a copy of the zone.'],
  [/./, 'Ask the list by hand, with dig for instance; see dnsxl_policy.resolvers and the key.'],
];

/** Puts questions one by one and waits for their answers. */
export class ZoneChecks {
  readonly #client: DnsClient;
  readonly #deadlineMs: number;
  readonly #waiting = new Map<number, (reply: DnsReply) => void>();
  #id = 0;

  constructor(client: DnsClient, deadlineMs: number) {
    this.#client = client;
    this.#deadlineMs = deadlineMs;
    client.onReply = (id, reply) => this.#waiting.get(id)?.(reply);
  }

  /** Tests a zone, and asks it about `address` unless that is null. */
  async check(zone: Zone, address: string | null): Promise<ZoneReport> {
    const [entries, about] = await Promise.all([
      Promise.all(entryQueries(zone).map(async (name) => this.#ask(name, 'A'))),
      address === null ? null : this.#askAbout(zone, address),
    ]);
    const answers = entries.map(({ reply }) => readEntry(reply));
    const result = judgeTest(zone, answers);
    const slowestMs = Math.max(...entries.map(({ reply, ms }) => (reply.kind === 'timeout' ? 0 : ms)));
    // What is wrong with the whole is as a rule wrong with its IPv6 part too.
    const faults = [result.fault ?? result.fault6].filter((fault) => fault !== null);
    const isSlow = slowestMs >= SLOW_MS;
    if (isSlow) faults.push(`it is slow: an answer took ${(slowestMs / 1000).toFixed(1)} s`);
    const asked = [result.asks4 ? ('IPv4' as const) : null, result.asks6 ? ('IPv6' as const) : null];
    const isBroken = result.fault !== null || result.fault6 !== null;
    return {
      zone: zone.shown,
      verdict: isBroken ? 'broken' : isSlow ? 'slow' : 'good',
      families: result.fault === null ? asked.filter((family) => family !== null) : [],
      slowestMs,
      faults,
      advice: faults.map(adviceFor),
      entries: answers.map(({ kind, why }, place) => ({
        entry: entryNames[place]!,
        answer: kind,
        why,
        ms: entries[place]!.ms,
      })),
      address: about,
    };
  }

  async #askAbout(zone: Zone, address: string): Promise<AddressReport> {
    const words = new Uint32Array(4);
    parseAddress(address, words, 0);
    const name = lookUpName(words, 0, zone.name);
    const verdict = judge(zone, (await this.#ask(name, 'A')).reply);
    const none = { address, answer: verdict.kind, weight: 0, reason: '' };
    if (verdict.kind === 'clean') return none;
    if (verdict.kind !== 'listed') return { ...none, reason: 'why' in verdict ? verdict.why : '' };
    const { reply } = await this.#ask(name, 'TXT');
    const reason = reply.kind === 'text' ? shownText(zone, reply.text) : '';
    return { ...none, weight: verdict.weight, reason };
  }

  #ask(name: string, type: QueryType): Promise<Timed> {
    const id = this.#id++;
    const sinceMs = performance.now();
    return new Promise((resolve) => {
      const answer = (reply: DnsReply): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        this.#client.giveUp(id);
        resolve({ reply, ms: performance.now() - sinceMs });
      };
      const timer = setTimeout(() => answer({ kind: 'timeout' }), this.#deadlineMs);
      this.#waiting.set(id, answer);
      this.#client.send(id, name, type);
    });
  }
}

function adviceFor(fault: string): string {
  return adviceTable.find(([pattern]) => pattern.test(fault))![1];
}
