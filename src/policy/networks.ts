/**
 * networks — is this address in the operator's list?
 *
 * A list of networks is compiled once (network-builder) into sorted ranges that neither touch nor overlap; a look-up
 * is a binary search over those of the client's family, twenty steps for a million networks, with no allocation. A
 * thousand neighbouring addresses become one range by themselves.
 *
 * A network speaks of its own family: "::/0" is all of IPv6 and no IPv4 client, although IPv4 addresses
 * live inside the IPv6 space here (base/address). Who writes ::ffff:0:0/96 or a part of it means IPv4.
 * Bits behind the prefix are ignored: 192.0.2.7/24 is 192.0.2.0/24.
 *
 * Memory: 8 bytes an IPv4 range, 32 bytes an IPv6 one, shared by all shards of a process. Nothing writes to it once
 * it was built, so nobody has to lock anything. Not taken: a bit trie, which is quicker by some steps and ten times
 * as large.
 */
import { isIpv4, parseNetwork } from '../base/address.ts';
import { assert, ShardBug } from '../base/assert.ts';
import { HEADER_WORDS, isAfter, NetworkBuilder } from './network-builder.ts';

const WORDS_V6 = 4;

export class NetworkSet {
  /** Networks it was made of. */
  readonly networks: number;
  /** Ranges after merging; 0 means that the set is empty. */
  readonly size: number;
  private readonly firstsV4: Uint32Array;
  private readonly lastsV4: Uint32Array;
  private readonly firstsV6: Uint32Array;
  private readonly lastsV6: Uint32Array;

  /** A view of what NetworkBuilder.build gave, here or in another thread; nothing is copied. */
  constructor(memory: Uint8Array) {
    const words = new Uint32Array(memory.buffer, memory.byteOffset, memory.byteLength / 4);
    const [networks = 0, countV4 = 0, countV6 = 0] = words;
    let at = HEADER_WORDS;
    const take = (length: number): Uint32Array => words.subarray(at, (at += length));
    this.networks = networks;
    this.size = countV4 + countV6;
    this.firstsV4 = take(countV4);
    this.lastsV4 = take(countV4);
    this.firstsV6 = take(countV6 * WORDS_V6);
    this.lastsV6 = take(countV6 * WORDS_V6);
    assert(at === words.length, 'the memory of a list is not what its head says');
  }

  /**
   * The set of all addresses in the given networks ("192.0.2.0/24", "2001:db8::/32", single addresses). The
   * texts were checked when the configuration was read; one that is no network is a ShardBug.
   */
  static compile(cidrs: readonly string[]): NetworkSet {
    const builder = new NetworkBuilder();
    addNetworks(builder, cidrs);
    return new NetworkSet(builder.build());
  }

  /** Whether the address in words[at … at + 3] is in the set. */
  has(words: Uint32Array, at: number): boolean {
    return isIpv4(words, at) ? this.hasV4(words[at + 3]!) : this.hasV6(words, at);
  }

  private hasV4(word: number): boolean {
    const { firstsV4 } = this;
    // Invariant, here and below: ranges before `low` begin at or before the address, those from `high` on behind it.
    let low = 0;
    let high = firstsV4.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (firstsV4[middle]! > word) high = middle;
      else low = middle + 1;
    }
    return low > 0 && word <= this.lastsV4[low - 1]!;
  }

  private hasV6(words: Uint32Array, at: number): boolean {
    let low = 0;
    let high = this.firstsV6.length / WORDS_V6;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isAfter(this.firstsV6, middle * WORDS_V6, words, at, WORDS_V6)) high = middle;
      else low = middle + 1;
    }
    return low > 0 && !isAfter(words, at, this.lastsV6, (low - 1) * WORDS_V6, WORDS_V6);
  }
}

/** Adds networks whose texts were checked before; one that is no network is a ShardBug. */
export function addNetworks(builder: NetworkBuilder, cidrs: readonly string[]): void {
  const words = new Uint32Array(4);
  for (const cidr of cidrs) {
    const prefixBits = parseNetwork(cidr, words, 0);
    if (prefixBits < 0) throw new ShardBug(`not a network: ${cidr}`);
    builder.add(words, 0, prefixBits);
  }
}
