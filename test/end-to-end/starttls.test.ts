/**
 * STARTTLS with real handshakes: mail goes through inside TLS, and nothing of the plaintext goes with it.
 */
import { afterEach, describe, expect, test } from 'vitest';
import { deliver, nameOf, TlsHouse } from './tls-house.ts';

const house = new TlsHouse();
afterEach(() => house.close());

describe('mail inside TLS', () => {
  test.each([
    ['TLSv1.2', /^TLSv1\.2 TLS_ECDHE_ECDSA_WITH_[A-Z0-9_]+$/],
    ['TLSv1.3', /^TLSv1\.3 TLS_AES_[A-Z0-9_]+$/],
  ] as const)('arrives byte for byte over %s, and the log says so', async (version, text) => {
    const { program: sluice, port } = await house.serve();
    const { client, secure } = await house.inside(port, '127.5.0.1', {
      minVersion: version,
      maxVersion: version,
    });
    expect(secure.getProtocol()).toBe(version);
    expect(nameOf(secure)).toBe('mx.example.test');
    const content = `Subject: large\n\n${'.0123456789abcdef\n'.repeat(60_000)}`;
    await deliver(client, content);
    expect(house.sink.messages.map(({ body }) => body!.toString('latin1'))).toEqual([
      content.replaceAll('\n', '\r\n'),
    ]);
    expect(house.sink.messages[0]?.client).toMatchObject({ ADDR: '127.5.0.1' });
    await sluice.logs(1);
    const [session] = sluice.sessions;
    expect(session).toMatchObject({ helo: 'inside.example.org', ending: 'quit', messages: 1 });
    expect(session?.['tls']).toMatch(text);
  });

  test('a hundred clients do their handshakes at once, and each delivers', async () => {
    const { program: sluice, port } = await house.serve();
    const waiting = await Promise.all(
      Array.from({ length: 100 }, (_, at) => house.arrived(port, `127.5.1.${at + 1}`)),
    );
    await Promise.all(waiting.map((client) => client.expect('STARTTLS', 220)));
    await Promise.all(waiting.map((client) => client.handshake()));
    await Promise.all(
      waiting.map(async (client, at) => {
        await client.expect('EHLO inside.example.org', 250);
        await deliver(client, `Subject: ${at}\n\n${at}\n`);
      }),
    );
    expect(new Set(house.sink.messages.map(({ body }) => body!.toString()))).toHaveProperty('size', 100);
    await sluice.logs(100);
    expect(sluice.sessions.filter(({ tls }) => tls === null)).toEqual([]);
    sluice.signal('SIGUSR2');
    await sluice.says(/"tlsStarted":100,"tlsDone":100,/);
  });

  test('a client inside TLS that asks for a renegotiation gets none', async () => {
    const { port } = await house.serve();
    const { secure } = await house.inside(port, '127.5.2.1', { maxVersion: 'TLSv1.2' });
    const refusal = await new Promise<Error | null>((resolve) => {
      secure.on('error', resolve);
      secure.renegotiate({ rejectUnauthorized: false }, resolve);
    });
    expect(String(refusal)).toMatch(/no renegotiation/i);
  });
});

