/**
 * world — one shard, its clients and its backend on a virtual clock
 *
 * Nothing takes time but waiting: `settle` lets everything that was sent arrive and be answered within the
 * present millisecond, `runUntil` jumps from one moment with something due to the next. So a transcript's
 * times are the engine's own delays and nothing else.
 */
import { bytesOf, latin1 } from '../../src/base/ascii.ts';
import { formatAddress, parseAddress } from '../../src/base/address.ts';
import type { Allowance } from '../../src/backend/allowance.ts';
import type { Config } from '../../src/config/config.ts';
import { serversOf } from '../../src/config/servers.ts';
import { Level, reached, Trait } from '../../src/families/dialect.ts';
import { Habit, Labels } from '../../src/families/labels.ts';
import { BINS } from '../../src/families/leaving.ts';
import { passesNeeded } from '../../src/policy/pace.ts';
import { ONE } from '../../src/reputation/decay.ts';
import { hostKey, Kind, newKey, textKey } from '../../src/reputation/keys.ts';
import { Mark } from '../../src/reputation/layout.ts';
import { fullNames, truncatedNames } from '../../src/reputation/names.ts';
import { signals } from '../../src/reputation/signals.ts';
import { compilePools, PoolMap } from '../../src/policy/pool-map.ts';
import { merged, rangeOfNetwork } from '../../src/policy/address-ranges.ts';
import { ReputationTable } from '../../src/reputation/table.ts';
import { Counters } from '../../src/session/counters.ts';
import type { DnsLists } from '../../src/reputation/dns-lists.ts';
import type { SessionReport } from '../../src/session/journal.ts';
import { Shard } from '../../src/shard/shard.ts';
import { MemoryTransport } from '../../src/transport/memory-transport.ts';
import type { PeerHandle } from '../../src/transport/memory-transport.ts';
import { Backend } from './backend.ts';
import type { ScriptedDns } from './dns.ts';
import { MemorySpoolFiles } from '../../loadgen/virtual/spool-files.ts';

const ENTRIES = 1_024;
const ROUNDS_MAX = 400_000;
/** 2026-01-01T00:00:00Z */
const EPOCH_MS = 1_767_225_600_000;

export interface WorldOptions {
  readonly config: Config;
  /** What clients send arrives in pieces of at most so many bytes. */
  readonly splitBytes?: number;
  readonly capacity?: number;
  /** Seats, when there are fewer than `capacity`. */
  readonly sessionsMax?: number;
  readonly lanesMax?: number;
  /** What the shard shares with others. */
  readonly allowance?: Allowance;
  readonly backend?: Backend;
  /** Those of the servers behind the first one. */
  readonly moreBackends?: readonly Backend[];
  readonly dns?: ScriptedDns;
}

/** A client's end of a session, which hangs up when it is hung up on. */
export class Client {
  readonly peer: PeerHandle;
  readonly address: string;
  readonly port: number;
  /** All that was heard, and how much of it was looked at. */
  heard = '';
  looked = 0;
  gone = false;
  readonly #world: World;

  constructor(world: World, peer: PeerHandle, address: string, port: number) {
    this.#world = world;
    this.peer = peer;
    this.address = address;
    this.port = port;
  }

  send(text: string): void {
    if (!this.gone) this.#world.front.peerSend(this.peer, bytesOf(text));
  }

  finish(): void {
    if (this.gone) return;
    this.gone = true;
    this.#world.front.peerFinish(this.peer);
  }

  reset(): void {
    this.gone = true;
    this.#world.front.peerReset(this.peer);
  }

  /** True when the last thing heard since `from` is a whole reply. */
  isAnswered(from: number): boolean {
    const lines = this.heard.slice(from).split('\r\n');
    return lines.length > 1 && lines.at(-1) === '' && /^\d{3}(?: |$)/.test(lines.at(-2)!);
  }
}

export class World {
  readonly front: MemoryTransport;
  readonly back: MemoryTransport;
  /** All of them; the first is `backend`. */
  readonly backends: readonly Backend[];
  readonly backend: Backend;
  readonly files = new MemorySpoolFiles();
  readonly shard: Shard;
  readonly counters: Counters;
  readonly reputation: ReputationTable;
  readonly clients: Client[] = [];
  readonly notices: string[] = [];
  /** What the shard told of good senders. */
  readonly offers: string[] = [];
  readonly dns: ScriptedDns | null;
  nowMs = 0;
  onHeard: (client: Client, text: string) => void = () => undefined;
  onEnded: (report: SessionReport) => void = () => undefined;
  #tick = 0;
  #port = 40_000;

