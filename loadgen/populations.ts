/**
 * populations — named mixtures of zombies, with the published fact behind each share
 *
 * A population says how many of a hundred zombies are of which kind, from how many addresses they come, and
 * in one sentence what it is for. Honest senders are a kind of their own beside it: how many of them come a
 * second is the run's decision, not the population's.
 *
 * Zombies come from 127.64.0.0/10, honest senders from 127.32.0.0/11, so no two of them and neither of
 * them and a server on 127.0.0.1 share an address or a network.
 */
import type { Random } from '../src/base/prng.ts';
import { Accented, clumsy, smallLetters } from './bots/accented.ts';
import type { Bot } from './bots/bot.ts';
import { Dripper } from './bots/dripper.ts';
import { Harvester } from './bots/harvester.ts';
import { Holder, STORM_HOLDS_MS } from './bots/holder.ts';
import { HttpTalker } from './bots/http-talker.ts';
import { CLIMBOT_LEAVES_MS, Impatient, RUSTOCK_LEAVES_MS } from './bots/impatient.ts';
import { between, hastyPatience, rfc5321Timers, scaled } from './bots/patience.ts';
import { Pipeliner } from './bots/pipeliner.ts';
import { PoliteMta } from './bots/polite-mta.ts';
import { smallPost } from './bots/post.ts';
import type { Post } from './bots/post.ts';
import { Pregreeter } from './bots/pregreeter.ts';
import { Spammer } from './bots/spammer.ts';

/** What a cast is made for: the run's name in message ids, the domain mail is for, zombies' patience. */
export interface CastOptions {
  readonly run: string;
  readonly rcptDomain: string;
  /** Zombies' patience in percent of the published one; honest senders always keep RFC 5321. */
  readonly patiencePercent: number;
}

export const castDefaults: CastOptions = {
  run: 'load',
  rcptDomain: smallPost.rcptDomain,
  patiencePercent: 100,
};

type Make = (options: CastOptions) => Bot;

const spamPost = (options: CastOptions, change: Partial<Post> = {}): Post => ({
  ...smallPost,
  run: options.run,
  rcptDomain: options.rcptDomain,
  rcptsMax: 4,
  unknownPercent: 30,
  messagesMax: 2,
  ...change,
});
const scaledMs = (ms: number, options: CastOptions): number =>
  Math.round((ms * options.patiencePercent) / 100);

/** Every kind of zombie, how to make it and what it does, by the name it has in tables. */
export const zombies = {
  hasty: {
    says: 'takes its turns, and nine of ten leave within 15 s',
    make: (o) => new Spammer('hasty', spamPost(o), scaled(hastyPatience, o.patiencePercent)),
  },
  pregreeter: {
    says: 'speaks before the greeting is over',
    make: (o) => new Pregreeter('pregreeter', spamPost(o), scaled(hastyPatience, o.patiencePercent)),
  },
  pipeliner: {
    says: 'says everything in one go after the greeting',
    make: (o) => new Pipeliner('pipeliner', spamPost(o), scaled(hastyPatience, o.patiencePercent)),
  },
  rustock: {
    says: 'leaves 21 s after it connected',
    make: (o) => new Impatient('rustock', spamPost(o), scaledMs(RUSTOCK_LEAVES_MS, o)),
  },
  climbot: {
    says: 'leaves 100 s after it connected',
    make: (o) => new Impatient('climbot', spamPost(o), scaledMs(CLIMBOT_LEAVES_MS, o)),
  },
  storm: {
    says: 'is silent for 5 minutes after a refusal',
    make: (o) =>
      new Holder('storm', spamPost(o, { unknownPercent: 90, rcptsMax: 2 }), scaledMs(STORM_HOLDS_MS, o)),
  },
  whisperer: {
    says: 'writes its verbs in small letters, and leaves after 47 s, refused or not',
    make: (o) =>
      new Accented(
        new Impatient('whisperer', spamPost(o, { unknownPercent: 100 }), scaledMs(47_000, o)),
        smallLetters,
      ),
  },
  clumsy: {
    says: 'greets as a friend, writes a blank before each path, and leaves after 20 to 90 s',
    make: (o) =>
      new Accented(
        new Impatient(
          'clumsy',
          spamPost(o, { unknownPercent: 100 }),
          scaled(between(20_000, 90_000), o.patiencePercent),
        ),
        clumsy,
      ),
  },
  punctual: {
    says: 'speaks as others do, and leaves after 33 s',
    make: (o) => new Impatient('punctual', spamPost(o, { unknownPercent: 100 }), scaledMs(33_000, o)),
  },
  http: {
    says: 'speaks HTTP at once',
    make: (o) => new HttpTalker('http', spamPost(o), scaled(between(5_000, 60_000), o.patiencePercent)),
  },
  dripper: {
    says: 'sends one byte a second for up to 10 minutes',
    make: (o) => new Dripper('dripper', spamPost(o), scaled(between(120_000, 600_000), o.patiencePercent)),
  },
  harvester: {
    says: 'tries up to 100 names at RCPT',
    make: (o) =>
      new Harvester(
        'harvester',
        spamPost(o, { unknownPercent: 95, rcptsMax: 100 }),
        scaled(between(30_000, 300_000), o.patiencePercent),
      ),
  },
} as const satisfies Record<string, { readonly says: string; readonly make: Make }>;
export type ZombieName = keyof typeof zombies;

