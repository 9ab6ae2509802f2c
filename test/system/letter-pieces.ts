/**
 * letter-pieces — the awkward header fields and pieces of text of which letters are made
 *
 * Each row of a table is a shape: its title, and what it writes, in octets, lines ended by CR LF. What it writes depends on the
 * chance it is given and on nothing else. Every shape was seen in real mail, in the test mails of other servers or in their
 * bug reports; none breaks the rule that lines end in CR LF (those that do are damages, letter-frames).
 */
import type { Random } from '../../src/base/prng.ts';

/** A shape that writes something of its own: fields of a header, or lines of text. */
export interface Piece {
  readonly title: string;
  readonly write: (random: Random) => Buffer;
}

const CRLF = '\r\n';
const WORDS = ['reed', 'otter', 'mill', 'gate', 'water', 'stone', 'of', 'the', 'bridge', 'wheel'];

/** ASCII or latin-1 text as octets. */
export const octets = (text: string): Buffer => Buffer.from(text, 'latin1');

/** One of a list. */
export const oneOf = <T>(random: Random, list: readonly T[]): T => list[random.below(list.length)]!;

/** From 1 to `most`. */
export const some = (random: Random, most: number): number => 1 + random.below(most);

const lines = (texts: readonly string[]): Buffer => octets(texts.map((text) => text + CRLF).join(''));

/** `count` of what `make` makes. */
export const several = <T>(count: number, make: (at: number) => T): T[] =>
  Array.from({ length: count }, (_, at) => make(at));

/** Words of plain text without a line end. */
export function words(random: Random, count: number): string {
  return several(count, () => oneOf(random, WORDS)).join(' ');
}

/** Octets drawn from all but NUL, CR and LF. */
function anyOctets(random: Random, count: number): string {
  const drawn = several(count, () => 1 + random.below(255));
  return String.fromCharCode(...drawn.map((octet) => (octet === 10 || octet === 13 ? 46 : octet)));
}

/** A line of exactly so many octets, its end not counted; every third is nothing but dots. */
function longLine(random: Random, count: number): string {
  const text = oneOf(random, ['0123456789', '.', `${words(random, 7)} `]);
  return oneOf(random, ['', '.', '..'])
    .concat(text.repeat(Math.ceil(count / text.length)))
    .slice(0, count);
}

const longLines =
  (count: number) =>
  (random: Random): Buffer =>
    lines(['before', longLine(random, count), '.', 'behind']);

/** Phrases in the octets of their charset. */
const phrases = [
  ['iso-8859-1', 'Gr\xfc\xdfe aus M\xfcnchen, \xa0 \xbfqu\xe9 tal?'],
  ['windows-1252', '\x93quoted\x94 \x96 5 \x80 \x85'],
  ['koi8-r', '\xf0\xd2\xc9\xd7\xc5\xd4, \xcd\xc9\xd2!'],
  ['shift_jis', '\x83\x65\x83\x58\x83\x67 \x81\x5c\x95\x5c'],
  ['gb18030', '\xb2\xe2\xca\xd4 \x81\x30\x81\x30'],
  ['iso-2022-jp', '\x1b$B%F%9%H\x1b(B'],
  ['utf-8', '\xc3\xa4\xe2\x82\xac\xf0\x9f\x8c\x8a \xe2\x80\xa8 \xc2\x85'],
  ['euc-kr', '\xc5\xd7\xbd\xba\xc6\xae'],
] as const;

/** Pieces of text. */
export const textPieces: readonly Piece[] = [
  {
    title: 'dots at line starts',
    write: (random) =>
      lines(several(some(random, 9), () => '.'.repeat(random.below(5)) + words(random, random.below(3)))),
  },
  {
    title: 'lines of one dot alone',
    write: (random) =>
      lines(['before', ...several(some(random, 6), () => oneOf(random, ['.', '.', '..', '', '. ']))]),
  },
  { title: 'lines of 998 octets', write: longLines(998) },
  { title: 'lines of 999 octets', write: longLines(999) },
  { title: 'lines of 2,048 octets', write: longLines(2_048) },
  { title: 'lines of 70,000 octets', write: longLines(70_000) },
  {
    title: '8-bit text in a charset of its own',
    write: (random) => {
      const [charset, phrase] = oneOf(random, phrases);
      return lines([
        `This is ${charset}:`,
        phrase,
        ...several(random.below(20), () => phrase.repeat(some(random, 4))),
      ]);
    },
  },
  {
    title: 'every octet but NUL, CR and LF',
    write: (random) => lines(several(some(random, 12), () => anyOctets(random, some(random, 300)))),
  },
  {
    title: 'octets that are no UTF-8',
    write: () => lines(['\xc3', '\xc3(', '\xed\xa0\x80', '\xf8\x88\x80\x80\x80', '\xff\xfe', '\xc0\xae']),
  },
  {
    title: 'control octets, form feeds and line separators of Unicode',
    write: (random) =>
      lines(
        several(some(random, 20), () =>
          oneOf(random, ['\f', '\v.', '\x85.', '\xe2\x80\xa8.', '\x1a', '\x7f', '\b\x1b[0m', '\xef\xbb\xbf']),
        ),
      ),
  },
  {
    title: 'very many short lines',
    write: (random) =>
      lines(several(1_000 + random.below(3_000), () => oneOf(random, ['', 'a', '.', 'ab', '\t']))),
  },
  { title: 'empty lines', write: (random) => lines(several(some(random, 40), () => '')) },
  {
    title: 'format=flowed',
    write: (random) =>
      lines([
        ...several(some(random, 9), () => `${words(random, 9)} `),
        ' From here',
        ' >quoted',
        '>> deeper ',
        '-- ',
        'me',
      ]),
  },
  {
    title: 'blanks and tabs at the edges of lines, and lines of nothing else',
    write: (random) =>
      lines(
        several(some(random, 12), () => oneOf(random, [' ', '\t', ' \t  ', '   in ', '\tin\t', 'out  '])),
      ),
  },
  {
    title: 'lines that begin with From',
    write: (random) =>
      lines([
        'From the beginning',
        'From me@a.test Thu Jan  1 00:00:00 2009',
        '>From',
        '>>From ',
        words(random, 5),
        'From ',
      ]),
  },
  {
    title: 'lines like boundaries',
    write: () =>
      lines(['--', '----', '--=_part_1', '--=_part_1--', '------=_NextPart_000_0000_01C0', '--=_part_', '']),
  },
  {
    title: 'lines like commands',
    write: () =>
      lines([
        'QUIT',
        'RSET',
        '.',
        'MAIL FROM:<evil@evil.test>',
        'RCPT TO:<anna@example.test>',
        'DATA',
        'BDAT 5 LAST',
        '.',
        '250 Ok',
        '354 go',
      ]),
  },
  {
    title: 'a base64 attachment',
    write: (random) => {
      const encoded = octets(anyOctets(random, some(random, 20_000))).toString('base64');
      return lines(['Content-Transfer-Encoding: base64', '', ...(encoded.match(/.{1,76}/g) ?? [])]);
    },
  },
  {
    title: 'quoted-printable with soft line ends',
    write: (random) =>
      lines(
        several(some(random, 30), () =>
          oneOf(random, ['=2E', '.=', `${words(random, 8)}=20=`, '=0D=0A=', '=', '=3D=C3=A4 ', '..=']),
        ),
      ),
  },
  {
    title: 'uuencode',
    write: (random) =>
      lines([
        'begin 644 a.bin',
        ...several(
          some(random, 90),
          () => `M${several(60, () => String.fromCharCode(33 + random.below(63))).join('')}`,
        ),
        '`',
        'end',
      ]),
  },
];

