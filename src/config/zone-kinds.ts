/**
 * zone-kinds — the names of DNS lists
 *
 * A zone is looked up with up to 64 octets in front of it (an IPv6 client) and must leave room for them. Labels
 * may hold an underscore, as keys of subscriptions do.
 */
import type { Setting } from './kinds.ts';
import { quote } from './wording.ts';

/** RFC 1035: 253 characters in all, less 32 nibbles and their dots. */
const ZONE_CHARACTERS_MAX = 253 - 64;

function isZone(text: string): boolean {
  if (text.length === 0 || text.length > ZONE_CHARACTERS_MAX || !text.includes('.')) return false;
  return text.split('.').every((label) => /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)$/.test(label));
}

/** A zone in small letters, or empty. */
export function zone(doc: string): Setting<'zone', string> {
  const accepts = 'a zone such as "zen.example.org"';
  return {
    kind: 'zone',
    fallback: '',
    doc,
    accepts,
    schema: { type: 'string' },
    read(value, report) {
      if (typeof value === 'string' && (value === '' || isZone(value))) return value.toLowerCase();
      // A key that was mistyped is still a key: what was written is not shown.
      return void report(
        typeof value === 'string' ? `want ${accepts}` : `got ${quote(value)}, want ${accepts}`,
      );
    },
    write: (value) => value,
  };
}
