/**
 * Messages that do not fit the memory go through files without names, and a disk that refuses costs that message
 * alone.
 */
import { mkdirSync, readdirSync, readlinkSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Sink } from '../../loadgen/sink.ts';
import { onTheWire } from '../system/client.ts';
import { inData, sendMail } from './mail.ts';
import type { Program } from './program.ts';
import { newDirectory, startRunning } from './program.ts';

let sink: Sink;
let program: Program;
let port = 0;
let spool = '';

beforeEach(async () => {
  sink = new Sink({ keepBodies: true });
  const directory = newDirectory();
  spool = join(directory, 'spool');
  mkdirSync(spool);
  const more = {
    screen: { greet_wait: '0s' },
    spool: { directory: spool, message_memory: '4kB', memory_max: '64kB', disk_max: '2MB' },
  };
  ({ program, port } = await startRunning(await sink.listen(), more, { directory }));
});
afterEach(async () => {
  await program.dispose();
  await sink.close();
});

/** Spool files that the program has open. */
function filesHeld(): string[] {
  return readdirSync(`/proc/${program.pid}/fd`).flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/${program.pid}/fd/${fd}`);
      return path.startsWith(spool) ? [path] : [];
    } catch {
      return [];
    }
  });
}

const text = (bytes: number): string =>
  Array.from({ length: Math.ceil(bytes / 16) }, (_, at) => `${at}`.padStart(15, '.')).join('\n');

test('a message larger than its memory goes through a file without a name, and arrives as it was', async () => {
  const content = `${text(300_000)}\n`;
  const bytes = onTheWire(content);
  const sender = await inData(port, '127.10.0.1');
  sender.send(bytes.subarray(0, 150_001));
  await program.sees('the message is in a file', () => filesHeld().length === 1);
  await program.sees('the file has no name', () => readdirSync(spool).length === 0);
  sender.send(bytes.subarray(150_001));
  expect((await sender.reply())?.code).toBe(250);
  expect(sink.messages[0]!.body!.equals(Buffer.from(content.replaceAll('\n', '\r\n'), 'latin1'))).toBe(true);
  await program.sees('the file is closed', () => filesHeld().length === 0);
  sender.close();
});

test('many at once, each in its file, arrive each as it was', async () => {
  const contents = Array.from({ length: 12 }, (_, at) => `Subject: ${at}\n\n${text(20_000 + at * 5_000)}\n`);
  const answers = await Promise.all(
    contents.map((content, at) => sendMail(port, `127.10.1.${at + 1}`, content)),
  );
  expect(answers.map((answer) => answer?.code)).toEqual(contents.map(() => 250));
  const stored = sink.messages.map(({ body }) => body!.toString('latin1')).toSorted();
  expect(stored).toEqual(contents.map((content) => content.replaceAll('\n', '\r\n')).toSorted());
  await program.sees('the files are closed', () => filesHeld().length === 0);
});

test('more than the disk may take is answered 452, and the room is given back', async () => {
  expect((await sendMail(port, '127.10.2.1', text(3_000_000)))?.code).toBe(452);
  expect((await sendMail(port, '127.10.2.2', text(1_000_000)))?.code).toBe(250);
  expect((await sendMail(port, '127.10.2.3', text(1_500_000)))?.code).toBe(250);
  expect(sink.messages).toHaveLength(2);
});

test('a spool directory that cannot be used costs the large messages 452, and the small ones nothing', async () => {
  rmdirSync(spool);
  const noRoom = ['452 4.3.1 Not enough room for the message now, try again'];
  for (const size of [6_000, 100_000, 1_000_000]) {
    expect((await sendMail(port, '127.10.3.1', text(size)))?.lines, `${size} bytes`).toEqual(noRoom);
    expect((await sendMail(port, '127.10.3.3', text(2_000)))?.code).toBe(250);
  }
  mkdirSync(spool);
  expect((await sendMail(port, '127.10.3.4', text(100_000)))?.code).toBe(250);
  expect(sink.messages).toHaveLength(4);
});

test('kill -9 leaves no file behind', async () => {
  const sender = await inData(port, '127.10.4.1');
  sender.send(text(200_000).replaceAll('\n', '\r\n'));
  await program.sees('the message is in a file', () => filesHeld().length === 1);
  await program.sees('the file has no name', () => readdirSync(spool).length === 0);
  program.signal('SIGKILL');
  expect(await program.ended()).toBe('SIGKILL');
  expect(readdirSync(spool)).toEqual([]);
  sender.close();
});
