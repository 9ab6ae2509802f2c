/**
 * api — what an operator may ask and do, by method and path, whatever it came in by
 *
 * A table of routes under /api/v1. A route gets the parts of its path, the query and the body, and gives a status and a
 * value (told as JSON) or a stream of lines. Nothing here knows of sockets, so the same routes serve a Unix socket today and
 * whatever listens beside it later. Walks over the table are few at a time: each is cheap for the thread, many are not.
 */
import { readDuration } from '../config/units.ts';
import { NetworkSet } from '../policy/networks.ts';
import { networkFault } from '../config/addresses.ts';
import type { Inside } from '../primary/inside.ts';
import { Kind, kindNames } from '../reputation/keys.ts';
import { Mark } from '../reputation/layout.ts';
import { askedFor, askedWants } from './asked.ts';
import type { Asked } from './asked.ts';
import { entryText, markNames } from './entry.ts';
import { explained, stepOf } from './explain.ts';
import { LIMIT_MAX, pageOf, REACH_MAX } from './listing.ts';
import { textOfSec } from './moment.ts';
import { exported, imported } from './transfer.ts';

/** Bytes of a body that is read whole. */
const BODY_BYTES_MAX = 4_096;

/** Walks over the table at once: lists, exports, imports. */
const WALKS_MAX = 4;

const LIMIT_USUAL = 50;
const FOR_EVER = 'for ever';

export interface ApiRequest {
  readonly method: string;
  /** The path as it came, percent-encoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: AsyncIterable<Uint8Array>;
}

export interface ApiAnswer {
  readonly status: number;
  /** Told as JSON. */
  readonly value?: unknown;
  /** Or lines, told as they come. */
  readonly lines?: AsyncIterable<string>;
}

/** Becomes an answer with a sentence. */
class Refusal extends Error {
  readonly status: number;

  constructor(status: number, says: string) {
    super(says);
    this.status = status;
  }
}

type Handler = (api: Api, request: ApiRequest, argument: string) => Promise<ApiAnswer>;

interface Route {
  readonly method: string;
  readonly path: RegExp;
  readonly handle: Handler;
}

const routes: readonly Route[] = [
  { method: 'GET', path: /^\/api\/v1\/ip$/, handle: (api, request) => api.list(request) },
  { method: 'GET', path: /^\/api\/v1\/ip\/([^/]+)$/, handle: (api, _, name) => api.show(name) },
  ...([Mark.Allow, Mark.Deny] as const).map((mark): Route => ({
    method: 'POST',
    path: new RegExp(`^/api/v1/ip/([^/]+)/${markNames[mark]}$`),
    handle: (api, request, name) => api.mark(request, name, mark),
  })),
  { method: 'POST', path: /^\/api\/v1\/ip\/([^/]+)\/forget$/, handle: (api, _, name) => api.forget(name) },
  { method: 'GET', path: /^\/api\/v1\/explain\/([^/]+)$/, handle: (api, _, name) => api.explain(name) },
  { method: 'GET', path: /^\/api\/v1\/families$/, handle: (api) => api.families() },
  { method: 'POST', path: /^\/api\/v1\/recipients\/flush$/, handle: (api) => api.flushRecipients() },
  { method: 'GET', path: /^\/api\/v1\/export$/, handle: (api) => api.export() },
  { method: 'POST', path: /^\/api\/v1\/import$/, handle: (api, request) => api.import(request) },
];

export class Api {
  readonly #inside: Inside;
  #walks = 0;

  constructor(inside: Inside) {
    this.#inside = inside;
  }

  /** The answer to a request. Rejects when its body does, or for a fault of ours. */
  async answer(request: ApiRequest): Promise<ApiAnswer> {
    try {
      const found = routes.filter(({ path }) => path.test(request.path));
      const route = found.find(({ method }) => method === request.method);
      if (route !== undefined) return await route.handle(this, request, argumentOf(route, request.path));
      if (found.length > 0)
        throw new Refusal(405, `want ${found.map(({ method }) => method).join(' or ')} here`);
      throw new Refusal(404, 'there is nothing at this path');
    } catch (error) {
      if (error instanceof Refusal) return { status: error.status, value: { error: error.message } };
      throw error;
    }
  }

