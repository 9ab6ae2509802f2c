/**
 * zombies — every kind of zombie by the name it has in tables
 *
 * One row a kind: what it does, and how one is made for a run. Shares and numbers are a population's business
 * (populations.ts).
 */
import { Accented, clumsy, smallLetters } from './bots/accented.ts';
import type { Bot } from './bots/bot.ts';
import { Dripper } from './bots/dripper.ts';
import { Hanger } from './bots/hanger.ts';
import { Harvester } from './bots/harvester.ts';
import { Holder, STORM_HOLDS_MS } from './bots/holder.ts';
import { HttpTalker } from './bots/http-talker.ts';
import { CLIMBOT_LEAVES_MS, Impatient, RUSTOCK_LEAVES_MS } from './bots/impatient.ts';
import { between, exactly, scaled } from './bots/patience.ts';
import type { PatienceBand } from './bots/patience.ts';
import { Perfect } from './bots/perfect.ts';
import { Pipeliner } from './bots/pipeliner.ts';
import { smallPost } from './bots/post.ts';
import type { Post } from './bots/post.ts';
import { Pregreeter } from './bots/pregreeter.ts';
import { Spammer } from './bots/spammer.ts';

/** What a zombie is made for. */
export interface ZombieOptions {
  /** The first part of every message id. */
  readonly run: string;
  readonly rcptDomain: string;
  /** Patience in percent of the published one. */
  readonly patiencePercent: number;
  /** How long the hasty wait. */
  readonly hasty: readonly PatienceBand[];
}

type Make = (options: ZombieOptions) => Bot;

const spamPost = (options: ZombieOptions, change: Partial<Post> = {}): Post => ({
  ...smallPost,
  run: options.run,
  rcptDomain: options.rcptDomain,
  rcptsMax: 4,
  unknownPercent: 30,
  messagesMax: 2,
  ...change,
});
const hastyOf = (options: ZombieOptions): readonly PatienceBand[] =>
  scaled(options.hasty, options.patiencePercent);
const scaledMs = (ms: number, options: ZombieOptions): number =>
  Math.round((ms * options.patiencePercent) / 100);

/** Every kind of zombie, how to make it and what it does, by the name it has in tables. */
export const zombies = {
  hasty: {
    says: 'takes its turns, and does not wait',
    make: (o) => new Spammer('hasty', spamPost(o), hastyOf(o)),
  },
  pregreeter: {
    says: 'speaks before the greeting is over',
    make: (o) => new Pregreeter('pregreeter', spamPost(o), hastyOf(o)),
  },
  pipeliner: {
    says: 'says everything in one go after the greeting',
    make: (o) => new Pipeliner('pipeliner', spamPost(o), hastyOf(o)),
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
  holder: {
    says: 'does not wait, unless it is refused: then it is silent for 5 minutes',
    make: (o) =>
      new Holder(
        'holder',
        spamPost(o, { unknownPercent: 90, rcptsMax: 2 }),
        scaledMs(STORM_HOLDS_MS, o),
        hastyOf(o),
      ),
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
  hanger: {
    says: 'stops in the middle, and stays longer than a server waits',
    make: (o) => new Hanger('hanger', spamPost(o), scaled(between(600_000, 900_000), o.patiencePercent)),
  },
  patient: {
    says: 'takes its turns, and waits 5 to 20 minutes',
    make: (o) => new Spammer('patient', spamPost(o), scaled(between(300_000, 1_200_000), o.patiencePercent)),
  },
  perfect: {
    says: 'speaks as a real mail server, QUIT included, and does not wait',
    make: (o) => new Perfect('perfect', spamPost(o), hastyOf(o)),
  },
  'patient-5min': {
    says: 'speaks as a real mail server, and stays 5 minutes in all',
    make: (o) => new Perfect('patient-5min', spamPost(o), scaled(exactly(300_000), o.patiencePercent)),
  },
  'patient-10min': {
    says: 'speaks as a real mail server, and stays 10 minutes in all',
    make: (o) => new Perfect('patient-10min', spamPost(o), scaled(exactly(600_000), o.patiencePercent)),
  },
} as const satisfies Record<string, { readonly says: string; readonly make: Make }>;
export type ZombieName = keyof typeof zombies;