const folds = ['\r\n ', '\r\n\t', '\r\n   ', '\r\n \t'];

/** Header fields. */
export const fieldPieces: readonly Piece[] = [
  {
    title: 'folded header fields',
    write: (random) =>
      octets(
        several(
          some(random, 5),
          (at) =>
            `X-Folded-${at}: ${several(some(random, 9), () => words(random, 4)).join(oneOf(random, folds))}${CRLF}`,
        ).join(''),
      ),
  },
  {
    title: 'a fold of blanks alone',
    write: (random) => lines(['X-Hollow: a', oneOf(random, [' ', '\t', '  \t']), ' b']),
  },
  {
    title: 'a header field of 60 kB, folded',
    write: (random) =>
      lines([
        `References: ${several(1_500, (at) => `<${at}.${random.below(1e6)}@honest.test>`).join('\r\n ')}`,
      ]),
  },
  {
    title: 'a header line of 5,000 octets',
    write: (random) => lines([`X-Long: ${words(random, 2_000).slice(0, 5_000)}`]),
  },
  {
    title: 'hundreds of header fields',
    write: (random) => lines(several(300 + random.below(300), (at) => `X-Field-${at}: ${random.below(1e9)}`)),
  },
  {
    title: 'a header of 120 kB',
    write: () => lines(several(120, (at) => `X-Huge-${at}: ${'h'.repeat(990)}`)),
  },
  {
    title: 'a field of a thousand addresses',
    write: (random) =>
      lines([
        `Cc: ${several(1_000, (at) => `"A. ${at}" <a${random.below(1e6)}@honest.test>`).join(',\r\n\t')}`,
      ]),
  },
  {
    title: 'UTF-8 in the header',
    write: () =>
      lines([
        'Subject: Gr\xc3\xbc\xc3\x9fe \xe2\x82\xac',
        'From: J\xc3\xbcrgen <j\xc3\xbcrgen@honest.test>',
        'X-\xc3\xa4: x',
      ]),
  },
  {
    title: '8-bit octets in the header',
    write: (random) => lines([`Subject: ${oneOf(random, phrases)[1]}`, `X-Raw: ${anyOctets(random, 60)}`]),
  },
  {
    title: 'encoded words',
    write: () =>
      lines(['Subject: =?utf-8?B?R3LDvMOfZQ==?=', ' =?iso-8859-1?Q?=FC=2E?= =?koi8-r?q?_?=', '\t=?broken?=']),
  },
  {
    title: 'empty and odd header fields',
    write: () => lines(['X-Empty:', 'X-Blank: ', 'X-Space : a', ':', 'x:y', 'X-Colons:::', 'X-Tab:\ta\t']),
  },
  {
    title: 'a line that is no field among the fields',
    write: () => lines(['X-Before: 1', 'this is no field', 'X-Behind: 2']),
  },
  {
    title: 'the same field twice',
    write: () =>
      lines([
        'Subject: one',
        'Subject: two',
        'Message-ID: <1@a.test>',
        'Message-ID: <2@a.test>',
        'Bcc: b@a.test',
      ]),
  },
  {
    title: 'a chain of Received and signatures of domains',
    write: (random) =>
      lines([
        ...several(
          some(random, 20),
          (at) => `Received: from a${at}.test\r\n\tby b${at}.test; Thu, 1 Jan 2009 00:00:00 +0000`,
        ),
        'DKIM-Signature: v=1; a=rsa-sha256;\r\n\tbh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=',
        'Authentication-Results: a.test',
      ]),
  },
  { title: 'dots at the starts of header lines', write: () => lines(['.X-Dot: a', 'X-Fold: a', ' .', '.']) },
];
