/**
 * names — what a client is called where somebody could read it, and by what it is found in the table
 *
 * The one place that `privacy.log_ip` acts on: session lines, notices, the API and the command line ask here for a
 * name, and whoever puts a client into the reputation table or looks it up asks here for the key. Three ways:
 *
 *   full      the key is the address, and so is the name
 *   truncate  the key is the address, which stays in memory; the name is that of the network (/24, /48), and single
 *             hosts are neither listed nor saved
 *   hmac      the key itself is a keyed hash of host or network (8 bytes of it, a tag says which), so an address is
 *             nowhere but in the session; the name is `hmac:` and the key, with `/net` behind it for a network
 *
 * Exempt, because they have to be right: the lists of the configuration, DNS queries, XCLIENT, and what a refusal tells
 * the client about itself. Pools and tuples are hashes of texts in any case (keys).
 *
 * Cost: `full` is one call more than none. `truncate` formats the network once a session. `hmac` adds one hash for the
 * host and one for the network to each session, about 4 µs each with node:crypto (results/clients-2026-11-25.md), and none at
 * its end, where the key is in the table.
 * Not taken: hashing at the edge of the log alone. The state file would hold addresses, and "the same name everywhere"
 * would rest on every writer of every file.
 */
import { hostKey, isHostKind, keyOfName, Kind, nameOfKey, networkKey, networkOf, newKey } from './keys.ts';
import type { Key } from './keys.ts';

/** Turns the plain key of a host or a network into its hash; the kind goes into the hash. */
export type HashKey = (kind: number, key: Key) => void;

export interface Names {
  /** False when single hosts must not be listed or written to a file. */
  readonly savesHosts: boolean;
  /** Tables with the same id have comparable keys: 'plain', or one of the key of the hash. What is stored carries it. */
  readonly id: string;
  /** The key of the host that has the address in words[at … at + 3]. */
  hostKey(words: Uint32Array, at: number, key: Key): void;
  /** The key of the network around it. */
  networkKey(words: Uint32Array, at: number, key: Key): void;
  /** The name of a key of the table, for people. */
  nameOf(kind: number, key: Key): string;
  /** The name of the client with this address (as text and as words), for people. `key` is its host key if `hasKey`. */
  clientName(text: string, words: Uint32Array, at: number, key: Key, hasKey: boolean): string;
  /** Reads an address, a network or a name that `nameOf` gave into `key`; the kind, 0 for anything else. */
  keyOfName(text: string, key: Key): typeof Kind.Host | typeof Kind.Network | 0;
}

const scratch = newKey();

/** Names and keys are addresses. */
export const fullNames: Names = {
  savesHosts: true,
  id: 'plain',
  hostKey,
  networkKey,
  nameOf: (kind, key) => nameOfKey(kind, key[0]!, key[1]!),
  clientName: (text) => text,
  keyOfName,
};

/** Keys are addresses, and hosts are called by their network. */
export const truncatedNames: Names = {
  ...fullNames,
  savesHosts: false,
  nameOf(kind, key) {
    if (!isHostKind(kind)) return nameOfKey(kind, key[0]!, key[1]!);
    scratch.set(key);
    networkOf(scratch);
    return nameOfKey(Kind.Network, scratch[0]!, scratch[1]!);
  },
  clientName(_text, words, at) {
    networkKey(words, at, scratch);
    return nameOfKey(Kind.Network, scratch[0]!, scratch[1]!);
  },
};

const HASHED = /^hmac:([0-9a-f]{8})([0-9a-f]{8})(\/net)?$/;

/** Keys are hashes made by `hash`, and names are keys. `id` tells one key of the hash from another. */
export function hashedNames(hash: HashKey, id: string): Names {
  const nameOf = (kind: number, key: Key): string => {
    const hex = nameOfKey(Kind.Pool, key[0]!, key[1]!);
    if (isHostKind(kind)) return `hmac:${hex}`;
    return kind === Kind.Network || kind === Kind.NetworkMeter ? `hmac:${hex}/net` : hex;
  };
  const hashedHostKey = (words: Uint32Array, at: number, key: Key): void => {
    hostKey(words, at, key);
    hash(Kind.Host, key);
  };
  return {
    savesHosts: true,
    id,
    hostKey: hashedHostKey,
    networkKey(words, at, key) {
      networkKey(words, at, key);
      hash(Kind.Network, key);
    },
    nameOf,
    clientName(_text, words, at, key, hasKey) {
      if (!hasKey) hashedHostKey(words, at, key);
      return nameOf(Kind.Host, key);
    },
    keyOfName(text, key) {
      const parts = HASHED.exec(text);
      if (parts !== null) {
        key[0] = Number.parseInt(parts[1]!, 16);
        key[1] = Number.parseInt(parts[2]!, 16);
        return parts[3] === undefined ? Kind.Host : Kind.Network;
      }
      const kind = keyOfName(text, key);
      if (kind !== 0) hash(kind, key);
      return kind;
    },
  };
}
