/**
 * spf-record — an SPF record (RFC 7208) read into its terms
 *
 * Whether a client passes is not decided here, that is the library's business (primary/spf-verify). This reads which
 * networks a record names, which no library tells. What is malformed anywhere makes the whole record unfit, as the RFC
 * wants it; a term with a macro is read, and left to whoever expands it to skip.
 *
 * A record is a stranger's text. One with more than RECORD_BYTES_MAX bytes, a term of more than TERM_BYTES_MAX or more
 * than MACROS_MAX macros is not looked at, nor shown to the library: a macro writes a name of 255 bytes for each five
 * of the record, and the patterns that read such a text take the square of its length.
 */
import { parseNetwork } from '../base/address.ts';

const RECORD_BYTES_MAX = 4_096;
const TERM_BYTES_MAX = 512;
const MACROS_MAX = 16;

export type SpfQualifier = '+' | '-' | '~' | '?';

/** A mechanism. */
export interface SpfTerm {
  readonly qualifier: SpfQualifier;
  readonly name: 'all' | 'include' | 'a' | 'mx' | 'ip4' | 'ip6' | 'ptr' | 'exists';
  /** A network for ip4 and ip6; else a domain, '' for the one whose record it is. May hold macros. */
  readonly value: string;
  /** Prefix lengths of a and mx. */
  readonly bits4: number;
  readonly bits6: number;
}

export interface SpfRecord {
  readonly terms: readonly SpfTerm[];
  /** The domain of redirect=, '' without one. */
  readonly redirect: string;
}

/** Whether a TXT record is an SPF record. */
export function isSpf(text: string): boolean {
  return /^v=spf1(?: |$)/i.test(text);
}

/** Whether a record is of a size that an honest one may have. */
export function isOfFairSize(text: string): boolean {
  if (text.length > RECORD_BYTES_MAX || text.split('%').length > MACROS_MAX + 1) return false;
  return text.split(' ').every((term) => term.length <= TERM_BYTES_MAX);
}

/** Reads a record; null when it is malformed or of no fair size. */
export function readSpf(text: string): SpfRecord | null {
  if (!isSpf(text) || !isOfFairSize(text) || /[^\x20-\x7e]/.test(text)) return null;
  const terms: SpfTerm[] = [];
  let redirect = '';
  for (const word of text.split(' ').slice(1)) {
    if (word === '') continue;
    const modifier = /^([a-z][a-z0-9_.-]*)=(.*)$/i.exec(word);
    if (modifier !== null) {
      if (modifier[1]!.toLowerCase() !== 'redirect') continue;
      if (redirect !== '' || modifier[2] === '') return null;
      redirect = modifier[2]!;
      continue;
    }
    const term = readTerm(word);
    if (term === null) return null;
    terms.push(term);
  }
  return { terms, redirect };
}

function readTerm(word: string): SpfTerm | null {
  const parts = /^([+?~-]?)([a-z0-9]+)(?::([^/]+(?:\/[^/]*)*)|(\/.*))?$/i.exec(word);
  if (parts === null) return null;
  const qualifier = (parts[1] === '' ? '+' : parts[1]) as SpfQualifier;
  const value = parts[3] ?? '';
  const bits = parts[4] ?? '';
  const none = { qualifier, value, bits4: 32, bits6: 128 };
  switch (parts[2]!.toLowerCase()) {
    case 'all':
      return value === '' && bits === '' ? { ...none, name: 'all' } : null;
    case 'ptr':
      return bits === '' ? { ...none, name: 'ptr' } : null;
    case 'include':
      return value === '' ? null : { ...none, name: 'include' };
    case 'exists':
      return value === '' ? null : { ...none, name: 'exists' };
    case 'ip4':
      return isNetwork(value, false) ? { ...none, name: 'ip4' } : null;
    case 'ip6':
      return isNetwork(value, true) ? { ...none, name: 'ip6' } : null;
    case 'a':
      return withPrefix('a', qualifier, value + bits);
    case 'mx':
      return withPrefix('mx', qualifier, value + bits);
    default:
      return null;
  }
}

const words = new Uint32Array(4);

function isNetwork(text: string, isIpv6: boolean): boolean {
  return parseNetwork(text, words, 0) >= 0 && text.includes(':') === isIpv6;
}

/** `domain/24//64`, each part of which may be missing. */
function withPrefix(name: 'a' | 'mx', qualifier: SpfQualifier, text: string): SpfTerm | null {
  const parts = /^([^/]*)(?:\/(0|[1-9]\d?))?(?:\/\/(0|[1-9]\d{0,2}))?$/.exec(text);
  if (parts === null) return null;
  const bits4 = Number(parts[2] ?? 32);
  const bits6 = Number(parts[3] ?? 128);
  if (bits4 > 32 || bits6 > 128) return null;
  return { qualifier, name, value: parts[1]!, bits4, bits6 };
}
