/**
 * primary — starts the engine, says when it listens, drains it and ends
 *
 * With one process the shards are threads of the primary itself; with several each engine process is a child.
 * SIGTERM and SIGINT drain: no new clients, 421 for those who wait, messages in hand finish, at most
 * `engine.drain_timeout`. A second one ends at once.
 *
 * Everything an operator reads goes to stderr, one line each; stdout carries the session log alone.
 */
import { randomInt } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { endpointOf } from '../config/addresses.ts';
import type { Config } from '../config/config.ts';
import { PLAIN_NAMES } from '../io/state-file.ts';
import type { Dirty } from '../reputation/dirty.ts';
import type { ReputationTable } from '../reputation/table.ts';
import type { Endpoint } from '../transport/transport.ts';
import type { FromShard } from '../worker/messages.ts';
import { Child } from './children.ts';
import type { EngineEvents, EngineOrder } from './engine-order.ts';
import { Keeper } from './keeper.ts';
import { readMachine } from './machine.ts';
import { Notices } from './notices.ts';
import type { Plan } from './plan.ts';
import { planFor, planText } from './plan.ts';
import { Replicas } from './replicas.ts';
import { Threads } from './threads.ts';

/** A part of the shards, in this process or in a child. */
interface Engine {
  start(): void;
  drain(): void;
  kill(): void;
  counts(): Record<string, number> | Promise<Record<string, number>>;
}

export class Primary {
  readonly #config: Config;
  readonly #say: (line: string) => void;
  readonly #notices: Notices;
  #engines: Engine[] = [];
  /** What several processes share; null when there is one. */
  #replicas: Replicas | null = null;
  /** Saves what is known of clients; null when it is not to be saved. */
  #keeper: Keeper | null = null;
  #listening = 0;
  #failure: string | null = null;
  #drained = 0;
  #draining = false;
  #killed = false;
  #ready: () => void = () => undefined;
  #ended: (code: number) => void = () => undefined;

  /** `say` prints a line for the operator. */
  constructor(config: Config, say: (line: string) => void) {
    this.#config = config;
    this.#say = say;
    this.#notices = new Notices(say);
  }

