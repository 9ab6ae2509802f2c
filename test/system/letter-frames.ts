/**
 * letter-frames — what is done to a whole letter: wrapped into others, framed oddly, damaged
 *
 * A wrap makes of a text another one with what MIME puts around it. A frame makes of header and text a message that
 * lacks what one expects, and is still one. A damage breaks the rule that lines end in CR LF, or brings NUL: such a
 * letter is refused, or written anew, as `smtp.bare_newline` says.
 */
import { createHash } from 'node:crypto';
import type { Random } from '../../src/base/prng.ts';
import { octets, oneOf, several, some, words } from './letter-pieces.ts';

/** A text and the fields that say what it is. */
export interface Part {
  readonly fields: Buffer;
  readonly text: Buffer;
}

/** A shape that puts a part into another one. */
export interface Wrap {
  readonly title: string;
  readonly wrap: (part: Part, random: Random) => Part;
}

/** A shape of the whole message, of header and text. */
export interface Frame {
  readonly title: string;
  readonly frame: (header: Buffer, text: Buffer, random: Random) => Buffer;
}

/** A shape that breaks something in a whole message. */
export interface Damage {
  readonly title: string;
  readonly damage: (message: Buffer, random: Random) => Buffer;
}

const EMPTY_LINE = octets('\r\n');
const join = (...parts: readonly (Buffer | string)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? octets(part) : part)));

const entity = ({ fields, text }: Part): Buffer => join(fields, EMPTY_LINE, text);

function multipart(parts: readonly Buffer[], kind: string, random: Random, isEnded = true): Part {
  const boundary =
    oneOf(random, ['=_part_', '----=_NextPart_000_', "'()+_,-./:=?", 'x']) + String(random.below(1e9));
  const bodies = parts.map((part) => join(`\r\n--${boundary}\r\n`, part));
  const end = isEnded ? `\r\n--${boundary}--${oneOf(random, ['', ' '])}\r\n` : '\r\n';
  return {
    fields: octets(`MIME-Version: 1.0\r\nContent-Type: multipart/${kind};\r\n\tboundary="${boundary}"\r\n`),
    text: join(
      oneOf(random, ['', 'This is a message in several parts.\r\n']),
      ...bodies,
      end,
      oneOf(random, ['', 'epilogue\r\n']),
    ),
  };
}

const plain = (random: Random): Buffer => octets(`Content-Type: text/plain\r\n\r\n${words(random, 6)}`);
const digestOf = (part: Buffer): string => createHash('sha256').update(part).digest('base64');

export const wraps: readonly Wrap[] = [
  {
    title: 'MIME nested up to thirty deep',
    wrap: (part, random) => {
      let now = part;
      for (let depth = some(random, 30); depth > 0; depth -= 1)
        now = multipart(
          random.below(2) === 0 ? [entity(now)] : [plain(random), entity(now)],
          'mixed',
          random,
        );
      return now;
    },
  },
  {
    title: 'a message in a message in a message',
    wrap: (part, random) => {
      let now = part;
      for (let depth = some(random, 5); depth > 0; depth -= 1) {
        const inner = join('From: <>\r\nSubject: returned\r\n', entity(now));
        now = { fields: octets('Content-Type: message/rfc822\r\n'), text: inner };
      }
      return now;
    },
  },
  {
    title: 'a multipart without its last boundary',
    wrap: (part, random) => multipart([entity(part)], 'mixed', random, false),
  },
  {
    title: 'signed with S/MIME, which any change breaks',
    wrap: (part, random) => {
      const signed = entity(part);
      const signature = `Content-Type: application/pkcs7-signature; name=smime.p7s\r\n\r\n${digestOf(signed)}`;
      return multipart([signed, octets(signature)], 'signed; micalg=sha-256', random);
    },
  },
  {
    title: 'signed in the clear as with PGP, with trailing blanks',
    wrap: ({ fields, text }, random) => ({
      fields,
      text: join(
        '-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\n- --\r\n- -----\r\n',
        text,
        `${words(random, 3)}   \r\n\r\n-----BEGIN PGP SIGNATURE-----\r\n\r\n${digestOf(text)}\r\n=abcd\r\n-----END PGP SIGNATURE-----\r\n`,
      ),
    }),
  },
];