  constructor(options: WorldOptions) {
    const { config } = options;
    this.backend = options.backend ?? new Backend();
    this.backends = [this.backend, ...(options.moreBackends ?? [])];
    this.dns = options.dns ?? null;
    this.front = new MemoryTransport({
      capacity: options.capacity ?? 16,
      inputBytesMax: 16_384,
      outputBytesMax: 65_536,
      ...(options.splitBytes === undefined ? {} : { splitBytes: options.splitBytes }),
    });
    const lanesMax = options.lanesMax ?? config.backend.maxConnections;
    this.back = new MemoryTransport({
      capacity: lanesMax,
      inputBytesMax: 65_536,
      outputBytesMax: 262_144,
      onDial: (endpoint, peer) => this.backends[endpoint.port - 10_025]!.dialled(endpoint, peer),
    });
    for (const backend of this.backends) backend.attach(this.back);
    const shared = new SharedArrayBuffer(ReputationTable.bytesFor(ENTRIES, 1));
    this.reputation = new ReputationTable(shared, ENTRIES, 1, 0);
    this.counters = new Counters(new SharedArrayBuffer(Counters.bytesFor(1)), 0);
    this.shard = new Shard({
      config,
      front: this.front,
      back: this.back,
      servers: serversOf(config).map(({ address, weight }, trust) => ({
        name: address,
        weight,
        endpoint: { host: '192.0.2.25', port: 10_025 + trust, trust },
      })),
      journal: {
        ended: (report) => this.onEnded(report),
        notice: (text) => void this.notices.push(text),
      },
      reputation: this.reputation,
      names: config.privacy.logIp === 'truncate' ? truncatedNames : fullNames,
      shard: 0,
      counters: this.counters,
      files: this.files,
      ...(options.dns === undefined ? {} : { dns: options.dns satisfies DnsLists }),
      lanesMax,
      ...(options.allowance === undefined ? {} : { allowance: options.allowance }),
      ...(options.sessionsMax === undefined ? {} : { sessionsMax: options.sessionsMax }),
      senders: {
        enabled: config.pools.spf,
        offer: (words, at, domain, helo) =>
          void this.offers.push(`${formatAddress(words, at)} ${domain} ${helo}`),
      },
      idPrefix: 't',
      epochMs: EPOCH_MS,
      startMs: 0,
    });
  }

  /** Makes the first connection to the backend. */
  start(): void {
    this.shard.start(this.nowMs);
    this.settle();
  }

  /** What the reputation table is to know of a client before it comes. */
  remember(address: string, score: number, isKnown: boolean): void {
    const words = new Uint32Array(4);
    parseAddress(address, words, 0);
    const nowSec = EPOCH_MS / 1000;
    const key = newKey();
    hostKey(words, 0, key);
    const index = this.reputation.claim(Kind.Host, key, nowSec);
    const { id, weight } = score > 0 ? signals.nonSmtpCommand : signals.delivered;
    if (score !== 0) this.reputation.observe(index, id, nowSec, Math.round((score / weight) * ONE));
    const bits = passesNeeded(this.shard.works.config);
    if (isKnown && bits !== 0) this.reputation.pass(index, bits, nowSec + 86_400 * 30);
  }

  /** Gives the shard a map with the pool of one domain, which has earned its standing, or not yet. */
  setPool(domain: string, networks: readonly string[], isGood: boolean): void {
    const key = newKey();
    textKey(domain, key);
    const ranges = merged(networks.map((network) => rangeOfNetwork(network)!));
    this.shard.setPools(new PoolMap(compilePools([{ key, ranges }])));
    if (!isGood) return;
    const nowSec = EPOCH_MS / 1000;
    const index = this.reputation.claim(Kind.Pool, key, nowSec);
    this.reputation.observe(index, signals.goodMember.id, nowSec);
    this.reputation.pass(index, passesNeeded(this.shard.works.config), nowSec + 86_400 * 30);
  }

