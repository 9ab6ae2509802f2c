/**
 * PROXY headers on both sides of Sluice, with a real Postfix behind it: whose address stands in what it has stored.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { probeBackend } from '../../src/primary/probe.ts';
import { proxyHeader } from '../../src/transport/proxy-writer.ts';
import { defaultConfig } from '../../src/config/load.ts';
import { Client, greeted, transaction } from './client.ts';
import { startPostfix } from './postfix.ts';
import type { Postfix } from './postfix.ts';
import { freePort, until } from './process.ts';
import { startSluice } from './sluice.ts';
import type { Sluice } from './sluice.ts';

let postfix: Postfix;
let headerPort = 0;

beforeAll(async () => {
  headerPort = await freePort();
  postfix = await startPostfix({
    masterCf: `127.0.0.1:${headerPort} inet n - n - 20 smtpd
  -o syslog_name=postfix/header
  -o smtpd_upstream_proxy_protocol=haproxy
`,
  });
});

afterAll(async () => {
  await postfix?.stop();
});

/** A client behind a proxy on 127.44.0.1, up to EHLO. */
async function throughProxy(port: number, header: Uint8Array): Promise<Client> {
  const client = new Client(port, '127.44.0.1');
  client.send(header);
  expect((await client.reply())?.code).toBe(220);
  await client.expect('EHLO client.example.org', 250);
  return client;
}

async function storedClients(): Promise<readonly string[]> {
  return (await postfix.messages()).map((message) => message.clientAddress).sort();
}

const listener = { proxy_protocol: 'required', trusted_proxies: ['127.44.0.0/16'] };

describe.each(['proxy-v1', 'proxy-v2'])('backend.identity = "%s"', (identity) => {
  let sluice: Sluice;

  beforeAll(async () => {
    await postfix.empty();
    sluice = await startSluice({
      backendPort: headerPort,
      config: { backend: { identity, reuse: 'auto' } },
    });
  });
  afterAll(async () => {
    await sluice?.stop();
  });

  test('each message is stored under the address of its own client, and nobody relays', async () => {
    const addresses = Array.from({ length: 30 }, (_, at) => `127.43.0.${at + 1}`);
    await Promise.all(
      addresses.map(async (address) => {
        const { client } = await greeted(sluice.port, address);
        expect(await transaction(client, 'anna@foreign.test', '')).toEqual([250, 554]);
        await client.expect('RSET', 250);
        expect(await transaction(client, 'anna@example.test', `X-Client: ${address}\n\n`)).toEqual([
          250, 250, 354, 250,
        ]);
        client.close();
      }),
    );
    const queued = await postfix.messages();
    expect(queued.map((message) => `X-Client: ${message.clientAddress}\n\n`).sort()).toEqual(
      queued.map((message) => message.content.toString()).sort(),
    );
    expect(await storedClients()).toEqual([...addresses].sort());
    const [one] = queued;
    expect(one?.trace.toString()).toContain('from client.example.org (unknown [127.43.0.');
  });

  test('a HELO client is one too', async () => {
    await postfix.empty();
    const client = new Client(sluice.port, '127.43.1.1');
    await client.reply();
    await client.expect('HELO old.example.org', 250);
    expect(await transaction(client, 'anna@example.test', '\n')).toEqual([250, 250, 354, 250]);
    client.close();
    expect(await storedClients()).toEqual(['127.43.1.1']);
  });

  test('a Postfix listener that expects no header hears of no mail, and the operator of that', async () => {
    await postfix.empty();
    const wrong = await startSluice({
      backendPort: postfix.freshPort,
      config: { backend: { identity, reuse: 'auto' } },
    });
    const { client } = await greeted(wrong.port, '127.43.2.1');
    const codes = await transaction(client, 'anna@foreign.test', '\n');
    client.close();
    await until('it is told', () => wrong.said.includes('took the PROXY header for a command'));
    await wrong.stop();
    expect(codes).toEqual([250, 451]);
    expect(postfix.queuedIds()).toEqual([]);
  });

  test('check --live tells the one listener from the other', async () => {
    const probe = (port: number): Promise<{ ok: boolean; lines: string[] }> =>
      probeBackend(
        defaultConfig({
          hostname: 'mx.example.test',
          backend: {
            address: `127.0.0.1:${port}`,
            identity: identity === 'proxy-v1' ? 'proxy-v1' : 'proxy-v2',
          },
        }),
      );
    const right = await probe(headerPort);
    expect(right).toMatchObject({ ok: true });
    expect(right.lines.at(-1)).toContain('a PROXY header is taken');
    const wrong = await probe(postfix.freshPort);
    expect(wrong).toMatchObject({ ok: false });
    expect(wrong.lines.at(-1)).toContain('smtpd_upstream_proxy_protocol');
  });
});

describe('a proxy in front', () => {
  const ends = { destinationAddress: '203.0.113.25', destinationPort: 25, port: 56_324 };

  test.each([
    ['XCLIENT', 'xclient', 1],
    ['XCLIENT', 'xclient', 2],
    ['a header', 'proxy-v1', 2],
    ['a header', 'proxy-v2', 1],
  ] as const)(
    'by %s (%s) Postfix learns the client that a header of version %d named',
    async (_, identity, version) => {
      await postfix.empty();
      const sluice = await startSluice({
        backendPort: identity === 'xclient' ? postfix.freshPort : headerPort,
        config: { listener, backend: { identity, reuse: 'auto' } },
      });
      const v4 = await throughProxy(sluice.port, proxyHeader(version, { ...ends, address: '192.0.2.7' }));
      expect(await transaction(v4, 'anna@example.test', '\n')).toEqual([250, 250, 354, 250]);
      expect(await transaction(v4, 'anna@foreign.test', '\n')).toEqual([250, 554]);
      v4.close();
      const v6 = await throughProxy(
        sluice.port,
        proxyHeader(version, { ...ends, address: '2001:db8::7', destinationAddress: '2001:db8::25' }),
      );
      expect(await transaction(v6, 'anna@example.test', '\n')).toEqual([250, 250, 354, 250]);
      v6.close();
      await until('both have their lines', () => sluice.sessions.length === 2);
      await sluice.stop();
      expect(await storedClients()).toEqual(['192.0.2.7', '2001:db8::7']);
      expect(sluice.sessions).toEqual([
        expect.objectContaining({ client: '192.0.2.7', port: 56_324, proxy: '127.44.0.1', messages: 1 }),
        expect.objectContaining({ client: '2001:db8::7', port: 56_324, proxy: '127.44.0.1', messages: 1 }),
      ]);
    },
  );
});
