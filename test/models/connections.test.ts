/**
 * connections — processes that lend each other connections to the backend: the desk, each process's end and its permits, with
 * messages that are late, and processes that die
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Permits, TURN_MS } from '../../src/backend/permits.ts';
import type { ConnectionNews, ConnectionOrder } from '../../src/primary/connection-desk.ts';
import { ConnectionDesk, equalParts } from '../../src/primary/connection-desk.ts';
import { ConnectionPart } from '../../src/primary/connection-part.ts';

/** The same parts, one connection after the other: to whoever has least of those that need one, then to whoever has least. */
function naiveParts(max: number, wanted: readonly number[], parts: readonly number[]): number[] {
  const goals = wanted.map(() => 1);
  const all = [...wanted.keys()];
  for (let left = max - wanted.length; left > 0; left--) {
    const needy = all.filter((one) => goals[one]! < wanted[one]!);
    const line = needy.length > 0 ? needy : all;
    line.sort((one, other) => goals[one]! - goals[other]! || parts[other]! - parts[one]! || one - other);
    goals[line[0]!]! += 1;
  }
  return goals;
}

/** One start of one process. */
class Process {
  readonly up: ConnectionNews[] = [];
  readonly down: ConnectionOrder[] = [];
  readonly shards: readonly Permits[];
  readonly #main: Permits;
  readonly #part: ConnectionPart;

  constructor(max: number, shards: number, part: number) {
    const words = new Int32Array(Permits.wordsFor(shards));
    const view = (shard: number): Permits => new Permits(words, max, shards, shard);
    this.shards = Array.from({ length: shards }, (_, shard) => view(shard));
    this.#main = view(0);
    this.#part = new ConnectionPart(this.#main, part, (news) => this.up.push(news));
  }

  get held(): number {
    return this.shards.reduce((sum, { held }) => sum + held, 0);
  }

  /** What it could have without another word from the desk. */
  get reach(): number {
    return Math.max(this.held, this.#main.limit);
  }

  look(): void {
    this.#part.look();
  }

  hear(): void {
    const order = this.down.shift();
    if (order !== undefined) this.#part.heard(order);
  }
}

class House {
  readonly max: number;
  readonly shards: number;
  readonly desk: ConnectionDesk;
  readonly processes: Process[];
  /** Those that have died and are not given up yet. */
  readonly dying = new Set<number>();
  nowMs = 0;

  constructor(max: number, processes: number, shards: number) {
    this.max = max;
    this.shards = shards;
    this.desk = new ConnectionDesk(max, processes, (number, order) =>
      this.processes[number]!.down.push(order),
    );
    this.processes = Array.from({ length: processes }, (_, number) => this.#begin(number));
  }

  #begin(number: number): Process {
    return new Process(this.max, this.shards, this.desk.began(number));
  }

  /** Messages that were under way are lost; its connections are there for a while. */
  die(number: number): void {
    this.dying.add(number);
  }

  bury(number: number): void {
    if (!this.dying.delete(number)) return;
    this.desk.ended(number);
    this.processes[number] = this.#begin(number);
  }

  deliverUp(number: number): void {
    const news = this.dying.has(number) ? undefined : this.processes[number]!.up.shift();
    if (news !== undefined) this.desk.heard(number, news);
  }

  deliverAll(): void {
    for (const number of this.processes.keys())
      while (this.processes[number]!.up.length > 0) this.deliverUp(number);
  }

  /** All that could be open at once is no more than there is, and no order is sent before the last was answered. */
  check(): void {
    expect(this.processes.reduce((sum, { reach }) => sum + reach, 0)).toBeLessThanOrEqual(this.max);
    for (const { down } of this.processes) expect(down.length).toBeLessThanOrEqual(1);
  }

