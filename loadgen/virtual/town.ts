/**
 * town — one population against one configuration on the virtual clock, as fast as one core can
 *
 * Real shards with the real configuration, the bots of a population, a mail server that is always well, a DNS list, and the search for
 * families as the primary makes it; no sockets, no faults, no checks. Time goes in ticks of 10 ms and jumps over those in which
 * nothing happens; what is said in a tick arrives in the next. Everything follows from the order: the same order gives the same
 * register on any machine and in any thread.
 *
 * Clients come evenly over the time of the order, and the town goes on until the last of them is gone. Cost: some 100 µs a
 * session, and memory for all that are there at once.
 */
import { Allowance } from '../../src/backend/allowance.ts';
import { assert } from '../../src/base/assert.ts';
import { Prng } from '../../src/base/prng.ts';
import type { Config } from '../../src/config/config.ts';
import type { ListsMemory } from '../../src/policy/lists.ts';
import { viewLists } from '../../src/policy/lists.ts';
import { lobbySlots } from '../../src/policy/stress.ts';
import { allowanceOf, planFor } from '../../src/primary/plan.ts';
import { ReputationTable } from '../../src/reputation/table.ts';
import { zonesOf } from '../../src/reputation/dns-zones.ts';
import { Counters } from '../../src/session/counters.ts';
import type { SessionReport } from '../../src/session/journal.ts';
import { Cast } from '../cast.ts';
import { honestAddress, isZombieAddress, originsOf } from '../origins.ts';
import { isListed } from '../populations.ts';
import type { PopulationName } from '../populations.ts';
import { PORT_BASE } from './client.ts';
import { TICK_MS } from './crowd.ts';
import { FamilyWatch } from './family-watch.ts';
import { Mailroom } from './mailroom.ts';
import { Register } from './register.ts';
import { Station } from './station.ts';
import { Townsfolk } from './townsfolk.ts';
import { VirtualDns } from './virtual-dns.ts';

/** Everything that a run follows from. */
export interface TownOrder {
  readonly config: Config;
  /** The permanent lists, files included; those of the configuration itself when absent. */
  readonly lists?: ListsMemory;
  readonly population: PopulationName;
  readonly sessions: number;
  readonly honest: number;
  readonly durationMs: number;
  readonly seed: number;
}

/** Honest mail comes from an address this often, so that Sluice gets to know its senders. */
const MAILS_AN_ADDRESS = 5;
/** Nobody stays longer than this behind the last arrival: patience, time limits and the backend have ends. */
const LAST_MS = 12 * 3_600_000;
/** A run does not ask the machine: a configuration that leaves the number of shards open gets one. */
const MACHINE = { cores: 1, filesMax: 20_000_000 };

interface Arrival {
  readonly atMs: number;
  readonly botNumber: number;
  readonly address: string;
}

export class Town {
  readonly register: Register;
  readonly bots: Cast['bots'];
  readonly mailroom: Mailroom;
  readonly #stations: readonly Station[];
  readonly #folk: Townsfolk;
  readonly #watch: FamilyWatch;
  readonly #arrivals: readonly Arrival[];
  readonly #durationMs: number;
  readonly #ways: Prng;
  #arrived = 0;
  #openMs = 0;
  #nowMs = 0;

