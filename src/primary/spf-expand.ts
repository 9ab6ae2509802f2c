/**
 * spf-expand — which networks does the SPF record of a domain authorise?
 *
 * Follows ip4, ip6, a, mx, include and redirect as RFC 7208 evaluates them for a client, but for all clients at once: a
 * term authorises what no earlier term has forbidden, an include adds what its record authorises, nothing stands
 * behind `all`. What cannot be known without a client (exists, ptr, macros) authorises nobody here, and `+all` neither.
 *
 * Bounds: ten look-ups for all records together (§4.6.4; those of exists and ptr count too), ten mail servers of one mx,
 * `networksMax` networks. Who exceeds one makes no pool. A network larger than NETWORK_BITS4_MIN or NETWORK_BITS6_MIN
 * is left out, and so is everything of a record that authorises more than IPV4_ADDRESSES_MAX addresses: whoever
 * speaks for half of the world says nothing about a client. The largest mail providers publish /15s.
 */
import { ipv4Count, isIpv4Range, merged, rangeOfNetwork, without } from '../policy/address-ranges.ts';
import type { AddressRange, AddressRanges } from '../policy/address-ranges.ts';
import { readSpf } from '../policy/spf-record.ts';
import type { SpfTerm } from '../policy/spf-record.ts';
import type { AskSpf, SpfAnswer, SpfRecordType } from './spf-names.ts';

const LOOKUPS_MAX = 10;
const MX_SERVERS_MAX = 10;
const FORBIDDEN_MAX = 64;
const NETWORK_BITS4_MIN = 14;
const NETWORK_BITS6_MIN = 32;
const IPV4_ADDRESSES_MAX = 2 ** 20;

/** What came of an expansion: networks and how long they hold; or the reason why there are none; or no answer. */
export type SpfExpansion =
  | { readonly kind: 'networks'; readonly ranges: AddressRanges; readonly ttlSec: number }
  | { readonly kind: 'unfit'; readonly why: string }
  | { readonly kind: 'unanswered' };

/** Ends an expansion. */
class Stop extends Error {
  readonly outcome: SpfExpansion;

  constructor(outcome: SpfExpansion) {
    super(outcome.kind);
    this.outcome = outcome;
  }
}

const unfit = (why: string): Stop => new Stop({ kind: 'unfit', why });

/** Expands the record of a domain. Never rejects for what the DNS says. */
export async function expandSpf(ask: AskSpf, domain: string, networksMax: number): Promise<SpfExpansion> {
  try {
    const expansion = new Expansion(ask, networksMax);
    const ranges = merged(await expansion.rangesOf(domain));
    if (ranges.length === 0) throw unfit('names no network that can be told');
    if (ipv4Count(ranges) > IPV4_ADDRESSES_MAX) throw unfit('authorises too many addresses');
    return { kind: 'networks', ranges, ttlSec: expansion.ttlSec };
  } catch (error) {
    if (error instanceof Stop) return error.outcome;
    throw error;
  }
}

class Expansion {
  ttlSec = Infinity;
  readonly #ask: AskSpf;
  readonly #networksMax: number;
  #lookups = 0;
  #networks = 0;

  constructor(ask: AskSpf, networksMax: number) {
    this.#ask = ask;
    this.#networksMax = networksMax;
  }

  /** What the record of a domain authorises; not yet a set. */
  async rangesOf(domain: string): Promise<AddressRange[]> {
    const answer = await this.#answer(domain, 'TXT');
    const record = answer.state === 'found' ? readSpf(answer.values[0]!) : null;
    if (record === null) throw unfit(`${domain} has no SPF record that is well formed`);
    const allowed: AddressRange[] = [];
    let forbidden: AddressRanges = [];
    for (const term of record.terms) {
      if (term.name === 'all') return allowed;
      const ranges = await this.#rangesOfTerm(term, domain);
      if (term.qualifier === '+') {
        for (const range of ranges) allowed.push(...without(range, forbidden));
        continue;
      }
      forbidden = merged([...forbidden, ...ranges]);
      if (forbidden.length > FORBIDDEN_MAX) throw unfit('forbids too many networks');
    }
    if (record.redirect === '') return allowed;
    this.#countLookup();
    if (record.redirect.includes('%')) return allowed;
    for (const range of await this.rangesOf(withoutDot(record.redirect)))
      allowed.push(...without(range, forbidden));
    return allowed;
  }

  async #rangesOfTerm(term: SpfTerm, domain: string): Promise<AddressRange[]> {
    if (term.name === 'ip4' || term.name === 'ip6') return this.#taken(term, [term.value]);
    this.#countLookup();
    if (term.value.includes('%')) return [];
    const name = term.value === '' ? domain : withoutDot(term.value);
    switch (term.name) {
      case 'include':
        return this.rangesOf(name);
      case 'a':
        return this.#taken(term, await this.#networksAt(name, term));
      case 'mx': {
        const servers = (await this.#answer(name, 'MX')).values;
        if (servers.length > MX_SERVERS_MAX) throw unfit('has too many mail servers');
        const networks: string[] = [];
        for (const server of servers) networks.push(...(await this.#networksAt(server, term)));
        return this.#taken(term, networks);
      }
      default:
        return [];
    }
  }

  /** The networks around the addresses of a name. */
  async #networksAt(name: string, term: SpfTerm): Promise<string[]> {
    const [ipv4, ipv6] = await Promise.all([this.#answer(name, 'A'), this.#answer(name, 'AAAA')]);
    return [
      ...ipv4.values.map((address) => `${address}/${term.bits4}`),
      ...ipv6.values.map((address) => `${address}/${term.bits6}`),
    ];
  }

  /** The ranges of networks; without those that are too large, unless they are forbidden. */
  #taken(term: SpfTerm, networks: readonly string[]): AddressRange[] {
    this.#networks += networks.length;
    if (this.#networks > this.#networksMax) throw unfit('names too many networks');
    return networks
      .map(rangeOfNetwork)
      .filter((range) => range !== null)
      .filter((range) => term.qualifier !== '+' || isOfFairSize(range));
  }

  async #answer(name: string, type: SpfRecordType): Promise<SpfAnswer> {
    const answer = await this.#ask(name, type);
    if (answer.state === 'failed') throw new Stop({ kind: 'unanswered' });
    if (answer.state === 'unfit') throw unfit(`${name} has no SPF record to work with`);
    this.ttlSec = Math.min(this.ttlSec, answer.ttlSec);
    return answer;
  }

  #countLookup(): void {
    this.#lookups += 1;
    if (this.#lookups > LOOKUPS_MAX) throw unfit('asks for too many look-ups');
  }
}

function isOfFairSize(range: AddressRange): boolean {
  const bits = isIpv4Range(range) ? 32 - NETWORK_BITS4_MIN : 128 - NETWORK_BITS6_MIN;
  return range.last - range.first < 1n << BigInt(bits);
}

const withoutDot = (name: string): string => (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase();
