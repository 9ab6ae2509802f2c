/**
 * STARTTLS with real handshakes: mail goes through inside TLS, nothing of the plaintext goes with it, certificates
 * are renewed without a restart.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { Sink } from '../../loadgen/sink.ts';
import { selfSigned } from '../self-signed.ts';
import { greeted, onTheWire } from '../system/client.ts';
import type { Client } from '../system/client.ts';
import { freePort, until } from '../system/process.ts';
import { newDirectory, Program, startRunning } from './program.ts';

let sink = new Sink({ keepBodies: true });
const clients: Client[] = [];
let program: Program | null = null;

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  const said = program?.said ?? '';
  const logged = program?.lines.join('\n') ?? '';
  await program?.dispose();
  await sink.close();
  sink = new Sink({ keepBodies: true });
  expect(said + logged, 'no key is shown').not.toContain('PRIVATE');
  expect(said, 'no shard died').not.toMatch(/ShardBug|shard \d+ (?:failed|ended)/);
});

interface Served {
  readonly program: Program;
  readonly port: number;
  readonly secondPort: number;
  readonly certificate: string;
  readonly key: string;
}

/** Sluice with two listeners that have a certificate, `mx.example.test`, in files that may be written anew. */
async function serve(more: Readonly<Record<string, unknown>> = {}): Promise<Served> {
  const directory = newDirectory();
  const certificate = join(directory, 'mx.crt');
  const key = join(directory, 'mx.key');
  const pair = selfSigned('mx.example.test');
  writeFileSync(certificate, pair.certificate);
  writeFileSync(key, pair.key);
  const [first, second] = [await freePort(), await freePort()];
  const listener = [first, second].map((port) => ({
    address: `127.0.0.1:${port}`,
    tls: { certificate, key },
  }));
  const running = await startRunning(
    await sink.listen(),
    { screen: { greet_wait: '0s' }, ...more, listener },
    { directory },
  );
  ({ program } = running);
  return { program: running.program, port: first, secondPort: second, certificate, key };
}

/** A client that has said EHLO in plaintext. */
async function arrived(port: number, from: string): Promise<Client> {
  const { client, offers } = await greeted(port, from);
  clients.push(client);
  expect(offers).toContain('STARTTLS');
  return client;
}

/** A client inside TLS that has greeted again. */
async function inside(
  port: number,
  from: string,
  options: ConnectionOptions = {},
): Promise<{ client: Client; secure: TLSSocket }> {
  const client = await arrived(port, from);
  const secure = await client.startTls(options);
  const again = await client.expect('EHLO inside.example.org', 250);
  expect(again.lines.join()).not.toContain('STARTTLS');
  return { client, secure };
}

async function deliver(client: Client, content: string): Promise<void> {
  await client.expect('MAIL FROM:<a@example.org>', 250);
  await client.expect('RCPT TO:<b@example.com>', 250);
  await client.expect('DATA', 354);
  client.send(onTheWire(content));
  expect((await client.reply())?.code).toBe(250);
  await client.expect('QUIT', 221);
}

const nameOf = (secure: TLSSocket): unknown => secure.getPeerCertificate().subject.CN;

describe('mail inside TLS', () => {
  test.each([
    ['TLSv1.2', /^TLSv1\.2 TLS_ECDHE_ECDSA_WITH_[A-Z0-9_]+$/],
    ['TLSv1.3', /^TLSv1\.3 TLS_AES_[A-Z0-9_]+$/],
  ] as const)('arrives byte for byte over %s, and the log says so', async (version, text) => {
    const { program: sluice, port } = await serve();
    const { client, secure } = await inside(port, '127.5.0.1', { minVersion: version, maxVersion: version });
    expect(secure.getProtocol()).toBe(version);
    expect(nameOf(secure)).toBe('mx.example.test');
    const content = `Subject: large\n\n${'.0123456789abcdef\n'.repeat(60_000)}`;
    await deliver(client, content);
    expect(sink.messages.map(({ body }) => body!.toString('latin1'))).toEqual([
      content.replaceAll('\n', '\r\n'),
    ]);
    expect(sink.messages[0]?.client).toMatchObject({ ADDR: '127.5.0.1' });
    await sluice.logs(1);
    const [session] = sluice.sessions;
    expect(session).toMatchObject({ helo: 'inside.example.org', ending: 'quit', messages: 1 });
    expect(session?.['tls']).toMatch(text);
  });

  test('a hundred clients do their handshakes at once, and each delivers', async () => {
    const { program: sluice, port } = await serve();
    const waiting = await Promise.all(
      Array.from({ length: 100 }, (_, at) => arrived(port, `127.5.1.${at + 1}`)),
    );
    await Promise.all(waiting.map((client) => client.expect('STARTTLS', 220)));
    await Promise.all(waiting.map((client) => client.handshake()));
    await Promise.all(
      waiting.map(async (client, at) => {
        await client.expect('EHLO inside.example.org', 250);
        await deliver(client, `Subject: ${at}\n\n${at}\n`);
      }),
    );
    expect(new Set(sink.messages.map(({ body }) => body!.toString()))).toHaveProperty('size', 100);
    await sluice.logs(100);
    expect(sluice.sessions.filter(({ tls }) => tls === null)).toEqual([]);
    sluice.signal('SIGUSR2');
    await sluice.says(/"tlsStarted":100,"tlsDone":100,/);
  });

  test('a client inside TLS that asks for a renegotiation gets none', async () => {
    const { port } = await serve();
    const { secure } = await inside(port, '127.5.2.1', { maxVersion: 'TLSv1.2' });
    const refusal = await new Promise<Error | null>((resolve) => {
      secure.on('error', resolve);
      secure.renegotiate({ rejectUnauthorized: false }, resolve);
    });
    expect(String(refusal)).toMatch(/no renegotiation/i);
  });
});