  async list({ query }: ApiRequest): Promise<ApiAnswer> {
    const { memory, names, nowSec } = this.#inside;
    known(query, ['kind', 'mark', 'min', 'max', 'network', 'sort', 'offset', 'limit']);
    const network = query.get('network');
    if (network !== null && names.id !== 'plain')
      throw new Refusal(
        400,
        'network: clients are known by a hash here (privacy.log_ip), which has no networks',
      );
    if (network !== null && networkFault(network) !== undefined)
      throw new Refusal(400, `network: want ${networkFault(network)!.want}`);
    const kind = query.get('kind');
    const mark = query.get('mark');
    const limit = wholeOf(query, 'limit', LIMIT_USUAL, 1, LIMIT_MAX);
    const wish = {
      kind: kind === null ? 0 : placeOf(['', 'host', 'network', 'pool', 'tuple'], kind, 'kind'),
      mark: mark === null ? -1 : placeOf(markNames, mark, 'mark'),
      scoreMin: wholeOf(query, 'min', -Infinity, -1_000, 2_000),
      scoreMax: wholeOf(query, 'max', Infinity, -1_000, 2_000),
      network: network === null ? null : NetworkSet.compile([network]),
      sort: (['score', 'seen'] as const)[placeOf(['score', 'seen'], query.get('sort') ?? 'score', 'sort')]!,
      offset: wholeOf(query, 'offset', 0, 0, REACH_MAX - limit),
      limit,
    };
    const page = await this.#walking(() => pageOf(memory.table, names, wish, nowSec()));
    return { status: 200, value: page };
  }

  show(name: string): Promise<ApiAnswer> {
    const { memory, names, nowSec } = this.#inside;
    const asked = this.#asked(name);
    const index = memory.table.find(asked.kind, asked.key);
    const now = nowSec();
    const text = index < 0 ? null : entryText(memory.table, index, names, now);
    if (text === null) throw new Refusal(404, `${asked.name} is not known`);
    const rows = memory.table.rowsOf(index, now).map(({ signal, observations, ageSec, points }) => ({
      signal,
      observations: Math.round(observations * 100) / 100,
      age_s: Math.floor(ageSec),
      age_step_s: stepOf(signal),
      points,
    }));
    return Promise.resolve({ status: 200, value: { ...text, rows } });
  }

  async mark(request: ApiRequest, name: string, mark: Mark): Promise<ApiAnswer> {
    const { memory, names, nowSec } = this.#inside;
    const asked = this.#asked(name);
    if (asked.kind === Kind.Host && !names.savesHosts) {
      const why = 'privacy.log_ip = "truncate" keeps nothing of single hosts';
      throw new Refusal(
        409,
        `${why}: name the network, ${asked.name}, or put the host on a list of the configuration`,
      );
    }
    const until = await untilOf(request);
    const untilSec = until === null ? 0 : nowSec() + Math.ceil(until / 1000);
    if (!memory.mark(asked.kind, asked.key, mark, untilSec))
      throw new Refusal(503, 'the table has no room beside clients that are connected now; try again');
    const untilText = untilSec === 0 ? null : textOfSec(untilSec);
    return {
      status: 200,
      value: { name: asked.name, kind: kindNames[asked.kind], mark: markNames[mark], mark_until: untilText },
    };
  }

  forget(name: string): Promise<ApiAnswer> {
    const asked = this.#asked(name);
    const was = this.#inside.memory.forget(asked.kind, asked.key);
    return Promise.resolve({
      status: 200,
      value: { name: asked.name, kind: kindNames[asked.kind], was_known: was },
    });
  }

