/**
 * keys — who an entry of the reputation table is about
 *
 * A key is a kind and two words. A host is an IPv4 address or the /64 of an IPv6 address (whoever has one address of
 * it has them all); a network is the /24 or the /48 around it; a pool is a sender's domain; a tuple is one try of
 * a stranger that is greylisted; a meter counts what a host or a network did in the last minutes.
 *
 * IPv4 keys stand in ::ffff:0:0/96 as everywhere (base/address): 0x0000ffff and the address. No IPv6 client comes from
 * 0:ffff::/32, so the two never meet. Names and tuples are hashed to 64 bits; who finds another name with the same
 * hash has gained one greylisting, or a pool whose SPF record he does not own and cannot pass.
 */
import { formatAddress, isIpv4, parseNetwork } from '../base/address.ts';

/** What an entry is about. Three bits of its claim word; part of the state file, so numbers stay as they are. */
export const Kind = { Host: 1, Network: 2, Pool: 3, Tuple: 4, HostMeter: 5, NetworkMeter: 6 } as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

/** Names of the kinds, as they are told and stored; '' where there is no kind. */
export const kindNames = ['', 'host', 'network', 'pool', 'tuple', 'host meter', 'network meter'] as const;

/** Whether the entries of a kind are meters (layout). */
export function isMeter(kind: number): boolean {
  return kind === Kind.HostMeter || kind === Kind.NetworkMeter;
}

/** Whether an entry of a kind is about one host. */
export function isHostKind(kind: number): boolean {
  return kind === Kind.Host || kind === Kind.HostMeter;
}

const MAPPED = 0xffff;

/** The two words of a key, filled by the functions below; one scratch is enough, since nothing waits in between. */
export type Key = Int32Array;

/** A key to be filled. */
export function newKey(): Key {
  return new Int32Array(2);
}

/** The key of the host that has the address in words[at … at + 3]. */
export function hostKey(words: Uint32Array, at: number, key: Key): void {
  const from = isIpv4(words, at) ? at + 2 : at;
  key[0] = words[from]! | 0;
  key[1] = words[from + 1]! | 0;
}

/** The key of the network around it: /24 of an IPv4 address, /48 of an IPv6 address. */
export function networkKey(words: Uint32Array, at: number, key: Key): void {
  hostKey(words, at, key);
  networkOf(key);
}

/** Turns the key of a host into that of its network. */
export function networkOf(key: Key): void {
  key[1]! &= isMapped(key) ? 0xffff_ff00 : 0xffff_0000;
}

function isMapped(key: Key): boolean {
  return key[0] === MAPPED;
}

/**
 * The key of a text (a domain, a greylisting tuple): two runs of the finalizer of MurmurHash3 with different starts. The
 * same on every host and in every version: it is stored.
 */
export function textKey(text: string, key: Key): void {
  let a = 0x9368e53c;
  let b = 0x586dcd20;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    a = Math.imul(a ^ code, 0xcc9e2d51);
    a = (a << 15) | (a >>> 17);
    b = Math.imul(b ^ code, 0x1b873593);
    b = (b << 13) | (b >>> 19);
    b = (Math.imul(b, 5) + a) | 0;
  }
  key[0] = mixed(a ^ text.length);
  key[1] = mixed(b ^ key[0]);
}

function mixed(word: number): number {
  let hash = word;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

const words = new Uint32Array(4);

/** A key for people: "192.0.2.7", "192.0.2.0/24", "2001:db8:0:1::/64", "2001:db8::/48", or 16 hexadecimal digits. */
export function nameOfKey(kind: number, first: number, second: number): string {
  if (kind === Kind.Pool || kind === Kind.Tuple) return hex(first) + hex(second);
  const isV4 = first === MAPPED;
  const isNetwork = kind === Kind.Network || kind === Kind.NetworkMeter;
  addressOfKey(first, second, words);
  const address = formatAddress(words, 0);
  if (isV4) return isNetwork ? `${address}/24` : address;
  return `${address}/${isNetwork ? 48 : 64}`;
}

/** The first address of the host or network with this key. */
export function addressOfKey(first: number, second: number, address: Uint32Array): void {
  const isV4 = first === MAPPED;
  address.fill(0);
  address[isV4 ? 2 : 0] = first;
  address[isV4 ? 3 : 1] = second;
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}

/**
 * Reads what an operator calls a host or a network ("192.0.2.7", "192.0.2.0/24", "2001:db8::7", "2001:db8::/64",
 * "2001:db8::/48") into `key`; the kind, or 0 when it is none of these.
 */
export function keyOfName(text: string, key: Key): typeof Kind.Host | typeof Kind.Network | 0 {
  const bits = parseNetwork(text, words, 0);
  if (bits < 0) return 0;
  hostKey(words, 0, key);
  const isV4 = isIpv4(words, 0);
  if (bits === 128 || (!isV4 && bits === 64)) return Kind.Host;
  if (bits !== (isV4 ? 120 : 48)) return 0;
  networkOf(key);
  return Kind.Network;
}
