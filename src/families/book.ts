/**
 * book — what was seen of each manner of speaking, in bounded memory
 *
 * Sessions are counted by manner (dialect) among the MANNERS_MAX most frequent (heavy-hitters): how many ended well, how many
 * did not, and at which age, in bins, those left that left by their own clock: there a network counts once an hour
 * (network-sieve). Rows come from shards (leavings); the one thread that keeps the book writes it. Counts halve in an hour.
 *
 * Memory: 256 manners at 1.2 kB and the sieve, 0.4 MB, taken at birth, whoever comes.
 */
import { Level, levelOf, mannerOf, oddityOf, shownBy } from './dialect.ts';
import { HeavyHitters } from './heavy-hitters.ts';
import { BINS, binOf } from './leaving.ts';
import { Leaving } from './leavings.ts';
import { bitsIn, networkBit, NetworkSieve } from './network-sieve.ts';

export const MANNERS_MAX = 256;
const HALF_LIFE_MS = 3_600_000;
const DECAY_EVERY_MS = 60_000;
/** Who has fewer sessions forgets its networks. */
const SESSIONS_MIN = 0.5;

/** Manners that belong together, as one. */
export interface Group {
  /** Without its level; 0 for plain speech. */
  readonly oddity: number;
  /** The manners of it, each with its level. */
  readonly manners: readonly number[];
  /** Sessions that ended well, that delivered nothing; and what is in `counts` together. */
  readonly good: number;
  readonly bad: number;
  /** Of the latter those that had come to an envelope. */
  readonly badInEnvelope: number;
  readonly impatient: number;
  /** Networks of those that delivered nothing, at most 32 told apart. */
  readonly networks: number;
  /** Networks that left by their own clock, by bins of age. */
  readonly counts: Float32Array;
}

export class Book {
  /** Sessions, decayed. */
  sessions = 0;
  /** Sessions silent after a 5xx, and bits of their networks. */
  silent = 0;
  silentNetworks = 0;
  readonly #manners = new HeavyHitters(MANNERS_MAX);
  readonly #good = new Float32Array(MANNERS_MAX);
  readonly #bad = new Float32Array(MANNERS_MAX);
  readonly #networks = new Int32Array(MANNERS_MAX);
  readonly #counts = new Float32Array(MANNERS_MAX * BINS);
  readonly #sieve = new NetworkSieve();
  #decayedMs = -1;

  /** Manners that have a place now. */
  get manners(): number {
    return this.#manners.used;
  }

  /** Takes one session. */
  note(dialect: number, leaving: Leaving, ageMs: number, network0: number, network1: number): void {
    this.sessions += 1;
    const place = this.#manners.take(mannerOf(dialect), 0);
    if (this.#manners.isFresh) this.#clear(place);
    if (leaving === Leaving.Good) {
      this.#good[place]! += 1;
      return;
    }
    if (leaving === Leaving.Neutral) return;
    const bit = networkBit(network0, network1);
    this.#bad[place]! += 1;
    this.#networks[place]! |= bit;
    if (leaving === Leaving.Silent) {
      this.silent += 1;
      this.silentNetworks |= bit;
    }
    if (leaving !== Leaving.Impatient) return;
    const bin = binOf(ageMs);
    if (this.#sieve.isNew(mannerOf(dialect), bin, network0, network1)) this.#counts[place * BINS + bin]! += 1;
  }

  /** Lets old counts count less; returns the factor, 1 as long as it is not time. */
  age(nowMs: number): number {
    this.#sieve.age(nowMs);
    if (this.#decayedMs < 0) this.#decayedMs = nowMs;
    const passedMs = nowMs - this.#decayedMs;
    if (passedMs < DECAY_EVERY_MS) return 1;
    this.#decayedMs = nowMs;
    const factor = 0.5 ** (passedMs / HALF_LIFE_MS);
    this.sessions *= factor;
    this.silent *= factor;
    if (this.silent < SESSIONS_MIN) this.silentNetworks = 0;
    this.#manners.decay(factor);
    for (let place = 0; place < this.#manners.used; place++) {
      this.#good[place]! *= factor;
      this.#bad[place]! *= factor;
      if (this.#bad[place]! < SESSIONS_MIN) this.#networks[place] = 0;
    }
    for (let at = 0; at < this.#manners.used * BINS; at++) this.#counts[at]! *= factor;
    return factor;
  }

  /**
   * All manners, in groups: plain speech is one; a session that left before it could show all its oddities joins the most
   * frequent manner that it may have been the beginning of, and is a group of its own when there is none.
   */
  groups(): Group[] {
    const members = new Map<number, number[]>();
    for (let place = 0; place < this.#manners.used; place++) {
      const oddity = this.#fullOddity(place);
      const places = members.get(oddity);
      if (places === undefined) members.set(oddity, [place]);
      else places.push(place);
    }
    return [...members].map(([oddity, places]) => this.#groupOf(oddity, places));
  }

  #mannerAt(place: number): number {
    return this.#manners.keys[place * 2]!;
  }

  /** The oddity of the group that a manner belongs to. */
  #fullOddity(place: number): number {
    const manner = this.#mannerAt(place);
    const oddity = oddityOf(manner);
    const level = levelOf(manner);
    if (oddity === 0) return 0;
    let best = oddity;
    let most = 0;
    for (let other = 0; other < this.#manners.used; other++) {
      const whole = this.#mannerAt(other);
      if (levelOf(whole) <= level || shownBy(whole, level) !== oddity) continue;
      const weight = this.#bad[other]! + this.#good[other]!;
      if (weight <= most) continue;
      most = weight;
      best = oddityOf(whole);
    }
    return best;
  }

  #groupOf(oddity: number, places: readonly number[]): Group {
    const counts = new Float32Array(BINS);
    let good = 0;
    let bad = 0;
    let badInEnvelope = 0;
    let networks = 0;
    let impatient = 0;
    for (const place of places) {
      good += this.#good[place]!;
      bad += this.#bad[place]!;
      if (levelOf(this.#mannerAt(place)) >= Level.Envelope) badInEnvelope += this.#bad[place]!;
      networks |= this.#networks[place]!;
      for (let bin = 0; bin < BINS; bin++) {
        counts[bin]! += this.#counts[place * BINS + bin]!;
        impatient += this.#counts[place * BINS + bin]!;
      }
    }
    return {
      oddity,
      manners: places.map((place) => this.#mannerAt(place)),
      good,
      bad,
      badInEnvelope,
      impatient,
      networks: bitsIn(networks),
      counts,
    };
  }

  #clear(place: number): void {
    this.#good[place] = 0;
    this.#bad[place] = 0;
    this.#networks[place] = 0;
    this.#counts.fill(0, place * BINS, (place + 1) * BINS);
  }
}
