/**
 * address-ranges — sets of addresses that are put together and taken apart
 *
 * For what is computed once and looked up often: the networks of an SPF record, where one term authorises and the one
 * before it forbids. A set is a sorted list of ranges of which none touches another; an address is its 128 bits as one
 * number (base/address). IPv4 and IPv6 do not mix: an IPv6 network that reaches into ::ffff:0:0/96 is no range here.
 *
 * Cost: BigInt, an allocation for each step. Nothing on a session's path calls it; what is looked up there
 * is compiled to columns (policy/pool-map).
 */
import { parseNetwork } from '../base/address.ts';

/** Addresses from `first` to `last`, both included. */
export interface AddressRange {
  readonly first: bigint;
  readonly last: bigint;
}

/** Sorted, apart. */
export type AddressRanges = readonly AddressRange[];

/** The first IPv4 address. */
export const IPV4_FIRST = 0xffff_0000_0000n;
const IPV4_LAST = 0xffff_ffff_ffffn;

const words = new Uint32Array(4);

/** The number of the address in words[at … at + 3]. */
export function addressNumber(address: Uint32Array, at: number): bigint {
  let number = 0n;
  for (let word = 0; word < 4; word += 1) number = (number << 32n) | BigInt(address[at + word]!);
  return number;
}

/** The range of a network ("192.0.2.0/24", "2001:db8::/32", an address), or null when it is none. */
export function rangeOfNetwork(cidr: string): AddressRange | null {
  const bits = parseNetwork(cidr, words, 0);
  if (bits < 0) return null;
  const hostMask = (1n << BigInt(128 - bits)) - 1n;
  const first = addressNumber(words, 0) & ~hostMask;
  const last = first | hostMask;
  const isMixed = first < IPV4_FIRST && last >= IPV4_FIRST;
  return isMixed ? null : { first, last };
}

/** Whether a range is of IPv4 addresses. */
export function isIpv4Range(range: AddressRange): boolean {
  return range.first >= IPV4_FIRST && range.last <= IPV4_LAST;
}

/** All addresses of all ranges, as a set. Ranges that touch become one, but never one of IPv4 and one of IPv6. */
export function merged(ranges: readonly AddressRange[]): AddressRanges {
  const sorted = ranges.toSorted((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const result: AddressRange[] = [];
  for (const range of sorted) {
    const before = result.at(-1);
    const isBorder = range.first === IPV4_FIRST || range.first === IPV4_LAST + 1n;
    const isApart = before === undefined || range.first > before.last + (isBorder ? 0n : 1n);
    if (isApart) result.push(range);
    else if (range.last > before.last) result[result.length - 1] = { first: before.first, last: range.last };
  }
  return result;
}

/** The parts of a range that are not in the set `taken`. */
export function without(range: AddressRange, taken: AddressRanges): AddressRange[] {
  const parts: AddressRange[] = [];
  let { first } = range;
  for (const other of taken) {
    if (other.last < first) continue;
    if (other.first > range.last) break;
    if (other.first > first) parts.push({ first, last: other.first - 1n });
    first = other.last + 1n;
  }
  if (first <= range.last) parts.push({ first, last: range.last });
  return parts;
}

/** Whether a set has an address. */
export function holds(ranges: AddressRanges, address: bigint): boolean {
  return ranges.some((range) => range.first <= address && address <= range.last);
}

/** IPv4 addresses of a set. */
export function ipv4Count(ranges: AddressRanges): number {
  let count = 0n;
  for (const range of ranges) if (isIpv4Range(range)) count += range.last - range.first + 1n;
  return Number(count);
}
