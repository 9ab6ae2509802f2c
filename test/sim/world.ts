/**
 * world — shards, clients, backend and clock in one thread, repeatable by seed
 *
 * Time goes in ticks of 10 ms and jumps over those in which nothing happens. In each tick the wires move, then the
 * backend and the bots say what they have to say, then the shards take their turns, in an order that is drawn.
 * What is said in a tick arrives in the next: nobody is ever answered in the same breath.
 *
 * A run has three parts: trouble, in which the seed's faults are on; calm, in which they are off and everybody
 * must come to an end; and the proof, in which polite clients come once more and every one of them must deliver.
 */
import { PoliteMta } from '../../loadgen/bots/polite-mta.ts';
import { smallPost } from '../../loadgen/bots/post.ts';
import type { Bot } from '../../loadgen/bots/bot.ts';
import { Cast } from '../../loadgen/cast.ts';
import { honestAddress, originsOf } from '../../loadgen/origins.ts';
import type { Origins } from '../../loadgen/origins.ts';
import { Allowance } from '../../src/backend/allowance.ts';
import { Prng } from '../../src/base/prng.ts';
import { ReputationTable } from '../../src/reputation/table.ts';
import { Counters, sumCounters } from '../../src/session/counters.ts';
import type { SessionReport } from '../../src/session/journal.ts';
import { Backend } from './backend.ts';
import { checkCounts, checkEmpty, checkGivenBack } from './checkers.ts';
import type { Trouble } from './client.ts';
import { TriedCrowd } from './crowd.ts';
import { must } from './failure.ts';
import { auditHonest, auditMail } from './mail-audit.ts';
import type { MailCount } from './mail-audit.ts';
import type { Plan } from './seed-plan.ts';
import { TriedStation } from './station.ts';
import { FamilyWatch } from '../../loadgen/virtual/family-watch.ts';
import { Mischief } from './mischief.ts';
import { Trace } from './trace.ts';

const TICK_MS = 10;
const ENTRIES = 4_096;
const HONEST_ADDRESSES = 40;
/** The longest patience of a bot, the longest wait for the backend, and room for both. */
const CALM_MS_MAX = 2_400_000;
const LANES_REST_MS = 80_000;

export class World {
  readonly plan: Plan;
  readonly trace: Trace;
  readonly crowd: TriedCrowd;
  readonly backend: Backend;
  readonly stations: readonly TriedStation[];
  readonly reports: SessionReport[] = [];
  nowMs = 0;
  mail: MailCount = { told250: 0, stored: 0, uncertain: 0, unanswered: 0 };
  readonly #shared: SharedArrayBuffer;
  /** What the shards share, as somebody sees it who has nothing. */
  readonly #allowance: Allowance;
  readonly #cast: Cast;
  readonly #arrivals: Prng;
  readonly #origins: Origins;
  readonly #order: Prng;
  readonly #mischief: Mischief;
  readonly #watch: FamilyWatch;

