/** The tools of these tests, tried on Postfix alone: what they claim to see must be there without Sluice. */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { greeted, onTheWire } from './client.ts';
import { startPostfix } from './postfix.ts';
import type { Postfix } from './postfix.ts';
import { isAlive, processesIn, run } from './process.ts';
import { honestSources, sha256Of, startTap } from './tap.ts';

let postfix: Postfix;

beforeAll(async () => {
  postfix = await startPostfix();
});

afterAll(async () => {
  await postfix?.stop();
});

async function deliver(port: number, from: string, recipient: string, content: string): Promise<number> {
  const { client } = await greeted(port, from);
  await client.expect('MAIL FROM:<sender@honest.test>', 250);
  const answer = await client.ask(`RCPT TO:<${recipient}>`);
  if (answer?.code === 250) {
    await client.expect('DATA', 354);
    client.send(onTheWire(content));
    expect((await client.reply())?.code).toBe(250);
  }
  await client.expect('QUIT', 221);
  return answer?.code ?? 0;
}

test('a message is found in the queue with its envelope, its client and its bytes', async () => {
  await postfix.empty();
  expect(await deliver(postfix.freshPort, '127.0.0.9', 'anna@example.test', 'Subject: x\n\n.dots\n')).toBe(
    250,
  );
  const [message, ...others] = await postfix.messages();
  expect(others).toEqual([]);
  expect(message).toMatchObject({
    sender: 'sender@honest.test',
    recipients: ['anna@example.test'],
    clientAddress: '127.0.0.9',
  });
  expect(message?.content.toString()).toBe('Subject: x\n\n.dots\n');
  expect(message?.trace.toString()).toMatch(
    /^Received: from client\.example\.org \(unknown \[127\.0\.0\.9\]\)\n/,
  );
  await postfix.logged(new RegExp(`${message?.id}: client=unknown\\[127\\.0\\.0\\.9\\]`));
});

test('an unknown recipient and a foreign domain are refused, unless the client is 127.0.0.1', async () => {
  const nobody = await deliver(postfix.freshPort, '127.0.0.9', 'nobody@example.test', '');
  const foreign = await deliver(postfix.freshPort, '127.0.0.9', 'anna@foreign.test', '');
  const relayed = await deliver(postfix.freshPort, '127.0.0.1', 'anna@foreign.test', '\n');
  expect({ nobody, foreign, relayed }).toEqual({ nobody: 550, foreign: 554, relayed: 250 });
});

test('XCLIENT works once on a fresh lane and again and again on a reused one', async () => {
  const codes: Record<string, number[]> = {};
  for (const [name, port] of Object.entries({ fresh: postfix.freshPort, reused: postfix.reusedPort })) {
    const { client } = await greeted(port, '127.0.0.1');
    codes[name] = [];
    for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) {
      codes[name].push((await client.ask(`XCLIENT NAME=[UNAVAILABLE] ADDR=${address}`))?.code ?? 0);
    }
    client.close();
  }
  expect(codes).toEqual({ fresh: [220, 550, 550], reused: [220, 220, 220] });
});

test('smtp-source sends through the tap what the queue then holds, from the addresses of the tap', async () => {
  await postfix.empty();
  const sources = honestSources(5);
  const tap = await startTap(postfix.freshPort, sources);
  const args = [
    '-s',
    '4',
    '-m',
    '40',
    '-l',
    '2000',
    '-f',
    'a@honest.test',
    '-t',
    'anna@example.test',
    tap.target,
  ];
  const sent = await run('smtp-source', args);
  await tap.close();
  expect(sent).toMatchObject({ code: 0, stderr: '' });
  const queued = await postfix.messages();
  const seen = queued.map((message) => `${sha256Of(message.content)} ${message.clientAddress}`).sort();
  expect(seen).toEqual(tap.messages.map((message) => `${message.sha256} ${message.source}`).sort());
  expect(new Set(seen).size).toBe(40);
  expect(new Set(queued.map((message) => message.clientAddress))).toEqual(new Set(sources));
});

test('a Postfix that was halted keeps its queue and comes back on its ports', async () => {
  await postfix.empty();
  await deliver(postfix.reusedPort, '127.0.0.9', 'bert@example.test', 'Subject: kept\n\n');
  const before = postfix.queuedIds();
  await postfix.halt();
  expect(processesIn(postfix.directory)).toEqual([]);
  await postfix.start();
  expect(postfix.queuedIds()).toEqual(before);
  expect(await deliver(postfix.reusedPort, '127.0.0.9', 'bert@example.test', 'Subject: new\n\n')).toBe(250);
});

test('a Postfix that was stopped leaves no process and no file', async () => {
  const other = await startPostfix();
  const { pid } = other;
  await other.stop();
  expect({
    alive: isAlive(pid),
    left: processesIn(other.directory),
    directory: existsSync(other.directory),
  }).toEqual({
    alive: false,
    left: [],
    directory: false,
  });
});
