/**
 * verbs — the commands a client may say, and the words that are no SMTP at all
 *
 * One table: every verb of RFC 5321 and its extensions that Sluice has an answer to, most of them a refusal.
 * `verbOf` reads the first word of a line without making a string: up to eight letters folded into two
 * integers and compared with a column of the same. A word outside the table is Unknown; a word that shows
 * another protocol (HTTP, TLS, a mail header where a command should stand) is NonSmtp, the sign of a client
 * that was pointed at port 25 by somebody else.
 */
import { upper } from '../base/ascii.ts';

/** Numbers of the verbs; the order is that of `verbTable`. */
export const Verb = {
  Ehlo: 0,
  Helo: 1,
  Mail: 2,
  Rcpt: 3,
  Data: 4,
  Bdat: 5,
  Rset: 6,
  Noop: 7,
  Quit: 8,
  Help: 9,
  Vrfy: 10,
  Expn: 11,
  Etrn: 12,
  Starttls: 13,
  Auth: 14,
  Xclient: 15,
  Xforward: 16,
  Turn: 17,
  Unknown: 18,
  NonSmtp: 19,
} as const;
export type Verb = (typeof Verb)[keyof typeof Verb];

interface VerbRow {
  readonly word: string;
  /** True when text behind the verb is an error (RFC 5321 §4.1.1). */
  readonly bare: boolean;
  readonly says: string;
}

/** Every verb with an answer of its own; the index is its number. */
export const verbTable: readonly VerbRow[] = [
  { word: 'EHLO', bare: false, says: 'opens an ESMTP dialogue; forgets the envelope' },
  { word: 'HELO', bare: false, says: 'opens an SMTP dialogue without extensions; forgets the envelope' },
  { word: 'MAIL', bare: false, says: 'names the sender' },
  { word: 'RCPT', bare: false, says: 'names one recipient, which the backend judges' },
  { word: 'DATA', bare: true, says: 'asks to send the message' },
  {
    word: 'BDAT',
    bare: false,
    says: 'sends a part of the message, of so many octets (smtp.chunking); where it is not offered, the session ends',
  },
  { word: 'RSET', bare: true, says: 'forgets the envelope' },
  { word: 'NOOP', bare: false, says: 'does nothing' },
  { word: 'QUIT', bare: true, says: 'ends the dialogue' },
  { word: 'HELP', bare: false, says: 'names the verbs that are understood' },
  { word: 'VRFY', bare: false, says: 'answered 252: whether a name exists is told at RCPT' },
  { word: 'EXPN', bare: false, says: 'refused' },
  { word: 'ETRN', bare: false, says: 'refused; never reaches the backend' },
  {
    word: 'STARTTLS',
    bare: true,
    says: 'begins TLS on a listener with a certificate; all that was said before is forgotten',
  },
  { word: 'AUTH', bare: false, says: 'refused: an MX takes mail for its own domains from anybody' },
  {
    word: 'XCLIENT',
    bare: false,
    says: 'refused: identity comes from the connection; never reaches the backend',
  },
  { word: 'XFORWARD', bare: false, says: 'refused; never reaches the backend' },
  { word: 'TURN', bare: true, says: 'refused' },
];

/** First words that belong to other protocols. With the header rule below they mark a NonSmtp line. */
export const foreignWords = [
  'GET',
  'POST',
  'PUT',
  'HEAD',
  'CONNECT',
  'OPTIONS',
  'DELETE',
  'TRACE',
  'PATCH',
  'PRI',
  'PROXY',
];

const headOf = (word: string): number => pack(word, 0);
const tailOf = (word: string): number => pack(word, 4);

function pack(word: string, from: number): number {
  let packed = 0;
  for (let at = from; at < from + 4; at++)
    packed = (packed << 8) | (at < word.length ? word.charCodeAt(at) : 0);
  return packed;
}

const heads = Int32Array.from(verbTable, (row) => headOf(row.word));
const tails = Int32Array.from(verbTable, (row) => tailOf(row.word));
const foreignHeads = Int32Array.from(foreignWords, headOf);
const foreignTails = Int32Array.from(foreignWords, tailOf);

const SP = 0x20;
const TAB = 0x09;
const COLON = 0x3a;

/** The verb of a line given without its line end: case does not count, SP or TAB ends the word. */
export function verbOf(bytes: Uint8Array, start: number, end: number): Verb {
  if (start === end) return Verb.Unknown;
  const first = upper(bytes[start]!);
  if (first < 0x41 || first > 0x5a) return Verb.NonSmtp;
  let head = 0;
  let tail = 0;
  let at = start;
  let last = 0;
  for (; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === SP || byte === TAB) break;
    last = byte;
    const letter = upper(byte);
    const place = at - start;
    if (place < 4) head |= letter << (24 - 8 * place);
    else if (place < 8) tail |= letter << (56 - 8 * place);
  }
  const length = at - start;
  // A header where a command should stand: "Subject: …", "Host: …". MAIL FROM: has its colon in the second word.
  if (last === COLON) return Verb.NonSmtp;
  if (length > 8) return Verb.Unknown;
  for (let verb = 0; verb < heads.length; verb++) {
    if (heads[verb] === head && tails[verb] === tail) return verb as Verb;
  }
  for (let word = 0; word < foreignHeads.length; word++) {
    if (foreignHeads[word] === head && foreignTails[word] === tail) return Verb.NonSmtp;
  }
  return Verb.Unknown;
}

/** Where the text behind the verb begins: the first byte that is neither the word nor the blanks behind it. */
export function argumentStart(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== SP && bytes[at] !== TAB) at++;
  while (at < end && (bytes[at] === SP || bytes[at] === TAB)) at++;
  return at;
}