describe('a handshake that comes to nothing', () => {
  test('with a version that is too old is named, and the next client is served', async () => {
    const { program: sluice, port } = await house.serve({ tls: { min_version: '1.3' } });
    const old = await house.arrived(port, '127.5.3.1');
    await expect(old.startTls({ maxVersion: 'TLSv1.2' })).rejects.toThrow(/alert protocol version/);
    await sluice.logs(1);
    expect(sluice.sessions).toMatchObject([{ ending: 'tlsFailed', stage: 'starttls', tls: null }]);
    const { client } = await house.inside(port, '127.5.3.2');
    await deliver(client, 'Subject: good\n\n');
  });

  test('of garbage, of a hang-up and of a reset is named, and harms nobody', async () => {
    const { program: sluice, port } = await house.serve();
    const { client: witness } = await house.inside(port, '127.5.4.9');
    const junk = [
      Buffer.alloc(70_000, 0),
      Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
      Buffer.from([0x16, 3, 1, 0xff, 0xff, 1, 0, 0, 0]),
      Buffer.from([0x15, 3, 3, 0, 2, 2, 40]),
    ];
    for (const [at, bytes] of junk.entries()) {
      const client = await house.arrived(port, `127.5.4.${at + 1}`);
      await client.expect('STARTTLS', 220);
      client.send(bytes);
      // A record that is not whole is waited for: leaving ends it.
      if (at === 2) client.close();
    }
    const left = await house.arrived(port, '127.5.4.8');
    await left.expect('STARTTLS', 220);
    left.close();
    await sluice.logs(junk.length + 1);
    expect(sluice.sessions.map(({ ending }) => ending)).toEqual(
      Array.from({ length: junk.length + 1 }, () => 'tlsFailed'),
    );
    await deliver(witness, 'Subject: unharmed\n\n');
    expect(house.sink.messages).toHaveLength(1);
  });

  test('of a client that keeps silent is cut off after its time', async () => {
    const { program: sluice, port } = await house.serve({ tls: { handshake_timeout: '1s' } });
    const silent = await house.arrived(port, '127.5.5.1');
    await silent.expect('STARTTLS', 220);
    const slow = await house.arrived(port, '127.5.5.2');
    await slow.expect('STARTTLS', 220);
    slow.send(Buffer.from([0x16, 3, 1]));
    expect(await silent.reply()).toBeNull();
    expect(await slow.reply()).toBeNull();
    await sluice.logs(2);
    expect(sluice.sessions).toMatchObject([{ ending: 'tlsTimeLimit' }, { ending: 'tlsTimeLimit' }]);
  });

  test('for want of room is not begun', async () => {
    const { port } = await house.serve({ tls: { handshakes_max: 1 }, engine: { shards: 1 } });
    const first = await house.arrived(port, '127.5.6.1');
    await first.expect('STARTTLS', 220);
    const second = await house.arrived(port, '127.5.6.2');
    await second.expect('STARTTLS', 454);
    await first.handshake();
    // Inside TLS 1.3 the client is done a moment before the shard is: its answer shows that a place is free.
    await first.expect('EHLO inside.example.org', 250);
    await second.startTls();
    await second.expect('EHLO inside.example.org', 250);
    await deliver(second, 'Subject: later\n\n');
    expect(house.sink.messages).toHaveLength(1);
  });
});

describe('plaintext behind STARTTLS', () => {
  const injected = 'EHLO evil.example\r\nMAIL FROM:<evil@example.org>\r\nRCPT TO:<b@example.com>\r\nRSET\r\n';

  test('in the same segment ends the session', async () => {
    const { program: sluice, port } = await house.serve();
    const client = await house.arrived(port, '127.5.7.1');
    client.send(`STARTTLS\r\n${injected}`);
    expect((await client.repliesToTheEnd()).map(({ lines }) => lines)).toEqual([
      ['554 5.5.0 Error: SMTP protocol synchronization'],
    ]);
    await sluice.logs(1);
    expect(sluice.sessions).toMatchObject([
      { ending: 'tlsInjection', reasons: ['tlsInjection'], helo: 'client.example.org', rcpt_ok: 0 },
    ]);
  });

  test('in the segment behind our 220 is no handshake, and no command', async () => {
    const { program: sluice, port } = await house.serve();
    const client = await house.arrived(port, '127.5.7.2');
    await client.expect('STARTTLS', 220);
    client.send(injected);
    expect(await client.repliesToTheEnd()).toEqual([]);
    await sluice.logs(1);
    expect(sluice.sessions).toMatchObject([{ ending: 'tlsFailed', helo: 'client.example.org', rcpt_ok: 0 }]);
  });

  test('in front of a good handshake is not heard inside it', async () => {
    const { program: sluice, port } = await house.serve();
    const client = await house.arrived(port, '127.5.7.3');
    await client.expect('STARTTLS', 220);
    client.send(injected);
    await expect(client.handshake()).rejects.toThrow(/ECONNRESET|disconnected|socket hang up|EPIPE/i);
    await sluice.logs(1);
    expect(sluice.sessions).toMatchObject([{ ending: 'tlsFailed', tls: null, rcpt_ok: 0 }]);
  });

  test('in whichever segments it comes, is never obeyed', async () => {
    const { program: sluice, port } = await house.serve();
    const count = 30;
    await Promise.all(
      Array.from({ length: count }, async (_, at) => {
        const client = await house.arrived(port, `127.5.8.${at + 1}`);
        const whole = `STARTTLS\r\n${injected}`;
        for (const piece of whole.match(new RegExp(`[^]{1,${at + 1}}`, 'g')) ?? []) client.send(piece);
        const replies = await client.repliesToTheEnd();
        expect(replies.filter(({ code }) => code !== 220 && code !== 554)).toEqual([]);
      }),
    );
    await sluice.logs(count);
    for (const session of sluice.sessions) expect(['tlsInjection', 'tlsFailed']).toContain(session['ending']);
    expect(sluice.sessions.filter(({ rcpt_ok: ok }) => ok !== 0)).toEqual([]);
  });
});