/** The message as it should be. */
export const wholeMessage = (header: Buffer, text: Buffer): Buffer => join(header, EMPTY_LINE, text);

/** Without the line end that it ends with, if it does. */
function withoutLastEnd(message: Buffer): Buffer {
  const ends = message.subarray(-2).equals(EMPTY_LINE);
  return ends ? message.subarray(0, -2) : message;
}

export const frames: readonly Frame[] = [
  { title: 'no header', frame: (_header, text) => text },
  { title: 'a header and nothing else, not even an empty line', frame: (header) => header },
  { title: 'a header and an empty body', frame: (header) => wholeMessage(header, Buffer.alloc(0)) },
  { title: 'nothing at all', frame: () => Buffer.alloc(0) },
  { title: 'an empty line and nothing else', frame: () => EMPTY_LINE },
  {
    title: 'no line end at the end',
    frame: (header, text) => withoutLastEnd(wholeMessage(header, join(text, 'the end\r\n'))),
  },
  {
    title: 'a dot at the very end, without a line end',
    frame: (header, text) => join(wholeMessage(header, text), lackingEnd(text), '.'),
  },
  {
    title: 'empty lines in front of the header',
    frame: (header, text) => join('\r\n\r\n', wholeMessage(header, text)),
  },
  {
    title: 'blanks in front of the header',
    frame: (header, text) => join(' \t', wholeMessage(header, text)),
  },
  {
    title: 'a From line of a mailbox file in front',
    frame: (header, text) => join('From a@b.test Thu Jan  1 00:00:00 2009\r\n', wholeMessage(header, text)),
  },
  {
    title: 'empty lines at the end',
    frame: (header, text, random) => join(wholeMessage(header, text), '\r\n'.repeat(some(random, 9))),
  },
];

/** The line end that a text lacks. */
function lackingEnd(text: Buffer): string {
  return text.length === 0 || text.subarray(-2).equals(EMPTY_LINE) ? '' : '\r\n';
}

/** Puts `what` in at a place drawn anew for each. */
function sprinkle(message: Buffer, what: readonly string[], random: Random): Buffer {
  let now = message;
  for (const one of what) {
    const at = random.below(now.length + 1);
    now = join(now.subarray(0, at), one, now.subarray(at));
  }
  return now;
}

/** A few of a list, at drawn places. */
const sprinkled =
  (...list: readonly string[]) =>
  (message: Buffer, random: Random): Buffer =>
    sprinkle(
      message,
      several(some(random, 3), () => oneOf(random, list)),
      random,
    );

/** Every line end becomes another one. */
const lineEnds =
  (end: string) =>
  (message: Buffer): Buffer =>
    octets(join(message, 'x\r\n').toString('latin1').replaceAll('\r\n', end));

export const damages: readonly Damage[] = [
  { title: 'bare LF at some places', damage: sprinkled('\n', '\n\n', 'a\nb') },
  { title: 'bare CR at some places', damage: sprinkled('a\rb', ' \r ', '\r\r\ra') },
  { title: 'every line ended by LF', damage: lineEnds('\n') },
  { title: 'every line ended by CR', damage: lineEnds('\r') },
  { title: 'every line ended by CR CR LF', damage: lineEnds('\r\r\n') },
  { title: 'LF CR', damage: sprinkled('\n\ra', 'a\n\r\n\ra') },
  { title: 'NUL at some places', damage: sprinkled('\0', '\0\0', '.\0') },
  {
    title: 'a block of NUL, as of a file that was never written',
    damage: (message, random) => join(message, '\0'.repeat(some(random, 9_000)), '\r\n'),
  },
  {
    title: 'UTF-16, sent as it is',
    damage: (message) => join(message, Buffer.from('\uFEFFLine one\r\n.\r\nLine two\r\n', 'utf16le'), '\r\n'),
  },
  {
    title: 'a dot alone between ends that are none',
    damage: sprinkled('a\n.\nb', 'a\r.\rb', 'a\n.\r\nb', 'a\r\n.\nb', '\n..\n', 'a\r\n.\0\r\n'),
  },
  { title: 'CR at the very end', damage: (message) => join(withoutLastEnd(message), 'x\r') },
  { title: 'LF at the very end', damage: (message) => join(withoutLastEnd(message), 'x\n') },
];
