/**
 * load — carries out a plan: lets clients come, turns the driver, stops in time, sums up
 *
 * Zombies and honest senders come by schedules of their own, both fixed by the seed. When the time is over
 * the zombies are cut and honest sessions get a grace; then what is left is cut too. So a run ends at the
 * latest `durationMs + graceMs` after it began, whatever the server does.
 */
import { Prng } from '../src/base/prng.ts';
import { Arrivals } from './arrivals.ts';
import { Cast } from './cast.ts';
import { SocketDriver } from './drivers/socket-driver.ts';
import type { ClientEnd } from './drivers/socket-driver.ts';
import type { Ledger } from './ledger.ts';
import { connectionsMax } from './plan.ts';
import type { Plan } from './plan.ts';
import { populations } from './populations.ts';
import { honestAddress, originsOf } from './origins.ts';
import type { Origins } from './origins.ts';
import { spreadOf } from './tally.ts';
import type { TallySummary } from './tally.ts';

const TURN_MS = 10;
/**
 * Honest clients are numbered from here, zombies from 1, so that neither's numbers hang on the other's
 * timing.
 */
const HONEST_SERIALS = 100_000_000;

/** What is to be seen while it runs. */
export interface Glance {
  readonly seconds: number;
  readonly zombiesOpen: number;
  readonly zombiesStarted: number;
  readonly zombiesGone: number;
  readonly honestOpen: number;
  readonly honestStarted: number;
  readonly honestDelivered: number;
  readonly honestDeliverMsP99: number;
  readonly zombiesDelivered: number;
}

export interface LoadResult {
  readonly plan: Plan;
  readonly elapsedMs: number;
  readonly connectionsOpenMax: number;
  /** Clients that should have come when as many as the plan allows were there already. */
  readonly withheld: number;
  readonly errors: Readonly<Record<string, number>>;
  /** The polite first, then the zombies, then other honest senders. */
  readonly kinds: readonly TallySummary[];
}

/** The addresses of a plan's zombies, in the order of their arrival. */
export function zombieOrigins({ population, sessions, seed }: Plan): Origins {
  return originsOf(populations[population], sessions, new Prng(seed).fork('origins'));
}

export class Load {
  readonly plan: Plan;
  /** Called once a second while it runs. */
  onSecond: (glance: Glance) => void = () => {};
  /** Called for each client that has ended. Zombies' serial numbers are those of their arrival, from 1. */
  onEnded: (end: ClientEnd) => void = () => {};
  readonly #cast: Cast;
  readonly #driver: SocketDriver;
  readonly #startMs = performance.now();
  readonly #zombieArrivals: Arrivals;
  readonly #honestArrivals: Arrivals;
  readonly #honestChoices: Prng;
  readonly #origins: Origins;
  #zombiesStarted = 0;
  #honestStarted = 0;
  #openMax = 0;
  #withheld = 0;
  #secondsShown = 0;
  #isStopped = false;

