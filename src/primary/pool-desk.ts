/**
 * pool-desk — makes pools of the domains that good senders write from
 *
 * A shard tells of a client of good standing that has just had a message accepted. Here, beside all sessions, the
 * library verifies whether the SPF record of the sender's domain authorises that client (spf-verify); then it is
 * worked out which networks the record authorises (spf-expand), and only if the client stands in one of these is
 * the pool credited in the reputation table. So a pass by `+all`, by a network as large as half of the world, by
 * exists, ptr or a macro makes no pool. The networks of all pools go to the shards as one map.
 *
 * Nobody waits for any of it, and nothing of it can fail a session: no answer, no credit. Bounds: a domain is verified
 * once an hour for one network (/24, /48), QUEUE_MAX checks wait, CHECKS_MAX are under way, each for CHECK_MS_MAX at
 * most. What the queue cannot take is dropped and counted, and offered again with the sender's next message.
 *
 * A map is compiled when something has changed, at once after a rest, else after a pause many times as long as
 * the last compilation took.
 */
import { parseAddress } from '../base/address.ts';
import { Lately } from '../base/lately.ts';
import type { Config } from '../config/config.ts';
import { addressNumber, holds } from '../policy/address-ranges.ts';
import { passesNeeded, passTtlsSec } from '../policy/pace.ts';
import { Kind, networkKey, newKey } from '../reputation/keys.ts';
import { PASSES } from '../reputation/layout.ts';
import { signals } from '../reputation/signals.ts';
import { isGoodPool } from '../reputation/standing.ts';
import type { ReputationTable } from '../reputation/table.ts';
import { Count, Counters } from '../session/counters.ts';
import { PoolBook } from './pool-book.ts';
import type { SenderPool } from './pool-book.ts';
import { expandSpf } from './spf-expand.ts';
import type { SpfExpansion } from './spf-expand.ts';
import { SpfNames } from './spf-names.ts';
import { verifySpf } from './spf-verify.ts';
import type { SpfSender } from './spf-verify.ts';

const QUEUE_MAX = 1_000;
const CHECKS_MAX = 16;
/** RFC 7208 §4.6.4 wants at least 20 s. */
const CHECK_MS_MAX = 20_000;
const LATELY_MAX = 50_000;
const LATELY_MS = 3_600_000;
const SWEEP_MS = 60_000;
const COMPILE_PAUSE_MS_MIN = 1_000;
const COMPILE_SHARE = 20;

/** What a desk works with. */
export interface PoolDeskParts {
  readonly config: Config;
  /** Where pools are credited, as its main thread. */
  readonly table: ReputationTable;
  /** Takes a new map for all shards (policy/pool-map). */
  readonly take: (map: Uint32Array) => void;
  /** Tells an operator what should not have happened. */
  readonly notice: (text: string) => void;
  /** A clock that never goes back. */
  readonly nowMs?: () => number;
  readonly checkMsMax?: number;
}

/** One thing to be done: a client is verified, or, with null, the record of a pool is read anew. */
interface Job {
  readonly domain: string;
  readonly sender: SpfSender | null;
}

export class PoolDesk {
  readonly book = new PoolBook();
  readonly #parts: PoolDeskParts;
  readonly #nowMs: () => number;
  readonly #counters = new Counters(new SharedArrayBuffer(Counters.bytesFor(1)), 0);
  readonly #lately = new Lately(LATELY_MAX, LATELY_MS);
  readonly #queue: Job[] = [];
  readonly #underWay = new Set<SpfNames>();
  readonly #refreshing = new Set<string>();
  readonly #sweeping: NodeJS.Timeout;
  readonly #passesNeeded: number;
  readonly #passTtlsSec: readonly number[];
  #compiling: NodeJS.Timeout | null = null;
  #compileNotBeforeMs = -Infinity;
  #ended = false;

  constructor(parts: PoolDeskParts) {
    this.#parts = parts;
    this.#nowMs = parts.nowMs ?? (() => performance.now());
    this.#passesNeeded = passesNeeded(parts.config);
    this.#passTtlsSec = passTtlsSec(parts.config);
    this.#sweeping = setInterval(() => this.sweep(), SWEEP_MS);
    this.#sweeping.unref();
  }

  /** Checks that wait and that are under way. */
  get busy(): number {
    return this.#queue.length + this.#underWay.size;
  }

  /** What was counted here, by name. */
  counts(): Record<string, number> {
    return this.#counters.snapshot();
  }

