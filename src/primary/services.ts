/**
 * services — what the primary does for its engines, beside starting them
 *
 * Each service lives on the primary's own thread, hears what shards tell it and answers in its own time: the desk that
 * asks DNS lists, the desk that verifies senders by SPF, the one that looks for families. No session waits for any of them, and one that fails takes
 * nothing with it but its own knowledge.
 */
import type { Config } from '../config/config.ts';
import { PoolMap } from '../policy/pool-map.ts';
import { newKey } from '../reputation/keys.ts';
import type { Key } from '../reputation/keys.ts';
import type { Names } from '../reputation/names.ts';
import type { ReputationTable } from '../reputation/table.ts';
import type { FromShard } from '../worker/messages.ts';
import { DnsDesk } from './dns-desk.ts';
import type { Engine } from './engine-order.ts';
import { dnsSource, limitSource } from './explain-sources.ts';
import { FamilyDesk } from './family-desk.ts';
import type { ExplainSource } from './inside.ts';
import { PoolDesk } from './pool-desk.ts';

/** What shards tell that is for a service. */
type ForServices = Extract<FromShard, { readonly kind: 'dnsAsks' | 'senders' | 'leavings' }>;

export class Services {
  readonly #config: Config;
  readonly #engines: readonly Engine[];
  readonly #notice: (text: string) => void;
  readonly families: FamilyDesk;
  #dns: DnsDesk | null = null;
  #pools: PoolDesk | null = null;
  #poolMap = PoolMap.empty;
  readonly #key = newKey();

  /** `engines` may be filled later; `notice` takes a sentence for the operator. */
  constructor(config: Config, engines: readonly Engine[], notice: (text: string) => void) {
    this.#config = config;
    this.#engines = engines;
    this.#notice = notice;
    this.families = new FamilyDesk((table) => {
      for (const engine of this.#engines) engine.tellAll({ kind: 'families', table });
    });
  }

  /** Starts what must be there before the first client; `shards` of them are in each engine. */
  async start(shards: number): Promise<void> {
    this.families.start();
    if (this.#config.dnsxl.length === 0) return;
    this.#dns = new DnsDesk(this.#config, {
      tell: (shard, message) => this.#engines[Math.floor(shard / shards)]?.tell(shard % shards, message),
      notice: this.#notice,
    });
    await this.#dns.start();
  }

  /**
   * Pools by SPF are credited in `table`: that of the shards when they are threads of this process, else the replica from
   * which rows go to every process (crew).
   */
  useTable(table: ReputationTable): void {
    if (!this.#config.pools.spf) return;
    const take = (pools: Uint32Array): void => {
      this.#poolMap = new PoolMap(pools);
      for (const engine of this.#engines) engine.tellAll({ kind: 'pools', pools });
    };
    this.#pools = new PoolDesk({ config: this.#config, table, take, notice: this.#notice });
  }

  /** Hears what a shard (its number among all shards) wants to know or has to tell. */
  heard(shard: number, message: ForServices): void {
    if (message.kind === 'dnsAsks') this.#dns?.asked(shard, message.asks);
    else if (message.kind === 'leavings') this.families.take(message.rows);
    else this.#pools?.offer(message.senders);
  }

  /** The key of the pool whose networks hold an address, null when there is none; valid until asked again. */
  poolKeyOf(address: Uint32Array): Key | null {
    const pool = this.#poolMap.poolOf(address, 0);
    if (pool < 0) return null;
    this.#poolMap.keyOf(pool, this.#key);
    return this.#key;
  }

  /** Who knows something of a client that its entry does not hold. `table` and `names`: where its meters are found. */
  sources(table: ReputationTable, names: Names): readonly ExplainSource[] {
    const sources: ExplainSource[] = [limitSource(this.#config, table, names)];
    const dns = this.#dns;
    if (dns !== null) sources.push(dnsSource(this.#config, dns));
    const pools = this.#pools;
    if (pools !== null) {
      sources.push({
        name: 'sender pools',
        rows: ({ address }) => {
          const key = address === null ? null : this.poolKeyOf(address);
          if (key === null) return Promise.resolve([]);
          const evidence = pools.book.domainOf(key);
          return Promise.resolve([{ says: 'stands in a network of the SPF record', evidence, worth: '' }]);
        },
      });
    }
    return sources;
  }

  /** What the services have counted. */
  counts(): readonly Readonly<Record<string, number>>[] {
    return [this.#dns?.counts() ?? {}, this.#pools?.counts() ?? {}];
  }

  /** One line for each thing whose state an operator wants to know. */
  lines(): readonly string[] {
    return this.#dns?.zoneLines() ?? [];
  }

  /** Ends what would keep the process alive. */
  end(): void {
    this.families.end();
    this.#dns?.stop();
    this.#pools?.end();
  }
}
