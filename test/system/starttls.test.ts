/** Clients that people send mail with do STARTTLS with Sluice, and the message in Postfix is the one they sent. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { selfSigned } from '../self-signed.ts';
import { onTheWire } from './client.ts';
import { samples } from './contents.ts';
import { run, until } from './process.ts';
import { openWay, sluiceWays } from './way.ts';
import type { Way } from './way.ts';

const directory = mkdtempSync(join(tmpdir(), 'sluice-tls-'));
const tls = { certificate: join(directory, 'mx.crt'), key: join(directory, 'mx.key') };

beforeAll(() => {
  const pair = selfSigned('mx.example.test');
  writeFileSync(tls.certificate, pair.certificate);
  writeFileSync(tls.key, pair.key);
});

afterAll(() => rmSync(directory, { recursive: true }));

describe.each(sluiceWays)('%s', (name) => {
  let way: Way;

  beforeAll(async () => {
    way = await openWay(name, { tls });
  });

  afterAll(async () => {
    await way?.close();
  });

  /** The log line of the session that `act` has, by its address. */
  async function sessionOf(
    client: string,
    act: () => Promise<unknown>,
  ): Promise<Readonly<Record<string, unknown>>> {
    const { sessions } = way.sluice!;
    const before = sessions.length;
    await act();
    const found = (): Readonly<Record<string, unknown>> | undefined =>
      sessions.slice(before).find((session) => session['client'] === client);
    await until(`a log line of ${client}`, () => found() !== undefined);
    return found()!;
  }

  describe.each(['TLSv1.2', 'TLSv1.3'] as const)('over %s', (version) => {
    test.each(samples)('nodemailer delivers $title unchanged', async ({ content }) => {
      await way.postfix.empty();
      const session = await sessionOf('127.0.0.24', async () => {
        const transport = createTransport({
          host: '127.0.0.1',
          port: way.port,
          name: 'shop.example.org',
          localAddress: '127.0.0.24',
          requireTLS: true,
          tls: { rejectUnauthorized: false, minVersion: version, maxVersion: version },
        });
        try {
          const envelope = { from: 'sender@honest.test', to: ['anna@example.test'], use8BitMime: true };
          await transport.sendMail({ envelope, raw: content });
        } finally {
          transport.close();
        }
      });
      const queued = await way.postfix.messages();
      expect(queued).toHaveLength(1);
      expect(queued[0]?.content.equals(content)).toBe(true);
      expect(queued[0]?.clientAddress).toBe('127.0.0.24');
      expect(session).toMatchObject({ helo: 'shop.example.org', verdict: 'pass', messages: 1 });
      expect(session['tls']).toMatch(new RegExp(`^${version} TLS_`));
    });
  });

  test.each(samples)('swaks delivers $title unchanged', async ({ content }) => {
    await way.postfix.empty();
    const session = await sessionOf('127.0.0.25', async () => {
      const server = ['--server', '127.0.0.1', '--port', String(way.port), '--local-interface', '127.0.0.25'];
      const mail = ['--from', 'sender@honest.test', '--to', 'anna@example.test', '--tls', '--silent', '1'];
      // Without its fix-ups swaks sends what it is given: it would add an empty line in front of the final dot.
      const args = [...server, '--helo', 'swaks.example.org', '--no-data-fixup', '--data', '-', ...mail];
      const done = await run('swaks', args, { input: onTheWire(content) });
      expect(done.stderr).toBe('');
      expect(done.code).toBe(0);
    });
    const queued = await way.postfix.messages();
    expect(queued).toHaveLength(1);
    expect(queued[0]?.content.equals(content)).toBe(true);
    expect(session['tls']).toMatch(/^TLSv1\.[23] TLS_/);
  });

  test('the TLS client of Postfix says what the log says', async () => {
    const session = await sessionOf('127.0.0.1', async () => {
      const done = await run('posttls-finger', [
        '-l',
        'encrypt',
        '-o',
        'inet_protocols=ipv4',
        `[127.0.0.1]:${way.port}`,
      ]);
      const said = done.stdout.toString() + done.stderr;
      expect(said).toMatch(/< 220 2\.0\.0 Ready to start TLS\n/);
      expect(said).toMatch(
        /TLS connection established to 127\.0\.0\.1\S*: TLSv1\.3 with cipher TLS_AES_256_GCM_SHA384 /,
      );
      expect(said).toMatch(/< 221 2\.0\.0 Bye\n/);
    });
    expect(session).toMatchObject({ tls: 'TLSv1.3 TLS_AES_256_GCM_SHA384', ending: 'quit' });
  });
});