  /** Takes clients of good standing that had a message accepted. */
  offer(senders: readonly SpfSender[]): void {
    if (this.#ended) return;
    for (const sender of senders) {
      if (!this.#lately.note(nameOf(sender), this.#nowMs())) continue;
      if (this.#queue.length >= QUEUE_MAX) {
        this.#lately.forget(nameOf(sender));
        this.#counters.add(Count.spfDropped);
      } else this.#queue.push({ domain: sender.domain, sender });
    }
    this.#startChecks();
  }

  /** Looks which pools are of good standing, and which records are to be read anew. Every minute, by itself. */
  sweep(): void {
    const { table } = this.#parts;
    const due = this.book.due(this.#nowMs());
    for (const pool of this.book.all()) {
      const index = table.find(Kind.Pool, pool.key);
      this.book.standing(pool, isGoodPool(table, index, this.#passesNeeded, epochSec()));
    }
    for (const { domain } of due) {
      if (this.#refreshing.has(domain) || this.#queue.length >= QUEUE_MAX) continue;
      this.#refreshing.add(domain);
      this.#queue.push({ domain, sender: null });
    }
    this.#startChecks();
    this.#compileSoon();
  }

  /** Ends every check under way. */
  end(): void {
    this.#ended = true;
    this.#queue.length = 0;
    clearInterval(this.#sweeping);
    if (this.#compiling !== null) clearTimeout(this.#compiling);
    for (const names of this.#underWay) names.cancel();
  }

  #startChecks(): void {
    while (this.#underWay.size < CHECKS_MAX && this.#queue.length > 0) void this.#run(this.#queue.shift()!);
  }

  async #run(job: Job): Promise<void> {
    const names = new SpfNames(this.#parts.config.dnsxlPolicy.resolvers);
    this.#underWay.add(names);
    const deadline = setTimeout(() => names.cancel(), this.#parts.checkMsMax ?? CHECK_MS_MAX);
    try {
      if (job.sender === null) await this.#refresh(job.domain, names);
      else await this.#check(job.sender, names);
    } catch (error) {
      // A fault of ours, or of the library: no pool is made, and mail goes on.
      this.#parts.notice(`SPF of ${job.domain}: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      this.#refreshing.delete(job.domain);
      clearTimeout(deadline);
      this.#underWay.delete(names);
      if (!this.#ended) {
        this.#startChecks();
        this.#compileSoon();
      }
    }
  }

  async #check(sender: SpfSender, names: SpfNames): Promise<void> {
    this.#counters.add(Count.spfChecked);
    const verdict = await verifySpf(names.ask, sender, this.#parts.config.hostname);
    if (this.#ended) return;
    if (verdict === 'unanswered') return this.#notAnswered(sender);
    if (verdict === 'other') return;
    this.#counters.add(Count.spfPassed);
    let pool = this.book.find(sender.domain);
    if (pool === undefined || pool.refreshMs <= this.#nowMs()) {
      const expansion = await this.#expand(sender.domain, names);
      if (this.#ended) return;
      // An old pool that could not be read anew is as good as its last copy.
      if (expansion.kind === 'unanswered' && pool === undefined) return this.#notAnswered(sender);
      pool = this.#write(sender.domain, expansion);
    }
    if (pool === undefined || !holds(pool.ranges, numberOf(sender.address))) {
      this.#counters.add(Count.poolsRefused);
      return;
    }
    this.#credit(pool);
  }

  async #refresh(domain: string, names: SpfNames): Promise<void> {
    const expansion = await this.#expand(domain, names);
    if (!this.#ended) this.#write(domain, expansion);
  }

  #expand(domain: string, names: SpfNames): Promise<SpfExpansion> {
    return expandSpf(names.ask, domain, this.#parts.config.pools.spfNetworksMax);
  }

  /** Notes what a record says; the pool of its domain after that, if there is one. */
  #write(domain: string, expansion: SpfExpansion): SenderPool | undefined {
    const before = this.book.find(domain);
    switch (expansion.kind) {
      case 'networks':
        if (before === undefined) this.#counters.add(Count.poolsMade);
        return this.book.put(domain, expansion.ranges, expansion.ttlSec, this.#nowMs());
      case 'unanswered':
        return before !== undefined && this.book.notRead(before, this.#nowMs()) ? before : undefined;
      default:
        if (before !== undefined) this.book.drop(before);
        return undefined;
    }
  }

  /** The next message of the sender is a new try. */
  #notAnswered(sender: SpfSender): void {
    this.#counters.add(Count.spfUnanswered);
    this.#lately.forget(nameOf(sender));
  }

  /** A member of good standing was verified: so is its pool, and the tests are passed for it. */
  #credit(pool: SenderPool): void {
    const { table } = this.#parts;
    const nowSec = epochSec();
    const index = table.claim(Kind.Pool, pool.key, nowSec);
    if (index < 0) return;
    table.observe(index, signals.goodMember.id, nowSec);
    for (let test = 0; test < PASSES; test += 1) {
      const bit = this.#passesNeeded & (1 << test);
      if (bit !== 0) table.pass(index, bit, nowSec + this.#passTtlsSec[test]!);
    }
    this.book.credited(pool, this.#nowMs());
    this.book.standing(pool, isGoodPool(table, index, this.#passesNeeded, nowSec));
  }

  #compileSoon(): void {
    if (!this.book.hasChanged || this.#compiling !== null) return;
    const pauseMs = Math.max(0, this.#compileNotBeforeMs - performance.now());
    this.#compiling = setTimeout(() => {
      this.#compiling = null;
      const startMs = performance.now();
      this.#parts.take(this.book.compile());
      const endMs = performance.now();
      this.#compileNotBeforeMs = endMs + Math.max(COMPILE_PAUSE_MS_MIN, (endMs - startMs) * COMPILE_SHARE);
    }, pauseMs);
  }
}

const address = new Uint32Array(4);
const network = newKey();

function numberOf(text: string): bigint {
  return parseAddress(text, address, 0) ? addressNumber(address, 0) : -1n;
}

/** The network of a sender and its domain. */
function nameOf({ address: text, domain }: SpfSender): string {
  if (!parseAddress(text, address, 0)) return domain;
  networkKey(address, 0, network);
  return `${network[0]} ${network[1]} ${domain}`;
}

function epochSec(): number {
  return Math.floor(Date.now() / 1000);
}
