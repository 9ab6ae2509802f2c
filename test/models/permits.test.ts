import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Permits, TURN_MS } from '../../src/backend/permits.ts';

/** The same rules with a list of who stands in line, and nothing shared. */
class Twin {
  max: number;
  readonly held: number[];
  readonly wanted: number[];
  readonly tookMs: number[];
  line: number[] = [];

  constructor(max: number, shards: number) {
    this.max = max;
    this.held = Array.from({ length: shards }, () => 0);
    this.wanted = this.held.map(() => 0);
    this.tookMs = this.held.map(() => 0);
  }

  get free(): number {
    return this.max - this.held.reduce((sum, count) => sum + count, 0);
  }

  want(shard: number, count: number, anew = false): void {
    const claim = Math.min(count, Math.ceil(this.max / this.held.length) - this.held[shard]!);
    const isInLine = this.line.includes(shard) && !anew;
    if (!isInLine || claim <= 0) this.line = this.line.filter((one) => one !== shard);
    if (!isInLine && claim > 0) this.line.push(shard);
    this.wanted[shard] = Math.max(0, claim);
  }

  take(shard: number, nowMs: number): boolean {
    const place = this.line.indexOf(shard);
    const before = place < 0 ? this.line : this.line.slice(0, place);
    if (this.free <= before.reduce((sum, one) => sum + this.wanted[one]!, 0)) return false;
    this.held[shard]! += 1;
    this.tookMs[shard] = nowMs;
    if (place >= 0) this.want(shard, this.wanted[shard]! - 1, true);
    return true;
  }

  isAskedBack(shard: number, leaving: number, nowMs: number): boolean {
    const share = this.max / this.held.length;
    const staying = this.held[shard]! - leaving;
    if (staying <= share) return false;
    if (staying - 1 < share && nowMs - this.tookMs[shard]! < TURN_MS) return false;
    const others = this.line.filter((one) => one !== shard);
    return others.reduce((sum, one) => sum + this.wanted[one]!, 0) > this.free + leaving;
  }

  forget(shard: number): void {
    this.held[shard] = 0;
    this.wanted[shard] = 0;
    this.tookMs[shard] = 0;
    this.line = this.line.filter((one) => one !== shard);
  }
}

const sizes = { max: fc.integer({ min: 1, max: 12 }), shards: fc.integer({ min: 1, max: 6 }) };
const step = fc.record({
  shard: fc.nat({ max: 5 }),
  does: fc.constantFrom('take', 'take', 'want', 'giveBack', 'isAskedBack', 'limit', 'die'),
  count: fc.nat({ max: 11 }),
  passMs: fc.constantFrom(0, 0, 30, 70, TURN_MS),
});

/** Shards that share one piece of memory. */
function house(max: number, shards: number): { view: (shard: number) => Permits; all: Permits[] } {
  const words = new Int32Array(Permits.wordsFor(shards));
  const view = (shard: number): Permits => new Permits(words, max, shards, shard);
  return { view, all: Array.from({ length: shards }, (_, shard) => view(shard)) };
}

const heldBy = (all: readonly Permits[]): number => all.reduce((sum, { held }) => sum + held, 0);

describe('permits', () => {
  it('are never more than there are, go to whoever waited longest, and outlive no shard', () => {
    fc.assert(
      fc.property(sizes.max, sizes.shards, fc.array(step, { maxLength: 200 }), (max, shards, steps) => {
        const { view, all } = house(max, shards);
        const twin = new Twin(max, shards);
        // Never more than this: what there was when the limit was lowered, until it is less.
        let bound = max;
        let least = max;
        let nowMs = 0;
        for (const { shard: drawn, does, count, passMs } of steps) {
          nowMs += passMs;
          const shard = drawn % shards;
          const permits = all[shard]!;
          if (does === 'take') expect(permits.take(nowMs)).toBe(twin.take(shard, nowMs));
          else if (does === 'want') {
            permits.want(count);
            twin.want(shard, count);
          } else if (does === 'giveBack' && permits.held > 0) {
            permits.giveBack();
            twin.held[shard]! -= 1;
          } else if (does === 'isAskedBack') {
            const leaving = Math.min(count, permits.held);
            expect(permits.isAskedBack(leaving, nowMs)).toBe(twin.isAskedBack(shard, leaving, nowMs));
          } else if (does === 'limit') {
            twin.max = 1 + (count % max);
            least = 1;
            permits.setLimit(twin.max, least);
            bound = Math.max(twin.max, heldBy(all));
          } else if (does === 'die') {
            all[(shard + 1) % shards]!.forget(shard);
            all[shard] = view(shard);
            twin.forget(shard);
          }
          expect(all.map(({ held }) => held)).toEqual(twin.held);
          expect(heldBy(all)).toBeLessThanOrEqual(bound);
          bound = Math.min(bound, Math.max(twin.max, heldBy(all)));
          expect([permits.limit, permits.heldByAll]).toEqual([twin.max, heldBy(all)]);
          expect(permits.isAboveShare).toBe(permits.held * shards > least);
          const reach = Math.max(permits.held + Math.max(0, twin.free), Math.ceil(twin.max / shards));
          expect(permits.withinReach).toBe(reach);
        }
        all[0]!.setLimit(max, 1);
        for (const [shard, permits] of all.entries()) {
          while (permits.held > 0) permits.giveBack();
          permits.want(0);
          twin.forget(shard);
        }
        for (let count = 0; count < max; count++) expect(all[0]!.take(nowMs)).toBe(true);
        expect(all[0]!.take(nowMs)).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });

  it('come to a shard below its share, whatever the others want, before as many were given back as all may claim', () => {
    fc.assert(
      fc.property(
        sizes.max,
        fc.integer({ min: 2, max: 6 }),
        fc.array(fc.nat({ max: 5 }), { maxLength: 60 }),
        fc.infiniteStream(fc.nat({ max: 1_000 })),
        (max, shards, takers, order) => {
          const { all } = house(max, shards);
          let nowMs = 0;
          for (const taker of takers) all[taker % shards]!.take(nowMs);
          const victim = all.find((one) => one.held * shards < max);
          fc.pre(victim !== undefined);
          const before = victim.held;
          victim.want(1);
          let givenBack = 0;
          while (!victim.take(nowMs)) {
            nowMs += TURN_MS;
            const others = all.filter((one) => one !== victim);
            const from = order.next().value!;
            for (const place of others.keys()) {
              const one = others[(from + place) % others.length]!;
              one.want(max);
              if (one.isAskedBack(0, nowMs)) {
                one.giveBack();
                givenBack += 1;
              }
              one.take(nowMs);
            }
            expect(givenBack).toBeLessThanOrEqual(max + shards);
            expect(nowMs).toBeLessThanOrEqual(TURN_MS * (max + shards));
          }
          expect(victim.held).toBe(before + 1);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('go round among shards that all want the only one', () => {
    const { all } = house(1, 3);
    const had: number[] = [];
    let nowMs = 0;
    for (let look = 0; look < 30; look++, nowMs += TURN_MS / 2) {
      for (const [shard, permits] of all.entries()) {
        permits.want(5);
        if (permits.isAskedBack(0, nowMs)) permits.giveBack();
        if (permits.take(nowMs)) had.push(shard);
      }
    }
    expect(had.length).toBeGreaterThan(9);
    expect(had.every((shard, at) => shard === at % 3)).toBe(true);
  });
});