  /** Runs until drained or stopped; the exit code. */
  async run(): Promise<number> {
    const machine = readMachine();
    const plan = planFor(this.#config, machine);
    if (typeof plan === 'string') {
      this.#say(plan);
      return 78;
    }
    const config = await withPorts(this.#config);
    const endpoint = await resolved(config.backend.address);
    if (typeof endpoint === 'string') {
      this.#say(endpoint);
      return 1;
    }
    const ended = new Promise<number>((resolve) => (this.#ended = resolve));
    const ready = new Promise<void>((resolve) => (this.#ready = resolve));
    const stop = (): void => this.stop();
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
    const hangup = (): void => this.#say('the configuration is read at start only; restart to change it');
    process.on('SIGHUP', hangup);
    const count = (): void => void this.#sayCounts();
    process.on('SIGUSR2', count);
    this.#prepare(plan, config, endpoint);
    await Promise.race([this.#keeper?.start(), ended]);
    if (!this.#draining) for (const engine of this.#engines) engine.start();
    await Promise.race([ready, ended]);
    if (this.#failure === null && !this.#draining) {
      const where = config.listener.map((listener) => listener.address).join(', ');
      this.#say(`listening on ${where} (${planText(plan, config, machine)})`);
    }
    const code = await ended;
    this.#replicas?.close();
    const isSaved = (await this.#keeper?.end()) ?? true;
    // Node waits for its threads when it ends, and that one waits for a disk that does not answer.
    if (!isSaved) process.kill(process.pid, 'SIGKILL');
    process.off('SIGTERM', stop);
    process.off('SIGINT', stop);
    process.off('SIGHUP', hangup);
    process.off('SIGUSR2', count);
    return code;
  }

  /** First call: drain. Second call: end now. */
  stop(): void {
    if (this.#draining) {
      this.#say('stopped before all sessions had ended');
      this.#kill();
      this.#ended(0);
      return;
    }
    this.#draining = true;
    this.#say('draining: no new clients, messages in hand are finished');
    const timer = setTimeout(() => {
      this.#say('drain_timeout has passed; the sessions that are left end now');
      this.#kill();
      this.#ended(0);
    }, this.#config.engine.drainTimeoutMs);
    timer.unref();
    for (const engine of this.#engines) engine.drain();
  }

  /** Prints every counter that is not 0, of all engines together, as one line of JSON. */
  async #sayCounts(): Promise<void> {
    const sum: Record<string, number> = {};
    for (const counts of await Promise.all(this.#engines.map(async (engine) => engine.counts()))) {
      for (const [name, value] of Object.entries(counts))
        if (value !== 0) sum[name] = (sum[name] ?? 0) + value;
    }
    this.#say(`counters ${JSON.stringify(sum)}`);
    if (this.#keeper !== null) this.#say(`state ${JSON.stringify(this.#keeper.status())}`);
  }

  #kill(): void {
    this.#killed = true;
    for (const engine of this.#engines) engine.kill();
  }

  /** Takes the memory; nothing runs yet. */
  #prepare(plan: Plan, config: Config, endpoint: Endpoint): void {
    const shards = plan.processes * plan.shardsPerProcess;
    if (plan.processes > 1)
      this.#replicas = new Replicas(config.reputation.entries, plan.processes, randomInt(2 ** 32), nowSec);
    const started = Math.floor(Date.now() / 1000).toString(36);
    for (let number = 0; number < plan.processes; number++) {
      const order: EngineOrder = {
        config,
        shards: plan.shardsPerProcess,
        sessionsMax: plan.sessionsPerShard,
        lanesMax: plan.lanesPerShard,
        endpoint,
        reputationEntries: config.reputation.entries,
        idPrefix: `${started}.${number}`,
        spoolDirectory: config.spool.directory === '' ? tmpdir() : config.spool.directory,
      };
      const events: EngineEvents = {
        told: (_shard, message) => this.#hear(message, shards),
        drained: () => this.#oneDrained(),
      };
      this.#engines.push(this.#engineFor(number, order, events));
    }
  }

  #engineFor(number: number, order: EngineOrder, events: EngineEvents): Engine {
    const replicas = this.#replicas;
    if (replicas !== null) {
      if (number === 0) this.#keep(replicas.table, replicas.toSave, (index) => replicas.joined(index));
      return new Child(`engine process ${number}`, order, events, replicas.links[number]!);
    }
    const threads = new Threads(order, events);
    this.#keep(threads.table, threads.table.dirty, () => undefined);
    return {
      start: () => threads.start(),
      drain: () => threads.drain(),
      kill: () => threads.stop(),
      counts: () => threads.counts(),
    };
  }

  #keep(table: ReputationTable, dirty: Dirty, joined: (index: number) => void): void {
    const { file: path, saveIntervalMs, keepMs } = this.#config.reputation;
    if (path === '') return;
    this.#keeper = new Keeper({
      path,
      rowsMax: table.entries,
      keepSec: keepMs / 1000,
      savesHosts: this.#config.privacy.logIp !== 'truncate',
      namesId: PLAIN_NAMES,
      saveIntervalMs,
      table,
      dirty,
      say: (line) => this.#notices.add(line),
      nowSec,
      joined,
    });
  }

  #hear(message: FromShard, shards: number): void {
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
        message satisfies never;
    }
  }

  #oneDrained(): void {
    this.#drained += 1;
    if (this.#killed || this.#drained < this.#engines.length) return;
    this.#say('drained');
    this.#ended(0);
  }
}

function nowSec(): number {
  return Math.floor(Date.now() / 1000);
}

/** Replaces port 0 by one that is free, so that every shard listens on the same. */
async function withPorts(config: Config): Promise<Config> {
  const listener = await Promise.all(
    config.listener.map(async (row) => {
      const { host, port } = endpointOf(row.address);
      if (port !== 0) return row;
      const free = await freePort(host);
      return { ...row, address: host.includes(':') ? `[${host}]:${free}` : `${host}:${free}` };
    }),
  );
  return { ...config, listener };
}

function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, host, () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : 0));
    });
  });
}

/** The backend's address as a literal, or a sentence that says why there is none: a name is looked up once, at start. */
async function resolved(address: string): Promise<Endpoint | string> {
  const { host, port } = endpointOf(address);
  try {
    const found = await lookup(host);
    return { host: found.address, port };
  } catch (error) {
    return `backend.address: no address was found for "${host}" (${(error as NodeJS.ErrnoException).code ?? String(error)})`;
  }
}
