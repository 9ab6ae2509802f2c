/**
 * populations — named mixtures of zombies, with the published fact behind each share
 *
 * A population says how many zombies are of which kind, where they come from, how many of their addresses a DNS block
 * list has, which honest senders come beside them, and in one sentence what it is for. How many honest senders come
 * a second is the run's decision, not the population's.
 */
import { hastyPatience, hastyPatience2009 } from './bots/patience.ts';
import type { PatienceBand } from './bots/patience.ts';
import type { HonestName } from './honest.ts';
import type { ZombieName } from './zombies.ts';

export interface Population {
  readonly says: string;
  /** Zombies by kind, in percent or in hundredths of a percent: they add up to 100 or to 10,000. */
  readonly shares: Readonly<Partial<Record<ZombieName, number>>>;
  /** How long its hasty ones wait, and those that speak early or all at once. */
  readonly hasty: readonly PatienceBand[];
  /**
   * Where a zombie comes from (origins.ts): `drawn` among `zombieAddresses`; `tries`, so that addresses come back as
   * often as they were seen to; `rotating` through 200 networks, each time another address.
   */
  readonly origins: 'drawn' | 'tries' | 'rotating';
  /** With `drawn`: zombies draw their address among this many. */
  readonly zombieAddresses: number;
  /** How many of a hundred zombie addresses a DNS block list has. */
  readonly listedPercent: number;
  /** Kinds of honest senders, in equal shares. */
  readonly honestKinds: readonly HonestName[];
}

const usual = {
  hasty: hastyPatience,
  origins: 'drawn',
  zombieAddresses: 1_000_000,
  listedPercent: 95,
  honestKinds: ['polite'],
} as const satisfies Partial<Population>;

/**
 * The zombies of 2009 and 2010 in hundredths of a percent. Published:
 *
 * - Speak before the greeting: over 60 % at one site, over 70 % at another (W. Venema, LISA 2010); here 65 %.
 * - About 1 % pipeline, about 1 % hang until the server's timeout (same).
 * - Nine of ten are gone after 10 s of slow speech (MailChannels at MAAWG, February 2008). Here 65 % that speak early,
 *   1 % that pipeline, 24.85 % that do neither and Storm, 98 % of whom wait 1 to 10 s: 90.0 % of all.
 * - Rustock leaves at 21 s, Climbot at 100 s (MailChannels, March 2009). How many there were is not published, a
 *   spike stands out: 5 % and 2 % are assumed.
 * - Storm is silent for 5 minutes after a 550 (LISA 2010). How many there were is not published, nor how long it waits for a
 *   slow reply before: 1 %, and no more patience than the hasty, are assumed. The population `storm` is the patient kind.
 * - 99.6 % of zombies' connections end before delivery (MailChannels, June 2009), and who waits longest waits up to ten
 *   minutes: so a few are patient. 0.15 % wait 5 to 20 minutes here.
 */
const shares2009 = {
  pregreeter: 6_500,
  hasty: 2_485,
  rustock: 500,
  climbot: 200,
  holder: 100,
  pipeliner: 100,
  hanger: 100,
  patient: 15,
} as const;

/**
 * As in 2009, and all of them alike in what is not the population's subject. What was published of 2009 was seen by slowing
 * down everybody on a DNS list, so all of that population are listed. Of those who spoke early 1 % and 8 % were on no list at two sites
 * (LISA 2010): the others, and `2009-unlisted`, have 95 % on it.
 */
const as2009 = {
  hasty: hastyPatience2009,
  origins: 'tries',
  zombieAddresses: 0,
  listedPercent: 95,
  honestKinds: ['polite'],
} as const satisfies Partial<Population>;

export const populations = {
  mixed: {
    ...usual,
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
  },
  storm: {
    ...usual,
    says: 'the botnet that fills server processes: refused, then silent for 5 minutes',
    shares: { storm: 90, pregreeter: 8, hasty: 2 },
    zombieAddresses: 200_000,
  },
  2009: {
    ...as2009,
    says: 'the year of the disconnect spikes at 21 s and 100 s: nine of ten gone after 10 s of slow speech, 65 % that speak early, all on a list',
    shares: shares2009,
    listedPercent: 100,
  },
  '2009-unlisted': {
    ...as2009,
    says: 'the same, one in twenty of them on no list',
    shares: shares2009,
  },
  perfect: {
    ...as2009,
    says: 'flawless SMTP, QUIT included, and no more patience than in 2009',
    shares: { perfect: 100 },
  },
  'patient-5min': {
    ...as2009,
    says: 'flawless SMTP from zombies that stay 5 minutes in all',
    shares: { 'patient-5min': 100 },
  },
  'patient-10min': {
    ...as2009,
    says: 'flawless SMTP from zombies that stay 10 minutes in all',
    shares: { 'patient-10min': 100 },
  },
  rotating: {
    ...as2009,
    says: 'the zombies of 2009, each connection from a new address in one of 200 networks, half of them listed',
    shares: shares2009,
    origins: 'rotating',
    listedPercent: 50,
  },
  families: {
    ...usual,
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
  },
  patient: {
    ...usual,
    says: 'zombies that keep the protocol and wait: the hardest to tell and the longest to hold',
    shares: { climbot: 50, storm: 40, dripper: 10 },
  },
  drippers: {
    ...usual,
    says: 'a flood that is after slots alone: one byte a second, for as long as it is let',
    shares: { dripper: 100 },
    zombieAddresses: 200_000,
  },
  honest: {
    ...usual,
    says: 'no zombie at all: what the machine does for honest mail alone',
    shares: {},
    zombieAddresses: 0,
    listedPercent: 0,
  },
  'broken-honest': {
    ...usual,
    says: 'no zombie, and honest senders of which three of four break the timers of RFC 5321',
    shares: {},
    zombieAddresses: 0,
    listedPercent: 0,
    honestKinds: ['polite', 'total-timeout', 'short-block', 'mailing-list'],
  },
} as const satisfies Record<string, Population>;
export type PopulationName = `${keyof typeof populations}`;

/**
 * Whether a DNS block list has this zombie. Follows from the address alone, and is spread evenly: of each /24, in full,
 * `listedPercent` are listed.
 */
export function isListed(address: string, population: Pick<Population, 'listedPercent'>): boolean {
  const [first = 0, second = 0, third = 0, host = 0] = address.split('.').map(Number);
  const network = stir((first << 16) | (second << 8) | third);
  // The hosts of a network in an order of its own; odd, so that the product permutes them.
  const rank = (Math.imul(host, 167) + network) & 255;
  // The part of a host that is left over is listed in as many networks as there are parts.
  return rank * 100 + ((network >>> 8) % 100) < population.listedPercent * 256;
}

function stir(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
