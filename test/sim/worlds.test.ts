/**
 * worlds — a few worlds made for what the seeds meet too seldom
 *
 * The swarm draws everything, so that a rare pair of circumstances may stay away for hundreds of seeds. Each world
 * here brings one such pair about on purpose; all rules of the simulation hold in it.
 */
import { expect, test } from 'vitest';
import { runSeed } from './run.ts';
import type { Wish } from './seed-plan.ts';
import { simConfig } from './swarm.ts';

const SEEDS = [1, 2, 3, 4];
/** Even small messages of good senders begin to stream, and go through a file. */
const STREAMS = { messageMemoryBytes: 4_096, streamFromBytes: 300 };
const WAITS_SHORT = { replyTimeoutMs: 5_000, finalTimeoutMs: 30_000 };

const worlds: readonly { readonly title: string; readonly wish: Omit<Wish, 'seed'> }[] = [
  {
    title: 'a greeting that drips is broken off at the end of a line only',
    wish: {
      sessions: 60,
      population: '2009',
      hasFaults: false,
      config: simConfig({
        lists: { slow: ['127.64.0.0/10'] },
        screen: { pregreet: 'drop' },
        shape: { dripBytes: 1, dripIntervalMs: 100 },
      }),
    },
  },
  {
    title: 'a message that is read from a slow disk is begun anew on the next lane when one is lost',
    wish: {
      sessions: 10,
      honest: 150,
      faults: ['slowDisk', 'closingBackend'],
      config: simConfig({ spool: { messageMemoryBytes: 4_096 } }),
    },
  },
  {
    title: 'a backend that refuses in the middle of a message gets no more of it, and the sender keeps it',
    wish: {
      sessions: 10,
      honest: 150,
      faults: ['slowDisk', 'temporaryBackend'],
      config: simConfig({ spool: { messageMemoryBytes: 4_096 } }),
    },
  },
  {
    title: 'a backend that says a reply too many is left before it speaks for anybody',
    wish: {
      sessions: 100,
      honest: 60,
      faults: ['garbageBackend'],
      config: simConfig({ backend: WAITS_SHORT }),
    },
  },
  {
    title: 'a client that does not read its last reply is not waited for',
    wish: { sessions: 150, faults: ['stalledReaders', 'halfClose'], config: simConfig() },
  },
  {
    title: 'a client that goes behind its final dot does not take its message with it',
    wish: {
      sessions: 60,
      honest: 100,
      faults: ['slowBackend', 'resets', 'halfClose', 'silentBackend'],
      config: simConfig({ backend: WAITS_SHORT }),
    },
  },
  {
    title: 'one lane for everybody, reused or not, serves everybody in turn',
    wish: { sessions: 150, honest: 40, shards: 1, lanesMax: 1, faults: ['acceptStorm'] },
  },
  {
    title: 'a backend that goes in the middle of a message which still comes in gets it from its start, once',
    wish: {
      sessions: 20,
      honest: 200,
      lanesMax: 20,
      faults: ['slowDisk', 'closingBackend', 'splitReads'],
      config: simConfig({ backend: WAITS_SHORT, spool: STREAMS }),
    },
  },
  {
    title: 'a client that goes in the middle of a message which the backend has begun to take has sent none',
    wish: {
      sessions: 20,
      honest: 200,
      lanesMax: 20,
      faults: ['resets', 'halfClose', 'slowBackend', 'splitReads'],
      config: simConfig({ backend: WAITS_SHORT, spool: STREAMS }),
    },
  },
  {
    title: 'a backend that refuses a message which still comes in is heard at its end',
    wish: {
      sessions: 20,
      honest: 200,
      lanesMax: 20,
      faults: ['temporaryBackend', 'silentBackend', 'splitReads'],
      config: simConfig({ backend: WAITS_SHORT, spool: STREAMS }),
    },
  },
  {
    title: 'with one lane for everybody a message that still comes in keeps nobody waiting for long',
    wish: {
      sessions: 60,
      honest: 200,
      shards: 1,
      lanesMax: 1,
      faults: ['splitReads', 'garbageBackend'],
      config: simConfig({ backend: { ...WAITS_SHORT, verifyRecipients: 'late' }, spool: STREAMS }),
    },
  },
];

test.each(worlds)('$title', ({ wish }) => {
  let streamed = 0;
  for (const seed of SEEDS) {
    const world = runSeed({ ...wish, seed });
    expect(world.mail.told250).toBeGreaterThan(0);
    streamed += world.counts['streamed']!;
  }
  if (wish.config?.spool.streamFromBytes === STREAMS.streamFromBytes) expect(streamed).toBeGreaterThan(0);
});
