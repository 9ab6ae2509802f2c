/**
 * An IPv6 listener beside an IPv4 one: mail comes in on both, and the backend hears each client's own address.
 */
import { createTransport } from 'nodemailer';
import { afterEach, expect, test } from 'vitest';
import { Sink } from '../../loadgen/sink.ts';
import { freePort } from '../system/process.ts';
import type { Program } from './program.ts';
import { startRunning } from './program.ts';

const sink = new Sink({ keepBodies: true });
let program: Program | null = null;

afterEach(async () => {
  await program?.dispose();
  await sink.close();
});

async function send(host: string, port: number, text: string): Promise<string> {
  const transport = createTransport({ host, port, ignoreTLS: true, name: 'client.example.org' });
  try {
    const sent = await transport.sendMail({ from: 'a@example.org', to: 'b@example.com', text });
    return sent.response;
  } finally {
    transport.close();
  }
}

test('mail comes in over IPv6 and over IPv4, under the address of its client', async () => {
  const port = await freePort();
  const listener = [{ address: `[::1]:${port}` }, { address: `127.0.0.1:${port}` }];
  ({ program } = await startRunning(await sink.listen(), { listener }));
  expect(await send('::1', port, 'six')).toMatch(/^250 /);
  expect(await send('127.0.0.1', port, 'four')).toMatch(/^250 /);
  await program.logs(2);
  expect(program.sessions.map(({ client, listener: on }) => [client, on])).toEqual([
    ['::1', `[::1]:${port}`],
    ['127.0.0.1', `127.0.0.1:${port}`],
  ]);
  expect(sink.messages.map(({ client }) => [client.ADDR, client.DESTADDR])).toEqual([
    ['IPV6:::1', 'IPV6:::1'],
    ['127.0.0.1', '127.0.0.1'],
  ]);
  expect(sink.messages.map(({ body }) => body!.toString('latin1').trimEnd().split('\r\n').at(-1))).toEqual([
    'six',
    'four',
  ]);
});