describe('a handshake that comes to nothing', () => {
  test('with a version that is too old is named, and the next client is served', async () => {
    const { program: sluice, port } = await serve({ tls: { min_version: '1.3' } });
    const old = await arrived(port, '127.5.3.1');
    await expect(old.startTls({ maxVersion: 'TLSv1.2' })).rejects.toThrow(/alert protocol version/);
    await sluice.logs(1);
    expect(sluice.sessions).toMatchObject([{ ending: 'tlsFailed', stage: 'starttls', tls: null }]);
    const { client } = await inside(port, '127.5.3.2');
    await deliver(client, 'Subject: good\n\n');
  });

  test('of garbage, of a hang-up and of a reset is named, and harms nobody', async () => {
    const { program: sluice, port } = await serve();
    const { client: witness } = await inside(port, '127.5.4.9');
    const junk = [
      Buffer.alloc(70_000, 0),
      Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
      Buffer.from([0x16, 3, 1, 0xff, 0xff, 1, 0, 0, 0]),
      Buffer.from([0x15, 3, 3, 0, 2, 2, 40]),
    ];
    for (const [at, bytes] of junk.entries()) {
      const client = await arrived(port, `127.5.4.${at + 1}`);
      await client.expect('STARTTLS', 220);
      client.send(bytes);
      // A record that is not whole is waited for: leaving ends it.
      if (at === 2) client.close();
    }
    const left = await arrived(port, '127.5.4.8');
    await left.expect('STARTTLS', 220);
    left.close();
    await sluice.logs(junk.length + 1);
    expect(sluice.sessions.map(({ ending }) => ending)).toEqual(
      Array.from({ length: junk.length + 1 }, () => 'tlsFailed'),
    );
    await deliver(witness, 'Subject: unharmed\n\n');
    expect(sink.messages).toHaveLength(1);
  });

  test('of a client that keeps silent is cut off after its time', async () => {
    const { program: sluice, port } = await serve({ tls: { handshake_timeout: '1s' } });
    const silent = await arrived(port, '127.5.5.1');
    await silent.expect('STARTTLS', 220);
    const slow = await arrived(port, '127.5.5.2');
    await slow.expect('STARTTLS', 220);
    slow.send(Buffer.from([0x16, 3, 1]));
    expect(await silent.reply()).toBeNull();
    expect(await slow.reply()).toBeNull();
    await sluice.logs(2);
    expect(sluice.sessions).toMatchObject([{ ending: 'tlsTimeLimit' }, { ending: 'tlsTimeLimit' }]);
  });

  test('for want of room is not begun', async () => {
    const { port } = await serve({ tls: { handshakes_max: 1 }, engine: { shards: 1 } });
    const first = await arrived(port, '127.5.6.1');
    await first.expect('STARTTLS', 220);
    const second = await arrived(port, '127.5.6.2');
    await second.expect('STARTTLS', 454);
    await first.handshake();
    // Inside TLS 1.3 the client is done a moment before the shard is: its answer shows that a place is free.
    await first.expect('EHLO inside.example.org', 250);
    await second.startTls();
    await second.expect('EHLO inside.example.org', 250);
    await deliver(second, 'Subject: later\n\n');
    expect(sink.messages).toHaveLength(1);
  });
});

