/**
 * spf-names — the DNS as one check of a sender sees it
 *
 * A resolver of its own for each check, so that the check can be ended as a whole: `cancel` ends every query under way
 * and every later one at once, and nothing is left of it. A name is asked for once a check, although the
 * library and the expansion both want it. At most QUERIES_MAX queries a check.
 *
 * An answer is what was found, or that there is nothing (`void`), or that nobody knows (`failed`: no answer in time, the
 * server's own trouble, cancelled), or that it is nothing to work with (`unfit`: two SPF records, or one of no fair
 * size). TXT records that are not SPF are left out.
 *
 * Dates: node:dns tells how long an address holds and not how long a TXT record does; that one is taken to hold for
 * TTL_UNKNOWN_SEC.
 */
import { Resolver } from 'node:dns/promises';
import { isOfFairSize, isSpf } from '../policy/spf-record.ts';

const QUERIES_MAX = 100;
const QUERY_MS_MAX = 2_000;
const TRIES = 2;
const TTL_UNKNOWN_SEC = 3_600;

/** Kinds of records that SPF asks for. */
export type SpfRecordType = 'A' | 'AAAA' | 'MX' | 'TXT';

/** What came of a question. */
export interface SpfAnswer {
  readonly state: 'found' | 'void' | 'failed' | 'unfit';
  /** Addresses, names of mail servers, the most wanted one first, or the SPF record. */
  readonly values: readonly string[];
  /** How long it holds. */
  readonly ttlSec: number;
}

/** Asks for the records of a name. Never rejects. */
export type AskSpf = (name: string, type: SpfRecordType) => Promise<SpfAnswer>;

const nothing = (state: SpfAnswer['state']): SpfAnswer => ({ state, values: [], ttlSec: TTL_UNKNOWN_SEC });

export class SpfNames {
  readonly #resolver: Resolver;
  readonly #answers = new Map<string, Promise<SpfAnswer>>();
  #cancelled = false;

  /** `servers` as in dnsxl_policy.resolvers; empty: the system's. */
  constructor(servers: readonly string[]) {
    this.#resolver = new Resolver({ timeout: QUERY_MS_MAX, tries: TRIES, maxTimeout: QUERY_MS_MAX });
    if (servers.length > 0) this.#resolver.setServers(servers);
  }

  readonly ask: AskSpf = (name, type) => {
    const question = `${type} ${name.toLowerCase()}`;
    const known = this.#answers.get(question);
    if (known !== undefined) return known;
    if (this.#cancelled || this.#answers.size >= QUERIES_MAX) return Promise.resolve(nothing('failed'));
    const answer = this.#look(name, type).catch((error: unknown) => nothing(stateOf(error)));
    this.#answers.set(question, answer);
    return answer;
  };

  /** No more questions; those under way are answered `failed` at once. */
  cancel(): void {
    this.#cancelled = true;
    this.#resolver.cancel();
  }

  async #look(name: string, type: SpfRecordType): Promise<SpfAnswer> {
    if (type === 'TXT') return this.#lookForRecord(name);
    if (type === 'MX') {
      const servers = await this.#resolver.resolveMx(name);
      servers.sort((a, b) => a.priority - b.priority);
      const values = servers.map(({ exchange }) => exchange).filter((exchange) => exchange !== '');
      return values.length === 0 ? nothing('void') : { state: 'found', values, ttlSec: TTL_UNKNOWN_SEC };
    }
    const found =
      type === 'A'
        ? await this.#resolver.resolve4(name, { ttl: true })
        : await this.#resolver.resolve6(name, { ttl: true });
    if (found.length === 0) return nothing('void');
    const ttlSec = Math.min(...found.map(({ ttl }) => ttl));
    return { state: 'found', values: found.map(({ address }) => address), ttlSec };
  }

  async #lookForRecord(name: string): Promise<SpfAnswer> {
    const texts = (await this.#resolver.resolveTxt(name)).map((parts) => parts.join('')).filter(isSpf);
    if (texts.length === 0) return nothing('void');
    if (texts.length > 1 || !isOfFairSize(texts[0]!)) return nothing('unfit');
    return { state: 'found', values: texts, ttlSec: TTL_UNKNOWN_SEC };
  }
}

/** Names that cannot be asked for are names with nothing behind them. */
function stateOf(error: unknown): SpfAnswer['state'] {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const isVoid = ['ENOTFOUND', 'ENODATA', 'EBADNAME', 'ERR_INVALID_ARG_TYPE'].includes(code);
  return isVoid ? 'void' : 'failed';
}
