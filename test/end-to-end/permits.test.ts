/**
 * Few connections to the backend for several shards: all mail comes through, and the backend never sees more of them than
 * it was promised, as it counts itself.
 */
import { afterEach, expect, test } from 'vitest';
import { Sink } from '../../loadgen/sink.ts';
import { inData, sendMail, withEnvelope } from './mail.ts';
import type { Running } from './program.ts';
import { startRunning } from './program.ts';

let sink: Sink;
let running: Running;

afterEach(async () => {
  await running.program.dispose();
  await sink.close();
});

async function start(connectionsMax: number, more: Record<string, unknown> = {}): Promise<void> {
  sink = new Sink();
  running = await startRunning(await sink.listen(), {
    backend: { address: `127.0.0.1:${sink.port}`, max_connections: connectionsMax, ...more },
  });
}

/** The shard that a session was in. */
const shardOf = (id: unknown): string => /\.(\d)\.\d+-/.exec(String(id))![1]!;

const rows = [1, 2, 3].flatMap((max) => [
  { max, reuse: 'auto' },
  { max, reuse: 'never' },
]);

test.each(rows)('two shards and $max connections, reuse $reuse: all is delivered', async ({ max, reuse }) => {
  await start(max, { reuse });
  const { program, port } = running;
  const sent: Promise<number | undefined>[] = [];
  for (let at = 0; at < 40; at++)
    sent.push(sendMail(port, `127.7.${max}.${at + 1}`, `Subject: ${at}\n\n`).then((reply) => reply?.code));
  expect(new Set(await Promise.all(sent))).toEqual(new Set([250]));
  await program.logs(40);
  expect(new Set(program.sessions.map(({ id }) => shardOf(id)))).toEqual(new Set(['0', '1']));
  expect(sink.stats.messages).toBe(40);
  expect(sink.stats.connectionsOpenMax).toBeLessThanOrEqual(max);
});

test('a shard whose clients hold on to all connections leaves one to another', async () => {
  await start(2, { hold: '1min' });
  const { program, port } = running;
  // Some of them wait; none of them goes.
  const holders = Array.from({ length: 12 }, (_, at) => withEnvelope(port, `127.7.4.${at + 1}`));
  for (let at = 0; at < 12; at++)
    expect((await sendMail(port, `127.7.5.${at + 1}`, 'Subject: x\n\n'))?.code).toBe(250);
  for (const holder of holders) (await holder).close();
  await program.logs(24);
  expect(sink.stats.connectionsOpenMax).toBeLessThanOrEqual(2);
});

test('clients that leave in the middle of a message do not make a connection too many', async () => {
  await start(2, { verify_recipients: 'late' });
  const { program, port } = running;
  sink.faults.replyDelayMs = 3;
  const content = `Subject: x\n\n${'0123456789abcdef\n'.repeat(4_000)}`;
  const ones = Array.from({ length: 60 }, async (_, at) => {
    if (at % 3 === 0) return (await sendMail(port, `127.7.6.${at + 1}`, content))?.code;
    const client = await inData(port, `127.7.6.${at + 1}`);
    client.send(content.replaceAll('\n', '\r\n'));
    client.send('\r\n.\r\n');
    setImmediate(() => client.close());
    return 250;
  });
  expect(new Set(await Promise.all(ones))).toEqual(new Set([250]));
  await program.logs(60);
  expect(sink.stats.connectionsOpenMax).toBeLessThanOrEqual(2);
});
