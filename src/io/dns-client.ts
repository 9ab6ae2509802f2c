/**
 * dns-client — questions to name servers over UDP (adapter of reputation/dns-queries)
 *
 * A question goes to one of the servers' ports, drawn at random; when it was not answered after a third of the
 * deadline, or was answered that the server cannot, it goes once more, to the next server. The first answer counts.
 * It is matched by port, id and question, so whoever wants to slip in a false one has to guess all three.
 *
 * UDP alone: the answers of DNS lists fit a datagram; one that is cut off is a failure, and every failure is no
 * evidence. Memory is bounded by the questions under way, whose number the one who asks keeps small.
 */
import { randomInt } from 'node:crypto';
import { getServers } from 'node:dns';
import { performance } from 'node:perf_hooks';
import { splitEndpoint } from '../config/addresses.ts';
import type { Config } from '../config/config.ts';
import type { DnsQueries, DnsReply, QueryType } from '../reputation/dns-queries.ts';
import type { Endpoint } from '../transport/transport.ts';
import { DnsLine } from './dns-line.ts';
import { questionBytes, readReply } from './dns-wire.ts';

const PORT = 53;
const LINES_OF_SERVER = 8;
const SERVERS_MAX = 8;
const RETRY_MS_MAX = 2_000;
const SWEEP_MS = 50;

interface Pending {
  readonly id: number;
  readonly name: string;
  readonly type: QueryType;
  readonly sinceMs: number;
  server: number;
  isRetried: boolean;
  readonly tries: { readonly line: DnsLine<Pending>; readonly wireId: number }[];
}

export class DnsClient implements DnsQueries {
  /** Takes the answer to a question; called from an event, never from `send`. */
  onReply: (id: number, reply: DnsReply) => void = () => undefined;
  readonly #servers: readonly (readonly DnsLine<Pending>[])[];
  readonly #retryMs: number;
  /** In the order of sending. */
  readonly #pending = new Map<number, Pending>();
  #sweep: NodeJS.Timeout | null = null;
  readonly #retryLate = (): void => {
    const lateMs = performance.now() - this.#retryMs;
    for (const pending of this.#pending.values()) {
      if (pending.sinceMs > lateMs) break;
      if (!pending.isRetried) this.#retry(pending);
    }
  };

  constructor(servers: readonly Endpoint[], deadlineMs: number) {
    this.#retryMs = Math.min(RETRY_MS_MAX, deadlineMs / 3);
    const events = {
      answered: (pending: Pending, bytes: Buffer): void => this.#answered(pending, bytes),
      broke: (lost: readonly Pending[], why: string, line: DnsLine<Pending>): void => {
        for (const pending of lost) this.#broke(pending, why, line);
      },
    };
    this.#servers = servers
      .slice(0, SERVERS_MAX)
      .map((server) => Array.from({ length: LINES_OF_SERVER }, () => new DnsLine<Pending>(server, events)));
  }

  /** Opens the ports; questions can be put afterwards. */
  async open(): Promise<void> {
    await Promise.all(this.#servers.flat().map(async (line) => line.open()));
  }

  send(id: number, name: string, type: QueryType): void {
    const pending = {
      id,
      name,
      type,
      sinceMs: performance.now(),
      server: 0,
      isRetried: false,
      tries: [],
    };
    this.#pending.set(id, pending);
    // Behind a stall of this process answers lie in the sockets: they are read before anything is called late.
    this.#sweep ??= setInterval(() => setImmediate(this.#retryLate), SWEEP_MS);
    if (this.#try(pending) || this.#retry(pending)) return;
    process.nextTick(() => this.#finish(pending, { kind: 'failed', why: 'no name server can be reached' }));
  }

  giveUp(id: number): void {
    const pending = this.#pending.get(id);
    if (pending !== undefined) this.#forget(pending);
  }

  /** Closes every port; questions under way are not answered. */
  close(): void {
    for (const pending of this.#pending.values()) this.#forget(pending);
    for (const line of this.#servers.flat()) line.close();
  }

  #try(pending: Pending): boolean {
    const lines = this.#servers[pending.server];
    if (lines === undefined) return false;
    const line = lines[randomInt(lines.length)]!;
    const wireId = line.send(pending, (drawn) => questionBytes(drawn, pending.name, pending.type));
    if (wireId >= 0) pending.tries.push({ line, wireId });
    return wireId >= 0;
  }

  /** Asks once more; false when that was done already or cannot be. */
  #retry(pending: Pending): boolean {
    if (pending.isRetried || this.#servers.length === 0) return false;
    pending.isRetried = true;
    pending.server = (pending.server + 1) % this.#servers.length;
    return this.#try(pending);
  }

  #answered(pending: Pending, bytes: Buffer): void {
    const reply = readReply(bytes, pending.name, pending.type);
    if (reply === null) return;
    if (reply.kind === 'failed' && this.#servers.length > 1 && this.#retry(pending)) return;
    this.#finish(pending, reply);
  }

  #broke(pending: Pending, why: string, line: DnsLine<Pending>): void {
    const at = pending.tries.findIndex((one) => one.line === line);
    if (at >= 0) pending.tries.splice(at, 1);
    if (pending.tries.length > 0 || (this.#servers.length > 1 && this.#retry(pending))) return;
    this.#finish(pending, { kind: 'failed', why });
  }

  #finish(pending: Pending, reply: DnsReply): void {
    if (this.#pending.get(pending.id) !== pending) return;
    this.#forget(pending);
    this.onReply(pending.id, reply);
  }

  #forget(pending: Pending): void {
    this.#pending.delete(pending.id);
    for (const { line, wireId } of pending.tries) line.forget(wireId);
    if (this.#pending.size > 0 || this.#sweep === null) return;
    clearInterval(this.#sweep);
    this.#sweep = null;
  }
}

/** The name servers to ask: those of the configuration, else the system's. */
export function nameServers(config: Config): readonly Endpoint[] {
  const { resolvers } = config.dnsxlPolicy;
  const texts = resolvers.length > 0 ? resolvers : getServers();
  const servers = texts.map((text) => splitEndpoint(text) ?? { host: text, port: PORT });
  return servers.length > 0 ? servers : [{ host: '127.0.0.1', port: PORT }];
}