  /** A look at everything, every message delivered; each shard has what it lacks, gives back what is asked back, takes what there is. */
  round(lacks: readonly number[], isIdle: (number: number) => boolean): void {
    this.nowMs += TURN_MS;
    for (const [number, one] of this.processes.entries()) {
      const { shards } = one;
      const isLacking = (): boolean => one.held < lacks[number]!;
      for (const permits of shards) permits.want(Math.max(0, lacks[number]! - one.held));
      for (const permits of shards)
        if (permits.held > 0 && permits.isAskedBack(0, this.nowMs, isIdle(number))) permits.giveBack();
      // Whoever stands in front takes first.
      while (isLacking() && shards.some((permits) => permits.take(this.nowMs)));
      one.look();
    }
    this.deliverAll();
    for (const one of this.processes) one.hear();
    this.deliverAll();
    for (const one of this.processes) one.hear();
    this.check();
  }
}

const deeds = [
  'take',
  'take',
  'want',
  'giveBack',
  'look',
  'look',
  'up',
  'up',
  'down',
  'down',
  'exchange',
  'exchange',
  'die',
  'bury',
];
const step = fc.record({
  process: fc.nat({ max: 4 }),
  shard: fc.nat({ max: 2 }),
  does: fc.constantFrom(...deeds),
  count: fc.nat({ max: 12 }),
});
/** How many each process could use. */
const needs = fc.array(fc.oneof(fc.constant(0), fc.nat({ max: 20 })), { minLength: 5, maxLength: 5 });
const sizes = fc
  .record({ processes: fc.integer({ min: 2, max: 5 }), shards: fc.integer({ min: 1, max: 3 }) })
  .chain(({ processes, shards }) =>
    fc.record({
      processes: fc.constant(processes),
      shards: fc.constant(shards),
      max: fc.integer({ min: processes, max: 14 }),
    }),
  );

/** A house in which this has happened. */
function lived(
  { max, processes, shards }: { max: number; processes: number; shards: number },
  steps: readonly { process: number; shard: number; does: string; count: number }[],
): House {
  const house = new House(max, processes, shards);
  for (const { process, shard, does, count } of steps) {
    const number = process % processes;
    const one = house.processes[number]!;
    const permits = one.shards[shard % shards]!;
    house.nowMs += 10;
    if (does === 'bury') house.bury(number);
    else if (does === 'up') house.deliverUp(number);
    else if (house.dying.has(number)) continue;
    else if (does === 'take') for (let left = count; left > 0 && permits.take(house.nowMs); left--);
    else if (does === 'want') permits.want(count);
    else if (does === 'giveBack' && permits.held > 0) permits.giveBack();
    else if (does === 'look') one.look();
    else if (does === 'down') one.hear();
    else if (does === 'die') house.die(number);
    else if (does === 'exchange') {
      one.look();
      while (one.up.length > 0) house.deliverUp(number);
      for (const other of house.processes) other.hear();
    }
    house.check();
  }
  for (const number of house.processes.keys()) house.bury(number);
  return house;
}

/** Rounds until a change has passed through all: what was needed is forgotten, then as many move as there are. */
const roundsFor = ({ max }: House): number => 20 + 4 * max;

describe('equalParts', () => {
  it('agrees with parts that are dealt out one by one', () => {
    const rows = fc.array(fc.record({ need: fc.nat({ max: 20 }), part: fc.nat({ max: 20 }) }), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(rows, fc.nat({ max: 40 }), (all, more) => {
        const wanted = all.map(({ need }) => need);
        const parts = all.map(({ part }) => part);
        const max = all.length + more;
        expect(equalParts(max, wanted, parts)).toEqual(naiveParts(max, wanted, parts));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('processes that share connections', () => {
  it('never have more than there are, whatever is late or dies', () => {
    fc.assert(
      fc.property(sizes, fc.array(step, { maxLength: 300 }), (size, steps) => {
        lived(size, steps);
      }),
      { numRuns: 1_000 },
    );
  });

  it('each have their equal part when all want more, and what one does not want goes to the others', () => {
    fc.assert(
      fc.property(
        sizes,
        fc.array(step, { maxLength: 100 }),
        needs,
        needs,
        fc.boolean(),
        (size, steps, first, then, isIdle) => {
          const house = lived(size, steps);
          for (const all of [first, then]) {
            for (let round = 0; round < roundsFor(house); round++) house.round(all, () => isIdle);
            const wanted = all.slice(0, size.processes);
            const goals = equalParts(size.max, wanted, wanted);
            for (const [number, one] of house.processes.entries()) {
              const least = Math.min(wanted[number]!, Math.floor(size.max / size.processes));
              expect(one.held).toBeGreaterThanOrEqual(least);
              // The odd ones may be with others than in the ideal.
              if (isIdle)
                expect(one.held).toBeGreaterThanOrEqual(Math.min(wanted[number]!, goals[number]! - 1));
            }
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('leave all but one of each other to the only one that wants, though they have them open at rest', () => {
    fc.assert(
      fc.property(sizes, fc.array(step, { maxLength: 100 }), fc.nat({ max: 4 }), (size, steps, drawn) => {
        const house = lived(size, steps);
        const hungry = drawn % size.processes;
        const lacks = house.processes.map((_, number) => (number === hungry ? size.max : 0));
        for (let round = 0; round < roundsFor(house); round++) house.round(lacks, (one) => one !== hungry);
        expect(house.processes[hungry]!.held).toBe(size.max - (size.processes - 1));
      }),
      { numRuns: 200 },
    );
  });

  it('are lent within a few looks, and an equal part is back as soon as its lender ends what is above it', () => {
    const house = new House(20, 2, 1);
    const roundsUntil = (lacks: readonly number[], number: number, count: number): number => {
      for (let round = 1; round <= 100; round++) {
        house.round(lacks, () => true);
        if (house.processes[number]!.held === count) return round;
      }
      return Infinity;
    };
    // What nobody has used lately: one look to ask, one to take.
    expect(roundsUntil([20, 0], 0, 19)).toBeLessThanOrEqual(3);
    // It ends one in each round, ten in all.
    expect(roundsUntil([20, 20], 1, 10)).toBeLessThanOrEqual(10 + 3);
    // What was used a moment ago is lent when it has not been for a while.
    for (const permits of house.processes[1]!.shards) while (permits.held > 0) permits.giveBack();
    expect(roundsUntil([20, 0], 0, 19)).toBeLessThanOrEqual(6 + 3);
  });

  it('go back to equal parts when nobody needs any', () => {
    const house = new House(20, 3, 1);
    for (let round = 0; round < 40; round++) house.round([0, 20, 0], () => true);
    expect(house.processes.map(({ held }) => held)).toEqual([0, 18, 0]);
    for (let round = 0; round < 40; round++) {
      for (const permits of house.processes[1]!.shards) if (permits.held > 0) permits.giveBack();
      house.round([0, 0, 0], () => true);
    }
    const reaches = house.processes.map(({ reach }) => reach);
    expect(reaches.toSorted((one, other) => one - other)).toEqual([6, 7, 7]);
  });
});
