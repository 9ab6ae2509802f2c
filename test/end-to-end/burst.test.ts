/**
 * A thousand clients at once: every one of them is spoken to.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Sink } from '../../loadgen/sink.ts';
import { sendMail } from './mail.ts';
import type { Running } from './program.ts';
import { startRunning } from './program.ts';

const clients = 1_000;
let sink: Sink;
let running: Running | null = null;
const sockets: Socket[] = [];

beforeEach(async () => {
  sink = new Sink();
  await sink.listen();
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await running?.program.dispose();
  running = null;
  await sink.close();
});

/** Connects; the code of the whole greeting, or what went wrong. */
function greetedWith(port: number, localAddress: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    sockets.push(socket);
    let heard = '';
    socket.on('data', (bytes: Buffer) => {
      heard += bytes.toString('latin1');
      const last = /^(\d{3}) .*\r\n$/m.exec(heard);
      if (last !== null) resolve(last[1]!);
    });
    socket.on('error', (error) => resolve(error.message));
    socket.on('close', () => resolve('closed without a word'));
  });
}

function burst(port: number): Promise<string[]> {
  return Promise.all(
    Array.from({ length: clients }, (_, at) =>
      greetedWith(port, `127.11.${1 + (at % 10)}.${1 + (Math.floor(at / 10) % 50)}`),
    ),
  );
}

test('everybody in a burst of a thousand is greeted when there is room', async () => {
  running = await startRunning(sink.port, {
    engine: { shards: 2, max_sessions: 2_000, drain_timeout: '1s' },
  });
  const heard = await burst(running.port);
  expect(new Set(heard)).toEqual(new Set(['220']));
});

test('everybody in a burst of a thousand is greeted or refused when there is not, and mail goes through after it', async () => {
  running = await startRunning(sink.port, { engine: { shards: 2, max_sessions: 300, drain_timeout: '1s' } });
  const heard = await burst(running.port);
  expect(new Set(heard)).toEqual(new Set(['220', '421']));
  const greeted = heard.filter((code) => code === '220').length;
  expect(greeted).toBeGreaterThanOrEqual(300);
  expect(greeted).toBeLessThan(400);
  for (const socket of sockets.splice(0)) socket.destroy();
  await running.program.logs(greeted);
  expect((await sendMail(running.port, '127.11.20.1', 'Subject: after\n\n'))?.code).toBe(250);
});