export interface Population {
  readonly says: string;
  /** Percent of the zombies, by kind; they add up to 100. */
  readonly shares: Readonly<Partial<Record<ZombieName, number>>>;
  /** Zombies draw their address among this many. */
  readonly zombieAddresses: number;
}

export const populations = {
  mixed: {
    says: 'a bit of every kind, with nearly half that cannot wait for the greeting',
    shares: {
      pregreeter: 45,
      hasty: 20,
      rustock: 12,
      climbot: 8,
      storm: 6,
      pipeliner: 3,
      http: 2,
      dripper: 2,
      harvester: 2,
    },
    zombieAddresses: 1_000_000,
  },
  storm: {
    says: 'the botnet that fills server processes: refused, then silent for 5 minutes',
    shares: { storm: 90, pregreeter: 8, hasty: 2 },
    zombieAddresses: 200_000,
  },
  2009: {
    says: 'the year of the disconnect spikes at 21 s and 100 s, with 60 % that speak early and 1 % that pipeline',
    shares: { pregreeter: 60, rustock: 20, climbot: 10, hasty: 7, storm: 1, pipeliner: 1, dripper: 1 },
    zombieAddresses: 1_000_000,
  },
  families: {
    says: 'two families of 2009, Storm and three that nobody has named, among hasty ones and early talkers',
    shares: {
      hasty: 36,
      pregreeter: 14,
      rustock: 14,
      climbot: 10,
      whisperer: 7,
      clumsy: 7,
      punctual: 7,
      storm: 4,
      dripper: 1,
    },
    zombieAddresses: 1_000_000,
  },
  patient: {
    says: 'zombies that keep the protocol and wait: the hardest to tell and the longest to hold',
    shares: { climbot: 50, storm: 40, dripper: 10 },
    zombieAddresses: 1_000_000,
  },
  drippers: {
    says: 'a flood that is after slots alone: one byte a second, for as long as it is let',
    shares: { dripper: 100 },
    zombieAddresses: 200_000,
  },
  honest: {
    says: 'no zombie at all: what the machine does for honest mail alone',
    shares: {},
    zombieAddresses: 0,
  },
} as const satisfies Record<string, Population>;
export type PopulationName = `${keyof typeof populations}`;

/** The bots of one run: an index per kind, honest first, and a draw that keeps the shares. */
export class Cast {
  readonly bots: readonly Bot[];
  readonly population: Population;
  readonly #shares: readonly number[];

  constructor(name: PopulationName, options: Partial<CastOptions> = {}) {
    const full = { ...castDefaults, ...options };
    this.population = populations[name];
    const entries = Object.entries(this.population.shares) as [ZombieName, number][];
    this.bots = [politeMta(full), ...entries.map(([zombie]) => zombies[zombie].make(full))];
    this.#shares = entries.map(([, percent]) => percent);
  }

  /** The index of the honest sender in `bots`. */
  readonly honest = 0;

  /** Draws the index of a zombie. Throws for a population that has none. */
  zombie(random: Random): number {
    if (this.#shares.length === 0) throw new Error('this population has no zombies');
    let left = random.below(100);
    let index = 0;
    while (left >= (this.#shares[index] as number)) {
      left -= this.#shares[index] as number;
      index += 1;
    }
    return index + 1;
  }
}

function politeMta(options: CastOptions): Bot {
  return new PoliteMta({ ...smallPost, run: options.run, rcptDomain: options.rcptDomain }, rfc5321Timers);
}

const ZOMBIE_NETWORK = (127 << 24) | (64 << 16);
const ZOMBIE_SPREAD = 1 << 22;
const HONEST_NETWORK = (127 << 24) | (32 << 16);
const HONEST_SPREAD = 1 << 21;
/** Odd, so that multiplying by it permutes the numbers of a network whose size is a power of two. */
const SCATTER = 0x9e3779b1;

/** The address of zombie host `index`, scattered over 127.64.0.0/10; equal indices give equal addresses. */
export function zombieAddress(index: number): string {
  return scattered(ZOMBIE_NETWORK, ZOMBIE_SPREAD, index);
}

/** The address of honest host `index`, scattered over 127.32.0.0/11. */
export function honestAddress(index: number): string {
  return scattered(HONEST_NETWORK, HONEST_SPREAD, index);
}

function scattered(network: number, spread: number, index: number): string {
  const host = (Math.imul(index + 1, SCATTER) >>> 0) % spread;
  const address = (network | host) >>> 0;
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}
