/**
 * The reader of the log is gone, or there and asleep: mail goes on, lines are lost and counted.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Sink } from '../../loadgen/sink.ts';
import { Client } from '../system/client.ts';
import { sendMail } from './mail.ts';
import type { Running } from './program.ts';
import { startRunning } from './program.ts';

const lost = /sluice: \d+ log lines of shard \d are lost/;
let sink: Sink;
let running: Running | null = null;

beforeEach(async () => {
  sink = new Sink({ keepBodies: true });
  await sink.listen();
});
afterEach(async () => {
  await running?.program.dispose();
  running = null;
  await sink.close();
});

/** One session that costs as much log as can be: 255 bytes of HELO, each written as \u00ff. */
async function wordySession(port: number, localAddress: string): Promise<void> {
  const client = new Client(port, localAddress);
  await client.reply();
  client.send(Buffer.from(`HELO ${'\u00ff'.repeat(255)}\r\n`, 'latin1'));
  expect((await client.reply())?.code).toBe(250);
  await client.ask('QUIT');
  client.close();
}

test('mail goes on when the reader of the log is gone', async () => {
  running = await startRunning(sink.port, {}, { stdout: 'closed' });
  const { program, port } = running;
  for (let at = 0; at < 20; at++)
    expect((await sendMail(port, `127.7.0.${at + 1}`, 'Subject: x\n\n'))?.code).toBe(250);
  await program.says(lost);
  expect(sink.messages).toHaveLength(20);
  program.signal('SIGTERM');
  expect(await program.ended()).toBe(0);
});

test('mail goes on when the log is not read: what does not fit is lost, the rest is there for who reads later', async () => {
  const more = {
    engine: { shards: 1, max_sessions: 1_000, drain_timeout: '10s' },
    screen: { greet_wait: '0s' },
    spool: { message_memory: '4kB' },
  };
  running = await startRunning(sink.port, more, { stdout: 'unread' });
  const { program, port } = running;
  let sessions = 0;
  const client = async (): Promise<void> => {
    // A line of two kilobytes each: some 4,000 fill what one shard keeps.
    while (!lost.test(program.said) && sessions < 10_000) {
      sessions += 1;
      await wordySession(port, `127.8.${Math.floor(sessions / 250)}.${1 + (sessions % 250)}`);
    }
  };
  await Promise.all(Array.from({ length: 20 }, client));
  expect(program.said).toMatch(lost);

  // Also with a message that goes through a file: the log must not hold the threads that write it.
  const content = `Subject: large\n\n${'0123456789abcdef\n'.repeat(10_000)}`;
  expect((await sendMail(port, '127.7.1.1', content))?.code).toBe(250);
  expect(sink.messages[0]!.body!.toString()).toBe(content.replaceAll('\n', '\r\n'));

  program.read();
  await program.logs(3_000);
  await sendMail(port, '127.7.1.2', 'Subject: after\n\n');
  await program.sees('a line that was written later', () =>
    program.lines.some((line) => line.includes('"client":"127.7.1.2"')),
  );
  const ids = program.sessions.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.length).toBeLessThan(sessions + 2);
  program.signal('SIGTERM');
  expect(await program.ended()).toBe(0);
});

test('a log that is not read does not hold the end', async () => {
  running = await startRunning(sink.port, { screen: { greet_wait: '0s' } }, { stdout: 'unread' });
  const { program, port } = running;
  for (let at = 1; at <= 120; at++) await wordySession(port, `127.7.2.${at}`);
  program.signal('SIGTERM');
  expect(await program.ended()).toBe(0);
  expect(program.said).toMatch(/^sluice: drained$/m);
});