  async explain(name: string): Promise<ApiAnswer> {
    return { status: 200, value: await explained(this.#inside, this.#asked(name)) };
  }

  families(): Promise<ApiAnswer> {
    return Promise.resolve({ status: 200, value: this.#inside.families() });
  }

  flushRecipients(): Promise<ApiAnswer> {
    this.#inside.flushRecipients();
    return Promise.resolve({ status: 200, value: { flushed: true } });
  }

  export(): Promise<ApiAnswer> {
    const { memory, names, nowSec } = this.#inside;
    this.#checkWalks();
    const lines = exported(memory.table, names, nowSec);
    return Promise.resolve({ status: 200, lines: this.#counted(lines) });
  }

  async import(request: ApiRequest): Promise<ApiAnswer> {
    const { memory, names, nowSec } = this.#inside;
    const report = await this.#walking(() => imported(memory.table, names, nowSec, request.body));
    return { status: report.faults_total > 0 ? 422 : 200, value: report };
  }

  #asked(name: string): Asked {
    const asked = askedFor(name, this.#inside.names);
    if (asked === null) throw new Refusal(400, askedWants);
    return asked;
  }

  async #walking<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#checkWalks();
    this.#walks += 1;
    try {
      return await work();
    } finally {
      this.#walks -= 1;
    }
  }

  async *#counted(lines: AsyncIterable<string>): AsyncGenerator<string> {
    this.#walks += 1;
    try {
      yield* lines;
    } finally {
      this.#walks -= 1;
    }
  }

  #checkWalks(): void {
    if (this.#walks >= WALKS_MAX)
      throw new Refusal(429, `${WALKS_MAX} others walk over the table now; try again`);
  }
}

function argumentOf(route: Route, path: string): string {
  const part = route.path.exec(path)?.[1] ?? '';
  try {
    return decodeURIComponent(part);
  } catch {
    throw new Refusal(400, askedWants);
  }
}

function known(query: URLSearchParams, names: readonly string[]): void {
  for (const name of query.keys())
    if (!names.includes(name)) throw new Refusal(400, `unknown parameter; want ${names.join(', ')}`);
}

function placeOf(choices: readonly string[], got: string, what: string): number {
  const place = got === '' ? -1 : choices.indexOf(got);
  if (place < 0)
    throw new Refusal(400, `${what}: want one of ${choices.filter((one) => one !== '').join(', ')}`);
  return place;
}

function wholeOf(query: URLSearchParams, name: string, usual: number, min: number, max: number): number {
  const text = query.get(name);
  if (text === null) return usual;
  const number = /^-?[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw new Refusal(400, `${name}: want a whole number, ${min} to ${max}`);
}

/** Milliseconds for which a mark shall hold, by the body {"until": "2h"}; null for ever. */
async function untilOf({ body }: ApiRequest): Promise<number | null> {
  const text = await wholeBody(body);
  let until: unknown = FOR_EVER;
  if (text.trim() !== '') {
    try {
      const value = JSON.parse(text) as unknown;
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        throw new SyntaxError('no object');
      for (const name of Object.keys(value)) if (name !== 'until') throw new SyntaxError('another field');
      until = (value as { until?: unknown }).until ?? FOR_EVER;
    } catch {
      throw new Refusal(400, 'want a body {"until": "2h"}, or none for ever');
    }
  }
  if (until === FOR_EVER) return null;
  const ms = typeof until === 'string' ? (readDuration(until) ?? 0) : 0;
  if (ms <= 0 || ms > YEARS_MS)
    throw new Refusal(400, 'until: want a duration such as "2h" or "30d", at most "3650d"');
  return ms;
}

const YEARS_MS = 3_650 * 86_400_000;

async function wholeBody(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body) {
    bytes += part.length;
    if (bytes > BODY_BYTES_MAX) throw new Refusal(413, `want a body of at most ${BODY_BYTES_MAX} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