describe('plaintext behind STARTTLS', () => {
  const injected = 'EHLO evil.example\r\nMAIL FROM:<evil@example.org>\r\nRCPT TO:<b@example.com>\r\nRSET\r\n';

  test('in the same segment ends the session', async () => {
    const { program: sluice, port } = await serve();
    const client = await arrived(port, '127.5.7.1');
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
    const { program: sluice, port } = await serve();
    const client = await arrived(port, '127.5.7.2');
    await client.expect('STARTTLS', 220);
    client.send(injected);
    expect(await client.repliesToTheEnd()).toEqual([]);
    await sluice.logs(1);
    expect(sluice.sessions).toMatchObject([{ ending: 'tlsFailed', helo: 'client.example.org', rcpt_ok: 0 }]);
  });

  test('in front of a good handshake is not heard inside it', async () => {
    const { program: sluice, port } = await serve();
    const client = await arrived(port, '127.5.7.3');
    await client.expect('STARTTLS', 220);
    client.send(injected);
    await expect(client.handshake()).rejects.toThrow(/ECONNRESET|disconnected|socket hang up|EPIPE/i);
    await sluice.logs(1);
    expect(sluice.sessions).toMatchObject([{ ending: 'tlsFailed', tls: null, rcpt_ok: 0 }]);
  });

  test('in whichever segments it comes, is never obeyed', async () => {
    const { program: sluice, port } = await serve();
    const count = 30;
    await Promise.all(
      Array.from({ length: count }, async (_, at) => {
        const client = await arrived(port, `127.5.8.${at + 1}`);
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

describe.each([1, 2])('certificates, with %i processes', (processes) => {
  const renew = ({ certificate, key }: Served, host: string): void => {
    const pair = selfSigned(host);
    writeFileSync(certificate, pair.certificate);
    writeFileSync(key, pair.key);
  };

  /** The name that each of many new clients is shown: enough to meet every shard. */
  async function namesShown(port: number): Promise<ReadonlySet<unknown>> {
    const names = new Set<unknown>();
    for (let at = 1; at <= 16; at += 1) {
      const { client, secure } = await inside(port, `127.6.0.${at}`);
      names.add(nameOf(secure));
      client.close();
    }
    return names;
  }

  test('are read anew at SIGHUP: new handshakes show the new one, sessions go on', async () => {
    const served = await serve({ engine: { shards: 2, processes } });
    const { client, secure } = await inside(served.port, '127.6.1.1');
    renew(served, 'new.example.test');
    served.program.signal('SIGHUP');
    await served.program.says(/127\.0\.0\.1:\d+: certificate and key were read anew\n.*were read anew/);
    await until('every shard shows the new one', async () => {
      const names = await namesShown(served.port);
      return names.size === 1 && names.has('new.example.test');
    });
    expect(nameOf(secure)).toBe('mx.example.test');
    await deliver(client, 'Subject: still here\n\n');
  });

  test('that cannot be used change nothing, and are told with their reason', async () => {
    const served = await serve({ engine: { shards: 2, processes } });
    writeFileSync(served.key, selfSigned('other.example.test').key);
    served.program.signal('SIGHUP');
    await served.program.says(
      /key: ".*" is not the key of the first certificate in .*; the one before stays in use/,
    );
    expect(await namesShown(served.port)).toEqual(new Set(['mx.example.test']));
    writeFileSync(served.certificate, 'junk');
    served.program.signal('SIGHUP');
    await served.program.says(/certificate: ".*" holds no certificate in PEM; the one before stays in use/);
    expect(await namesShown(served.port)).toEqual(new Set(['mx.example.test']));
    expect(served.program.said).not.toContain('read anew');
  });

  test('keep their session tickets to themselves: to their listener, and to their lifetime', async () => {
    const served = await serve({ engine: { shards: 2, processes } });
    const options: ConnectionOptions = { maxVersion: 'TLSv1.2' };
    const { client, secure } = await inside(served.port, '127.6.2.1', options);
    const session = secure.getSession()!;
    client.close();
    const reuses = async (port: number, at: number): Promise<boolean> => {
      const { client: again, secure: next } = await inside(port, `127.6.3.${at}`, { ...options, session });
      const isReused = next.isSessionReused();
      again.close();
      return isReused;
    };
    for (let at = 1; at <= 8; at += 1) expect(await reuses(served.port, at), 'the same listener').toBe(true);
    for (let at = 9; at <= 16; at += 1) expect(await reuses(served.secondPort, at), 'another').toBe(false);
    renew(served, 'new.example.test');
    served.program.signal('SIGHUP');
    await served.program.says(/were read anew\n.*were read anew/);
    await until('every shard shows the new one', async () => (await namesShown(served.port)).size === 1);
    for (let at = 17; at <= 24; at += 1) expect(await reuses(served.port, at), 'renewed').toBe(false);
  });
});

test('a certificate that is missing at the start is told with its place, and nothing starts', async () => {
  const { program: sluice, certificate } = await serve();
  sluice.signal('SIGTERM');
  await sluice.ended();
  const file = join(sluice.directory, 'sluice.toml');
  writeFileSync(certificate, '');
  const next = new Program(['run', '-c', file], {});
  try {
    expect(await next.ended()).toBe(78);
    expect(next.said).toMatch(
      /sluice\.toml:\d+:\d+: listener\.tls\.certificate: ".*" holds no certificate in PEM/,
    );
  } finally {
    await next.dispose();
  }
});
