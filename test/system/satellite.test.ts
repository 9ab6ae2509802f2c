/**
 * A sender behind a satellite: 300 ms each way, one packet of 33 lost, 64 kB a second.
 *
 * Real TCP between two network namespaces, swaks at the far end, Sluice and the sink at the near one. A link that is slow
 * by itself must not look like a zombie, and a plan of delays on top of it must not lose mail.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { messageText, stuffed } from '../../loadgen/bots/message.ts';
import { run, stopByPid, until } from './process.ts';
import { FAR_ADDRESS, NEAR_ADDRESS, Satellite } from './satellite.ts';
import type { Sluice } from './sluice.ts';
import { startSluice } from './sluice.ts';

const MESSAGES = 4;
const MESSAGE_BYTES = 100_000;
/** swaks ends the last line by itself. */
const LINE_END_BYTES = 2;
const SINK_PORT = 10_025;
const PORT = 2525;
const link = { delayMs: 300, lossPercent: 3, bytesPerSec: 64_000, seed: 1 };
const sinkProgram = fileURLToPath(new URL('../../loadgen/sink-main.ts', import.meta.url));

interface Stored {
  readonly id: string;
  readonly idSha256: string;
}

let folder: string;
let satellite: Satellite | undefined;
let sink: ChildProcess | undefined;
let sluice: Sluice | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-satellite-'));
  satellite = await Satellite.open(link);
  const [ip = '', ...words] = Satellite.at('near');
  const listen = ['--listen', `127.0.0.1:${SINK_PORT}`, '--journal', join(folder, 'stored.jsonl')];
  sink = spawn(ip, [...words, process.execPath, sinkProgram, ...listen], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  sink.stdout?.on('data', (bytes: Buffer) => (said += bytes.toString()));
  await until('the sink listens', () => said.includes('listens'));
});

afterEach(async () => {
  await sluice?.stop();
  sluice = undefined;
});

afterAll(async () => {
  try {
    if (sink?.pid !== undefined) await stopByPid(sink.pid);
  } finally {
    await satellite?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
});

async function start(config: Readonly<Record<string, Readonly<Record<string, unknown>>>>): Promise<void> {
  sluice = await startSluice({
    backendPort: SINK_PORT,
    within: Satellite.at('near'),
    config: { listener: { address: `${NEAR_ADDRESS}:${PORT}` }, screen: { greet_wait: '1s' }, ...config },
  });
}

/** Messages leave all at once, each in a session of its own; their ids. */
async function send(name: string): Promise<readonly string[]> {
  const ids = Array.from({ length: MESSAGES }, (_, at) => `${name}.${at + 1}.1`);
  const [ip = '', ...words] = Satellite.at('far');
  const server = ['--server', NEAR_ADDRESS, '--port', String(PORT), '--timeout', '120'];
  const envelope = ['--helo', 'far.example.org', '--from', 'a@far.example.org', '--to', 'anna@example.test'];
  const done = await Promise.all(
    ids.map(async (id) =>
      run(
        ip,
        [...words, 'swaks', ...server, ...envelope, '--no-data-fixup', '--silent', '1', '--data', '-'],
        {
          input: stuffed(messageText(id, MESSAGE_BYTES)).subarray(0, -LINE_END_BYTES),
        },
      ),
    ),
  );
  expect(done.map(({ code, stdout, stderr }) => [code, `${stdout.toString()}${stderr}`])).toEqual(
    ids.map(() => [0, '']),
  );
  return ids;
}

async function storedOf(ids: readonly string[]): Promise<readonly Stored[]> {
  const text = await readFile(join(folder, 'stored.jsonl'), 'utf8');
  const all = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Stored);
  return ids.flatMap((id) => all.filter((one) => one.id === id).map(({ idSha256 }) => ({ id, idSha256 })));
}

const sent = (ids: readonly string[]): readonly Stored[] =>
  ids.map((id) => ({
    id,
    idSha256: createHash('sha256').update(messageText(id, MESSAGE_BYTES)).digest('hex'),
  }));

describe('a sender behind a satellite link', () => {
  test('delivers as a stranger, every message once and unchanged', async () => {
    await start({});
    const ids = await send('stranger');
    expect(await storedOf(ids)).toEqual(sent(ids));
    await until('every session is in the log', () => sluice!.sessions.length === MESSAGES);
    for (const line of sluice!.sessions)
      expect(line).toMatchObject({ client: FAR_ADDRESS, verdict: 'pass', messages: 1, pace: 'screened' });
  });

  test('delivers slowed, with the delays of a plan on top of those of the link', async () => {
    await start({
      lists: { slow: [`${FAR_ADDRESS}/32`] },
      shape: { reply_delay: '1s', hold: '4s', body_rate: '10kB' },
    });
    const ids = await send('slowed');
    expect(await storedOf(ids)).toEqual(sent(ids));
    await until('every session is in the log', () => sluice!.sessions.length === MESSAGES);
    for (const line of sluice!.sessions) {
      expect(line).toMatchObject({ client: FAR_ADDRESS, verdict: 'pass', messages: 1 });
      // The greeting, four replies and the hold, at the least.
      expect(line['delay_ms']).toBeGreaterThanOrEqual(9_000);
    }
  });

  test('has lost packets on the way: the link was as bad as it was meant to be', async () => {
    await satellite!.close();
    const { carried, lost } = satellite!.counts;
    expect(lost / (carried + lost)).toBeGreaterThan(link.lossPercent / 200);
    expect(carried).toBeGreaterThan((2 * MESSAGES * MESSAGE_BYTES) / 1_500);
  });
});
