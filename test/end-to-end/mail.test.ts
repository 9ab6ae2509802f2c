/**
 * A primary, two shards, a mail server behind them: mail goes through, and the log tells of it.
 */
import { createHash } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { Sink } from '../../loadgen/sink.ts';
import { Client, greeted } from '../system/client.ts';
import { sendMail } from './mail.ts';
import type { Program } from './program.ts';
import { startRunning } from './program.ts';

const fields = (
  'id time client port proxy listener helo tls verdict ending reasons score stage pace bytes_in bytes_out delay_ms ' +
  'duration_ms rcpt_ok rcpt_bad messages backend_ms family limit dnsxl dnsxl_reason'
).split(' ');
const stages = ['admit', 'banner', 'converse', 'deliver', 'end'];

const sink = new Sink({ keepBodies: true });
let program: Program | null = null;

afterEach(async () => {
  await program?.dispose();
  await sink.close();
  sink.messages.length = 0;
});

/** The shard that a session was on: the part of its id before the serial number. */
const shardOf = (id: unknown): string => String(id).slice(0, String(id).indexOf('-'));

test('mail goes through two shards into the mail server, and every session leaves one whole line', async () => {
  const running = await startRunning(await sink.listen());
  ({ program } = running);
  const count = 40;
  const contents = Array.from({ length: count }, (_, at) => `Subject: ${at}\n\nHello ${at}\n.dot\n..dots\n`);
  const answers = await Promise.all(
    contents.map((content, at) => sendMail(running.port, `127.1.0.${at + 1}`, content)),
  );
  expect(answers.map((answer) => answer?.code)).toEqual(Array.from({ length: count }, () => 250));
  await program.logs(count);

  const stored = sink.messages.map((message) => message.body!.toString('latin1')).toSorted();
  expect(stored).toEqual(contents.map((content) => content.replaceAll('\n', '\r\n')).toSorted());
  expect(new Set(sink.messages.map((message) => message.client.ADDR))).toEqual(
    new Set(contents.map((_, at) => `127.1.0.${at + 1}`)),
  );
  expect(sink.stats.relayAttempts).toBe(0);

  const { sessions } = program;
  expect(sessions).toHaveLength(count);
  for (const session of sessions) {
    expect(Object.keys(session)).toEqual(fields);
    expect(session).toMatchObject({
      verdict: 'pass',
      ending: 'quit',
      helo: 'client.example.org',
      messages: 1,
      rcpt_ok: 1,
    });
    expect(session).toMatchObject({
      listener: `127.0.0.1:${running.port}`,
      tls: null,
      family: null,
      rcpt_bad: 0,
    });
    expect(stages).toContain(session['stage']);
    expect(session['reasons']).toBeInstanceOf(Array);
    expect(new Date(String(session['time'])).toISOString()).toBe(session['time']);
    expect(session['bytes_in']).toBeGreaterThan(100);
    expect(session['bytes_out']).toBeGreaterThan(100);
  }
  expect(new Set(sessions.map(({ id }) => id)).size).toBe(count);
  expect(new Set(sessions.map(({ id }) => shardOf(id))).size, 'shards that had sessions').toBe(2);
});

test('whatever a client says in its HELO stays inside its quotes', async () => {
  const running = await startRunning(await sink.listen(), { screen: { greet_wait: '0s' } });
  ({ program } = running);
  const bytes = (...values: number[]): string => String.fromCharCode(...values);
  const names = [
    '"}\\',
    '\\',
    '","id":"forged","x":"',
    '__proto__',
    'constructor',
    '</script><!--',
    bytes(0xe2, 0x80, 0xa8, 0xe2, 0x80, 0xa9),
    bytes(
      ...Array.from({ length: 31 }, (_, code) => code + 1).filter(
        (code) => ![0x09, 0x0a, 0x0d].includes(code),
      ),
    ),
    bytes(...Array.from({ length: 129 }, (_, code) => code + 127)),
    bytes(0xc0, 0x80, 0xff, 0xfe),
    'x'.repeat(400),
  ];
  const codes: (number | undefined)[] = [];
  for (const [at, name] of names.entries()) {
    const client = new Client(running.port, `127.2.0.${at + 1}`);
    await client.reply();
    client.send(Buffer.from(`HELO ${name}\r\n`, 'latin1'));
    codes.push((await client.reply())?.code);
    await client.ask('QUIT');
    client.close();
  }
  await program.logs(names.length);
  expect(program.lines).toHaveLength(names.length);
  for (const line of program.lines) expect(line).toMatch(/^\{[ -~]+\}$/);
  const { sessions } = program;
  for (const session of sessions) expect(Object.keys(session)).toEqual(fields);
  for (const [at, name] of names.entries()) {
    const session = sessions.find(({ client }) => client === `127.2.0.${at + 1}`);
    // What was taken for a name is told as it came; what was not is not told.
    const told = codes[at] === 250 ? name.slice(0, 255) : '';
    expect(session?.['helo'], `HELO number ${at}, answered ${codes[at]}`).toBe(told);
  }
  expect(codes.filter((code) => code === 250).length).toBeGreaterThan(5);
});

test('a message arrives byte for byte, however large and odd it is', async () => {
  const running = await startRunning(await sink.listen(), { screen: { greet_wait: '0s' } });
  ({ program } = running);
  const content = Array.from(
    { length: 3_000 },
    (_, at) => `${'.'.repeat(at % 4)}line ${at} ${'\u00ff'.repeat(at % 300)}\n`,
  ).join('');
  const sum = (text: string): string => createHash('sha256').update(text, 'latin1').digest('hex');
  const { client } = await greeted(running.port, '127.3.0.1');
  await client.expect('MAIL FROM:<a@example.org>', 250);
  await client.expect('RCPT TO:<b@example.com>', 250);
  await client.expect('DATA', 354);
  client.send(Buffer.from(`${content.replace(/^\./gm, '..').replaceAll('\n', '\r\n')}.\r\n`, 'latin1'));
  expect((await client.reply())?.code).toBe(250);
  client.close();
  expect(sum(sink.messages[0]!.body!.toString('latin1'))).toBe(sum(content.replaceAll('\n', '\r\n')));
});
