import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { lobbySlots } from '../../../src/policy/stress.ts';
import { readMachine } from '../../../src/primary/machine.ts';
import type { Plan } from '../../../src/primary/plan.ts';
import { allowanceOf, planFor, planText } from '../../../src/primary/plan.ts';

interface Wishes {
  readonly shards?: number;
  readonly processes?: number;
  readonly maxSessions: number;
  readonly maxConnections?: number;
  readonly messageSizeMaxBytes?: number;
}

function configOf({
  shards = 0,
  processes = 0,
  maxSessions,
  maxConnections = 20,
  messageSizeMaxBytes = 0,
}: Wishes): Config {
  return {
    engine: { shards, processes, maxSessions },
    backend: { maxConnections },
    spool: { messageMemoryBytes: 64_000, memoryMaxBytes: 1_000_003, diskMaxBytes: 10_000_019 },
    smtp: { messageSizeMaxBytes },
  } as Config;
}

const rows: { title: string; cores: number; filesMax: number; wishes: Wishes; plan: Partial<Plan> }[] = [
  {
    title: 'one shard for one core, with exactly the sessions asked for',
    cores: 1,
    filesMax: 20_000,
    wishes: { maxSessions: 10_000 },
    plan: { processes: 1, shardsPerProcess: 1, sessionsPerShard: 10_000 },
  },
  {
    title: 'a shard for each core, each with an eighth more than its share',
    cores: 4,
    filesMax: 100_000,
    wishes: { maxSessions: 8_000 },
    plan: { processes: 1, shardsPerProcess: 4, sessionsPerShard: 2_250 },
  },
  {
    title: 'two processes for 25,000 sessions under a limit of 20,000 files',
    cores: 2,
    filesMax: 20_000,
    wishes: { maxSessions: 25_000 },
    plan: { processes: 2, shardsPerProcess: 1, sessionsPerShard: 14_063 },
  },
  {
    title: 'as many processes as asked for',
    cores: 2,
    filesMax: 20_000,
    wishes: { processes: 3, maxSessions: 300 },
    plan: { processes: 3, shardsPerProcess: 1, sessionsPerShard: 113 },
  },
  {
    title: 'as many shards as asked for, whatever the cores',
    cores: 2,
    filesMax: 20_000,
    wishes: { shards: 5, maxSessions: 1_000 },
    plan: { processes: 1, shardsPerProcess: 5, sessionsPerShard: 225 },
  },
  {
    title: 'a million sessions over many processes',
    cores: 8,
    filesMax: 20_000,
    wishes: { maxSessions: 1_000_000, maxConnections: 100 },
    plan: { processes: 57, shardsPerProcess: 1 },
  },
];

const refusals: { title: string; cores: number; filesMax: number; wishes: Wishes; says: RegExp }[] = [
  {
    title: 'a limit that leaves room for nobody',
    cores: 2,
    filesMax: 150,
    wishes: { maxSessions: 10 },
    says: /^the limit of 150 open files is too small; raise it/,
  },
  {
    title: 'fewer connections to the backend than processes',
    cores: 8,
    filesMax: 20_000,
    wishes: { processes: 8, maxSessions: 100, maxConnections: 7 },
    says: /^backend\.max_connections = 7 is less than one for each of 8 processes/,
  },
  {
    title: 'a message that no process has room for',
    cores: 2,
    filesMax: 20_000,
    wishes: { processes: 3, maxSessions: 100, messageSizeMaxBytes: 3_400_000 },
    says: /^smtp\.message_size_max = "3400kB" does not fit "3333339B", the part of spool\.disk_max that each of 3 processes has/,
  },
  {
    title: 'more sessions than the processes asked for can hold',
    cores: 2,
    filesMax: 1_000,
    wishes: { processes: 1, maxSessions: 10_000 },
    says: /^1 processes with 1000 open files each cannot hold 10000 sessions; raise engine\.processes or the limit/,
  },
];

