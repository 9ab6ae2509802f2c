/**
 * dialect — how a client speaks, as the bits of one word
 *
 * Programs that send mail differ in ways that say nothing of the mail: HELO or EHLO, what stands behind it, the case of
 * verbs, blanks where none belong, order, waiting for replies, what follows a refusal, QUIT or not, TLS or not. The stages set
 * bits where the bytes are judged anyway; a session carries one word of 32 bits and nothing else.
 *
 * A part of the word is the manner: the bits that senders which keep the standard do not set, and how far the session came.
 * Sessions of one manner are counted together (book). Who left early cannot have shown all: `shownBy` says what it can have.
 *
 * Cost: a look at each byte of a verb, and for MAIL and RCPT at a few bytes behind it; no allocation.
 * Not taken: the sequence of verbs as such. With refusals and pace it differs from session to session of the same program.
 */
import { Oddity } from '../smtp/line-reader.ts';
import { Verb } from '../smtp/verbs.ts';

/** One bit each. Bits 2 to 4 hold the shape of the HELO argument, bits 30 and 31 how far the session came. */
export const Trait = {
  Helo: 1 << 0,
  Ehlo: 1 << 1,
  LowerVerb: 1 << 5,
  MixedVerb: 1 << 6,
  /** "MAIL FROM: <…": a blank behind the colon. */
  BlankInPath: 1 << 7,
  /** A path without angle brackets. */
  BarePath: 1 << 8,
  Parameters: 1 << 9,
  /** Blanks at the end of a line. */
  Trailing: 1 << 10,
  /** More than one blank, or a TAB, behind a verb. */
  WideGap: 1 << 11,
  /** "from:" or "To:". */
  SmallKeyword: 1 << 12,
  Early: 1 << 13,
  /** Took the first line of the greeting for the whole. */
  FirstLine: 1 << 14,
  Ahead: 1 << 15,
  Pipelines: 1 << 16,
  BareLf: 1 << 17,
  /** A verb before HELO that needs one, or MAIL inside an envelope. */
  Disorder: 1 << 18,
  Resets: 1 << 19,
  /** NOOP, VRFY, EXPN, HELP. */
  Asks: 1 << 20,
  Foreign: 1 << 21,
  Auth: 1 << 22,
  Tls: 1 << 23,
  Unknown: 1 << 24,
  Quits: 1 << 25,
  /** Went on behind a 4xx, or a 5xx. */
  Past4: 1 << 26,
  Past5: 1 << 27,
  /** The last reply was a 4xx, or a 5xx. */
  Last4: 1 << 28,
  Last5: 1 << 29,
} as const;

const SHAPE_SHIFT = 2;
const SHAPE_BITS = 7 << SHAPE_SHIFT;
const LEVEL_SHIFT = 30;

/** What stands behind HELO, in bits 2 to 4. */
export const Shape = { None: 0, Domain: 1, Word: 2, Literal: 3, Address: 4, Odd: 5 } as const;
export type Shape = (typeof Shape)[keyof typeof Shape];
export const SHAPES = 8;

/** How far a session came, in bits 30 and 31. */
export const Level = { Silent: 0, Hello: 1, Envelope: 2 } as const;
export type Level = (typeof Level)[keyof typeof Level];

const oddAtOnce = Trait.Early | Trait.FirstLine | Trait.Foreign;
const oddInHello =
  Trait.LowerVerb |
  Trait.MixedVerb |
  Trait.Trailing |
  Trait.WideGap |
  Trait.Ahead |
  Trait.BareLf |
  Trait.Disorder |
  Trait.Auth |
  Trait.Unknown;
const oddInEnvelope = Trait.BlankInPath | Trait.BarePath | Trait.SmallKeyword;
const odd = oddAtOnce | oddInHello | oddInEnvelope;

const shown: readonly number[] = [
  oddAtOnce,
  oddAtOnce | oddInHello | SHAPE_BITS,
  odd | SHAPE_BITS,
  odd | SHAPE_BITS,
];

/** How far the session of a word, or of a manner, came. */
export function levelOf(word: number): Level {
  return (word >>> LEVEL_SHIFT) as Level;
}

/** The shape of the argument of HELO. */
export function shapeOf(word: number): Shape {
  return ((word & SHAPE_BITS) >>> SHAPE_SHIFT) as Shape;
}

/** The word with a session that came to `level`, if it had not come further. */
export function reached(word: number, level: Level): number {
  return levelOf(word) >= level ? word : (word & ~(3 << LEVEL_SHIFT)) | (level << LEVEL_SHIFT);
}

/** What is odd about a word, and its level: the key by which sessions are counted. */
export function mannerOf(word: number): number {
  const shape = shapeOf(word) >= Shape.Word ? word & SHAPE_BITS : 0;
  return (word & (odd | (3 << LEVEL_SHIFT))) | shape;
}

/** What is odd about a manner, without its level; 0 for plain speech. */
export function oddityOf(manner: number): number {
  return manner & (odd | SHAPE_BITS);
}

