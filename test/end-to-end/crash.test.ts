/**
 * A shard that dies takes its own sessions with it, and nothing else: the other shard serves on, what is known
 * of clients stays known, and nobody is counted as connected who is not.
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Sink } from '../../loadgen/sink.ts';
import type { Client } from '../system/client.ts';
import { freePort } from '../system/process.ts';
import { greetingOf, sendMail, withEnvelope } from './mail.ts';
import { configText, newDirectory, Program } from './program.ts';

const engine = fileURLToPath(new URL('./engine-program.ts', import.meta.url));
const perClient = 6;
const connectionsMax = 2;

let sink: Sink;
let program: Program;
let port = 0;

beforeEach(async () => {
  sink = new Sink();
  port = await freePort();
  const directory = newDirectory();
  const file = join(directory, 'sluice.toml');
  const text = configText(port, await sink.listen(), {
    limits: { connections: perClient },
    backend: { address: `127.0.0.1:${sink.port}`, max_connections: connectionsMax },
  });
  writeFileSync(file, text);
  program = new Program([file], { program: engine, directory });
  await listening(2);
});
afterEach(async () => {
  await program.dispose();
  await sink.close();
});

/** How often a text was said. */
const saidTimes = (text: string): number => program.said.split(text).length - 1;

/** Waits until shards have said `times` times that they listen. */
async function listening(times: number): Promise<void> {
  await program.sees(`${times} shards listen`, () => saidTimes('"kind":"listening"') >= times);
}

async function kill(shard: number): Promise<void> {
  const before = saidTimes(`killed ${shard}`);
  program.child.stdin!.write(`kill ${shard}\n`);
  await program.sees(`shard ${shard} is killed`, () => saidTimes(`killed ${shard}`) > before);
}

test('a crashed shard takes only its own sessions with it, and is started again', async () => {
  const clients: Client[] = [];
  for (let at = 0; at < 24; at++) clients.push(await withEnvelope(port, `127.5.0.${at + 1}`));
  await kill(0);
  await listening(3);
  expect(program.said).toContain('shard 0 ended; it is started again in 0.1 s');
  const replies = await Promise.all(clients.map((client) => client.ask('NOOP')));
  const lost = replies.filter((reply) => reply === null).length;
  expect(lost).toBeGreaterThan(0);
  expect(lost).toBeLessThan(clients.length);
  expect(replies.filter((reply) => reply?.code === 250).length).toBe(clients.length - lost);

  // Both shards serve, the new one with ids of its own.
  for (const client of clients) client.close();
  await program.logs(clients.length - lost);
  for (let at = 0; at < 24; at++)
    expect((await sendMail(port, `127.5.1.${at + 1}`, 'Subject: x\n\n'))?.code).toBe(250);
  await program.logs(clients.length - lost + 24);
  const ids = program.sessions.map(({ id }) => String(id));
  expect(new Set(ids).size).toBe(ids.length);
  const shards = new Set(program.sessions.slice(-24).map(({ id }) => String(id).replace(/-.*/, '')));
  expect(shards).toEqual(new Set(['test.0.2', 'test.1.1']));
});

test('a shard that dies again and again is started after longer and longer pauses', async () => {
  for (let round = 0; round < 4; round++) {
    await kill(1);
    await listening(3 + round);
  }
  const pauses = [...program.said.matchAll(/shard 1 ended; it is started again in ([\d.]+) s/g)].map(
    (found) => found[1],
  );
  expect(pauses).toEqual(['0.1', '0.2', '0.4', '0.8']);
});

test('the connections of a shard that died are there for the others and for its successor', async () => {
  for (let round = 0; round < 3; round++) {
    for (const shard of [0, 1]) await kill(shard);
    await listening(4 + 2 * round);
    for (let at = 0; at < 12; at++)
      expect((await sendMail(port, `127.5.6.${at + 1}`, 'Subject: x\n\n'))?.code).toBe(250);
  }
  expect(sink.messages).toHaveLength(36);
  expect(sink.stats.connectionsOpenMax).toBeLessThanOrEqual(connectionsMax);
});

test('a shard that cannot listen when it is started again is tried again until it can', async () => {
  await kill(0);
  await kill(1);
  const thief = createServer().listen(port, '127.0.0.1');
  await once(thief, 'listening');
  await program.sees('both shards have failed', () => saidTimes('"kind":"failed"') >= 2);
  expect(program.said).toMatch(/"kind":"failed","text":"[^"]*EADDRINUSE/);
  thief.close();
  await listening(4);
  expect((await sendMail(port, '127.5.4.1', 'Subject: x\n\n'))?.code).toBe(250);
});

test('what is known of clients outlives a crash of every shard', async () => {
  await sendMail(port, '127.5.2.1', 'Subject: first\n\n');
  await program.logs(1);
  await kill(0);
  await kill(1);
  await listening(4);
  await sendMail(port, '127.5.2.1', 'Subject: second\n\n');
  await sendMail(port, '127.6.2.2', 'Subject: stranger\n\n');
  await program.logs(3);
  expect(program.sessions.map(({ pace }) => pace)).toEqual(['screened', 'instant', 'screened']);
});

test('sessions that ended with a crash are not counted as open any more', async () => {
  /** Opens one session more than is allowed; how each was greeted. */
  const open = async (): Promise<(number | undefined)[]> => {
    const all: (number | undefined)[] = [];
    for (let at = 0; at <= perClient; at++) {
      const { client, greeting } = await greetingOf(port, '127.5.3.1');
      all.push(greeting?.code);
      if (greeting?.code === 421) client.close();
    }
    return all;
  };
  const asAllowed = [...Array.from({ length: perClient }, () => 220), 421];
  expect(await open()).toEqual(asAllowed);
  await program.logs(1);
  await kill(0);
  await kill(1);
  await listening(4);
  expect(await open()).toEqual(asAllowed);
  await program.logs(2);
  // Those who died with their shards left no line; the others are still there.
  expect(program.sessions.map(({ ending }) => ending)).toEqual(['tooManyConnections', 'tooManyConnections']);
});

test('a shard that is started again has the lists that were given last', async () => {
  program.child.stdin!.write('deny 127.5.9.0/24\n');
  await program.says(/denied/);
  for (const shard of [0, 1]) await kill(shard);
  await listening(4);
  for (let at = 1; at <= 20; at++) {
    const { client, greeting } = await greetingOf(port, `127.5.9.${at}`);
    client.close();
    expect(greeting?.code).toBe(521);
  }
});

test('a shard that is started again knows the pools that were told before', async () => {
  program.child.stdin!.write('pool 127.44.0.0/16\n');
  await program.says(/^pool made$/m);
  await kill(0);
  await kill(1);
  await listening(4);
  for (let at = 0; at < 16; at++) {
    const { client, greeting } = await greetingOf(port, `127.44.${at}.1`);
    expect(greeting?.lines).toHaveLength(1);
    client.close();
  }
  const { client, greeting } = await greetingOf(port, '127.45.0.1');
  expect(greeting?.lines).toHaveLength(2);
  client.close();
});
