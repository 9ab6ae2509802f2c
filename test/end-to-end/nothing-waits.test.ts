/**
 * Whatever a session could be made to wait for is made to hang at once: the name servers of DNS lists and of SPF hear
 * everything and say nothing, and the state file is a pipe that nobody writes to. Mail goes through all the same, and
 * nobody is made to wait but for the greeting.
 */
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import { decode } from 'dns-packet';
import { afterEach, expect, test } from 'vitest';
import { Sink } from '../../loadgen/sink.ts';
import { until } from '../system/process.ts';
import { sendMail } from './mail.ts';
import type { Program } from './program.ts';
import { newDirectory, startRunning } from './program.ts';

const GREET_WAIT_MS = 300;
const CLIENTS = 20;

const sink = new Sink();
const silent = createSocket('udp4');
const asked = new Set<string>();
let program: Program | null = null;

afterEach(async () => {
  await program?.dispose();
  await sink.close();
  silent.close();
});

test('no session waits for a name server or a disk, though all of them hang', async () => {
  silent.on('message', (bytes) => {
    for (const { name, type } of decode(bytes).questions ?? []) asked.add(`${type} ${name}`);
  });
  silent.bind(0, '127.0.0.1');
  await once(silent, 'listening');
  const directory = newDirectory();
  const file = join(directory, 'state.db');
  execFileSync('mkfifo', [file]);
  const running = await startRunning(
    await sink.listen(),
    {
      screen: { greet_wait: `${GREET_WAIT_MS}ms` },
      reputation: { file },
      pools: { spf: true },
      dnsxl: [
        { zone: 'bad.test', weight: 8 },
        { zone: 'good.test', weight: -4 },
      ],
      dnsxl_policy: { resolvers: [`127.0.0.1:${silent.address().port}`], skip_at: -4 },
    },
    { directory },
  );
  ({ program } = running);
  // Each from a network of its own: nobody is known by his neighbours.
  const from = (at: number): string => `127.${20 + at}.0.1`;
  for (const visit of [1, 2]) {
    const answers = await Promise.all(
      Array.from({ length: CLIENTS }, (_, at) => sendMail(running.port, from(at), `Subject: ${visit}\n\n`)),
    );
    expect(answers.map((answer) => answer?.code)).toEqual(new Array<number>(CLIENTS).fill(250));
  }
  await program.logs(2 * CLIENTS);
  const delays = program.sessions.map(({ delay_ms: delay, pace, dnsxl }) => ({ delay, pace, dnsxl }));
  const all = (delay: number, pace: string): object[] =>
    Array.from({ length: CLIENTS }, () => ({ delay, pace, dnsxl: [] }));
  expect(delays.slice(0, CLIENTS)).toEqual(all(GREET_WAIT_MS, 'screened'));
  expect(delays.slice(CLIENTS)).toEqual(all(0, 'instant'));

  // All of it was asked for, and none of it has answered.
  await until('the lists and the record of the sender were asked for', () =>
    ['A 2.0.0.127.bad.test', 'A 2.0.0.127.good.test', 'TXT example.org'].every((name) => asked.has(name)),
  );
  await program.says(/state\.db does not answer; mail goes on/);
});