  /** Throws when the target is not on loopback. The schedule begins now. */
  constructor(plan: Plan) {
    this.plan = plan;
    const random = new Prng(plan.seed);
    this.#cast = new Cast(plan.population, plan);
    this.#driver = new SocketDriver(plan.target, this.#cast.bots, connectionsMax(plan), plan.seed, () =>
      this.#nowMs(),
    );
    this.#driver.onEnded = (end) => this.onEnded(end);
    const hasZombies = this.#cast.hasZombies && plan.sessions > 0;
    this.#zombieArrivals = new Arrivals(
      hasZombies ? plan.rate : 0,
      plan.curve,
      plan.durationMs,
      random.fork('zombies'),
    );
    this.#honestArrivals = new Arrivals(plan.honestPerSecond, 'flat', plan.durationMs, random.fork('honest'));
    this.#honestChoices = random.fork('honest choices');
    this.#origins = zombieOrigins(plan);
  }

  /** What every message was told. */
  get ledger(): Ledger {
    return this.#driver.ledger;
  }

  /** Ends the run early: everybody is cut at the next turn. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Runs to the end. */
  async run(): Promise<LoadResult> {
    await new Promise<void>((resolve) => {
      const turns = setInterval(() => {
        if (this.#turn()) return;
        clearInterval(turns);
        resolve();
      }, TURN_MS);
    });
    return this.#result();
  }

  /** One turn; false when everything is over. */
  #turn(): boolean {
    const nowMs = this.#nowMs();
    this.#admit(nowMs);
    this.#driver.turn();
    this.#openMax = Math.max(this.#openMax, this.#driver.open);
    if (Math.floor(nowMs / 1_000) > this.#secondsShown) {
      this.#secondsShown = Math.floor(nowMs / 1_000);
      this.onSecond(this.#glance());
    }
    if (this.#isStopped || nowMs >= this.plan.durationMs + this.plan.graceMs) this.#driver.cut('all');
    else if (nowMs >= this.plan.durationMs) this.#driver.cut('zombies');
    return (
      this.#driver.open > 0 || !(this.#isStopped || nowMs >= this.plan.durationMs || this.#nobodyComes())
    );
  }

  #admit(nowMs: number): void {
    if (this.#isStopped) return;
    const { sessions, keep, honestAddresses, honestSessions } = this.plan;
    while (this.#zombieArrivals.take(nowMs)) {
      if ((keep ? this.#zombiesOpen() : this.#zombiesStarted) >= sessions) continue;
      this.#zombiesStarted += 1;
      const address = this.#origins.next();
      if (!this.#driver.start(this.#cast.zombieAt(address), address, this.#zombiesStarted))
        this.#withheld += 1;
    }
    while (this.#honestArrivals.take(nowMs)) {
      if (honestSessions > 0 && this.#honestStarted >= honestSessions) continue;
      this.#honestStarted += 1;
      const bot = this.#cast.honestSender(this.#honestChoices);
      const address = honestAddress(this.#honestChoices.below(honestAddresses));
      if (!this.#driver.start(bot, address, HONEST_SERIALS + this.#honestStarted)) this.#withheld += 1;
    }
  }

  #nobodyComes(): boolean {
    const { plan } = this;
    const isHonestOver =
      plan.honestPerSecond === 0 || (plan.honestSessions > 0 && this.#honestStarted >= plan.honestSessions);
    const isZombiesOver = this.#zombiesStarted >= plan.sessions || !this.#cast.hasZombies;
    return isHonestOver && isZombiesOver && !plan.keep;
  }

  #zombiesOpen(): number {
    return this.#driver.open - this.#honestOpen();
  }

  #honestOpen(): number {
    return this.#cast.bots.reduce((sum, bot, at) => (bot.honest ? sum + this.#driver.openOf(at) : sum), 0);
  }

  #glance(): Glance {
    const honest = this.#driver.tallies.filter((tally) => tally.honest);
    const others = this.#driver.tallies.filter((tally) => !tally.honest);
    const open = this.#zombiesOpen();
    return {
      seconds: this.#secondsShown,
      zombiesOpen: open,
      zombiesStarted: this.#zombiesStarted,
      zombiesGone: this.#zombiesStarted - open,
      honestOpen: this.#honestOpen(),
      honestStarted: honest.reduce((sum, tally) => sum + tally.started, 0),
      honestDelivered: honest.reduce((sum, tally) => sum + tally.messages2xx, 0),
      honestDeliverMsP99: Math.max(...honest.map(({ deliverMs }) => spreadOf(deliverMs).p99)),
      zombiesDelivered: others.reduce((sum, tally) => sum + tally.messages2xx, 0),
    };
  }

  #result(): LoadResult {
    return {
      plan: this.plan,
      elapsedMs: Math.round(this.#nowMs()),
      connectionsOpenMax: this.#openMax,
      withheld: this.#withheld,
      errors: Object.fromEntries(this.#driver.errors),
      kinds: this.#driver.tallies.map((tally) => tally.summary()),
    };
  }

  #nowMs(): number {
    return performance.now() - this.#startMs;
  }
}
