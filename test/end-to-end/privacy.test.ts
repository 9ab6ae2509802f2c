/**
 * Nothing that comes out of Sluice names a client by its address when it must not: not the log, not standard error, not the
 * verbs, not the files it leaves.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { Sink } from '../../loadgen/sink.ts';
import type { EntryText } from '../../src/admin/entry.ts';
import type { Explanation } from '../../src/admin/explain.ts';
import { Client } from '../system/client.ts';
import { sendMail } from './mail.ts';
import type { Asked } from './verb.ts';
import { startAsked } from './verb.ts';

const CLIENT = '127.77.66.55';
const sink = new Sink({});
const keys = mkdtempSync(join(tmpdir(), 'sluice-key-'));
const keyFile = join(keys, 'key');
writeFileSync(keyFile, 'a secret that nobody shows', { mode: 0o600 });
let asked: Asked | null = null;

afterEach(async () => {
  await asked?.program.dispose();
  await sink.close();
  sink.messages.length = 0;
});

process.on('exit', () => rmSync(keys, { recursive: true, force: true }));

/** Starts Sluice, sends mail from the client, lets it misbehave under its address as HELO, and asks every verb about it. */
async function everything(privacy: object): Promise<{ readonly all: string; readonly asked: Asked }> {
  asked = await startAsked(await sink.listen(), {
    privacy,
    screen: { greet_wait: '300ms' },
    shape: { reply_delay: '20ms', drip_interval: '100ms', drip: '512B' },
    limits: { connections: 2 },
  });
  expect((await sendMail(asked.port, CLIENT, 'Subject: x\n\nHello\n'))?.code).toBe(250);
  const zombie = new Client(asked.port, CLIENT);
  zombie.send(`EHLO [${CLIENT}]\r\nGET / HTTP/1.1\r\n\r\n`);
  await zombie.repliesToTheEnd();
  await asked.program.logs(2);
  let all = '';
  for (const args of [
    ['explain', CLIENT],
    ['explain', CLIENT, '--json'],
    ['ip', 'list'],
    ['ip', 'list', '--json'],
    ['ip', 'show', CLIENT],
    ['ip', 'deny', CLIENT],
    ['ip', 'deny', '127.77.66.0/24'],
    ['ip', 'export'],
    ['ip', 'forget', CLIENT],
    ['ip', 'forget', '127.77.66.0/24'],
  ]) {
    const { out, err } = await asked.sluice(args);
    all += out + err;
  }
  asked.program.signal('SIGUSR2');
  await asked.program.says(/counters/);
  for (const name of readdirSync(asked.program.directory, { withFileTypes: true }))
    if (name.isFile()) all += readFileSync(join(asked.program.directory, name.name), 'latin1');
  return { all: all + asked.program.lines.join('\n') + asked.program.said, asked };
}

const occurrences = (text: string): number => text.split(CLIENT).length - 1;

test('with log_ip = "full" a client is called by its address, so that the other tests see what they look for', async () => {
  const { all } = await everything({ log_ip: 'full' });
  expect(occurrences(all)).toBeGreaterThan(10);
});

test('with log_ip = "hmac" the same client has the same name everywhere, and its address is nowhere but at the backend', async () => {
  const { all, asked: sluice } = await everything({ log_ip: 'hmac', key_file: keyFile });
  expect(occurrences(all)).toBe(0);
  expect(all).not.toContain('127.77.66');
  expect(all).not.toContain('a secret that nobody shows');
  const names = new Set(sluice.program.sessions.map(({ client }) => client as string));
  expect(names.size).toBe(1);
  const [name] = [...names];
  expect(name).toMatch(/^hmac:[0-9a-f]{16}$/);
  expect(sluice.program.sessions.at(-1)!['helo']).toBe(`[${name}]`);
  // Forgotten by the last verb; it comes again and is found by its address and by its name.
  await sendMail(sluice.port, CLIENT, 'Subject: x\n\nHello\n');
  await sluice.program.logs(3);
  const { rows } = await sluice.json<{ rows: EntryText[] }>('ip', 'list', '--kind', 'host');
  expect(rows.map((row) => row.name)).toEqual([name]);
  const byAddress = await sluice.json<Explanation>('explain', CLIENT);
  const byName = await sluice.json<Explanation>('explain', name!);
  expect(byAddress).toMatchObject({ client: name, known: true });
  expect(byName).toMatchObject({ client: name, known: true, network: null });
  expect(byAddress.rows).not.toEqual([]);
  expect(new Set(sink.messages.map((message) => message.client.ADDR))).toEqual(new Set([CLIENT]));
});

test('with log_ip = "truncate" clients are called by their network, and none is listed, exported or marked by itself', async () => {
  const { all, asked: sluice } = await everything({ log_ip: 'truncate' });
  expect(occurrences(all)).toBe(0);
  expect(new Set(sluice.program.sessions.map(({ client }) => client))).toEqual(new Set(['127.77.66.0/24']));
  await sendMail(sluice.port, CLIENT, 'Subject: x\n\nHello\n');
  await sluice.program.logs(3);
  const { rows } = await sluice.json<{ rows: EntryText[] }>('ip', 'list');
  expect(rows.map(({ kind }) => kind)).toEqual(['network']);
  const marked = await sluice.sluice(['ip', 'allow', CLIENT]);
  expect([marked.code, marked.err]).toEqual([1, expect.stringContaining('name the network, 127.77.66.0/24')]);
});

test('a key file that is missing or short stops the start with 78 and shows nothing of it', async () => {
  const short = join(keys, 'short');
  writeFileSync(short, 'short secret', { mode: 0o600 });
  await expect(
    startAsked(await sink.listen(), { privacy: { log_ip: 'hmac', key_file: short } }),
  ).rejects.toThrow(/"code":78[^]*privacy\.key_file: ".*short" holds 12 bytes, want at least 16/);
});
