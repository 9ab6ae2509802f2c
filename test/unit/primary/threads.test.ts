/**
 * Threads whose shards cannot live: their order lacks a configuration, so each throws when it begins.
 */
import { afterEach, expect, it } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { defaultConfig } from '../../../src/config/load.ts';
import { compileLists } from '../../../src/primary/list-files.ts';
import { Threads } from '../../../src/primary/threads.ts';
import type { FromShard } from '../../../src/worker/messages.ts';
import { until } from '../../system/process.ts';

let threads: Threads | null = null;
afterEach(() => threads?.kill());

function startBroken(shards: number): {
  notices: string[];
  heard: { shard: number; message: FromShard }[];
  drained: () => boolean;
} {
  const heard: { shard: number; message: FromShard }[] = [];
  let drained = 0;
  threads = new Threads(
    {
      config: { hostname: 'mx.example.test' } as Config,
      shards,
      sessionsMax: 10,
      allowance: { lanesMax: 1, memoryMaxBytes: 1_000_000, diskMaxBytes: 0 },
      servers: [{ name: 'backend', weight: 1, endpoint: { host: '127.0.0.1', port: 9 } }],
      lists: compileLists(defaultConfig()),
      reputationEntries: 1_024,
      idPrefix: 'test',
      identities: [null],
      trusts: [],
      spoolDirectory: '.',
      nameKey: null,
    },
    {
      told: (shard, message) => {
        heard.push({ shard, message });
        if (message.kind === 'notice') notices.push(message.text);
      },
      drained: () => (drained += 1),
    },
  );
  const notices: string[] = [];
  threads.start();
  return { notices, heard, drained: () => drained === 1 };
}

it('tell the fault of a shard that throws, and start it again after a pause that doubles', async () => {
  const { notices } = startBroken(1);
  await until('three starts have failed', () => notices.length >= 6);
  const [fault, pause, , second, , third] = notices;
  expect(fault).toMatch(/^shard 0 failed: TypeError: /);
  expect([pause, second, third]).toEqual(
    ['0.1', '0.2', '0.4'].map((s) => `shard 0 ended; it is started again in ${s} s`),
  );
});

it('are drained at once when every shard waits to be started again', async () => {
  const { notices, heard, drained } = startBroken(2);
  await until(
    'both have failed',
    () => new Set(heard.map(({ shard }) => shard)).size === 2 && notices.length >= 4,
  );
  threads!.drain();
  await until('they are drained', drained);
  const before = notices.length;
  threads!.kill();
  expect(notices.length).toBe(before);
});
