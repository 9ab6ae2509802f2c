/**
 * `check --live`: what a look at the backend tells, for each kind of backend.
 */
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { SinkOptions } from '../../loadgen/sink-options.ts';
import { Sink } from '../../loadgen/sink.ts';
import { defaultConfig } from '../../src/config/load.ts';
import { probeBackend } from '../../src/primary/probe.ts';
import { freePort } from '../system/process.ts';

let sink: Sink | null = null;

afterEach(async () => {
  await sink?.close();
  sink = null;
});

async function probe(options: Partial<SinkOptions>): Promise<{ ok: boolean; lines: string[] }> {
  sink = new Sink(options);
  const port = await sink.listen();
  return probeBackend(
    defaultConfig({ hostname: 'mx.example.test', backend: { address: `127.0.0.1:${port}` } }),
  );
}

test('a backend that takes one XCLIENT after another is good, and its connections are reused', async () => {
  const { ok, lines } = await probe({ xclient: 'always' });
  expect(ok).toBe(true);
  expect(lines.at(-1)).toContain('connections are reused');
  expect(sink!.stats.relayAttempts).toBe(0);
});

test('a backend that takes one XCLIENT a connection is good, with a connection for each client', async () => {
  const { ok, lines } = await probe({ xclient: 'once' });
  expect(ok).toBe(true);
  expect(lines.at(-1)).toContain('one connection for each client');
});

test('a backend that offers no XCLIENT to Sluice is not good, and the line says what to set', async () => {
  const { ok, lines } = await probe({ xclient: 'never' });
  expect(ok).toBe(false);
  expect(lines.at(-1)).toContain('smtpd_authorized_xclient_hosts');
});

test('a backend that is not there is not good', async () => {
  const address = `127.0.0.1:${await freePort()}`;
  const { ok, lines } = await probeBackend(defaultConfig({ backend: { address } }));
  expect(ok).toBe(false);
  expect(lines.join('\n')).toContain('ECONNREFUSED');
});

test('a name that leads to nobody is told in a sentence, whatever number of addresses it has', async () => {
  const address = `localhost:${await freePort()}`;
  const { ok, lines } = await probeBackend(defaultConfig({ backend: { address } }));
  expect(ok).toBe(false);
  expect(lines).toEqual([`backend ${address}: cannot be reached (ECONNREFUSED)`]);
});

test('of several servers each has its own lines, and one that is not there makes the whole not good', async () => {
  sink = new Sink({ xclient: 'always' });
  const good = `127.0.0.1:${await sink.listen()}`;
  const missing = `127.0.0.1:${await freePort()}`;
  const { ok, lines } = await probeBackend(
    defaultConfig({
      hostname: 'mx.example.test',
      server: [good, missing].map((address) => ({ address, weight: 1, tlsName: '' })),
    }),
  );
  expect(ok).toBe(false);
  expect(lines[0]).toMatch(new RegExp(`^backend ${good}: greeted with "220 `));
  expect(lines.slice(1, -1).every((line) => line.startsWith('  '))).toBe(true);
  expect(lines.at(-2)).toBe('  a second XCLIENT is accepted: connections are reused');
  expect(lines.at(-1)).toBe(`backend ${missing}: cannot be reached (ECONNREFUSED)`);
});

test('what a backend says is one line and cannot steer a terminal; an EHLO that it refuses is told', async () => {
  const server = createServer((socket) => {
    socket.write('220-mx \u001b[2J\r\n220 two\r\n');
    socket.on('error', () => {}).once('data', () => socket.write('550 go\r\n'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    expect(await probeBackend(defaultConfig({ hostname: 'mx.example.test', backend: { address } }))).toEqual({
      ok: false,
      lines: [
        `backend ${address}: greeted with "220-mx ?[2J | 220 two"`,
        'EHLO was answered "550 go": no mail can be delivered',
      ],
    });
  } finally {
    server.close();
  }
});