  /** Throws an Error with a sentence when the configuration has no room for its shards. */
  constructor(order: TownOrder) {
    const { seed } = order;
    const cast = new Cast(order.population, { run: `t${seed}` });
    const clients = order.sessions + order.honest;
    this.bots = cast.bots;
    this.#durationMs = order.durationMs;
    this.register = new Register(clients);
    this.mailroom = new Mailroom(clients);
    const random = new Prng(seed);
    this.#arrivals = arrivalsOf(order, cast, random);
    this.#ways = random.fork('ways');
    this.#folk = new Townsfolk(cast.bots, seed, this.register);
    this.#stations = this.#build(
      order,
      (address) => isZombieAddress(address) && isListed(address, cast.population),
    );
    this.#watch = new FamilyWatch(this.#stations);
  }

  /** Runs until everybody is gone. */
  run(): Register {
    while (this.#arrived < this.#arrivals.length || this.#open() > 0) this.#tick();
    this.register.openMean = this.#openMs / this.#durationMs;
    return this.register;
  }

  #build({ config: asked, lists, seed }: TownOrder, has: (address: string) => boolean): Station[] {
    const config = withoutHeaders(asked);
    const plan = planFor(config, MACHINE);
    if (typeof plan === 'string') throw new Error(plan);
    const shards = plan.processes * plan.shardsPerProcess;
    const { entries } = config.reputation;
    const table = new SharedArrayBuffer(ReputationTable.bytesFor(entries, shards));
    ReputationTable.prepare(table, seed);
    const counters = new SharedArrayBuffer(Counters.bytesFor(shards));
    const limits = allowanceOf({ ...plan, processes: 1 }, config, 0);
    const allowed = new SharedArrayBuffer(Allowance.bytesFor(shards));
    const journal = { ended: (report: SessionReport) => this.#ended(report), notice: () => undefined };
    const sessionsMax = plan.sessionsPerShard;
    const slots = Math.min(sessionsMax + lobbySlots(sessionsMax), this.register.clients);
    const zone = zonesOf(config).find(({ isBlocking }) => isBlocking);
    return Array.from({ length: shards }, (_, number) => {
      return new Station({
        config,
        number,
        shards,
        slots,
        sessionsMax,
        lanesMax: limits.lanesMax,
        allowance: new Allowance(allowed, limits, shards, number),
        reputation: new ReputationTable(table, entries, shards, number),
        counters: new Counters(counters, number),
        journal,
        ...(lists === undefined ? {} : { lists: viewLists(lists) }),
        ...(zone === undefined ? {} : { dns: new VirtualDns(slots, zone, has) }),
        onDial: (net, peer) => this.mailroom.dialled(net, peer),
      });
    });
  }

  #tick(): void {
    const folk = this.#folk;
    const beforeMs = this.#nowMs;
    this.#nowMs = this.#nextMs();
    const nowMs = this.#nowMs;
    this.#measure(beforeMs, nowMs);
    folk.atMs(nowMs);
    this.#watch.turn(nowMs);
    for (const station of this.#stations) {
      station.advance(nowMs);
      this.mailroom.hear(station.back);
      folk.hear(station.front);
    }
    folk.turn();
    this.#receive(nowMs);
    for (const station of this.#stations) station.step(nowMs);
  }

  /** Those whose time has come connect, each to the shard that the system's draw names. */
  #receive(nowMs: number): void {
    for (; this.#arrived < this.#arrivals.length; this.#arrived += 1) {
      const { atMs, botNumber, address } = this.#arrivals[this.#arrived]!;
      if (atMs > nowMs) return;
      const { front } = this.#stations[this.#ways.below(this.#stations.length)]!;
      this.#folk.start(this.#arrived, botNumber, address, front);
    }
  }

  #measure(fromMs: number, toMs: number): void {
    let open = 0;
    for (const { shard } of this.#stations) open += shard.sessionsOpen;
    if (open > this.register.openMax) this.register.openMax = open;
    this.#openMs += open * Math.max(0, Math.min(toMs, this.#durationMs) - fromMs);
  }

  #open(): number {
    return this.#stations.reduce((sum, { shard }) => sum + shard.sessionsOpen, this.#folk.wiresOpen);
  }

  #nextMs(): number {
    const soonMs = this.#nowMs + TICK_MS;
    let dueMs = Math.min(this.#folk.nextDueMs(), this.#arrivals[this.#arrived]?.atMs ?? Infinity);
    for (const station of this.#stations) {
      if (station.isBusy) return soonMs;
      dueMs = Math.min(dueMs, station.nextDueMs());
    }
    assert(dueMs < this.#durationMs + LAST_MS, 'a town empties');
    return Math.max(soonMs, Math.ceil(dueMs / TICK_MS) * TICK_MS);
  }

  #ended(report: SessionReport): void {
    const { register } = this;
    const serial = report.port - PORT_BASE;
    register.leftMs[serial] = report.durationMs;
    register.delayMs[serial] = report.delayMs;
    register.bytesOut[serial] = report.bytesOut;
    register.messages[serial] = report.messages;
    if (report.family !== '')
      register.families.set(report.family, (register.families.get(report.family) ?? 0) + 1);
  }
}

/** Everybody who comes, in the order of coming. */
function arrivalsOf(order: TownOrder, cast: Cast, random: Prng): readonly Arrival[] {
  const { durationMs, sessions, honest } = order;
  const atMs = (from: Prng): number =>
    TICK_MS * (1 + from.below(Math.max(1, Math.floor(durationMs / TICK_MS))));
  const bad = random.fork('zombies');
  const good = random.fork('honest');
  const origins = originsOf(cast.population, sessions, bad);
  const arrivals: Arrival[] = [];
  for (let count = 0; count < sessions; count += 1) {
    const address = origins.next();
    arrivals.push({ atMs: atMs(bad), botNumber: cast.zombieAt(address), address });
  }
  const addresses = Math.max(1, Math.ceil(honest / MAILS_AN_ADDRESS));
  for (let count = 0; count < honest; count += 1) {
    arrivals.push({
      atMs: atMs(good),
      botNumber: cast.honestSender(good),
      address: honestAddress(good.below(addresses)),
    });
  }
  return arrivals.sort((one, other) => one.atMs - other.atMs);
}

/** In a town clients come by themselves, and the mail server takes XCLIENT: nobody sends or reads a PROXY header. */
function withoutHeaders(config: Config): Config {
  return {
    ...config,
    listener: config.listener.map((one) => ({ ...one, proxyProtocol: 'off', trustedProxies: [] })),
    backend: { ...config.backend, identity: 'xclient' },
  };
}
