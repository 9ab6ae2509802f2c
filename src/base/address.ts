/**
 * address — IPv4 and IPv6 addresses as four 32-bit words
 *
 * One form for both families: 128 bits in network order, IPv4 as ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2).
 * So a table, a list and a limit need one kind of key, and "the same client by IPv4 and by mapped IPv6" is
 * the same key by construction.
 *
 * Text comes in from the transport (once a session) and from the operator. Parsing makes no string and
 * stores nothing when it refuses. Zone ids ("fe80::1%eth0") are refused: a key must mean the same on every
 * host. IPv4 with leading zeros is refused, since half of the world reads 010 as eight.
 */

/** The third word of every IPv4 address. */
const MAPPED = 0xffff;

const PREFIX_BITS_V4 = 32;
const PREFIX_BITS_V6 = 128;

/** The eight groups while a text is read. Parsing is synchronous, so one scratch is enough. */
const groups = new Uint16Array(8);

/** The four bytes that text[start, end) spells as dotted decimal, as one word; -1 if it does not. */
function ipv4Word(text: string, start: number, end: number): number {
  let word = 0;
  let part = 0;
  let digits = 0;
  let dots = 0;
  for (let i = start; i < end; i += 1) {
    const code = text.charCodeAt(i);
    if (code === 0x2e) {
      if (digits === 0 || dots === 3) return -1;
      word = word * 256 + part;
      part = 0;
      digits = 0;
      dots += 1;
      continue;
    }
    const digit = code - 0x30;
    if (digit < 0 || digit > 9 || (digits > 0 && part === 0)) return -1;
    part = part * 10 + digit;
    digits += 1;
    if (part > 255) return -1;
  }
  return dots === 3 && digits > 0 ? word * 256 + part : -1;
}

/** The value of a hexadecimal digit; -1 for another character. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** Reads text[0, end) as IPv6 (RFC 4291 section 2.2) into `groups`; false if it is not. */
function readGroups(text: string, end: number): boolean {
  let count = 0;
  let gapAt = -1;
  let i = 0;
  if (text.charCodeAt(0) === 0x3a) {
    if (end < 2 || text.charCodeAt(1) !== 0x3a) return false;
    gapAt = 0;
    i = 2;
  }
  while (i < end) {
    if (count === 8) return false;
    const groupStart = i;
    let value = 0;
    for (let digit = 0; i < end && (digit = hexDigit(text.charCodeAt(i))) >= 0; i += 1)
      value = value * 16 + digit;
    if (i < end && text.charCodeAt(i) === 0x2e) {
      const word = count <= 6 ? ipv4Word(text, groupStart, end) : -1;
      if (word < 0) return false;
      groups[count] = word >>> 16;
      groups[count + 1] = word & 0xffff;
      count += 2;
      break;
    }
    if (i === groupStart || i - groupStart > 4) return false;
    groups[count] = value;
    count += 1;
    if (i === end) break;
    if (text.charCodeAt(i) !== 0x3a) return false;
    i += 1;
    if (i === end) return false;
    if (text.charCodeAt(i) === 0x3a) {
      if (gapAt >= 0) return false;
      gapAt = count;
      i += 1;
    }
  }
  if (gapAt < 0) return count === 8;
  if (count === 8) return false;
  const tail = count - gapAt;
  for (let g = 1; g <= tail; g += 1) groups[8 - g] = groups[count - g]!;
  for (let g = gapAt; g < 8 - tail; g += 1) groups[g] = 0;
  return true;
}

/** parseAddress for the first `end` characters; tells the family by its prefix length: 32, 128, or 0. */
function parseRange(text: string, end: number, words: Uint32Array, at: number): number {
  const word = ipv4Word(text, 0, end);
  if (word >= 0) {
    words[at] = 0;
    words[at + 1] = 0;
    words[at + 2] = MAPPED;
    words[at + 3] = word;
    return PREFIX_BITS_V4;
  }
  if (end < 2 || !readGroups(text, end)) return 0;
  for (let i = 0; i < 4; i += 1) words[at + i] = ((groups[2 * i]! << 16) | groups[2 * i + 1]!) >>> 0;
  return PREFIX_BITS_V6;
}

/**
 * Reads an IPv4 or IPv6 address ("192.0.2.1", "2001:db8::7", "::ffff:192.0.2.1") into words[at … at + 3].
 * False, with the words untouched, for anything else.
 */
export function parseAddress(text: string, words: Uint32Array, at: number): boolean {
  return parseRange(text, text.length, words, at) > 0;
}

/**
 * Reads an address or a network in CIDR form (RFC 4632, RFC 4291 section 2.3) into words[at … at + 3] and
 * returns its prefix length in bits of the 128-bit form: 128 for a single address, 120 for "192.0.2.0/24".
 * -1 for anything else. Bits behind the prefix stay as they were written.
 */
export function parseNetwork(text: string, words: Uint32Array, at: number): number {
  const slash = text.indexOf('/');
  if (slash < 0) return parseAddress(text, words, at) ? PREFIX_BITS_V6 : -1;
  let bits = 0;
  for (let i = slash + 1; i < text.length; i += 1) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9 || (i > slash + 1 && bits === 0)) return -1;
    bits = bits * 10 + digit;
    if (bits > PREFIX_BITS_V6) return -1;
  }
  if (slash + 1 === text.length) return -1;
  const bitsMax = text.lastIndexOf(':', slash) < 0 ? PREFIX_BITS_V4 : PREFIX_BITS_V6;
  if (bits > bitsMax || parseRange(text, slash, words, at) === 0) return -1;
  return bits + PREFIX_BITS_V6 - bitsMax;
}

/** Sets the bits behind a prefix of words[at … at + 3] to zero; whether one of them was not. */
export function clearHostBits(words: Uint32Array, at: number, prefixBits: number): boolean {
  let found = false;
  for (let i = 0; i < 4; i += 1) {
    const bits = prefixBits - i * 32;
    if (bits >= 32) continue;
    const kept = bits <= 0 ? 0 : (words[at + i]! & (-1 << (32 - bits))) >>> 0;
    if (kept !== words[at + i]) found = true;
    words[at + i] = kept;
  }
  return found;
}

/** Whether the four words are an IPv4 address. */
export function isIpv4(words: Uint32Array, at: number): boolean {
  return words[at] === 0 && words[at + 1] === 0 && words[at + 2] === MAPPED;
}

/** An address as text: dotted decimal for IPv4, the recommended form of RFC 5952 section 4 for IPv6. */
export function formatAddress(words: Uint32Array, at: number): string {
  if (isIpv4(words, at)) {
    const word = words[at + 3]!;
    return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
  }
  // The first of the longest runs of two or more zero groups becomes "::".
  let runAt = -1;
  let runLength = 1;
  for (let g = 0, length = 0; g < 8; g += 1) {
    length = groupOf(words, at, g) === 0 ? length + 1 : 0;
    if (length > runLength) {
      runLength = length;
      runAt = g - length + 1;
    }
  }
  let text = '';
  for (let g = 0; g < 8; g += 1) {
    if (g === runAt) {
      text += '::';
      g += runLength - 1;
      continue;
    }
    if (text !== '' && !text.endsWith(':')) text += ':';
    text += groupOf(words, at, g).toString(16);
  }
  return text;
}

/** One of the eight 16-bit groups of an address. */
function groupOf(words: Uint32Array, at: number, group: number): number {
  const word = words[at + (group >> 1)]!;
  return (group & 1) === 0 ? word >>> 16 : word & 0xffff;
}
