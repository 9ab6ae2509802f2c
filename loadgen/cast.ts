/**
 * cast — the bots of one run: an index per kind, and draws that keep a population's shares
 *
 * `bots[0]` is the polite sender, behind it stand the zombies in the order of their shares, then the other honest
 * kinds.
 */
import type { Random } from '../src/base/prng.ts';
import type { Bot } from './bots/bot.ts';
import { smallPost } from './bots/post.ts';
import { honestSender } from './honest.ts';
import { populations } from './populations.ts';
import type { Population, PopulationName } from './populations.ts';
import { zombies } from './zombies.ts';
import type { ZombieName } from './zombies.ts';

/** What a cast is made for: the run's name in message ids, the domain mail is for, everybody's patience. */
export interface CastOptions {
  readonly run: string;
  readonly rcptDomain: string;
  /** Zombies' patience in percent of the published one. */
  readonly patiencePercent: number;
  /** Honest senders' timers in percent of their length: for tests that scale a server's delays likewise. */
  readonly timersPercent: number;
}

const castDefaults: CastOptions = {
  run: 'load',
  rcptDomain: smallPost.rcptDomain,
  patiencePercent: 100,
  timersPercent: 100,
};

export class Cast {
  readonly bots: readonly Bot[];
  readonly population: Population;
  /** The index of the polite sender in `bots`. */
  readonly honest = 0;
  readonly #shares: readonly number[];
  readonly #sharesSum: number;
  readonly #honestBots: readonly number[];

  constructor(name: PopulationName, options: Partial<CastOptions> = {}) {
    const full = { ...castDefaults, ...options };
    this.population = populations[name];
    const { hasty, shares, honestKinds } = this.population;
    const entries = Object.entries(shares) as [ZombieName, number][];
    const others = honestKinds.filter((kind) => kind !== 'polite');
    this.bots = [
      honestSender('polite', full),
      ...entries.map(([zombie]) => zombies[zombie].make({ ...full, hasty })),
      ...others.map((kind) => honestSender(kind, full)),
    ];
    this.#shares = entries.map(([, share]) => share);
    this.#sharesSum = this.#shares.reduce((sum, share) => sum + share, 0);
    this.#honestBots = honestKinds.map((kind) =>
      kind === 'polite' ? this.honest : 1 + entries.length + others.indexOf(kind),
    );
  }

  /** Whether `zombie` has anybody to draw. */
  get hasZombies(): boolean {
    return this.#shares.length > 0;
  }

  /** Draws the index of a zombie. Throws for a population that has none. */
  zombie(random: Random): number {
    return this.#kindAt(random.below(Math.max(1, this.#sharesSum)));
  }

  /** The zombie that lives at an address: the same one whenever it comes back, since a host has one program on it. */
  zombieAt(address: string): number {
    let hash = 0x811c9dc5;
    for (let at = 0; at < address.length; at += 1)
      hash = Math.imul(hash ^ address.charCodeAt(at), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    hash = Math.imul(hash ^ (hash >>> 13), 0x297a2d39);
    return this.#kindAt(((hash ^ (hash >>> 16)) >>> 0) % Math.max(1, this.#sharesSum));
  }

  #kindAt(place: number): number {
    if (!this.hasZombies) throw new Error('this population has no zombies');
    let left = place;
    let index = 0;
    while (left >= (this.#shares[index] as number)) {
      left -= this.#shares[index] as number;
      index += 1;
    }
    return index + 1;
  }

  /** Draws the index of an honest sender; where there is one kind only, nothing is drawn. */
  honestSender(random: Random): number {
    const { length } = this.#honestBots;
    return this.#honestBots[length === 1 ? 0 : random.below(length)] as number;
  }
}
