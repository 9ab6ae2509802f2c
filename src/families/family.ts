/**
 * family — one family, and what its sessions have in common
 *
 * Bounded: two histograms of ages, a tally for each bit of the dialect, and the most frequent networks.
 *
 * Its patience is read off those sessions alone that were slowed and left by their own clock: who is never made to wait leaves
 * soon, and that says nothing. It is told once enough of them have left, and told anew when it has moved by more than a
 * tenth, so that shards are not given another table for every session.
 */
import { Shape, SHAPES, shapeOf, Trait } from './dialect.ts';
import { HeavyHitters } from './heavy-hitters.ts';
import { BINS, binOf, quantileMs } from './leaving.ts';
import type { Habit } from './labels.ts';

const NETWORKS_MAX = 16;
/** A trait belongs to the family when so many percent of its sessions have it. */
const TRAIT_PERCENT = 60;
const SOME_PERCENT = 15;
/** So many must have left a wait before it is said how long all of them wait. */
const WAITS_MIN = 20;
/** The patience of a family is the time before which so many percent of them had left. */
const PATIENT_PERCENT = 99;
/** A patience that moves by less, in percent, is still the same. */
const SAME_PERCENT = 10;

const traitWords: readonly (readonly [number, string])[] = [
  [Trait.Early, 'speaks before the greeting is over'],
  [Trait.FirstLine, 'takes its first line for the whole'],
  [Trait.Foreign, 'speaks another protocol'],
  [Trait.LowerVerb, 'verbs in small letters'],
  [Trait.MixedVerb, 'verbs in mixed case'],
  [Trait.SmallKeyword, '"from:" in small letters'],
  [Trait.BlankInPath, 'a blank before the path'],
  [Trait.BarePath, 'paths without <>'],
  [Trait.Parameters, 'parameters behind the path'],
  [Trait.Trailing, 'blanks at the end of lines'],
  [Trait.WideGap, 'wide blanks behind verbs'],
  [Trait.BareLf, 'lines end in a bare LF'],
  [Trait.Ahead, 'does not wait for replies'],
  [Trait.Pipelines, 'pipelines where it is offered'],
  [Trait.Disorder, 'verbs out of order'],
  [Trait.Unknown, 'unknown verbs'],
  [Trait.Auth, 'tries AUTH'],
  [Trait.Asks, 'NOOP, VRFY or HELP'],
  [Trait.Resets, 'RSET'],
  [Trait.Tls, 'STARTTLS'],
  [Trait.Past4, 'goes on after 4xx'],
  [Trait.Past5, 'goes on after 5xx'],
  [Trait.Last5, 'silent after a 5xx'],
  [Trait.Last4, 'silent after a 4xx'],
  [Trait.Quits, 'QUIT'],
];

const shapeWords: Readonly<Record<Shape, string>> = {
  [Shape.None]: 'without a name',
  [Shape.Domain]: 'a domain',
  [Shape.Word]: 'a bare word',
  [Shape.Literal]: 'an address literal',
  [Shape.Address]: 'a bare address',
  [Shape.Odd]: 'an odd name',
};

export class Family {
  readonly id: string;
  /** A family found by its spike is known by its manner alone once that is certain. */
  habit: Habit;
  /** Of the group it was found in. */
  readonly oddity: number;
  /** The middle of its spike; -1 without one. */
  readonly bin: number;
  readonly sinceMs: number;
  /** The known name, '' for none. */
  name = '';
  seenMs: number;
  /** Sessions since it was found, decayed. */
  sessions = 0;
  /** How long its sessions wait at most, as it was told last; 0 as long as that is not known. */
  patienceMs = 0;
  readonly networks = new HeavyHitters(NETWORKS_MAX);
  readonly #ages = new Float32Array(BINS);
  readonly #waits = new Float32Array(BINS);
  #waited = 0;
  readonly #traits = new Float32Array(32);
  readonly #shapes = new Float32Array(SHAPES);

  constructor(id: string, habit: Habit, oddity: number, bin: number, nowMs: number) {
    this.id = id;
    this.habit = habit;
    this.oddity = oddity;
    this.bin = bin;
    this.sinceMs = nowMs;
    this.seenMs = nowMs;
  }

  /** What it is called: the known name, or its id. */
  get label(): string {
    return this.name === '' ? this.id : this.name;
  }

  /** Takes a session that belongs to it. `isWait`: it was slowed, and left by its own clock. */
  note(
    dialect: number,
    isWait: boolean,
    ageMs: number,
    network0: number,
    network1: number,
    nowMs: number,
  ): void {
    const bin = binOf(ageMs);
    this.sessions += 1;
    this.seenMs = nowMs;
    this.#ages[bin]! += 1;
    if (isWait) {
      this.#waited += 1;
      this.#waits[bin]! += 1;
    }
    for (let bit = 0; bit < 32; bit++) if ((dialect & (1 << bit)) !== 0) this.#traits[bit]! += 1;
    this.#shapes[shapeOf(dialect)]! += 1;
    this.networks.take(network0, network1);
  }

  decay(factor: number): void {
    this.sessions *= factor;
    this.#waited *= factor;
    this.networks.decay(factor);
    for (const counts of [this.#ages, this.#waits, this.#traits, this.#shapes])
      for (let at = 0; at < counts.length; at++) counts[at]! *= factor;
  }

  /** Looks anew how long its sessions wait. What too few have shown leaves what was known before. */
  settlePatience(): void {
    if (this.#waited < WAITS_MIN) return;
    const foundMs = Math.round(quantileMs(this.#waits, PATIENT_PERCENT));
    if (Math.abs(foundMs - this.patienceMs) * 100 > this.patienceMs * SAME_PERCENT) this.patienceMs = foundMs;
  }

  /** Milliseconds before which this many percent of its sessions had left. */
  ageMs(percent: number): number {
    return quantileMs(this.#ages, percent);
  }

  /** How it speaks, for people. */
  dialectText(): string {
    const helloes = this.#tally(Trait.Helo) + this.#tally(Trait.Ehlo);
    if (this.sessions < 1) return 'not told yet';
    const words = [this.#helloText(helloes)];
    for (const [trait, says] of traitWords)
      if (this.#tally(trait) * 100 >= this.sessions * TRAIT_PERCENT) words.push(says);
    if (this.#tally(Trait.Quits) * 100 < this.sessions * SOME_PERCENT) words.push('no QUIT');
    if (this.#tally(Trait.Tls) === 0) words.push('no TLS');
    return words.join(', ');
  }

  #helloText(helloes: number): string {
    if (helloes * 100 < this.sessions * SOME_PERCENT) return 'says nothing';
    const says = [
      ...(this.#tally(Trait.Helo) * 100 >= helloes * SOME_PERCENT ? ['HELO'] : []),
      ...(this.#tally(Trait.Ehlo) * 100 >= helloes * SOME_PERCENT ? ['EHLO'] : []),
    ].join(' or ');
    let shape: Shape = Shape.None;
    for (let other = 1; other < SHAPES; other++)
      if (this.#shapes[other]! > this.#shapes[shape]! || shape === Shape.None) shape = other as Shape;
    return `${says} with ${shapeWords[shape] ?? 'a name'}`;
  }

  #tally(trait: number): number {
    return this.#traits[31 - Math.clz32(trait)]!;
  }
}
