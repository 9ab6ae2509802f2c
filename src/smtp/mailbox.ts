/**
 * mailbox — the arguments of MAIL and RCPT, checked where they stand
 *
 * `FROM:<path> parameters` (RFC 5321 §4.1.1.2, §4.1.1.3) is read as ranges of the line; no substring is made
 * before the whole argument is known to be good. What was checked is what the backend gets: nothing is
 * repaired, completed or re-quoted on the way (a repair that skips the check behind it has cost others their
 * servers). Blanks behind the colon are forgiven, since old senders put them there; they are not passed on.
 *
 * Local parts up to 255 octets are let through: RFC 5321 promises only 64, but bounce addresses of large
 * senders are longer, and the backend has its own opinion.
 */
import { parseDecimal } from '../base/ascii.ts';

const SP = 0x20;
const TAB = 0x09;
const LT = 0x3c;
const GT = 0x3e;
const AT = 0x40;
const DOT = 0x2e;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const EQUALS = 0x3d;

const LOCAL_BYTES_MAX = 255;
const DOMAIN_BYTES_MAX = 255;

/** Extensions a parameter may belong to, as bits; a shard offers what the backend offers. */
export const Extension = {
  Size: 1,
  EightBitMime: 2,
  SmtpUtf8: 4,
  Dsn: 8,
} as const;

/** How an argument turned out. */
export const Argument = {
  Good: 0,
  /** Not `FROM:<…>` or `TO:<…>` at all. */
  Syntax: 1,
  /** The brackets are there, the address in them is none. */
  Address: 2,
  /** A parameter that is unknown, malformed, or of an extension that is not offered. */
  Parameter: 3,
} as const;
export type Argument = (typeof Argument)[keyof typeof Argument];

interface Parameter {
  readonly word: string;
  readonly extension: number;
  readonly values: RegExp | null;
}

// Read only for a parameter that a client did send: two or three times a message. Linear patterns, bounded input.
const mailParameters: readonly Parameter[] = [
  { word: 'SIZE', extension: Extension.Size, values: /^[0-9]{1,20}$/ },
  { word: 'BODY', extension: Extension.EightBitMime, values: /^(?:7BIT|8BITMIME)$/i },
  { word: 'SMTPUTF8', extension: Extension.SmtpUtf8, values: null },
  { word: 'RET', extension: Extension.Dsn, values: /^(?:FULL|HDRS)$/i },
  { word: 'ENVID', extension: Extension.Dsn, values: /^[!-~]{1,100}$/ },
];
const rcptParameters: readonly Parameter[] = [
  {
    word: 'NOTIFY',
    extension: Extension.Dsn,
    values: /^(?:NEVER|(?:SUCCESS|FAILURE|DELAY)(?:,(?:SUCCESS|FAILURE|DELAY)){0,2})$/i,
  },
  { word: 'ORCPT', extension: Extension.Dsn, values: /^[!-~]{1,500}$/ },
];

export class MailboxReader {
  /** The path with its brackets: bytes[pathStart … pathEnd). */
  pathStart = 0;
  pathEnd = 0;
  /** The parameters behind it: bytes[parametersStart … parametersEnd), empty when there are none. */
  parametersStart = 0;
  parametersEnd = 0;
  /** The value of SIZE=, 0 when not said, capped at 2^31 - 1. */
  sizeBytes = 0;

  /** Reads the argument of MAIL: bytes[start … end) behind the verb. `offered` are Extension bits. */
  readMail(bytes: Uint8Array, start: number, end: number, offered: number): Argument {
    return this.#read(bytes, start, end, 'FROM:', offered, mailParameters, true);
  }

  /** Reads the argument of RCPT. */
  readRcpt(bytes: Uint8Array, start: number, end: number, offered: number): Argument {
    return this.#read(bytes, start, end, 'TO:', offered, rcptParameters, false);
  }

  #read(
    bytes: Uint8Array,
    start: number,
    end: number,
    label: string,
    offered: number,
    known: readonly Parameter[],
    isMail: boolean,
  ): Argument {
    this.sizeBytes = 0;
    let at = start;
    for (let letter = 0; letter < label.length; letter++, at++) {
      if (at >= end || (bytes[at]! & ~(letter === label.length - 1 ? 0 : 0x20)) !== label.charCodeAt(letter))
        return Argument.Syntax;
    }
    while (at < end && (bytes[at] === SP || bytes[at] === TAB)) at++;
    if (at >= end || bytes[at] !== LT) return Argument.Syntax;
    this.pathStart = at;
    const pathEnd = skipPath(bytes, at, end);
    if (pathEnd < 0) return Argument.Address;
    this.pathEnd = pathEnd;
    let utf8 = false;
    for (let byte = at; byte < pathEnd; byte++) if (bytes[byte]! > 0x7e) utf8 = true;
    if (!isMail && pathEnd - at === 2) return Argument.Address;

    at = pathEnd;
    if (at < end && bytes[at] !== SP) return Argument.Address;
    while (at < end && bytes[at] === SP) at++;
    let last = end;
    while (last > at && (bytes[last - 1] === SP || bytes[last - 1] === TAB)) last--;
    this.parametersStart = at;
    this.parametersEnd = last;
    const verdict = this.#readParameters(bytes, at, last, offered, known);
    if (verdict !== Argument.Good) return verdict;
    return utf8 && (offered & Extension.SmtpUtf8) === 0 ? Argument.Address : Argument.Good;
  }

  #readParameters(
    bytes: Uint8Array,
    start: number,
    end: number,
    offered: number,
    known: readonly Parameter[],
  ): Argument {
    let at = start;
    let seen = 0;
    while (at < end) {
      const from = at;
      let equals = -1;
      for (; at < end && bytes[at] !== SP; at++) {
        if (bytes[at]! <= SP || bytes[at]! > 0x7e) return Argument.Parameter;
        if (bytes[at] === EQUALS && equals < 0) equals = at;
      }
      const wordEnd = equals < 0 ? at : equals;
      const which = find(known, bytes, from, wordEnd);
      const parameter = known[which];
      if (parameter === undefined || (seen & (1 << which)) !== 0 || (parameter.extension & offered) === 0)
        return Argument.Parameter;
      seen |= 1 << which;
      if (parameter.values === null ? equals >= 0 : equals < 0) return Argument.Parameter;
      if (
        parameter.values !== null &&
        !parameter.values.test(String.fromCharCode(...bytes.subarray(equals + 1, at).subarray(0, 600)))
      ) {
        return Argument.Parameter;
      }
      if (parameter.extension === Extension.Size) {
        const size = parseDecimal(bytes, equals + 1, at);
        this.sizeBytes = size < 0 ? 0x7fffffff : size;
      }
      while (at < end && bytes[at] === SP) at++;
    }
    return Argument.Good;
  }
}

