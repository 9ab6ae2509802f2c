/**
 * Clients that do not read what they are told: each session comes to a named ending in its time, and neither the memory of
 * the program nor what is kept for one of them grows with what they send.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Sink } from '../../loadgen/sink.ts';
import { socketOptions } from '../../src/io/socket-options.ts';
import { until } from '../system/process.ts';
import { sendMail } from './mail.ts';
import { startRunning } from './program.ts';
import type { Running } from './program.ts';
import { TlsHouse } from './tls-house.ts';

let sink: Sink;
let running: Running | null = null;
const open: Socket[] = [];

beforeEach(() => {
  sink = new Sink();
});
afterEach(async () => {
  for (const socket of open.splice(0)) socket.destroy();
  await running?.program.dispose();
  running = null;
  await sink.close();
});

/** A connection whose end reads nothing, and whose kernel holds little. */
async function deaf(from: string): Promise<Socket> {
  const socket = connect({ port: running!.port, host: '127.0.0.1', localAddress: from });
  socket.on('error', () => undefined);
  socket.pause();
  open.push(socket);
  await once(socket, 'connect');
  // oxlint-disable-next-line no-underscore-dangle -- node has no other way to name the descriptor
  const { fd } = (socket as unknown as { _handle: { fd: number } })._handle;
  expect(socketOptions().narrow(fd)).toBe(true);
  return socket;
}

/** Says a command again and again until the connection is gone or `bytesMax` were said; the bytes. */
async function flood(socket: Socket, command: string, bytesMax: number): Promise<number> {
  const piece = `${command}\r\n`.repeat(Math.ceil(16_384 / command.length));
  const isOver = (): boolean => socket.destroyed || socket.errored !== null;
  let said = 0;
  while (said < bytesMax && !isOver()) {
    const isRoom = socket.write(piece);
    said += piece.length;
    if (!isRoom) await until('there is room again', () => isOver() || !socket.writableNeedDrain, 30_000, 1);
  }
  return said;
}

/** Bytes of memory that the program has. */
function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
}

/** Commands enough to be owed more than any kernel holds. */
const smtp = { commands_max: 1_000_000 };
const trusted = { lists: { allow: ['127.0.0.0/8'] }, limits: { connections: 100 } };

describe('a client that reads nothing', () => {
  test('and says nothing is let go when its time for a command is over', async () => {
    running = await startRunning(await sink.listen(), { ...trusted, smtp: { command_time: '1s' } });
    await deaf('127.21.0.1');
    await running.program.logs(1);
    expect(running.program.sessions).toMatchObject([{ ending: 'commandTimeLimit' }]);
  });

  test('and goes on talking is let go at the end of its commands', async () => {
    running = await startRunning(await sink.listen(), { ...trusted, smtp: { commands_max: 500 } });
    const socket = await deaf('127.21.0.2');
    await flood(socket, 'NOOP', 50_000);
    await running.program.logs(1);
    expect(running.program.sessions).toMatchObject([{ ending: 'commandCountLimit' }]);
  });

  test('and talks without end is cut off when it is owed too much', async () => {
    running = await startRunning(await sink.listen(), { ...trusted, smtp });
    const { program, port } = running;
    expect((await sendMail(port, '127.21.1.99', 'Subject: before\n\n'))?.code).toBe(250);
    const before = residentBytes(program.pid);
    const count = 6;
    const sockets = await Promise.all(Array.from({ length: count }, (_, at) => deaf(`127.21.1.${at + 1}`)));
    const said = await Promise.all(sockets.map(async (socket) => flood(socket, 'HELP', 6_000_000)));
    await program.logs(1 + count);
    const sessions = program.sessions.slice(1);
    expect(sessions.map(({ ending }) => ending)).toEqual(sessions.map(() => 'notReading'));
    for (const bytes of said) expect(bytes).toBeGreaterThan(100_000);
    // What it was told lies with the kernels, but for one buffer.
    expect(residentBytes(program.pid) - before).toBeLessThan(60_000_000);
    expect((await sendMail(port, '127.21.1.99', 'Subject: after\n\n'))?.code).toBe(250);
  });

  test('and talks without end inside TLS is cut off as well', async () => {
    const house = new TlsHouse();
    try {
      const { program, port } = await house.serve({ ...trusted, smtp });
      const { secure } = await house.inside(port, '127.21.2.1');
      secure.on('error', () => undefined);
      secure.pause();
      expect(await flood(secure, 'HELP', 40_000_000)).toBeGreaterThan(100_000);
      await program.logs(1);
      expect(program.sessions).toMatchObject([{ ending: 'notReading' }]);
    } finally {
      await house.close();
    }
  });
});
