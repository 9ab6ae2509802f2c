/**
 * origins — the addresses that clients come from
 *
 * Zombies come from 127.64.0.0/10, honest senders from 127.32.0.0/11, so no two of them and neither of
 * them and a server on 127.0.0.1 share an address or a network.
 */
import type { Random } from '../src/base/prng.ts';
import type { Population } from './populations.ts';

const ZOMBIE_NETWORK = (127 << 24) | (64 << 16);
const ZOMBIE_SPREAD = 1 << 22;
const HONEST_NETWORK = (127 << 24) | (32 << 16);
const HONEST_SPREAD = 1 << 21;
/** Odd, so that multiplying by it permutes the numbers of a network whose size is a power of two. */
const SCATTER = 0x9e3779b1;
const HOSTS = 256;
const ROTATING_NETWORKS = 200;

/**
 * How often one address was seen to try, in 46,583 of them over 28 days (Chris Siebenmann's blog at Toronto): so many of
 * a thousand between `from` and `to` times. The last row was published without an end.
 */
export const triesTable = [
  { permille: 598, from: 1, to: 1 },
  { permille: 170, from: 2, to: 2 },
  { permille: 74, from: 3, to: 3 },
  { permille: 41, from: 4, to: 4 },
  { permille: 80, from: 5, to: 10 },
  { permille: 37, from: 11, to: 30 },
] as const;

/** Gives each zombie of a run its address. */
export interface Origins {
  next(): string;
}

/** The origins of a run of `sessions` zombies; when more come it begins anew. */
export function originsOf(
  population: Pick<Population, 'origins' | 'zombieAddresses'>,
  sessions: number,
  random: Random,
): Origins {
  switch (population.origins) {
    case 'drawn':
      return { next: () => zombieAddress(random.below(population.zombieAddresses)) };
    case 'tries':
      return new Tries(sessions, random);
    case 'rotating':
      return new Rotation(random);
  }
}

/** A pack of cards, one for each session: each address is on as many as it makes tries, and the pack is shuffled. */
class Tries implements Origins {
  readonly #pack: Int32Array;
  #at = 0;

  constructor(sessions: number, random: Random) {
    const pack = new Int32Array(Math.max(1, sessions));
    const first = random.below(ZOMBIE_SPREAD);
    let filled = 0;
    for (let host = first; filled < pack.length; host += 1) {
      const to = filled + drawTries(random);
      pack.fill(host, filled, to);
      filled = to;
    }
    for (let at = pack.length - 1; at > 0; at -= 1) {
      const other = random.below(at + 1);
      const card = pack[at] as number;
      pack[at] = pack[other] as number;
      pack[other] = card;
    }
    this.#pack = pack;
  }

  next(): string {
    if (this.#at === this.#pack.length) this.#at = 0;
    const host = this.#pack[this.#at] as number;
    this.#at += 1;
    return zombieAddress(host);
  }
}

function drawTries(random: Random): number {
  let left = random.below(1_000);
  for (const { permille, from, to } of triesTable) {
    if (left < permille) return from + random.below(to - from + 1);
    left -= permille;
  }
  return 1;
}

/** One network after the other, and in each another host every time. */
class Rotation implements Origins {
  readonly #firstNetwork: number;
  #at = 0;

  constructor(random: Random) {
    this.#firstNetwork = random.below(ZOMBIE_SPREAD / HOSTS);
  }

  next(): string {
    const round = Math.floor(this.#at / ROTATING_NETWORKS);
    const number = this.#firstNetwork + (this.#at % ROTATING_NETWORKS);
    const network = (Math.imul(number, SCATTER) >>> 0) % (ZOMBIE_SPREAD / HOSTS);
    this.#at += 1;
    return dotted(ZOMBIE_NETWORK | (network * HOSTS) | (Math.imul(round + number, SCATTER) & (HOSTS - 1)));
  }
}

/** The address of zombie host `index`, scattered over 127.64.0.0/10; equal indices give equal addresses. */
export function zombieAddress(index: number): string {
  return scattered(ZOMBIE_NETWORK, ZOMBIE_SPREAD, index);
}

/** Whether zombies come from this IPv4 address. */
export function isZombieAddress(address: string): boolean {
  const [first = 0, second = 0] = address.split('.', 2).map(Number);
  return first === 127 && second >= 64 && second < 128;
}

/** The address of honest host `index`, scattered over 127.32.0.0/11. */
export function honestAddress(index: number): string {
  return scattered(HONEST_NETWORK, HONEST_SPREAD, index);
}

function scattered(network: number, spread: number, index: number): string {
  return dotted(network | ((Math.imul(index + 1, SCATTER) >>> 0) % spread));
}

function dotted(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}
