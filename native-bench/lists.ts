/**
 * lists — a million networks compiled, and look-ups in them, beside the plain way in JavaScript
 *
 *     node native-bench/lists.ts [networks] [rounds] [seed]
 *
 * The peer keeps a Set of prefixes for each prefix length that occurs and asks one after the other, the longest
 * first: numbers for IPv4, the upper 64 bits as BigInt for IPv6. It is built from words, as the compiled list is from
 * what the reader left; reading the text is timed apart. Every second address lies in a network of the list, the others
 * are random. The two take turns at being first; every round their answers are compared. Figures are medians. With a
 * million networks they go to results/lists.md.
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { formatAddress } from '../src/base/address.ts';
import { bytesOf } from '../src/base/ascii.ts';
import { Prng } from '../src/base/prng.ts';
import { readListText } from '../src/policy/list-text.ts';
import { NetworkBuilder } from '../src/policy/network-builder.ts';
import { NetworkSet } from '../src/policy/networks.ts';

const [count = 1_000_000, rounds = 7, seed = 1] = process.argv.slice(2).map(Number);
const LOOKUPS = 1_000_000;
const random = new Prng(seed);
const families = [
  { name: 'IPv4', lengths: [20, 22, 24, 26, 28, 32], first: 3 },
  { name: 'IPv6', lengths: [32, 40, 44, 48, 56, 64], first: 0 },
] as const;
type Family = (typeof families)[number];

/** Writes a random address of the family: any of IPv4, or one of 2000::/3. */
function writeRandom(family: Family, words: Uint32Array, at: number): void {
  for (let i = family.first; i < 4; i += 1) words[at + i] = random.below(2 ** 32);
  if (family.first === 3) words[at + 2] = 0xffff;
  else words[at] = 0x2000_0000 | (words[at]! >>> 3);
}

/** The bits behind a prefix, in one word of the family's own. */
function hostMask(length: number, word: number): number {
  return length >= 32 * word + 32 ? 0 : length <= 32 * word ? -1 : -1 >>> (length - 32 * word);
}

/** The peer. */
class SetsByLength {
  readonly #sets = new Map<number, Set<number | bigint>>();
  readonly #isV4: boolean;
  readonly #upper = new BigUint64Array(1);
  readonly #halves = new Uint32Array(this.#upper.buffer);

  constructor(family: Family, words: Uint32Array, bits: Uint8Array) {
    this.#isV4 = family.first === 3;
    for (const length of family.lengths.toReversed()) this.#sets.set(length, new Set());
    for (let i = 0; i < bits.length; i += 1)
      this.#sets.get(bits[i]!)!.add(this.#keyOf(words, i * 4, bits[i]!));
  }

  has(words: Uint32Array, at: number): boolean {
    for (const [length, set] of this.#sets) if (set.has(this.#keyOf(words, at, length))) return true;
    return false;
  }

  #keyOf(words: Uint32Array, at: number, length: number): number | bigint {
    if (this.#isV4) return words[at + 3]! >>> (32 - length);
    this.#halves[1] = words[at]!;
    this.#halves[0] = words[at + 1]!;
    return this.#upper[0]! >> BigInt(64 - length);
  }
}

/** Does the work and notes its milliseconds of CPU: others on the machine do not count, though they share its caches. */
function timed<Value>(times: number[], work: () => Value): Value {
  const start = process.threadCpuUsage();
  const value = work();
  const { user, system } = process.threadCpuUsage(start);
  times.push((user + system) / 1000);
  return value;
}

function refuse(line: number): never {
  throw new Error(`line ${line} of the text was refused`);
}

function row(family: Family): string {
  const words = new Uint32Array(count * 4);
  const bits = new Uint8Array(count);
  const asked = new Uint32Array(LOOKUPS * 4);
  const lines: string[] = [];
  for (let i = 0; i < count; i += 1) {
    const length = family.lengths[random.below(family.lengths.length)]!;
    writeRandom(family, words, i * 4);
    for (let w = family.first; w < 4; w += 1) words[i * 4 + w]! &= ~hostMask(length, w - family.first);
    bits[i] = length;
    lines.push(`${formatAddress(words, i * 4)}/${length}`);
  }
  for (let i = 0; i < LOOKUPS; i += 1) {
    writeRandom(family, asked, i * 4);
    if (i % 2 === 1) continue;
    const known = random.below(count);
    for (let w = family.first; w < 4; w += 1) {
      const mask = hostMask(bits[known]!, w - family.first);
      asked[i * 4 + w] = words[known * 4 + w]! | (asked[i * 4 + w]! & mask);
    }
  }
  const text = bytesOf(lines.join('\n'));
  const [readMs, compileMs, peerMs, oursMs, peersMs]: number[][] = [[], [], [], [], []];
  let last: (string | number)[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const builder = new NetworkBuilder();
    timed(readMs!, () => readListText(text, 'deny', builder, refuse));
    const memory = timed(compileMs!, () => builder.build());
    const peer = timed(peerMs!, () => new SetsByLength(family, words, bits));
    const ours = new NetworkSet(memory);
    const askOurs = (found = 0): number => {
      for (let i = 0; i < LOOKUPS; i += 1) if (ours.has(asked, i * 4)) found += 1;
      return found;
    };
    const askPeer = (found = 0): number => {
      for (let i = 0; i < LOOKUPS; i += 1) if (peer.has(asked, i * 4)) found += 1;
      return found;
    };
    const before = round % 2 === 0 ? timed(oursMs!, askOurs) : -1;
    const theirs = timed(peersMs!, askPeer);
    const found = before >= 0 ? before : timed(oursMs!, askOurs);
    if (found !== theirs) throw new Error(`ours found ${found}, the peer ${theirs}`);
    last = [family.name, ours.networks, ours.size, memory.length, Math.round((found * 100) / LOOKUPS)];
  }
  const median = (times: number[] | undefined): number => times!.toSorted((a, b) => a - b)[rounds >> 1]!;
  const ns = (times: number[] | undefined): number => (median(times) * 1e6) / LOOKUPS;
  const ms = [readMs, compileMs, peerMs].map((times) => median(times).toFixed(0));
  const lookups = [ns(oursMs).toFixed(0), ns(peersMs).toFixed(0), (ns(peersMs) / ns(oursMs)).toFixed(2)];
  return `| ${[...last, ...ms, ...lookups].join(' | ')} |`;
}

const page = `# Permanent lists

\`node native-bench/lists.ts ${count} ${rounds} ${seed}\`: ${count} random networks of each family, ${LOOKUPS} look-ups, medians of ${rounds} rounds in which
the two take turns at being first. Node ${process.version}, V8 ${process.versions.v8}, Linux, ${availableParallelism()} cores of a machine shared with others,
load average ${loadavg()[0]!.toFixed(1)} at the end. Times are CPU times of the thread.

| family | networks | ranges | bytes | found, % | read text, ms | compile, ms | build the peer, ms | look-up, ns | look-up of the peer, ns | peer / ours |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
${families.map(row).join('\n')}

The peer is a Set of prefixes for each of the six prefix lengths that occur. Its cost grows with the number of
lengths, that of the compiled list with the logarithm of the number of ranges.
`;
process.stdout.write(page);
if (count === 1_000_000) writeFileSync(fileURLToPath(new URL('../results/lists.md', import.meta.url)), page);
