import { describe, expect, it } from 'vitest';
import { Prng } from '../../src/base/prng.ts';
import { scoreOfWord, scoreWordAfter } from '../../src/reputation/decay.ts';
import { PASSES } from '../../src/reputation/layout.ts';
import { ReputationTable } from '../../src/reputation/table.ts';

const START_SEC = 1_790_000_000;
const SHARDS = 3;

/** What the naive twin knows of a client. */
interface Known {
  score: number;
  seenSec: number;
  firstSec: number;
  readonly passUntilSec: number[];
  readonly opens: number[];
}

/** An address and the text of its key: IPv4 by address, IPv6 by its first two words. */
function draw(random: Prng, clients: number, words: Uint32Array): string {
  const client = random.below(clients);
  if (client % 2 === 0) words.set([0, 0, 0xffff, 0x0a000000 + client]);
  else words.set([0x20010db8, client, random.below(2 ** 32), random.below(2 ** 32)]);
  return client % 2 === 0 ? `4/${client}` : `6/${client}`;
}

function tables(entries: number): ReputationTable[] {
  const shared = new SharedArrayBuffer(ReputationTable.bytesFor(entries, SHARDS));
  return Array.from({ length: SHARDS }, (_, shard) => new ReputationTable(shared, entries, SHARDS, shard));
}

describe('ReputationTable', () => {
  it.each([1, 2, 3, 4])(
    'agrees with a Map for 20 000 random operations of three shards (seed %i)',
    (seed) => {
      const random = new Prng(seed);
      const shards = tables(2048);
      const known = new Map<string, Known>();
      const words = new Uint32Array(4);
      let nowSec = START_SEC;
      for (let step = 0; step < 20_000; step += 1) {
        if (random.below(20) === 0) nowSec += random.below(2 ** random.below(18));
        const shard = random.below(SHARDS);
        const table = shards[shard]!;
        const key = draw(random, 200, words);
        let client = known.get(key);
        expect(table.find(words, 0) >= 0).toBe(client !== undefined);
        const index = random.below(3) === 0 ? table.claim(words, 0, nowSec) : table.find(words, 0);
        if (index < 0) continue;
        if (client === undefined) {
          client = {
            score: 0,
            seenSec: 0,
            firstSec: nowSec,
            passUntilSec: [0, 0, 0, 0, 0],
            opens: [0, 0, 0],
          };
          known.set(key, client);
          client.seenSec = nowSec;
        }
        if (table.seenSecOf(index) !== client.seenSec) {
          // Only a claim moves the date by itself.
          expect(table.seenSecOf(index)).toBe(nowSec);
          client.seenSec = nowSec;
        }
        switch (random.below(4)) {
          case 0: {
            const delta = random.below(220) - 90;
            client.score = scoreWordAfter(client.score, delta, nowSec);
            expect(table.add(index, delta, nowSec)).toBe(scoreOfWord(client.score, nowSec));
            break;
          }
          case 1: {
            const bits = 1 + random.below((1 << PASSES) - 1);
            const untilSec = random.below(4) === 0 ? 0 : nowSec + random.below(100_000);
            table.pass(index, bits, untilSec, nowSec);
            for (let test = 0; test < PASSES; test += 1) {
              if ((bits & (1 << test)) !== 0) client.passUntilSec[test] = untilSec;
            }
            client.seenSec = nowSec;
            break;
          }
          case 2:
            client.opens[shard]! += 1;
            expect(table.opened(index)).toBe(client.opens.reduce((sum, count) => sum + count));
            break;
          default:
            if (client.opens[shard] === 0) break;
            client.opens[shard]! -= 1;
            table.closed(index);
        }
        const passes = client.passUntilSec.reduce(
          (bits, untilSec, test) => (untilSec > nowSec ? bits | (1 << test) : bits),
          0,
        );
        expect(table.passesOf(index, nowSec)).toBe(passes);
        expect(table.scoreOf(index, nowSec)).toBe(scoreOfWord(client.score, nowSec));
        expect(table.seenSecOf(index)).toBe(client.seenSec);
        expect(table.firstSecOf(index)).toBe(client.firstSec);
        expect(table.openOf(index)).toBe(client.opens.reduce((sum, count) => sum + count));
      }
      expect(known.size).toBeGreaterThan(150);
    },
  );

  it.each([5, 6, 7])(
    'keeps every client with open sessions while thousands come and go (seed %i)',
    (seed) => {
      const random = new Prng(seed);
      const shards = tables(128);
      const open = new Map<string, { index: number; shard: number; words: Uint32Array }>();
      const words = new Uint32Array(4);
      let evictions = 0;
      for (let step = 0; step < 20_000; step += 1) {
        const shard = random.below(SHARDS);
        const key = draw(random, 5000, words);
        const index = shards[shard]!.claim(words, 0, START_SEC + step);
        const before = open.get(key);
        if (before !== undefined) expect(index).toBe(before.index);
        else if (index >= 0 && open.size < 60 && random.below(2) === 0) {
          shards[shard]!.opened(index);
          open.set(key, { index, shard, words: words.slice() });
        } else evictions += 1;
        if (open.size > 0 && random.below(3) === 0) {
          const [oldKey, old] = [...open][random.below(open.size)]!;
          expect(shards[random.below(SHARDS)]!.find(old.words, 0)).toBe(old.index);
          expect(shards[0]!.openOf(old.index)).toBe(1);
          shards[old.shard]!.closed(old.index);
          open.delete(oldKey);
        }
      }
      expect(evictions).toBeGreaterThan(1000);
    },
  );
});