  constructor(plan: Plan) {
    const random = new Prng(plan.seed);
    this.plan = plan;
    this.trace = new Trace(plan.follow, plan.followsWhole);
    this.#cast = new Cast(plan.population, { run: `s${plan.seed}` });
    this.#arrivals = random.fork('arrivals');
    const { zombieAddresses } = plan;
    this.#origins = originsOf({ ...this.#cast.population, zombieAddresses }, plan.sessions, this.#arrivals);
    this.#order = random.fork('order');
    this.backend = new Backend(plan, random.fork('backend'), this.trace);
    this.crowd = new TriedCrowd(
      this.#bots(),
      plan.sessions + plan.honest + 64,
      random.fork('bots'),
      this.trace,
    );
    // One shard more than there are: the stranger that changes scores.
    const readers = plan.shards + 1;
    this.#shared = new SharedArrayBuffer(Counters.bytesFor(plan.shards));
    const table = new SharedArrayBuffer(ReputationTable.bytesFor(ENTRIES, readers));
    ReputationTable.prepare(table, plan.seed);
    const allowed = new SharedArrayBuffer(Allowance.bytesFor(plan.shards));
    const limits = { ...plan.config.spool, lanesMax: plan.lanesMax };
    const allowance = (shard: number): Allowance => new Allowance(allowed, limits, plan.shards, shard);
    this.#allowance = allowance(0);
    const journal = {
      ended: (report: SessionReport): void => {
        this.trace.note(this.nowMs, report.port, 'ended', report.durationMs);
        this.reports.push({ ...report });
      },
      notice: (): void => {},
    };
    this.stations = Array.from({ length: plan.shards }, (_, number) => {
      const reputation = new ReputationTable(table, ENTRIES, readers, number);
      return new TriedStation(
        plan,
        number,
        this.backend,
        allowance(number),
        reputation,
        new Counters(this.#shared, number),
        journal,
        random.fork(`disk${number}`),
      );
    });
    this.#watch = new FamilyWatch(this.stations);
    const stranger = new ReputationTable(table, ENTRIES, readers, plan.shards);
    this.#mischief = new Mischief(plan, this.stations, stranger, this.crowd, random.fork('mischief'));
  }

  /** Everything counted, over all shards. */
  get counts(): Record<string, number> {
    return sumCounters(this.#shared, this.plan.shards);
  }

  /** The families that were found on the way. */
  get families(): FamilyWatch['families'] {
    return this.#watch.families;
  }

  /** How sessions ended, as the shards told it (families/leavings). */
  get leavings(): readonly Int32Array[] {
    return this.#watch.leavings;
  }

  /** Runs all three parts; throws what the checkers find. */
  run(): void {
    const { plan } = this;
    const kinds = this.#drawArrivals();
    for (const { atMs, botNumber } of kinds) {
      this.#runUntil(atMs);
      this.#dial(botNumber, true);
    }
    this.#runUntil(plan.arrivalsMs + 60_000);
    this.#mischief.stop();
    this.backend.calm();
    this.#runUntilEmpty('once the faults are over everybody comes to an end');
    this.#runUntil(this.nowMs + 10_000);
    this.#runUntilUnstressed();
    this.#prove();
    this.#runUntil(this.nowMs + LANES_REST_MS);
    for (const { shard, front, back, files } of this.stations)
      checkEmpty(shard, front, back, files.filesOpen);
    checkGivenBack(this.#allowance, plan.lanesMax);
    const { counts } = this;
    checkCounts(counts, this.reports.length);
    this.mail = auditMail(this.crowd, this.backend, counts['messagesUncertain'] as number);
    auditHonest(this.crowd, this.backend);
  }

  /** The cast's bots, and a polite one with more and larger messages. */
  #bots(): readonly Bot[] {
    const post = {
      ...smallPost,
      run: `s${this.plan.seed}`,
      rcptsMax: 4,
      bodyBytesMax: this.plan.splitBytes < 60 ? 1_500 : 20_000,
      messagesMax: 3,
    };
    return [...this.#cast.bots, new PoliteMta(post)];
  }

  #drawArrivals(): readonly { atMs: number; botNumber: number }[] {
    const { plan } = this;
    const random = this.#arrivals;
    const atMs = (): number => TICK_MS * (1 + random.below(plan.arrivalsMs / TICK_MS));
    const zombies = Array.from({ length: plan.sessions }, () => ({
      atMs: atMs(),
      botNumber: this.#cast.zombie(random),
    }));
    const honest = Array.from({ length: plan.honest }, () => ({
      atMs: atMs(),
      botNumber: random.below(2) === 0 ? this.#cast.honestSender(random) : this.#cast.bots.length,
    }));
    return [...zombies, ...honest].sort((one, other) => one.atMs - other.atMs);
  }

  #dial(botNumber: number, mayHaveTrouble: boolean): void {
    const random = this.#arrivals;
    const isHonest = this.#cast.bots[botNumber]?.honest ?? true;
    const address = isHonest ? honestAddress(random.below(HONEST_ADDRESSES)) : this.#origins.next();
    const station = this.stations[random.below(this.stations.length)] as TriedStation;
    const none: Trouble = { kind: 'none', at: 0, stallMs: 0 };
    const trouble = mayHaveTrouble ? this.#mischief.troubleFor(isHonest) : none;
    this.crowd.start(botNumber, address, station.front, trouble);
  }

  /** Polite clients come once more: every one of them delivers. */
  #prove(): void {
    const first = this.crowd.clients.length;
    // One after the other: where a shard has one connection to the backend and two seconds to wait for it, a second client may hear 451.
    for (let count = 0; count < 4 * this.stations.length; count += 1) {
      this.#dial(this.#cast.honest, false);
      this.#runUntilEmpty('in a calm world every polite client comes to an end');
    }
    for (const client of this.crowd.clients.slice(first)) {
      must(
        client.endedAs === 'finished',
        'in a calm world every polite client delivers',
        client.serial,
        () => `it ended as ${client.endedAs}`,
      );
    }
  }

  #runUntilEmpty(rule: string): void {
    const endMs = this.nowMs + CALM_MS_MAX;
    const open = (): number =>
      this.crowd.wiresOpen + this.stations.reduce((sum, { shard }) => sum + shard.sessionsOpen, 0);
    while (open() > 0) {
      const who = (): number => this.crowd.clients.findLast((client) => !client.isOver)?.serial ?? -1;
      must(this.nowMs < endMs, rule, who(), () => `${open()} wires and sessions are still there`);
      this.#tick(endMs);
    }
  }

  /** A backend that was slow is remembered for a while, in which strangers may be sent away. */
  #runUntilUnstressed(): void {
    const endMs = this.nowMs + CALM_MS_MAX;
    while (this.counts['stressedNow']! > 0) {
      must(this.nowMs < endMs, 'stress is over when nothing happens', -1, () => 'it is not');
      this.#tick(endMs);
    }
  }

  #runUntil(endMs: number): void {
    while (this.nowMs < endMs) this.#tick(endMs);
  }

  /** Goes on to the next tick in which something happens, at most to `endMs`. */
  #tick(endMs: number): void {
    const { stations, crowd, backend } = this;
    this.nowMs = this.#nextMs(endMs);
    crowd.atMs(this.nowMs);
    backend.atMs(this.nowMs);
    this.#mischief.turn(this.nowMs);
    this.#watch.turn(this.nowMs);
    for (const station of stations) {
      station.advance(this.nowMs);
      backend.hear(station.back);
      crowd.hear(station.front);
    }
    backend.turn();
    crowd.turn();
    const from = stations.length > 1 ? this.#order.below(stations.length) : 0;
    for (let at = 0; at < stations.length; at += 1) stations[(from + at) % stations.length]!.step(this.nowMs);
  }

  #nextMs(endMs: number): number {
    const soon = this.nowMs + TICK_MS;
    let dueMs = Math.min(this.crowd.nextDueMs(), this.backend.nextDueMs(), this.#mischief.nextDueMs(), endMs);
    for (const station of this.stations) {
      if (station.isBusy) return soon;
      dueMs = Math.min(dueMs, station.nextDueMs());
    }
    return Math.max(soon, Math.ceil(dueMs / TICK_MS) * TICK_MS);
  }
}
