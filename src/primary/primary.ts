/**
 * primary — starts the engine, says when it listens, drains it and ends
 *
 * With one process the shards are threads of the primary itself; with several each engine process is a child.
 * SIGTERM and SIGINT drain: no new clients, 421 for those who wait, messages in hand finish, at most
 * `engine.drain_timeout`. A second one ends at once. SIGHUP reads the permanent lists anew (reload).
 *
 * Everything an operator reads goes to stderr, one line each; stdout carries the session log alone.
 */
import { tmpdir } from 'node:os';
import type { Config } from '../config/config.ts';
import type { ListsMemory } from '../policy/lists.ts';
import type { ServerParts } from '../backend/server.ts';
import type { FromShard } from '../worker/messages.ts';
import { openNames } from '../io/client-names.ts';
import { shapingText, socketOptions } from '../io/socket-options.ts';
import type { Names } from '../reputation/names.ts';
import { viewLists } from '../policy/lists.ts';
import { backendTrusts } from './backend-trust.ts';
import { Certificates } from './certificates.ts';
import { Crew } from './crew.ts';
import { resolved, withPorts } from './endpoints.ts';
import type { EngineEvents, EngineOrder } from './engine-order.ts';
import type { Engine } from './engine-order.ts';
import { compileLists } from './list-files.ts';
import { readMachine } from './machine.ts';
import { Notices } from './notices.ts';
import { peakLines } from './peak-lines.ts';
import type { Plan } from './plan.ts';
import { allowanceOf, planFor, planText } from './plan.ts';
import type { Beside } from './inside.ts';
import { Reload } from './reload.ts';
import { Services } from './services.ts';

export class Primary {
  readonly #config: Config;
  readonly #fileName: string;
  readonly #say: (line: string) => void;
  readonly #notices: Notices;
  readonly #nameKey: Uint8Array | null;
  readonly #names: Names;
  readonly #beside: Beside | null;
  readonly #services: Services;
  readonly #engines: Engine[] = [];
  #crew: Crew | null = null;
  #listening = 0;
  #failure: string | null = null;
  #drained = 0;
  #draining = false;
  #killed = false;
  #ready: () => void = () => undefined;
  #ended: (code: number) => void = () => undefined;

  /**
   * `config` was read from `fileName`; `say` prints a line for the operator. `nameKey`: the key of the hash that clients
   * are called by, if they are. `beside` is started when the engine listens, and closed when it has ended.
   */
  constructor(
    config: Config,
    fileName: string,
    say: (line: string) => void,
    nameKey: Uint8Array | null = null,
    beside: Beside | null = null,
  ) {
    this.#config = config;
    this.#fileName = fileName;
    this.#say = say;
    this.#nameKey = nameKey;
    this.#names = openNames(config, nameKey);
    this.#beside = beside;
    this.#notices = new Notices(say);
    this.#services = new Services(config, this.#engines, (text) => this.#notices.add(text));
  }