  /** Tells the shard of families that are known by their manner: `NAME 21s TRAIT …`, each with its patience. */
  setFamilies(lines: readonly string[]): void {
    const families = lines.map((line) => {
      const [name = '', patience = '', ...traits] = line.split(' ');
      const bits = traits.reduce((sum, trait) => sum | Trait[trait as keyof typeof Trait], 0);
      return { name, patienceMs: Number.parseFloat(patience) * 1000, manner: reached(bits, Level.Envelope) };
    });
    this.shard.works.families = new Labels({
      rows: Int32Array.from(
        families.flatMap(({ manner }, number) => [manner, Habit.Speaks, 0, BINS - 1, number]),
      ),
      speakers: Int32Array.from(families.flatMap(({ manner }, number) => [manner, number])),
      names: families.map(({ name }) => name),
      patienceMs: families.map(({ patienceMs }) => patienceMs),
    });
  }

  /** Puts an operator's word on a client, for ever. */
  allow(address: string): void {
    const words = new Uint32Array(4);
    parseAddress(address, words, 0);
    const key = newKey();
    hostKey(words, 0, key);
    this.reputation.mark(this.reputation.claim(Kind.Host, key, EPOCH_MS / 1000), Mark.Allow, 0);
  }

  dial(address: string, listener = 0): Client {
    const port = ++this.#port;
    const peer = this.front.dial({ address, port, localAddress: '192.0.2.1', localPort: 25, listener });
    const client = new Client(this, peer, address, port);
    this.clients.push(client);
    return client;
  }

  drain(): void {
    this.shard.drain(this.nowMs);
    this.settle();
  }

  /** Lets everything happen that takes no time. */
  settle(): void {
    for (let round = 0; ; round++) {
      if (round === ROUNDS_MAX) throw new Error(`the world does not come to rest at ${this.nowMs} ms`);
      let moved = false;
      for (const backend of this.backends) if (backend.turn(this.nowMs)) moved = true;
      this.#tick += 1;
      const wasBusy = this.front.busy || this.back.busy;
      this.front.advance(this.#tick);
      this.back.advance(this.#tick);
      if (this.files.advance()) moved = true;
      if (this.dns?.turn(this.nowMs) === true) moved = true;
      if (this.shard.step(this.nowMs)) moved = true;
      if (this.#listen()) moved = true;
      if (!moved && !wasBusy && !this.front.busy && !this.back.busy) return;
    }
  }

  /** Lets time pass until `untilMs`, or until `isEnough` says so. True when it said so. */
  runUntil(untilMs: number, isEnough: () => boolean = () => false): boolean {
    this.settle();
    for (let round = 0; !isEnough(); round++) {
      if (round === ROUNDS_MAX) throw new Error(`time does not pass at ${this.nowMs} ms`);
      const dueMs = Math.max(
        this.nowMs + 1,
        Math.min(
          this.shard.nextDueMs(),
          ...this.backends.map((backend) => backend.nextDueMs()),
          this.dns?.nextDueMs() ?? Infinity,
        ),
      );
      if (dueMs > untilMs) {
        if (untilMs > this.nowMs && untilMs !== Infinity) this.nowMs = untilMs;
        this.settle();
        return isEnough();
      }
      this.nowMs = dueMs;
      this.settle();
    }
    return true;
  }

  /** What is still held although nobody is there; empty when all was given back. */
  leaks(): readonly string[] {
    const { works } = this.shard;
    const counts: readonly (readonly [string, number])[] = [
      ['sessions', works.sessions.open],
      ['envelopes', works.envelopes.taken],
      ['handshakes', works.handshakes],
      ['bytes of the spool in memory', works.spool.memoryBytes],
      ['bytes of the spool on disk', works.spool.diskBytes],
      ['files', this.files.filesOpen],
      ['streams of clients', this.front.streamsOpen],
      ['streams to the backend', this.back.streamsOpen],
      ['timers', works.wheel.armed],
      ['bytes in the outbox', works.outbox.isEmpty ? 0 : 1],
      [
        'sessions opened and not closed',
        this.counters.valueOf('sessionsOpened') - this.counters.valueOf('sessionsClosed'),
      ],
    ];
    return counts.filter(([, count]) => count !== 0).map(([what, count]) => `${count} ${what}`);
  }

  #listen(): boolean {
    let moved = false;
    for (const client of this.clients) {
      if (client.peer.stalled) continue;
      const bytes = this.front.peerReceived(client.peer);
      if (bytes.length > 0) {
        moved = true;
        const text = latin1(bytes, 0, bytes.length);
        client.heard += text;
        this.onHeard(client, text);
      }
      if (!client.gone && this.front.peerSawEnd(client.peer)) client.finish();
      if (this.front.peerClosed(client.peer)) client.gone = true;
    }
    return moved;
  }
}
