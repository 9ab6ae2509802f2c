/**
 * asked — the client or network that an operator named
 *
 * An address, a network (/24; /64 or /48), or a name under which the log shows a client (names). The keys are those of the
 * table, hashed or not; the address is there only when it was given as one.
 */
import { parseNetwork } from '../base/address.ts';
import { Kind, newKey } from '../reputation/keys.ts';
import type { Key } from '../reputation/keys.ts';
import type { Names } from '../reputation/names.ts';

export interface Asked {
  readonly kind: typeof Kind.Host | typeof Kind.Network;
  readonly key: Key;
  /** Where people read; not what was typed. */
  readonly name: string;
  /** Four words; null when a hash was given. */
  readonly address: Uint32Array | null;
  /** The key of the network; null when it cannot be told from a hash. */
  readonly networkKey: Key | null;
}

/** Longer texts are no name of anybody. */
const NAME_CHARACTERS_MAX = 64;

/** What a text names, or null. */
export function askedFor(text: string, names: Names): Asked | null {
  if (text.length > NAME_CHARACTERS_MAX) return null;
  const key = newKey();
  const kind = names.keyOfName(text, key);
  if (kind === 0) return null;
  const name = names.nameOf(kind, key);
  const words = new Uint32Array(4);
  const address = parseNetwork(text, words, 0) < 0 ? null : words;
  if (kind === Kind.Network) return { kind, key, name, address, networkKey: key };
  if (address === null) return { kind, key, name, address, networkKey: null };
  const networkKey = newKey();
  names.networkKey(address, 0, networkKey);
  return { kind, key, name, address, networkKey };
}

/** The sentence for a text that names nobody. */
export const askedWants =
  'want an address ("192.0.2.7", "2001:db8::7"), a network ("192.0.2.0/24", "2001:db8::/64", "2001:db8::/48"), ' +
  'or a name of the log ("hmac:0123456789abcdef")';
