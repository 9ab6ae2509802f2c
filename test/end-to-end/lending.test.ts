/**
 * Several engine processes and few connections to the backend: they lend them to each other, all mail comes through, and the
 * backend never sees more of them than it was promised, as it counts itself.
 */
import { afterEach, expect, test } from 'vitest';
import { Sink } from '../../loadgen/sink.ts';
import type { Client } from '../system/client.ts';
import { greeted } from '../system/client.ts';
import { until } from '../system/process.ts';
import { sendMail } from './mail.ts';
import type { Running } from './program.ts';
import { startRunning } from './program.ts';
import { socketsTo } from './sockets.ts';

let sink: Sink;
let running: Running;

afterEach(async () => {
  await running.program.dispose();
  await sink.close();
});

async function start(connectionsMax: number, more: Record<string, unknown> = {}): Promise<void> {
  sink = new Sink();
  running = await startRunning(await sink.listen(), {
    engine: { shards: 4, processes: 2 },
    backend: { address: `127.0.0.1:${sink.port}`, max_connections: connectionsMax, ...more },
  });
  expect(running.program.said).toMatch(/4 shards in 2 processes/);
}

/** The engine process that a session was in. */
const processOf = (id: unknown): string => String(id).split('.')[1]!;

/** Clients that have been greeted, as many at least in each process, by its pid. */
async function clientsOfEach(atLeast: number): Promise<Map<number, Client[]>> {
  const { program, port } = running;
  const all = new Map(program.children().map((pid) => [pid, [] as Client[]]));
  for (let at = 1; [...all.values()].some((clients) => clients.length < atLeast); at++) {
    const { client } = await greeted(port, `127.7.20.${at}`);
    for (const [pid, clients] of all) if (socketsTo(pid, client.port) > 0) clients.push(client);
  }
  return all;
}

/** Sends one message after the other until it is told to stop, and QUIT; how many. */
async function keepSending(client: Client, isOver: () => boolean): Promise<number> {
  let sent = 0;
  while (!isOver()) {
    await client.expect('MAIL FROM:<a@example.org>', 250);
    await client.expect('RCPT TO:<b@example.com>', 250);
    await client.expect('DATA', 354);
    client.send('Subject: x\r\n\r\n.\r\n');
    expect((await client.reply())?.code).toBe(250);
    sent += 1;
  }
  await client.ask('QUIT');
  client.close();
  return sent;
}

/** Sends one message in each session until it is told to stop; how many. Whoever was with a process that died comes again. */
async function keepComing(port: number, from: string, isOver: () => boolean): Promise<number> {
  let sent = 0;
  while (!isOver()) {
    const code = await sendMail(port, from, 'Subject: x\n\n').then(
      (reply) => reply?.code,
      () => undefined,
    );
    if (code === 250) sent += 1;
  }
  return sent;
}

test.each([2, 3, 4])('two processes and %i connections: all is delivered', async (max) => {
  await start(max);
  const { program, port } = running;
  const sent: Promise<number | undefined>[] = [];
  for (let at = 0; at < 40; at++)
    sent.push(
      sendMail(port, `127.7.${20 + max}.${at + 1}`, `Subject: ${at}\n\n`).then((reply) => reply?.code),
    );
  expect(new Set(await Promise.all(sent))).toEqual(new Set([250]));
  await program.logs(40);
  expect(new Set(program.sessions.map(({ id }) => processOf(id)))).toEqual(new Set(['0', '1']));
  expect(sink.stats.messages).toBe(40);
  expect(sink.stats.connectionsOpenMax).toBeLessThanOrEqual(max);
});

test('a process that is busy alone has all but one, and gives back what is wanted of its equal part', async () => {
  await start(6);
  sink.faults.replyDelayMs = 20;
  const [[busy, one], [idle, other]] = [...(await clientsOfEach(12))] as [
    [number, Client[]],
    [number, Client[]],
  ];
  let isOver = false;
  const senders = one.map((client) => keepSending(client, () => isOver));
  await until('the busy one has borrowed', () => socketsTo(busy, sink.port) === 5);
  for (const client of other) senders.push(keepSending(client, () => isOver));
  await until('the other has its part', () => socketsTo(idle, sink.port) === 3);
  isOver = true;
  const sent = (await Promise.all(senders)).reduce((sum, count) => sum + count, 0);
  expect(sink.stats.messages).toBe(sent);
  expect(sink.stats.connectionsOpenMax).toBeLessThanOrEqual(6);
});

test('the connections of a process that is killed are lent to the other and shared with its successor', async () => {
  await start(4);
  sink.faults.replyDelayMs = 5;
  const { program, port } = running;
  let isOver = false;
  const senders = Array.from({ length: 16 }, (_, at) => keepComing(port, `127.7.30.${at + 1}`, () => isOver));
  for (let round = 1; round <= 2; round++) {
    const [killed, other] = program.children() as [number, number];
    await until('both have connections', () => [killed, other].every((pid) => socketsTo(pid, sink.port) > 0));
    process.kill(killed, 'SIGKILL');
    await until('the other has borrowed', () => socketsTo(other, sink.port) === 3);
    await until('there are two again', () => program.children().length === 2);
    const successor = program.children().find((pid) => pid !== other)!;
    await until('the successor has its part', () => socketsTo(successor, sink.port) === 2);
  }
  isOver = true;
  const sent = (await Promise.all(senders)).reduce((sum, count) => sum + count, 0);
  expect(sink.stats.messages).toBeGreaterThanOrEqual(sent);
  expect(sink.stats.connectionsOpenMax).toBeLessThanOrEqual(4);
});