function find(known: readonly Parameter[], bytes: Uint8Array, start: number, end: number): number {
  for (let row = 0; row < known.length; row++) {
    const word = known[row]!.word;
    if (word.length !== end - start) continue;
    let same = true;
    for (let at = 0; same && at < word.length; at++) {
      const byte = bytes[start + at]!;
      const letter = byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte;
      same = letter === word.charCodeAt(at);
    }
    if (same) return row;
  }
  return -1;
}

/** Behind the closing bracket of the path that begins at `start`, or -1 when it is no path. */
function skipPath(bytes: Uint8Array, start: number, end: number): number {
  let at = start + 1;
  if (at < end && bytes[at] === GT) return at + 1;
  if (at < end && bytes[at] === AT) {
    at = skipRoute(bytes, at, end);
    if (at < 0) return -1;
  }
  const localStart = at;
  at = at < end && bytes[at] === QUOTE ? skipQuoted(bytes, at, end) : skipAtoms(bytes, at, end);
  if (at < 0 || at === localStart || at - localStart > LOCAL_BYTES_MAX || at >= end) return -1;
  // <postmaster> is the one mailbox that may stand without a domain; whether it may is the backend's to say.
  if (bytes[at] === GT) return at + 1;
  if (bytes[at] !== AT) return -1;
  at = skipDomain(bytes, at + 1, end);
  return at > 0 && at < end && bytes[at] === GT ? at + 1 : -1;
}

/** `@relay,@relay:` of RFC 5321 appendix C; read so that it can be passed on as it is. */
function skipRoute(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] === AT) {
    at = skipDomain(bytes, at + 1, end);
    if (at < 0 || at >= end) return -1;
    if (bytes[at] === COLON) return at + 1;
    if (bytes[at] !== COMMA) return -1;
    at++;
  }
  return -1;
}

function skipQuoted(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start + 1; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH) at++;
    if (at >= end || bytes[at]! < SP || bytes[at] === 0x7f) return -1;
  }
  return -1;
}

function skipAtoms(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  for (; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === AT || byte === GT) break;
    if (
      byte <= SP ||
      byte === 0x7f ||
      byte === LT ||
      byte === QUOTE ||
      byte === BACKSLASH ||
      byte === COMMA ||
      byte === COLON
    )
      return -1;
    if (byte === 0x28 || byte === 0x29 || byte === 0x3b || byte === 0x5b || byte === 0x5d) return -1;
  }
  return at;
}

/** A domain of letters, digits, hyphens, dots, underscores and 8-bit bytes, or an address literal in brackets. */
function skipDomain(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  if (at < end && bytes[at] === 0x5b) {
    let tagged = false;
    for (at++; at < end && bytes[at] !== 0x5d; at++) {
      const byte = bytes[at]!;
      if (byte === COLON) tagged = true;
      const fits = byte === DOT || byte === COLON || byte === 0x2d || isAlphanumeric(byte);
      if (!fits && !(tagged && isLiteralText(byte))) return -1;
    }
    return at < end && at - start > 2 && at - start < DOMAIN_BYTES_MAX ? at + 1 : -1;
  }
  let labelBytes = 0;
  for (; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === DOT) {
      if (labelBytes === 0) return -1;
      labelBytes = 0;
    } else if (isAlphanumeric(byte) || byte === 0x2d || byte === 0x5f || byte > 0x7f) labelBytes++;
    else break;
  }
  if (at === start || at - start > DOMAIN_BYTES_MAX) return -1;
  return at;
}

/**
 * What may stand behind the tag of a literal of a kind that is not known yet (dcontent, RFC 5321 §4.1.3), but for the angle
 * brackets: not every server would agree where such a path ends.
 */
function isLiteralText(byte: number): boolean {
  return byte > SP && byte < 0x7f && byte !== LT && byte !== GT && byte !== BACKSLASH && byte !== 0x5b;
}

function isAlphanumeric(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
}
