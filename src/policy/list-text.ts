/**
 * list-text — the text of a list file, read into a builder
 *
 * One address or network a line; # begins a comment, also behind a network; blank lines, CR LF and a byte order mark
 * are passed over. A second word is taken only where it says what the list says anyway: "permit" in a file of
 * lists.allow_files, "reject" in one of lists.deny_files. So a postscreen_access.cidr of which every line has the same
 * action can be used as it is. One with both cannot: its first match decides, while here the more lenient list
 * does, so it is refused with advice and not read as something else.
 *
 * IPv4 is read where it lies, without a string; all else becomes a string of one line and is read by the engine's
 * own parser. What is taken is what an inline list takes (config/addresses), host bits included.
 *
 * In: bytes.   Out: networks in the builder, faults by line and column.   Cost: 0.3 µs an IPv4 network, 1 µs an
 * IPv6 one (results/lists.md).
 */
import { clearHostBits, parseNetwork } from '../base/address.ts';
import { latin1 } from '../base/ascii.ts';
import { networkFault } from '../config/addresses.ts';
import { wanted } from '../config/wording.ts';
import type { NetworkBuilder } from './network-builder.ts';

/** Lists that can have files. */
export type FileListName = 'allow' | 'slow' | 'deny';

/** Takes a fault: its place, both counted from 1, and its sentence, which is only made when it is wanted. */
export type ListFault = (line: number, column: number, says: () => string) => void;

const LF = 0x0a;
const HASH = 0x23;
const DOT = 0x2e;
const SLASH = 0x2f;
const ZERO = 0x30;

/** A longer word is no network, however it goes on. */
const WORD_BYTES_MAX = 64;

/** The second word that each list takes, and the list that each second word asks for. */
const actionOf = { allow: 'permit', slow: '', deny: 'reject' } as const;
const adviceOn: Readonly<Record<string, string>> = {
  permit: ' (such a line belongs into a file of lists.allow_files)',
  reject: ' (such a line belongs into a file of lists.deny_files)',
  dunno: ' (leave such a line out)',
};

/** Reads a whole file into `builder`; every line that is no network is told to `fault` and passed over. */
export function readListText(
  bytes: Uint8Array,
  list: FileListName,
  builder: NetworkBuilder,
  fault: ListFault,
): void {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  let line = 1;
  for (let start = hasMark ? 3 : 0; start < bytes.length; line += 1) {
    const found = bytes.indexOf(LF, start);
    const end = found < 0 ? bytes.length : found;
    const wordAt = skipBlanks(bytes, start, end);
    if (wordAt < end && bytes[wordAt] !== HASH) {
      const wordEnd = skipWord(bytes, wordAt, end);
      if (!takeIpv4(bytes, wordAt, wordEnd, builder) && !takeText(bytes, wordAt, wordEnd, builder)) {
        const column = wordAt - start + 1;
        fault(line, column, () => faultOf(latin1(bytes, wordAt, wordEnd)));
      }
      const secondAt = skipBlanks(bytes, wordEnd, end);
      if (secondAt < end && bytes[secondAt] !== HASH) {
        const second = latin1(bytes, secondAt, skipWord(bytes, secondAt, end));
        if (second.toLowerCase() !== actionOf[list])
          fault(line, secondAt - start + 1, () => secondFault(second, list));
      }
    }
    start = end + 1;
  }
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d;
}

function skipBlanks(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && isBlank(bytes[at]!)) at += 1;
  return at;
}

function skipWord(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && !isBlank(bytes[at]!) && bytes[at] !== HASH) at += 1;
  return at;
}

/** Adds bytes[at, end) when it is a faultless IPv4 address or network. */
function takeIpv4(bytes: Uint8Array, start: number, end: number, builder: NetworkBuilder): boolean {
  let at = start;
  let word = 0;
  for (let part = 0; part < 4; part += 1) {
    if (part > 0 && bytes[at++] !== DOT) return false;
    const numberEnd = skipDigits(bytes, at, end);
    const value = smallNumber(bytes, at, numberEnd);
    if (value < 0 || value > 255) return false;
    word = (word << 8) | value;
    at = numberEnd;
  }
  let bits = 32;
  if (at < end) {
    bits = bytes[at] === SLASH ? smallNumber(bytes, at + 1, end) : -1;
    if (bits < 0 || bits > 32) return false;
    if (bits < 32 && word << bits !== 0) return false;
  }
  builder.addIpv4(word, bits);
  return true;
}

function skipDigits(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at]! >= ZERO && bytes[at]! <= ZERO + 9) at += 1;
  return at;
}

/** The number of one to three digits without leading zeros that bytes[at, end) spells, or -1. */
function smallNumber(bytes: Uint8Array, at: number, end: number): number {
  if (end <= at || end - at > 3 || (bytes[at] === ZERO && end - at > 1)) return -1;
  let value = 0;
  for (let i = at; i < end; i += 1) {
    const digit = bytes[i]! - ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

const words = new Uint32Array(4);

/** Adds bytes[at, end) when the engine's own parser takes it and its host bits are zero. */
function takeText(bytes: Uint8Array, at: number, end: number, builder: NetworkBuilder): boolean {
  if (end - at > WORD_BYTES_MAX) return false;
  const bits = parseNetwork(latin1(bytes, at, end), words, 0);
  if (bits < 0 || clearHostBits(words, 0, bits)) return false;
  builder.add(words, 0, bits);
  return true;
}

function faultOf(text: string): string {
  const fault = networkFault(text) ?? { want: 'an address or network' };
  return wanted(text, fault.want, fault.meant);
}

function secondFault(word: string, list: FileListName): string {
  const action = actionOf[list];
  const want =
    action === ''
      ? 'nothing behind the network but a # comment'
      : `"${action}", a # comment or nothing behind the network`;
  return `${wanted(word, want)}${adviceOn[word.toLowerCase()] ?? ''}`;
}
