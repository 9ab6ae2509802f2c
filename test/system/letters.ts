/**
 * letters — a mailbox of awkward mail that follows from its seed
 *
 * Every letter is composed: pieces of text, header fields, perhaps wraps around them, perhaps an odd frame, perhaps a damage.
 * The letters take the shapes of all tables in turn, so that each shape leads as many letters as any other, and draw others
 * beside it. Equal seeds give equal octets. Pure: nothing is read, sent or written here.
 */
import { Prng } from '../../src/base/prng.ts';
import type { Random } from '../../src/base/prng.ts';
import { damages, frames, wholeMessage, wraps } from './letter-frames.ts';
import type { Part } from './letter-frames.ts';
import { fieldPieces, octets, oneOf, some, textPieces, words } from './letter-pieces.ts';

export interface Letter {
  /** From 0 on. */
  readonly number: number;
  /** The titles of what it is made of. */
  readonly shapes: readonly string[];
  /** What is to arrive: lines as they came, no dot doubled. */
  readonly octets: Buffer;
}

type Kind = 'text' | 'field' | 'wrap' | 'frame' | 'damage';

const kindOf = new Map<string, Kind>([
  ...textPieces.map(({ title }) => [title, 'text'] as const),
  ...fieldPieces.map(({ title }) => [title, 'field'] as const),
  ...wraps.map(({ title }) => [title, 'wrap'] as const),
  ...frames.map(({ title }) => [title, 'frame'] as const),
  ...damages.map(({ title }) => [title, 'damage'] as const),
]);

/** The titles of all shapes, in the order of their tables. */
export const shapeTitles: readonly string[] = [...kindOf.keys()];

const titlesOf = (kind: Kind): readonly string[] => shapeTitles.filter((title) => kindOf.get(title) === kind);
/** Kinds drawn for a letter, with how often out of a hundred each is drawn once more. */
const drawn: readonly (readonly [Kind, number])[] = [
  ['text', 45],
  ['field', 30],
  ['wrap', 25],
  ['frame', 15],
  ['damage', 10],
];

function titlesFor(number: number, random: Random): Set<string> {
  const lead = shapeTitles[number % shapeTitles.length]!;
  const titles = new Set([lead]);
  for (const [kind, percent] of drawn) {
    // A letter has one frame and one damage.
    const isTaken = (kind === 'frame' || kind === 'damage') && kindOf.get(lead) === kind;
    const rounds = isTaken ? 0 : kind === 'text' || kind === 'field' ? 2 : 1;
    for (let round = 0; round < rounds; round += 1)
      if (random.below(100) < percent) titles.add(oneOf(random, titlesOf(kind)));
  }
  return titles;
}

function compose(number: number, titles: ReadonlySet<string>, random: Random): Buffer {
  const pieces = textPieces.filter(({ title }) => titles.has(title));
  const fields = fieldPieces.filter(({ title }) => titles.has(title));
  let part: Part = {
    fields: Buffer.alloc(0),
    text: Buffer.concat([
      octets(`${words(random, some(random, 12))}\r\n`),
      ...pieces.map(({ write }) => write(random)),
    ]),
  };
  for (const { title, wrap } of wraps) if (titles.has(title)) part = wrap(part, random);
  const own = octets(`From: <a@honest.test>\r\nSubject: letter ${number}\r\n`);
  const header = Buffer.concat([own, ...fields.map(({ write }) => write(random)), part.fields]);
  const frame = frames.find(({ title }) => titles.has(title))?.frame ?? wholeMessage;
  const message = frame(header, part.text, random);
  const damage = damages.find(({ title }) => titles.has(title))?.damage;
  return damage === undefined ? message : damage(message, random);
}

/** The first `count` letters of the mailbox with this seed. */
export function lettersOf(seed: number, count: number): Letter[] {
  const mailbox = new Prng(seed);
  return Array.from({ length: count }, (_, number) => {
    const random = mailbox.fork(`letter ${number}`);
    const titles = titlesFor(number, random);
    return { number, shapes: [...titles], octets: compose(number, titles, random) };
  });
}

const oddity = /\r\n|\r|\n|\0/g;

/** Whether a message has a bare CR, a bare LF or a NUL: by one regular expression, unlike the code that it judges. */
export function isOdd(message: Buffer): boolean {
  return (message.toString('latin1').match(oddity) ?? []).some((found) => found !== '\r\n');
}

/** The message as `smtp.bare_newline = "normalize"` has it: LF becomes CR LF; CR and NUL become a space. */
export function normalized(message: Buffer): Buffer {
  const anew = (found: string): string => (found === '\r\n' || found === '\n' ? '\r\n' : ' ');
  return octets(message.toString('latin1').replace(oddity, anew));
}

/** The message with the line end behind its last line that DATA cannot do without; nothing stays nothing. */
export function ended(message: Buffer): Buffer {
  const isWhole = message.length === 0 || message.subarray(-2).toString('latin1') === '\r\n';
  return isWhole ? message : Buffer.concat([message, octets('\r\n')]);
}

/** The message as it travels behind DATA: ended, dots doubled at the starts of lines, the final dot behind it. */
export function behindData(message: Buffer): Buffer {
  const text = ended(message).toString('latin1');
  return octets(`${text.replace(/(^|\r\n)\./g, '$1..')}.\r\n`);
}
