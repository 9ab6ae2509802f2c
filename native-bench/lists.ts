/**
 * lists — a million networks compiled, and look-ups in them, beside the plain way in JavaScript
 *
 *     node native-bench/lists.ts [networks] [rounds] [seed]
 *
 * The peer keeps a Set of prefixes for each prefix length that occurs and asks one after the other, the longest
 * first: numbers for IPv4, the upper 64 bits as BigInt for IPv6. It is built from words as the compiled list is, so
 * neither pays for text; reading text is timed apart. Half of the addresses asked for are in the list. Rounds
 * alternate; the figures are medians, and every answer of one is compared with the other's.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { bytesOf } from '../src/base/ascii.ts';
import { formatAddress } from '../src/base/address.ts';
import { Prng } from '../src/base/prng.ts';
import { readListText } from '../src/policy/list-text.ts';
import { NetworkBuilder } from '../src/policy/network-builder.ts';
import { NetworkSet } from '../src/policy/networks.ts';

const [count = 1_000_000, rounds = 7, seed = 1] = process.argv.slice(2).map(Number);
const LOOKUPS = 1_000_000;
const families = [
  { name: 'IPv4', bits: [16, 20, 22, 24, 28, 32], base: 96 },
  { name: 'IPv6', bits: [32, 40, 44, 48, 56, 64], base: 0 },
] as const;
const random = new Prng(seed);
const word = (): number => random.below(2 ** 32);
const median = (all: number[]): number => all.toSorted((a, b) => a - b)[all.length >> 1]!;
const timed = <Value>(work: () => Value): readonly [number, Value] => {
  const start = performance.now();
  const value = work();
  return [performance.now() - start, value];
};

/** Prefixes of one length each in a Set; an address is cut to every length in turn. */
class SetsByLength {
  readonly #sets = new Map<number, Set<number | bigint>>();
  readonly #key: (words: Uint32Array, at: number, bits: number) => number | bigint;
  constructor(isV4: boolean, words: Uint32Array, bits: Uint8Array) {
    const upper = new BigUint64Array(1);
    const halves = new Uint32Array(upper.buffer);
    this.#key = isV4
      ? (from, at, length) => from[at + 3]! >>> (32 - length)
      : (from, at, length) => {
          halves[1] = from[at]!;
          halves[0] = from[at + 1]!;
          return upper[0]! >> BigInt(64 - length);
        };
    for (const length of [...new Set(bits)].toSorted((a, b) => b - a)) this.#sets.set(length, new Set());
    for (let i = 0; i < bits.length; i++) this.#sets.get(bits[i]!)!.add(this.#key(words, i * 4, bits[i]!));
  }
  has(words: Uint32Array, at: number): boolean {
    for (const [length, set] of this.#sets) if (set.has(this.#key(words, at, length))) return true;
    return false;
  }
}

const rows = families.map(({ name, bits: lengths, base }) => {
  const isV4 = base > 0;
  const words = new Uint32Array(count * 4);
  const bits = new Uint8Array(count);
  const lines: string[] = [];
  for (let i = 0; i < count; i++) {
    const length = (bits[i] = lengths[random.below(lengths.length)]!);
    const mask = (at: number): number =>
      length >= at + 32 ? -1 : length <= at ? 0 : -1 << (at + 32 - length);
    words.set(
      isV4 ? [0, 0, 0xffff, word() & mask(0)] : [0x2000_0000 | (word() >>> 3), word() & mask(32), 0, 0],
      i * 4,
    );
    lines.push(`${formatAddress(words, i * 4)}/${length}`);
  }
  const text = bytesOf(lines.join('\n'));
  const asked = new Uint32Array(LOOKUPS * 4);
  for (let i = 0; i < LOOKUPS; i++) {
    const from = random.below(count) * 4;
    asked.set(i % 2 === 0 ? words.subarray(from, from + 4) : [...words.subarray(from, from + 3), 0], i * 4);
    if (isV4 ? i % 2 === 1 : true)
      asked[i * 4 + 3] = (asked[i * 4 + 3]! | (isV4 ? 0 : 1)) ^ (i % 2 ? word() : 0);
    if (!isV4 && i % 2 === 1) asked[i * 4] = 0x2000_0000 | (word() >>> 3);
  }
  const times: Record<string, number[]> = { text: [], compile: [], build: [], ours: [], peers: [] };
  let bytes = 0;
  let inside = 0;
  let size = 0;
  for (let round = 0; round < rounds; round++) {
    const builder = new NetworkBuilder();
    times['text']!.push(
      timed(() =>
        readListText(text, 'deny', builder, (line) => {
          throw new Error(`line ${line}`);
        }),
      )[0],
    );
    const [compileMs, memory] = timed(() => builder.build());
    times['compile']!.push(compileMs);
    const [buildMs, peer] = timed(() => new SetsByLength(isV4, words, bits));
    times['build']!.push(buildMs);
    const set = new NetworkSet(memory);
    const answers = (one: NetworkSet | SetsByLength) => (): number => {
      let found = 0;
      for (let i = 0; i < LOOKUPS; i++) if (one.has(asked, i * 4)) found++;
      return found;
    };
    const turns = [
      ['ours', set],
      ['peers', peer],
    ] as const;
    const found = (round % 2 === 0 ? turns : turns.toReversed()).map(([who, one]) => {
      const [ms, hits] = timed(answers(one));
      times[who]!.push((ms * 1e6) / LOOKUPS);
      return hits;
    });
    if (found[0] !== found[1]) throw new Error(`the two disagree: ${found.join(' and ')}`);
    [bytes, inside, size] = [memory.length, found[0]!, set.size];
  }
  const of = (what: string): number => median(times[what]!);
  const cells = [
    name,
    size,
    bytes,
    of('text').toFixed(0),
    of('compile').toFixed(0),
    of('build').toFixed(0),
    of('ours').toFixed(0),
    of('peers').toFixed(0),
    (of('peers') / of('ours')).toFixed(2),
    `${((inside * 100) / LOOKUPS).toFixed(0)} %`,
  ];
  return `| ${cells.join(' | ')} |`;
});
