/**
 * A listener for proxies over real sockets: whom its sessions belong to, and what becomes of those who keep no rules.
 */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Sink } from '../../loadgen/sink.ts';
import { proxyHeader } from '../../src/transport/proxy-writer.ts';
import { Client, onTheWire } from '../system/client.ts';
import type { LogLine, Program } from './program.ts';
import { startRunning } from './program.ts';
import { freePort } from '../system/process.ts';

const PROXY = '127.6.0.1';
const STRANGER = '127.6.9.1';
const named = { address: '192.0.2.7', port: 4711, destinationAddress: '203.0.113.25', destinationPort: 25 };

const sink = new Sink();
let program: Program;
let port = 0;
let seen = 0;

beforeAll(async () => {
  port = await freePort();
  const listener = [
    { address: `127.0.0.1:${port}`, proxy_protocol: 'required', trusted_proxies: ['127.6.0.0/24'] },
  ];
  ({ program } = await startRunning(await sink.listen(), { listener, limits: { connections: 3 } }));
});
afterAll(async () => {
  await program?.dispose();
  await sink.close();
});

/** The next `count` lines of the log. Every test takes all of its own. */
async function lines(count: number): Promise<LogLine[]> {
  await program.logs(seen + count);
  seen += count;
  return program.sessions.slice(seen - count, seen);
}

/** All that comes back for some bytes, until the other side has closed. */
function heardFor(from: string, bytes: Uint8Array | string): Promise<string> {
  return new Promise((resolve) => {
    let heard = '';
    const socket = connect({ port: port, host: '127.0.0.1', localAddress: from });
    socket.on('data', (more: Buffer) => (heard += more.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(heard));
    socket.write(bytes);
  });
}

async function through(header: Uint8Array, from = PROXY): Promise<Client> {
  const client = new Client(port, from);
  client.send(header);
  return client;
}

describe('a client behind a proxy', () => {
  test.each([1, 2] as const)(
    'delivers as itself with a header of version %d, byte by byte, and its log line names both',
    async (version) => {
      const client = new Client(port, PROXY);
      for (const byte of proxyHeader(version, named)) client.send(Uint8Array.of(byte));
      expect((await client.reply())?.code).toBe(220);
      await client.expect('EHLO client.example.org', 250);
      await client.expect('MAIL FROM:<a@example.org>', 250);
      await client.expect('RCPT TO:<b@example.com>', 250);
      await client.expect('DATA', 354);
      client.send(onTheWire('Subject: hello\n\n'));
      expect((await client.reply())?.code).toBe(250);
      await client.ask('QUIT');
      const [session] = await lines(1);
      expect(sink.messages.pop()?.client).toMatchObject({
        ADDR: '192.0.2.7',
        PORT: '4711',
        DESTADDR: '203.0.113.25',
        DESTPORT: '25',
      });
      expect(session).toMatchObject({
        client: '192.0.2.7',
        port: 4711,
        proxy: PROXY,
        ending: 'quit',
        messages: 1,
      });
    },
  );

  test('has limits of its own: the proxy may have as many sessions as there are clients', async () => {
    const clients = await Promise.all(
      Array.from({ length: 12 }, (_, at) =>
        through(proxyHeader(2, { ...named, address: `192.0.2.${Math.floor(at / 4) + 1}` })),
      ),
    );
    const codes = await Promise.all(clients.map(async (client) => (await client.reply())?.code));
    expect(codes.filter((code) => code === 220)).toHaveLength(9);
    expect(codes.filter((code) => code === 421)).toHaveLength(3);
    for (const client of clients) client.close();
    await lines(12);
  });
});

describe('who keeps no rules is cut off without a word', () => {
  test.each([
    ['a stranger with a header', STRANGER, proxyHeader(1, named), 'noProxy'],
    ['a stranger without one', STRANGER, 'EHLO me\r\n', 'noProxy'],
    ['a proxy that forgot it', PROXY, 'EHLO me\r\n', 'badHeader'],
    ['a line without an end', PROXY, 'PROXY TCP4 '.padEnd(100_000, '1'), 'badHeader'],
    ['a block of 65,551 bytes', PROXY, '\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff'.padEnd(70_000), 'badHeader'],
    ['noise', PROXY, Uint8Array.from({ length: 4_096 }, (_, at) => (at * 197 + 13) & 255), 'badHeader'],
  ])('%s', async (_, from, bytes, ending) => {
    const sent = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    expect(await heardFor(from, sent)).toBe('');
    expect((await lines(1))[0]).toMatchObject({ client: from, proxy: null, ending, score: 0, reasons: [] });
  });

  test('silence, when its time is up', async () => {
    const silent = heardFor(PROXY, 'PROXY TCP4 192.0');
    const stranger = heardFor(STRANGER, '\r');
    expect(await Promise.all([silent, stranger])).toEqual(['', '']);
    expect(new Set((await lines(2)).map(({ ending }) => ending))).toEqual(
      new Set(['headerTimeLimit', 'noProxy']),
    );
    program.signal('SIGUSR2');
    await program.says(/"ending\.headerTimeLimit":1/);
  });

  test('a thousand of them leave room for the next client', async () => {
    const bad = [
      'EHLO me\r\n',
      'PROXY UNKNOWN\n',
      '\r\n\r\nx',
      proxyHeader(2, { ...named, address: '0.0.0.0' }),
    ];
    for (let round = 0; round < 20; round++)
      await Promise.all(Array.from({ length: 50 }, (_, at) => heardFor(PROXY, bad[at % bad.length]!)));
    const client = await through(proxyHeader(1, named));
    expect((await client.reply())?.code).toBe(220);
    client.close();
    await lines(1_001);
  });
});

test('a proxy that looks whether we are alive is greeted at once, as often as it looks', async () => {
  for (let look = 0; look < 20; look++) {
    const client = await through(look % 2 === 0 ? Buffer.from('PROXY UNKNOWN\r\n') : proxyHeader(2, null));
    expect((await client.reply())?.lines).toEqual(['220 mx.example.test ESMTP']);
    if (look % 3 === 0) await client.expect('QUIT', 221);
    client.close();
  }
  for (const session of await lines(20))
    expect(session).toMatchObject({ client: PROXY, proxy: null, score: 0, reasons: [], limit: null });
});