describe('planFor', () => {
  it.each(rows)('gives $title', ({ cores, filesMax, wishes, plan }) => {
    expect(planFor(configOf(wishes), { cores, filesMax })).toMatchObject(plan);
  });

  it.each(refusals)('refuses $title', ({ cores, filesMax, wishes, says }) => {
    expect(planFor(configOf(wishes), { cores, filesMax })).toMatch(says);
  });

  const cases = fc.record({
    cores: fc.integer({ min: 1, max: 256 }),
    filesMax: fc.integer({ min: 1, max: 2_000_000 }),
    shards: fc.integer({ min: 0, max: 64 }),
    processes: fc.integer({ min: 0, max: 256 }),
    maxSessions: fc.integer({ min: 1, max: 1_000_000 }),
    maxConnections: fc.integer({ min: 1, max: 10_000 }),
  });

  it('keeps every limit with every plan it gives', () => {
    fc.assert(
      fc.property(cases, ({ cores, filesMax, ...wishes }) => {
        const plan = planFor(configOf(wishes), { cores, filesMax });
        if (typeof plan === 'string') {
          expect(plan.length).toBeGreaterThan(20);
          return;
        }
        const { processes, shardsPerProcess, sessionsPerShard } = plan;
        const { lanesMax } = allowanceOf(plan, configOf(wishes), 0);
        const shards = processes * shardsPerProcess;
        for (const count of Object.values(plan)) expect(Number.isSafeInteger(count) && count >= 1).toBe(true);
        // Room for every session that was asked for, and for all connections but one for each other process.
        expect(shards * sessionsPerShard).toBeGreaterThanOrEqual(wishes.maxSessions);
        expect(lanesMax).toBe(wishes.maxConnections - processes + 1);
        expect(lanesMax).toBeGreaterThanOrEqual(1);
        // Sockets of one process, and something for its own files.
        const slots = sessionsPerShard + lobbySlots(sessionsPerShard);
        expect(shardsPerProcess * slots + lanesMax).toBeLessThan(filesMax - 128);
        if (wishes.processes > 0) expect(processes).toBe(wishes.processes);
        expect(shards).toBeGreaterThanOrEqual(wishes.shards);
      }),
      { numRuns: 2_000 },
    );
  });

  it('finds enough processes by itself, unless not one session fits or the connections are too few', () => {
    fc.assert(
      fc.property(cases, ({ cores, filesMax, ...wishes }) => {
        const plan = planFor(configOf({ ...wishes, processes: 0 }), { cores, filesMax });
        if (typeof plan === 'string')
          expect(plan).toMatch(/open files is too small|^backend\.max_connections/);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('allowanceOf', () => {
  it('divides the spool among the processes, as equally as may be, and lends each all connections but one for each other', () => {
    const config = configOf({ processes: 3, maxSessions: 300, maxConnections: 20 });
    const plan = planFor(config, { cores: 2, filesMax: 20_000 }) as Plan;
    expect([0, 1, 2].map((process) => allowanceOf(plan, config, process))).toEqual([
      { lanesMax: 18, memoryMaxBytes: 333_335, diskMaxBytes: 3_333_340 },
      { lanesMax: 18, memoryMaxBytes: 333_334, diskMaxBytes: 3_333_340 },
      { lanesMax: 18, memoryMaxBytes: 333_334, diskMaxBytes: 3_333_339 },
    ]);
  });
});

describe('planText', () => {
  it.each([
    [
      { cores: 1, filesMax: 5_000 },
      { maxSessions: 100 },
      '1 shard in one process, 100 sessions, 20 backend connections',
    ],
    [
      { cores: 3, filesMax: 1_000 },
      { maxSessions: 1_000 },
      '4 shards in 2 processes (1000 open files each), 1000 sessions, 20 backend connections',
    ],
  ])('says what there is: %o', (machine, wishes, text) => {
    const config = configOf(wishes);
    expect(planText(planFor(config, machine) as Plan, config, machine)).toBe(text);
  });
});

describe('readMachine', () => {
  it('tells the cores and the limit on open files', () => {
    const { cores, filesMax } = readMachine();
    expect(cores).toBeGreaterThanOrEqual(1);
    expect(filesMax).toBeGreaterThanOrEqual(64);
  });
});
