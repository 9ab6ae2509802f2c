/**
 * Several engine processes, because the limit on open files asks for them: all serve, all end together, and one
 * that dies is replaced.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Sink } from '../../loadgen/sink.ts';
import { isAlive, until } from '../system/process.ts';
import { inData, sendMail } from './mail.ts';
import type { Running } from './program.ts';
import { isListening, startRunning } from './program.ts';

let sink: Sink;
let running: Running;

beforeEach(async () => {
  sink = new Sink({ keepBodies: true });
  // 300 files are enough for some 130 sessions in one process: 200 ask for two.
  const engine = { shards: 1, processes: 0, max_sessions: 200, drain_timeout: '10s' };
  running = await startRunning(await sink.listen(), { engine }, { filesMax: 300 });
});
afterEach(async () => {
  await running.program.dispose();
  await sink.close();
});

/** The engine process that a session was in: the character of its id behind the start's six. */
const processOf = (id: unknown): string => String(id).split('.')[1]!;

async function sendMany(port: number, count: number, network: string): Promise<void> {
  for (let at = 0; at < count; at++) {
    expect((await sendMail(port, `${network}.${at + 1}`, `Subject: ${at}\n\n`))?.code).toBe(250);
  }
}

test('it says how many there are, and every one of them serves', async () => {
  const { program, port } = running;
  expect(program.said).toMatch(
    /listening on .* \(2 shards in 2 processes \(300 open files each\), 200 sessions, \d+ backend/,
  );
  expect(program.children()).toHaveLength(2);
  await sendMany(port, 24, '127.6.0');
  await program.logs(24);
  expect(new Set(program.sessions.map(({ id }) => processOf(id)))).toEqual(new Set(['0', '1']));
  expect(new Set(program.sessions.map(({ id }) => id)).size).toBe(24);
});

test('SIGTERM drains them all', async () => {
  const { program, port } = running;
  const senders = await Promise.all(Array.from({ length: 12 }, (_, at) => inData(port, `127.6.1.${at + 1}`)));
  program.signal('SIGTERM');
  await until('nobody listens any more', async () => !(await isListening(port)));
  const answers = await Promise.all(
    senders.map((sender) => {
      sender.send('Subject: in hand\r\n\r\n.\r\n');
      return sender.reply();
    }),
  );
  expect(answers.map((answer) => answer?.code)).toEqual(senders.map(() => 250));
  for (const sender of senders) sender.close();
  expect(await program.ended()).toBe(0);
  expect(program.said).toMatch(/^sluice: drained$/m);
  expect(program.said).not.toContain('started again');
  expect(program.sessions.filter(({ messages }) => messages === 1)).toHaveLength(12);
  await program.groupGone();
});

test('Ctrl-C, which reaches every process, drains as well', async () => {
  const { program, port } = running;
  const sender = await inData(port, '127.6.2.1');
  program.signalGroup('SIGINT');
  await until('nobody listens any more', async () => !(await isListening(port)));
  sender.send('Subject: in hand\r\n\r\n.\r\n');
  expect((await sender.reply())?.code).toBe(250);
  sender.close();
  expect(await program.ended()).toBe(0);
  await program.groupGone();
});

test('a second SIGTERM ends them all at once', async () => {
  const { program, port } = running;
  await inData(port, '127.6.3.1');
  program.signal('SIGTERM');
  await program.says(/draining/);
  program.signal('SIGTERM');
  expect(await program.ended(5_000)).toBe(0);
  await program.groupGone();
});

test('kill -9 of the primary ends its children, and the port is free', async () => {
  const { program, port } = running;
  const children = program.children();
  program.signal('SIGKILL');
  expect(await program.ended()).toBe('SIGKILL');
  await until('the children are gone', () => children.every((pid) => !isAlive(pid)));
  expect(await isListening(port)).toBe(false);
});

test('a child that is killed is replaced, and the other serves on', async () => {
  const { program, port } = running;
  const [killed, other] = program.children();
  process.kill(killed!, 'SIGKILL');
  await program.says(/engine process \d ended \(SIGKILL\); it is started again/);
  await sendMany(port, 4, '127.6.4');
  await until('there are two children again', () => program.children().length === 2);
  expect(program.children()).toContain(other);
  const number = /engine process (\d) ended/.exec(program.said)![1]!;
  await until('the new child has served', async () => {
    await sendMany(port, 1, '127.6.5');
    return program.sessions.some(({ id }) => String(id).split('.').slice(1, 3).join('.') === `${number}.2`);
  });
  const { sessions } = program;
  expect(new Set(sessions.map(({ id }) => id)).size).toBe(sessions.length);
  program.signal('SIGTERM');
  expect(await program.ended()).toBe(0);
});