/** Of the oddities of a manner those that somebody who came to `level` can have shown. */
export function shownBy(manner: number, level: Level): number {
  return oddityOf(manner) & shown[level]!;
}

/** Whether a session with the oddity `now` may turn out to have the oddity `later` before it ends. */
export function mayBecome(now: number, later: number): boolean {
  return (now & odd & ~later) === 0 && (now & SHAPE_BITS) === (later & SHAPE_BITS);
}

/** The word after a reply with this first digit ("2" is 0x32). */
export function replied(word: number, digit: number): number {
  const cleared = word & ~(Trait.Last4 | Trait.Last5);
  if (digit === 0x34) return cleared | Trait.Last4;
  return digit === 0x35 ? cleared | Trait.Last5 : cleared;
}

const SP = 0x20;
const TAB = 0x09;
const COLON = 0x3a;
const LESS = 0x3c;

/** The word after a command line bytes[start … end) with this verb; `argument` is where the text behind the verb begins. */
export function heard(
  word: number,
  verb: Verb,
  bytes: Uint8Array,
  start: number,
  argument: number,
  end: number,
  oddities: number,
): number {
  let next = word | verbTraits[verb]!;
  if (verb !== Verb.Quit) {
    if ((word & Trait.Last4) !== 0) next |= Trait.Past4;
    if ((word & Trait.Last5) !== 0) next |= Trait.Past5;
  }
  if ((oddities & Oddity.BareLf) !== 0) next |= Trait.BareLf;
  if (verb >= Verb.Unknown) return next;
  next |= spelling(bytes, start, argument, end);
  if (verb === Verb.Ehlo || verb === Verb.Helo) {
    const shape = shapeOfName(bytes, argument, end);
    return reached((next & ~SHAPE_BITS) | (shape << SHAPE_SHIFT), Level.Hello);
  }
  if (verb === Verb.Mail || verb === Verb.Rcpt)
    return reached(next | pathTraits(bytes, argument, end), Level.Envelope);
  return next;
}

/** Case of the verb, and the blanks behind it and at the end of the line. */
function spelling(bytes: Uint8Array, start: number, argument: number, end: number): number {
  let traits = 0;
  let small = 0;
  let at = start;
  for (; at < end && bytes[at] !== SP && bytes[at] !== TAB; at++) if (bytes[at]! >= 0x61) small++;
  if (small > 0) traits |= small === at - start ? Trait.LowerVerb : Trait.MixedVerb;
  if (argument < end && (argument - at > 1 || bytes[at] === TAB)) traits |= Trait.WideGap;
  if (end > start && (bytes[end - 1] === SP || bytes[end - 1] === TAB)) traits |= Trait.Trailing;
  return traits;
}

/** The argument of MAIL or RCPT. */
function pathTraits(bytes: Uint8Array, argument: number, end: number): number {
  let traits = 0;
  let at = argument;
  for (; at < end && bytes[at] !== COLON; at++) if (bytes[at]! >= 0x61) traits |= Trait.SmallKeyword;
  at++;
  if (at < end && (bytes[at] === SP || bytes[at] === TAB)) traits |= Trait.BlankInPath;
  while (at < end && (bytes[at] === SP || bytes[at] === TAB)) at++;
  if (at < end && bytes[at] !== LESS) traits |= Trait.BarePath;
  for (; at < end && bytes[at] !== SP; at++);
  return at < end - 1 ? traits | Trait.Parameters : traits;
}

function shapeOfName(bytes: Uint8Array, start: number, end: number): Shape {
  if (start >= end) return Shape.None;
  if (bytes[start] === 0x5b) return Shape.Literal;
  let dots = 0;
  let digits = 0;
  let others = 0;
  let length = 0;
  for (let at = start; at < end && bytes[at] !== SP && bytes[at] !== TAB; at++, length++) {
    const byte = bytes[at]!;
    const letter = byte | 0x20;
    if (byte === 0x2e) dots++;
    else if (byte >= 0x30 && byte <= 0x39) digits++;
    else if ((letter < 0x61 || letter > 0x7a) && byte !== 0x2d) others++;
  }
  if (others > 0) return Shape.Odd;
  if (dots === 3 && digits === length - 3) return Shape.Address;
  return dots > 0 ? Shape.Domain : Shape.Word;
}

const verbTraits: readonly number[] = Array.from({ length: Verb.NonSmtp + 1 }, (_, verb) => {
  switch (verb) {
    case Verb.Ehlo:
      return Trait.Ehlo;
    case Verb.Helo:
      return Trait.Helo;
    case Verb.Rset:
      return Trait.Resets;
    case Verb.Quit:
      return Trait.Quits;
    case Verb.Noop:
    case Verb.Vrfy:
    case Verb.Expn:
    case Verb.Help:
      return Trait.Asks;
    case Verb.Auth:
      return Trait.Auth;
    case Verb.Unknown:
      return Trait.Unknown;
    case Verb.NonSmtp:
      return Trait.Foreign;
    default:
      return 0;
  }
});
