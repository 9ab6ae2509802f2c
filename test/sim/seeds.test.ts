/**
 * seeds — whole shards with bots, faults and checkers, one world a seed
 *
 * The rules are in checkers, conversation, crowd and mail-audit; a seed that breaks one prints the seed, the
 * tick, the rule, the command that plays it again, and the last events of the session concerned.
 */
import { expect, test } from 'vitest';
import { runSeed } from './run.ts';
import { fixed, fresh, pinned } from './seeds.ts';

const SESSIONS = 200;

test.each(pinned)('seed $seed keeps every rule; it once found: $found', ({ seed }) => {
  expect(runSeed({ seed, sessions: SESSIONS }).mail.told250).toBeGreaterThan(0);
});

test.each(fixed)('seed %i keeps every rule', (seed) => {
  expect(runSeed({ seed, sessions: SESSIONS }).mail.told250).toBeGreaterThan(0);
});

const { commit, seeds } = fresh();

test.each(seeds)(`seed %i, which follows from commit ${commit.slice(0, 10)}, keeps every rule`, (seed) => {
  expect(runSeed({ seed, sessions: SESSIONS }).mail.told250).toBeGreaterThan(0);
});

test.each([11, 12, 13, 14])(
  'seed %i without faults: every honest sender delivers, and nothing is uncertain',
  (seed) => {
    const world = runSeed({ seed, sessions: SESSIONS, hasFaults: false });
    const honest = world.crowd.clients.filter((client) => client.bot.honest);
    expect(honest.length).toBeGreaterThan(0);
    expect(honest.filter((client) => client.endedAs !== 'finished').map((client) => client.serial)).toEqual(
      [],
    );
    expect(world.counts['messagesUncertain']).toBe(0);
    expect(world.mail.uncertain).toBe(0);
  },
);

test('equal seeds give equal runs, and another seed another', () => {
  const hashes = [5, 5, 6].map((seed) => runSeed({ seed, sessions: 100 }).trace.hash);
  expect(hashes[1]).toBe(hashes[0]);
  expect(hashes[2]).not.toBe(hashes[0]);
});

test('following a session changes nothing but the report', () => {
  const plain = runSeed({ seed: 5, sessions: 100 });
  const followed = runSeed({ seed: 5, sessions: 100, follow: 3 });
  expect(followed.trace.hash).toBe(plain.trace.hash);
  expect(followed.trace.lines.length).toBeGreaterThan(0);
});
