/**
 * A backend whose host vanishes: its connections stay open and say nothing, since nobody is left to close them.
 *
 * Sluice runs at one end of a link between two network namespaces, the sink answers at the other; cutting the link tells neither.
 * The tests reach both ends by relays over Unix sockets.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Sink } from '../../loadgen/sink.ts';
import { replyTable } from '../../src/smtp/replies.ts';
import { greeted, onTheWire } from './client.ts';
import type { Client } from './client.ts';
import { freePort, stopByPid, until } from './process.ts';
import { FAR_ADDRESS, Satellite } from './satellite.ts';
import type { Sluice } from './sluice.ts';
import { startSluice } from './sluice.ts';

const BACKEND_PORT = 10_025;
const PORT = 2_525;
const relayProgram = fileURLToPath(new URL('./relay-main.ts', import.meta.url));

let folder: string;
let satellite: Satellite | undefined;
let sluice: Sluice | undefined;
/** Where clients connect to. */
let port = 0;
const sink = new Sink({ keepBodies: true });
const relays: ChildProcess[] = [];

async function relay(within: readonly string[], from: string, to: string): Promise<void> {
  const command = [...within, process.execPath, relayProgram, from, to];
  const child = spawn(command[0]!, command.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
  relays.push(child);
  let said = '';
  child.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
  await until(`the relay from ${from} listens`, () => said.includes('listens'));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-gone-'));
  satellite = await Satellite.open({ delayMs: 1, lossPercent: 0, bytesPerSec: 10_000_000, seed: 1 });
  const [toSink, toSluice] = [join(folder, 'sink'), join(folder, 'sluice')];
  await relay([], toSink, `127.0.0.1:${await sink.listen()}`);
  await relay(Satellite.at('far'), `${FAR_ADDRESS}:${BACKEND_PORT}`, toSink);
  const timeouts = { connect_timeout: '2s', reply_timeout: '2s', final_timeout: '2s', wait_max: '10s' };
  sluice = await startSluice({
    backendPort: BACKEND_PORT,
    within: Satellite.at('near'),
    config: {
      listener: { address: `127.0.0.1:${PORT}` },
      backend: { address: `${FAR_ADDRESS}:${BACKEND_PORT}`, reuse: 'always', ...timeouts },
    },
  });
  port = await freePort();
  await relay(Satellite.at('near'), toSluice, `127.0.0.1:${PORT}`);
  await relay([], `127.0.0.1:${port}`, toSluice);
});

afterAll(async () => {
  try {
    satellite?.mend();
    await sluice?.stop();
    for (const { pid } of relays) if (pid !== undefined) await stopByPid(pid);
  } finally {
    await satellite?.close();
    await sink.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
});

/** The client, and the answer to its recipient. */
async function toRecipient(name: string): Promise<{ client: Client; answer: string | undefined }> {
  const { client } = await greeted(port, '127.0.0.1');
  await client.expect(`MAIL FROM:<${name}@honest.test>`, 250);
  const reply = await client.ask('RCPT TO:<anna@example.test>');
  return { client, answer: reply?.lines[0] };
}

/** A client whose recipient was accepted, however often it had to ask. */
async function accepted(name: string): Promise<Client> {
  let ready: Client | undefined;
  await until(`a recipient of ${name} is accepted`, async () => {
    const { client, answer } = await toRecipient(name);
    if (answer?.startsWith('250') === true) ready = client;
    else client.close();
    return ready !== undefined;
  });
  return ready!;
}

async function toMessage(client: Client): Promise<string | undefined> {
  await client.expect('DATA', 354);
  client.send(onTheWire('Subject: x\n\nbody\n'));
  const answer = await client.reply();
  client.close();
  return answer?.lines[0];
}

/** Delivers one message, however often it has to be tried; Sluice leaves a backend alone for up to 8 s. */
async function deliverInTheEnd(name: string): Promise<void> {
  await until(
    `${name} is delivered`,
    async () => (await toMessage(await accepted(name)))?.startsWith('250') === true,
  );
}

const storedBy = (name: string): number =>
  sink.messages.filter(({ sender }) => sender === `${name}@honest.test`).length;

async function counters(): Promise<Record<string, number>> {
  const before = sluice!.said.length;
  const line = (): RegExpExecArray | null => /^sluice: counters (\{.*\})$/m.exec(sluice!.said.slice(before));
  process.kill(sluice!.pid, 'SIGUSR2');
  await until('the counters are said', () => line() !== null);
  return JSON.parse(line()![1]!) as Record<string, number>;
}

describe('a backend whose host has vanished', () => {
  test('under an idle connection: a recipient hears 451, and mail flows when it is back', async () => {
    await deliverInTheEnd('before');
    satellite!.cut();
    const { client, answer } = await toRecipient('meanwhile');
    client.close();
    satellite!.mend();
    expect(answer).toBe(replyTable.backendDown.text);
    await until('the operator is told', () =>
      /^sluice: backend \S+: did not answer in time$/m.test(sluice!.said),
    );
    await deliverInTheEnd('afterwards');
    expect(['before', 'meanwhile', 'afterwards'].map(storedBy)).toEqual([1, 0, 1]);
  });

  test('before the message was handed over: 451, and the backend never gets it', async () => {
    await deliverInTheEnd('well');
    const client = await accepted('unsent');
    satellite!.cut();
    expect(await toMessage(client)).toBe(replyTable.backendDown.text);
    satellite!.mend();
    await deliverInTheEnd('later');
    expect(storedBy('unsent')).toBe(0);
    expect((await counters())['messagesUncertain'] ?? 0).toBe(0);
  });

  test('when it had stored the message, before its answer came: 451, uncertain, and not a second copy', async () => {
    await deliverInTheEnd('fine');
    const client = await accepted('unanswered');
    const store = sink.store.bind(sink);
    sink.store = (message) => {
      satellite!.cut();
      store(message);
    };
    const told = await toMessage(client);
    sink.store = store;
    satellite!.mend();
    expect(told).toBe(replyTable.backendLost.text);
    await deliverInTheEnd('last');
    expect(storedBy('unanswered')).toBe(1);
    expect((await counters())['messagesUncertain']).toBe(1);
  });
});
