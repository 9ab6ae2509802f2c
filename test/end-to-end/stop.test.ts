/**
 * Signals: a drain lets go of those who wait and finishes what is in hand; a second signal ends at once.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Sink } from '../../loadgen/sink.ts';
import { greeted } from '../system/client.ts';
import { inData, sendMail, withEnvelope } from './mail.ts';
import type { Running } from './program.ts';
import { isListening, startRunning } from './program.ts';

let sink = new Sink();
let running: Running;

beforeEach(async () => {
  sink = new Sink({ keepBodies: true });
  running = await startRunning(await sink.listen());
});
afterEach(async () => {
  await running.program.dispose();
  await sink.close();
});

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s drains: those who wait hear 421, a message in hand is delivered',
  async (signal) => {
    const { program, port } = running;
    const { client: idle } = await greeted(port, '127.4.0.1');
    const envelope = await withEnvelope(port, '127.4.0.2');
    const sender = await inData(port, '127.4.0.3');
    sender.send('Subject: in hand\r\n\r\nfirst half\r\n');

    program.signal(signal);
    for (const waiting of [idle, envelope]) {
      expect((await waiting.reply())?.lines).toEqual([
        '421 4.3.2 mx.example.test Service is shutting down, try again',
      ]);
      expect(await waiting.reply()).toBeNull();
    }
    expect(await isListening(port)).toBe(false);
    expect(program.end).toBeNull();

    sender.send('second half\r\n.\r\n');
    expect((await sender.reply())?.code).toBe(250);
    expect((await sender.reply())?.code).toBe(421);
    expect(await sender.reply()).toBeNull();
    sender.close();
    expect(await program.ended()).toBe(0);

    expect(sink.messages.map(({ body }) => body!.toString())).toEqual([
      'Subject: in hand\r\n\r\nfirst half\r\nsecond half\r\n',
    ]);
    expect(program.said).toMatch(/^sluice: draining.*\n(?:sluice: statistics: .*\n)*sluice: drained\n$/m);
    const told = new Map(program.sessions.map((session) => [session['client'], session]));
    expect(told.size).toBe(3);
    expect(program.lines).toHaveLength(3);
    expect(told.get('127.4.0.1')).toMatchObject({ verdict: 'shut', ending: 'shuttingDown', messages: 0 });
    expect(told.get('127.4.0.3')).toMatchObject({ messages: 1 });
    await program.groupGone();
  },
);

test('a drain ends at drain_timeout, whoever is still there', async () => {
  await running.program.dispose();
  running = await startRunning(sink.port, { engine: { shards: 2, max_sessions: 100, drain_timeout: '1s' } });
  const { program, port } = running;
  const sender = await inData(port, '127.4.0.4');
  sender.send('Subject: never finished\r\n');
  program.signal('SIGTERM');
  expect(await program.ended()).toBe(0);
  expect(program.said).toContain('drain_timeout has passed');
  expect(program.said).not.toMatch(/^sluice: drained$/m);
  expect(await sender.reply()).toBeNull();
  expect(sink.messages).toEqual([]);
  await program.groupGone();
});

test('a second SIGTERM ends at once, with a message in hand', async () => {
  const { program, port } = running;
  const sender = await inData(port, '127.4.0.5');
  sender.send('Subject: cut off\r\n');
  program.signal('SIGTERM');
  await program.says(/draining/);
  program.signal('SIGTERM');
  // drain_timeout is 10 s here: who ends within 5 has not waited for it.
  expect(await program.ended(5_000)).toBe(0);
  expect(program.said).toContain('stopped before all sessions had ended');
  expect(await sender.reply()).toBeNull();
  expect(sink.messages).toEqual([]);
});

test('with nobody there SIGTERM ends it, and the port is free', async () => {
  const { program, port } = running;
  program.signal('SIGTERM');
  expect(await program.ended(5_000)).toBe(0);
  expect(await isListening(port)).toBe(false);
});

test('SIGHUP ends nothing', async () => {
  const { program, port } = running;
  const sender = await inData(port, '127.4.0.6');
  program.signal('SIGHUP');
  await program.says(/lists read anew/);
  sender.send('Subject: still here\r\n\r\n.\r\n');
  expect((await sender.reply())?.code).toBe(250);
  sender.close();
  expect((await sendMail(port, '127.4.0.7', 'Subject: another\n\n'))?.code).toBe(250);
  expect(program.end).toBeNull();
});
