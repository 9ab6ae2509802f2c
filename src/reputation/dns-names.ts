/**
 * dns-names — under which name a DNS list is asked about an address
 *
 * RFC 5782 §2.1 and §2.4: the four octets of an IPv4 address or the 32 nibbles of an IPv6 address, last one first,
 * in front of the zone. What was found is kept for an IPv4 address or an IPv6 /64: lists name IPv6 clients by
 * their /64, since a client picks any address of it.
 */

/** Four words as in base/address. */
export type Words = ArrayLike<number>;

/** The third word of every IPv4 address, the two before it are 0. */
const MAPPED = 0xffff;

/** The name to look up for the address in words[at … at + 3]. */
export function lookUpName(words: Words, at: number, zone: string): string {
  return isIpv4Client(words, at) ? octetName(words[at + 3]!, zone) : nibbleName(words, at, zone);
}

/** The name for an IPv4 address. */
export function octetName(word: number, zone: string): string {
  return `${word & 255}.${(word >>> 8) & 255}.${(word >>> 16) & 255}.${word >>> 24}.${zone}`;
}

/** The name for an IPv6 address. That of ::ffff:127.0.0.2 is a name of its own: RFC 5782 §5 tests with it. */
export function nibbleName(words: Words, at: number, zone: string): string {
  let name = '';
  for (let place = at + 3; place >= at; place--) {
    for (let shift = 0; shift < 32; shift += 4) name += `${((words[place]! >>> shift) & 15).toString(16)}.`;
  }
  return name + zone;
}

/** The key under which a client's answers are kept: the IPv4 address, or the IPv6 /64. */
export function clientKeyOf(words: Words, at: number): number | string {
  if (isIpv4Client(words, at)) return words[at + 3]!;
  return `${words[at]!.toString(16)}:${words[at + 1]!.toString(16)}`;
}

/** Whether the four words are an IPv4 address. */
export function isIpv4Client(words: Words, at: number): boolean {
  return words[at] === 0 && words[at + 1] === 0 && words[at + 2] === MAPPED;
}
