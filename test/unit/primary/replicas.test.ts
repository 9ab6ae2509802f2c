/**
 * Several processes and the primary between them, each with its own table: they come to know the same, an operator's
 * word reaches all and stays, and whoever is started again is given everything.
 */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Replicas } from '../../../src/primary/replicas.ts';
import { Uplink } from '../../../src/primary/uplink.ts';
import { Kind } from '../../../src/reputation/keys.ts';
import { Mark } from '../../../src/reputation/layout.ts';
import type { ReputationTable } from '../../../src/reputation/table.ts';
import { until } from '../../system/process.ts';
import { ENTRIES, host, newTable, nowSec, visit } from './tables.ts';

interface Engine {
  readonly shard: ReputationTable;
  readonly main: ReputationTable;
  readonly uplink: Uplink;
  isFilled: boolean;
  /** What comes down waits while it is held. */
  isHeld: boolean;
  readonly held: (() => void)[];
}

let replicas: Replicas;
let engines: Engine[];

beforeEach(() => {
  replicas = new Replicas(ENTRIES, 2, 3, () => nowSec);
  engines = [start(0), start(1)];
});
afterEach(async () => {
  replicas.close();
  for (const [number, { uplink }] of engines.entries()) {
    replicas.links[number]!.ended();
    await uplink.finish();
  }
});

/** An engine process, with a channel that copies what it carries and keeps its order. */
function start(number: number): Engine {
  const { shard, main } = newTable();
  const link = replicas.links[number]!;
  const uplink = new Uplink(
    main,
    (message) => void setImmediate(() => link.heard(structuredClone(message))),
    () => nowSec,
  );
  const engine: Engine = { shard, main, uplink, isFilled: false, isHeld: false, held: [] };
  link.began((message) => {
    const copy = structuredClone(message);
    const arrive = (): void => {
      if (copy.kind === 'filled') engine.isFilled = true;
      else uplink.heard(copy);
    };
    setImmediate(() => (engine.isHeld ? engine.held.push(arrive) : arrive()));
  });
  return engine;
}

const passesOf = (table: ReputationTable, number: number): number => {
  const index = table.find(Kind.Host, host(number));
  return index < 0 ? -1 : table.passesOf(index, nowSec);
};
const markOf = (table: ReputationTable, number: number): number => {
  const index = table.find(Kind.Host, host(number));
  return index < 0 ? -1 : table.markOf(index, nowSec);
};
/** What an operator does on the primary. */
function mark(number: number, word: Mark, untilSec = 0): void {
  const index = replicas.table.claim(Kind.Host, host(number), nowSec);
  replicas.table.mark(index, word, untilSec);
  replicas.marked(Kind.Host, host(number), word);
}
function forget(number: number): void {
  const index = replicas.table.find(Kind.Host, host(number));
  if (index >= 0) replicas.table.forget(index);
  replicas.forgot(Kind.Host, host(number));
}

it('what is learnt in one process is known in the other, and is noted to be saved', async () => {
  for (let number = 0; number < 100; number += 1) visit(engines[0]!.shard, number);
  await until('the other knows all', () => passesOf(engines[1]!.shard, 99) === 1);
  for (let number = 0; number < 100; number += 1) expect(passesOf(engines[1]!.shard, number)).toBe(1);
  const toSave = new Set<number>();
  replicas.toSave.take(0, ENTRIES, (index) => toSave.add(index));
  expect(toSave.size).toBe(100);
});

it('what came from elsewhere is not sent back', async () => {
  visit(engines[0]!.shard, 1);
  await until('the other knows it', () => passesOf(engines[1]!.shard, 1) === 1);
  const noted: number[] = [];
  engines[1]!.main.dirty.take(0, ENTRIES, (index) => noted.push(index));
  expect(noted).toEqual([]);
});

it("an operator's word reaches every process, and so does his taking it away", async () => {
  mark(5, Mark.Deny);
  await until('both have it', () => engines.every(({ shard }) => markOf(shard, 5) === Mark.Deny));
  mark(5, Mark.None);
  await until('both have it no more', () => engines.every(({ shard }) => markOf(shard, 5) === Mark.None));
  // Whatever the processes learn of the client brings the old word back nowhere.
  for (const [number, { shard }] of engines.entries())
    shard.pass(visit(shard, 5), 2 << number, nowSec + 1_000);
  await until('both have learnt', () => engines.every(({ shard }) => passesOf(shard, 5) === 7));
  expect(engines.map(({ shard }) => markOf(shard, 5))).toEqual([Mark.None, Mark.None]);
  expect(markOf(replicas.table, 5)).toBe(Mark.None);
});

it('a trap of one process is known in the other, but never in place of what an operator said', async () => {
  const trap = (number: number): void =>
    engines[0]!.shard.mark(visit(engines[0]!.shard, number), Mark.Trap, nowSec + 1_000);
  mark(7, Mark.Allow);
  await until('both have it', () => engines.every(({ shard }) => markOf(shard, 7) === Mark.Allow));
  trap(7);
  trap(8);
  await until('the trap is known', () => markOf(engines[1]!.shard, 8) === Mark.Trap);
  expect(markOf(engines[1]!.shard, 7)).toBe(Mark.Allow);
  expect(markOf(replicas.table, 7)).toBe(Mark.Allow);
});

it('what is forgotten is forgotten everywhere, also when a row of it was on its way', async () => {
  visit(engines[0]!.shard, 9);
  await until('all know it', () => passesOf(engines[1]!.shard, 9) === 1);
  engines[0]!.isHeld = true;
  forget(9);
  // It has not heard of that yet, and has something new of the client to tell.
  visit(engines[0]!.shard, 9, nowSec + 2_000);
  visit(engines[0]!.shard, 10);
  await until('the row has come up', () => passesOf(replicas.table, 10) === 1);
  expect(passesOf(replicas.table, 9)).toBe(-1);
  engines[0]!.isHeld = false;
  for (const arrive of engines[0]!.held.splice(0)) arrive();
  await until('it has heard', () => passesOf(engines[0]!.shard, 9) === -1);
  expect([replicas.table, engines[1]!.shard].map((table) => passesOf(table, 9))).toEqual([-1, -1]);
});

it('a process that is started again is given everything before it serves', async () => {
  for (let number = 0; number < 1_000; number += 1) visit(engines[0]!.shard, number);
  mark(3, Mark.Allow);
  const numbers = Array.from({ length: 1_000 }, (_, number) => number);
  // What changed comes up in the order of the table, not of the visits.
  await until('all has come up', () => numbers.every((number) => passesOf(replicas.table, number) === 1));
  replicas.links[1]!.ended();
  await engines[1]!.uplink.finish();
  engines[1] = start(1);
  await until('it is filled', () => engines[1]!.isFilled);
  for (const number of numbers) expect(passesOf(engines[1].shard, number)).toBe(1);
  expect(markOf(engines[1].shard, 3)).toBe(Mark.Allow);
});