  /** Runs until drained or stopped; the exit code. Throws ConfigError for a list file that is wrong. */
  async run(): Promise<number> {
    const machine = readMachine();
    const plan = planFor(this.#config, machine);
    if (typeof plan === 'string') {
      this.#say(plan);
      return 78;
    }
    const reload = new Reload(this.#config, this.#fileName, this.#say, (anew) => {
      lists = anew;
      for (const engine of this.#engines) engine.tellAll({ kind: 'lists', lists: anew });
    });
    let certificates: Certificates | null = null;
    const hangup = (): void => {
      void reload.ask();
      certificates?.renew((identities) =>
        this.#engines.forEach((engine) => engine.tellAll({ kind: 'identities', identities })),
      );
    };
    process.on('SIGHUP', hangup);
    let lists = compileLists(this.#config);
    const config = await withPorts(this.#config);
    const servers = await resolved(config);
    if (typeof servers === 'string') {
      this.#say(servers);
      return 1;
    }
    certificates = new Certificates(config, this.#say);
    if (!certificates.complete) return 78;
    const trusts = backendTrusts(config);
    if (typeof trusts === 'string') {
      this.#say(trusts);
      return 78;
    }
    const ended = new Promise<number>((resolve) => (this.#ended = resolve));
    const ready = new Promise<void>((resolve) => (this.#ready = resolve));
    const stop = (): void => this.stop();
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
    const count = (): void => void this.#sayCounts();
    process.on('SIGUSR2', count);
    await this.#services.start(plan.shardsPerProcess);
    const crew = this.#enlist(plan, config, servers, lists, { identities: certificates.identities, trusts });
    await crew.start(ended, () => this.#draining);
    const report = setInterval(() => void this.#sayPeaks(), config.limits.reportIntervalMs);
    await Promise.race([ready, ended]);
    const beside = this.#failure === null ? await this.#startBeside(crew, () => lists) : null;
    if (this.#failure === null && !this.#draining) {
      this.#say(shapingText(socketOptions()));
      const where = config.listener.map((listener) => listener.address).join(', ');
      this.#say(`listening on ${where} (${planText(plan, config, machine)})`);
    }
    const code = await ended;
    beside?.close();
    void reload.end();
    this.#services.end();
    // Node waits for its threads when it ends, and that of the state file waits for a disk that does not answer.
    if (!(await crew.end())) process.kill(process.pid, 'SIGKILL');
    clearInterval(report);
    process.off('SIGTERM', stop);
    process.off('SIGINT', stop);
    process.off('SIGHUP', hangup);
    process.off('SIGUSR2', count);
    return code;
  }

  #startBeside(crew: Crew, lists: () => ListsMemory): Promise<{ close(): void }> | null {
    if (this.#beside === null) return null;
    return this.#beside({
      config: this.#config,
      memory: crew.memory,
      names: this.#names,
      lists: () => viewLists(lists()),
      poolKeyOf: (address) => this.#services.poolKeyOf(address),
      sources: this.#services.sources(crew.memory.table, this.#names),
      families: () => this.#services.families.report(this.#names),
      flushRecipients: () => this.#engines.forEach((engine) => engine.tellAll({ kind: 'flushRecipients' })),
      nowSec,
      say: this.#say,
    });
  }

  /** First call: drain. Second call: end now. */
  stop(): void {
    if (this.#draining) {
      this.#say('stopped before all sessions had ended');
      void this.#endNow();
      return;
    }
    this.#draining = true;
    this.#say('draining: no new clients, messages in hand are finished');
    const timer = setTimeout(() => {
      this.#say('drain_timeout has passed; the sessions that are left end now');
      void this.#endNow();
    }, this.#config.engine.drainTimeoutMs);
    timer.unref();
    for (const engine of this.#engines) engine.drain();
  }

  /** Prints every counter that is not 0, of all engines together, as one line of JSON. */
  async #sayCounts(): Promise<void> {
    const sum: Record<string, number> = {};
    const all = await Promise.all(this.#engines.map(async (engine) => engine.counts()));
    for (const counts of [...all, ...this.#services.counts()]) {
      for (const [name, value] of Object.entries(counts))
        if (value !== 0) sum[name] = (sum[name] ?? 0) + value;
    }
    this.#say(`counters ${JSON.stringify(sum)}`);
    for (const line of [...this.#services.lines(), ...(this.#crew?.lines() ?? [])]) this.#say(line);
  }

  /** Prints the peaks since the last time, as Postfix's anvil does. */
  async #sayPeaks(): Promise<void> {
    const { windowMs } = this.#config.limits;
    const reports = await Promise.all(this.#engines.map(async (engine) => engine.peaks()));
    for (const line of peakLines(reports, windowMs, nowSec(), this.#names)) this.#say(line);
  }

  /** Ends with the sessions that are left; what processes do not tell at once is not printed. */
  async #endNow(): Promise<void> {
    const peaks = this.#sayPeaks();
    this.#kill();
    await peaks;
    this.#ended(0);
  }

  #kill(): void {
    this.#killed = true;
    for (const engine of this.#engines) engine.kill();
  }

  /** Takes the memory of all engines; nothing runs yet. */
  #enlist(
    plan: Plan,
    config: Config,
    servers: readonly ServerParts[],
    lists: ListsMemory,
    tls: Pick<EngineOrder, 'identities' | 'trusts'>,
  ): Crew {
    const shards = plan.processes * plan.shardsPerProcess;
    const started = Math.floor(Date.now() / 1000).toString(36);
    const orders = Array.from({ length: plan.processes }, (_, number): EngineOrder => ({
      config,
      shards: plan.shardsPerProcess,
      sessionsMax: plan.sessionsPerShard,
      allowance: allowanceOf(plan, config, number),
      servers,
      lists,
      reputationEntries: config.reputation.entries,
      idPrefix: `${started}.${number}`,
      nameKey: this.#nameKey,
      spoolDirectory: config.spool.directory === '' ? tmpdir() : config.spool.directory,
      ...tls,
    }));
    const eventsOf = (number: number): EngineEvents => ({
      told: (shard, message) => this.#hear(message, shards, number * plan.shardsPerProcess + shard),
      drained: () => this.#oneDrained(),
    });
    const crew = new Crew(config, orders, eventsOf, this.#names, (line) => this.#notices.add(line), nowSec);
    this.#crew = crew;
    this.#engines.push(...crew.engines);
    this.#services.useTable(crew.memory.table);
    return crew;
  }

  #hear(message: FromShard, shards: number, shard: number): void {
    switch (message.kind) {
      case 'listening':
        this.#listening += 1;
        if (this.#listening === shards) this.#ready();
        return;
      case 'notice':
        if (!this.#killed) this.#notices.add(message.text);
        return;
      case 'failed':
        // One that was started again: it ends and is tried again later, while the others serve on.
        if (this.#listening >= shards) return this.#notices.add(`cannot listen: ${message.text}`);
        if (this.#failure !== null) return;
        this.#failure = message.text;
        this.#say(`cannot listen: ${message.text}`);
        this.#kill();
        this.#ended(1);
        return;
      case 'drained':
        return;
      default:
        this.#services.heard(shard, message);
    }
  }

  #oneDrained(): void {
    this.#drained += 1;
    if (this.#killed || this.#drained < this.#engines.length) return;
    void this.#endDrained();
  }

  async #endDrained(): Promise<void> {
    await this.#sayPeaks();
    this.#say('drained');
    this.#ended(0);
  }
}

function nowSec(): number {
  return Math.floor(Date.now() / 1000);
}
