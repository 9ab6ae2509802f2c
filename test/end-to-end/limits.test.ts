/**
 * Limits in whole processes: what a shard holds ends with it, and the peaks are told as Postfix's anvil tells them.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Sink } from '../../loadgen/sink.ts';
import type { Client } from '../system/client.ts';
import { freePort } from '../system/process.ts';
import { greetingOf, sendMail } from './mail.ts';
import { configText, newDirectory, Program, startRunning } from './program.ts';

const engine = fileURLToPath(new URL('./engine-program.ts', import.meta.url));

let sink: Sink;
let program: Program;
let port = 0;

beforeEach(async () => {
  sink = new Sink();
  port = await freePort();
});
afterEach(async () => {
  await program.dispose();
  await sink.close();
});

describe('a shard that is killed while it holds leases', () => {
  const limits = { connections: 6, network_connections: 10, connection_rate: 1_000, slow_from: 100 };
  const clients: Client[] = [];

  beforeEach(async () => {
    const directory = newDirectory();
    const file = join(directory, 'sluice.toml');
    writeFileSync(file, configText(port, await sink.listen(), { limits }));
    program = new Program([file], { program: engine, directory });
    await listening(2);
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });

  const saidTimes = (text: string): number => program.said.split(text).length - 1;

  async function listening(times: number): Promise<void> {
    await program.sees(`${times} shards listen`, () => saidTimes('"kind":"listening"') >= times);
  }

  /** Sessions that a client and its network have open now. */
  async function openOf(address: string): Promise<string> {
    const before = saidTimes(`open ${address} `);
    program.child.stdin!.write(`open ${address}\n`);
    await program.sees('it says what is open', () => saidTimes(`open ${address} `) > before);
    return program.said
      .slice(program.said.lastIndexOf(`open ${address} `))
      .split('\n')[0]!
      .slice(-4)
      .trim();
  }

  async function isOpen(address: string, host: number, network: number): Promise<void> {
    let open = '';
    const want = `${host} ${network}`;
    for (let looks = 0; looks < 500 && open !== want; looks += 1) open = await openOf(address);
    expect(open).toBe(want);
  }

  async function kill(shard: number): Promise<void> {
    const before = saidTimes(`killed ${shard}`);
    program.child.stdin!.write(`kill ${shard}\n`);
    await program.sees(`shard ${shard} is killed`, () => saidTimes(`killed ${shard}`) > before);
  }

  /** Connects and reads the greeting; whoever is let in stays. */
  async function knock(address: string): Promise<string> {
    const { client, greeting } = await greetingOf(port, address);
    if (greeting?.code === 220) clients.push(client);
    else client.close();
    return greeting?.lines[0]?.replace(/^(220).*/, '$1') ?? 'closed';
  }

  const overClient = '421 4.7.0 mx.example.test Error: too many connections from 127.8.0.1 (connections)';
  const overNetwork =
    '421 4.7.0 mx.example.test Error: too many connections from 127.8.0.0/24 (network_connections)';

  async function fill(): Promise<void> {
    for (let at = 0; at < 6; at += 1) expect(await knock('127.8.0.1')).toBe('220');
    expect(await knock('127.8.0.1')).toBe(overClient);
    await isOpen('127.8.0.1', 6, 6);
    for (let at = 0; at < 4; at += 1) expect(await knock('127.8.0.2')).toBe('220');
    expect(await knock('127.8.0.3')).toBe(overNetwork);
    await isOpen('127.8.0.1', 6, 10);
  }

  test('leaks none: all is counted out at once, and as many as before are let in', async () => {
    await fill();
    await kill(0);
    await kill(1);
    await listening(4);
    await isOpen('127.8.0.1', 0, 0);
    await fill();
    expect(program.said).not.toContain('ShardBug');
  });

  test('takes none from the shard that lives on', async () => {
    await fill();
    await kill(0);
    const replies = await Promise.all(clients.map((client) => client.ask('NOOP')));
    const living = replies.map((reply) => reply?.code === 250);
    const own = living.slice(0, 6).filter(Boolean).length;
    await isOpen('127.8.0.1', own, living.filter(Boolean).length);
    for (let at = own; at < 6; at += 1) expect(await knock('127.8.0.1')).toBe('220');
    expect(await knock('127.8.0.1')).toBe(overClient);
  });
});

describe('the peaks', () => {
  const limits = {
    connection_rate: 100,
    message_rate: 100,
    recipient_rate: 100,
    slow_from: 100,
    window: '30s',
  };
  const date = '[A-Z][a-z]{2} [ 1-3]\\d \\d\\d:\\d\\d:\\d\\d';
  const peak = (what: string, address: string): RegExp =>
    new RegExp(`^sluice: statistics: max ${what} for \\(smtp:${address}\\) at ${date}$`, 'm');

  test('are told while it runs, and once for each time that they were seen', async () => {
    const more = { limits: { ...limits, report_interval: '1s' } };
    ({ program, port } = await startRunning(await sink.listen(), more));
    for (let at = 0; at < 3; at += 1) await sendMail(port, '127.8.1.1', 'Subject: x\n\n');
    await program.says(peak('message rate [123]/30s', '127.8.1.1'));
    await program.says(peak('connection count [123]', '127.8.1.1'));
    await program.says(/^sluice: statistics: max cache size 1 at /m);
    const told = program.said;
    await sendMail(port, '127.8.1.2', 'Subject: x\n\n');
    await program.says(peak('recipient rate 1/30s', '127.8.1.2'));
    expect(program.said.slice(told.length)).not.toMatch(/127\.8\.1\.1/);
  });

  test.each([1, 2])('are told at the end, with %i processes', async (processes) => {
    const more = { limits, engine: { shards: 2, processes } };
    ({ program, port } = await startRunning(await sink.listen(), more));
    for (let at = 0; at < 3; at += 1) await sendMail(port, '127.8.2.1', 'Subject: x\n\n');
    await program.logs(3);
    program.signal('SIGTERM');
    expect(await program.ended()).toBe(0);
    const rate = processes === 1 ? '3' : '[123]';
    expect(program.said).toMatch(peak(`connection rate ${rate}/30s`, '127.8.2.1'));
    expect(program.said).toMatch(peak('connection count [123]', '127.8.2.1'));
    expect(program.said).toMatch(peak(`message rate ${rate}/30s`, '127.8.2.1'));
    expect(program.said).toMatch(peak(`recipient rate ${rate}/30s`, '127.8.2.1'));
    expect(program.said).not.toMatch(/newtls/);
    expect(program.said).toMatch(/^sluice: statistics: max cache size [12] at .*\nsluice: drained$/m);
  });
});
