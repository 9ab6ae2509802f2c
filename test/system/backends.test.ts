/**
 * Exim and OpenSMTPD behind Sluice: whose client a message has, who is refused, and that one of a session's messages
 * does not follow into the next. Postfix has files of its own (proxy.test.ts, identity.test.ts and others).
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { defaultConfig } from '../../src/config/load.ts';
import { probeBackend } from '../../src/primary/probe.ts';
import { Client, greeted, onTheWire, transaction } from './client.ts';
import { samples } from './contents.ts';
import { startExim } from './exim.ts';
import { startOpenSmtpd } from './opensmtpd.ts';
import { startSluice } from './sluice.ts';
import type { Sluice } from './sluice.ts';
import type { MailStore } from './stored.ts';
import { until } from './process.ts';

/** OpenSMTPD adds these two where they are missing. */
const dated = Buffer.from('Date: Wed, 25 Nov 2026 12:00:00 +0000\nMessage-Id: <sample@honest.test>\n');

const starts = { Exim: startExim, OpenSMTPD: startOpenSmtpd } as const;
const pairs = [
  { name: 'Exim', identity: 'proxy-v1', when: 'early' },
  { name: 'Exim', identity: 'proxy-v2', when: 'late' },
  { name: 'OpenSMTPD', identity: 'proxy-v2', when: 'early' },
  { name: 'OpenSMTPD', identity: 'proxy-v2', when: 'late' },
] as const;

describe.each(pairs)('$name by $identity, recipients verified $when', ({ name, identity, when }) => {
  let store: MailStore;
  let sluice: Sluice;

  beforeAll(async () => {
    store = await starts[name]();
    sluice = await startSluice({
      backendPort: store.port,
      config: {
        backend: { identity, reuse: 'auto', verify_recipients: when },
        smtp: { bare_newline: 'reject' },
        screen: { greet_wait: '0s' },
      },
    });
    await until('the backend was heard', async () => {
      const { client, offers } = await greeted(sluice.port, '127.0.0.50');
      client.close();
      return offers.includes('DSN');
    });
  });

  afterAll(async () => {
    try {
      await sluice?.stop();
      await store?.settled();
    } finally {
      await store?.stop();
    }
  });

  test('check --live says that the header is taken', async () => {
    const address = `127.0.0.1:${store.port}`;
    const { ok, lines } = await probeBackend(
      defaultConfig({ hostname: 'mx.example.test', backend: { address, identity } }),
    );
    expect(lines.at(-1)).toContain('a PROXY header is taken');
    expect(ok).toBe(true);
  });

  test('thirty clients at once: each message is stored under the address of its own, and none is lost', async () => {
    await store.empty();
    const addresses = Array.from({ length: 30 }, (_, at) => `127.43.0.${at + 1}`);
    await Promise.all(
      addresses.map(async (address) => {
        const { client } = await greeted(sluice.port, address);
        for (const to of ['anna', 'bert'])
          expect(await transaction(client, `${to}@example.test`, `X-Client: ${address} ${to}\n\n`)).toEqual([
            250, 250, 354, 250,
          ]);
        await client.expect('QUIT', 221);
        client.close();
      }),
    );
    const stored = (await store.messages()).map(({ clientAddress, recipients, content }) => ({
      said: /^X-Client: (.*)$/m.exec(content.toString())?.[1],
      is: `${clientAddress} ${recipients.map(({ address }) => address.split('@')[0]).join()}`,
    }));
    expect(stored.map(({ is }) => is).sort()).toEqual(
      addresses.flatMap((address) => [`${address} anna`, `${address} bert`]).sort(),
    );
    for (const { said, is } of stored) expect(said).toBe(is);
  });

  test('a client that says HELO is one too', async () => {
    await store.empty();
    const client = new Client(sluice.port, '127.43.3.1');
    await client.reply();
    await client.expect('HELO old.example.org', 250);
    expect(await transaction(client, 'anna@example.test', 'Subject: old\n\n')).toEqual([250, 250, 354, 250]);
    client.close();
    expect((await store.messages()).map(({ clientAddress }) => clientAddress)).toEqual(['127.43.3.1']);
  });

  test('an unknown recipient is refused with the words of the mail server, and nobody relays', async () => {
    await store.empty();
    const { client } = await greeted(sluice.port, '127.43.1.1');
    const word =
      name === 'Exim' ? '550 5.1.1 User unknown' : '550 5.0.0 Invalid recipient: <nobody@example.test>';
    if (when === 'early') {
      await client.expect('MAIL FROM:<sender@honest.test>', 250);
      expect((await client.ask('RCPT TO:<nobody@example.test>'))?.lines).toEqual([word]);
      await client.expect('RCPT TO:<anna@example.test>', 250);
      expect((await client.ask('RCPT TO:<anna@foreign.test>'))?.code).toBe(550);
      await client.expect('DATA', 354);
      client.send(onTheWire('Subject: for anna\n\n'));
      expect((await client.reply())?.code).toBe(250);
    } else {
      const codes = await transaction(client, 'nobody@example.test', 'Subject: for nobody\n\n');
      expect(codes.at(-1)).toBe(550);
    }
    client.close();
    const to = (await store.messages()).map(({ recipients }) => recipients.map(({ address }) => address));
    expect(to).toEqual(when === 'early' ? [['anna@example.test']] : []);
  });

  test.each(samples)('$title is stored as it was sent', async (sample) => {
    await store.empty();
    const content = Buffer.concat([dated, sample.content]);
    const client = new Client(sluice.port, '127.43.2.1');
    await client.reply();
    await client.expect('EHLO client.example.org', 250);
    await client.expect('MAIL FROM:<sender@honest.test>', 250);
    await client.expect('RCPT TO:<anna@example.test>', 250);
    await client.expect('DATA', 354);
    client.send(onTheWire(content));
    expect((await client.reply())?.code).toBe(250);
    client.close();
    const stored = await store.messages();
    expect(stored.map((one) => one.content.includes(content))).toEqual([true]);
  });
});

test('an OpenSMTPD that nobody tells who the client is takes mail from Sluice as from anybody', async () => {
  const store = await startOpenSmtpd({ isTold: false });
  const sluice = await startSluice({
    backendPort: store.port,
    config: { backend: { identity: 'none', reuse: 'auto' }, screen: { greet_wait: '0s' } },
  });
  try {
    for (const address of ['127.43.4.1', '127.43.4.2']) {
      const { client } = await greeted(sluice.port, address);
      expect(await transaction(client, 'anna@example.test', 'Subject: x\n\n')).toEqual([250, 250, 354, 250]);
      client.close();
    }
    const stored = await store.messages();
    expect(stored.map(({ clientAddress }) => clientAddress)).toEqual(['127.0.0.1', '127.0.0.1']);
  } finally {
    await sluice.stop();
    await store.stop();
  }
});
