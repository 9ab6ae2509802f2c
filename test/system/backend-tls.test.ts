/** TLS to a real Postfix that takes mail in no other way: what arrives, and that nothing does when the papers are wrong. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { parseConfig } from '../../src/config/load.ts';
import { backendTlsText } from '../../src/cli/check.ts';
import { probeBackend } from '../../src/primary/probe.ts';
import { selfSigned } from '../self-signed.ts';
import type { SelfSigned } from '../self-signed.ts';
import { greeted, onTheWire } from './client.ts';
import { samples } from './contents.ts';
import { startPostfix } from './postfix.ts';
import type { Postfix } from './postfix.ts';
import { until } from './process.ts';
import { startSluice } from './sluice.ts';
import type { Sluice } from './sluice.ts';
import { laneOf, sluiceWays } from './way.ts';

const directory = mkdtempSync(join(tmpdir(), 'sluice-backend-tls-'));
const name = 'backend.example.test';

function write(file: string, pair: SelfSigned): { certificate: string; key: string } {
  const paths = { certificate: join(directory, `${file}.crt`), key: join(directory, `${file}.key`) };
  writeFileSync(paths.certificate, pair.certificate);
  writeFileSync(paths.key, pair.key, { mode: 0o600 });
  return paths;
}

const good = write('good', selfSigned(name));
const expired = write('expired', selfSigned(name, new Date('2021-01-01T00:00:00Z')));
const other = write('other', selfSigned(name));

let postfix: Postfix;
let stale: Postfix;

const tlsOnly = (pair: { certificate: string; key: string }): Readonly<Record<string, string>> => ({
  smtpd_tls_security_level: 'encrypt',
  smtpd_tls_cert_file: pair.certificate,
  smtpd_tls_key_file: pair.key,
  smtpd_tls_loglevel: '1',
});

beforeAll(async () => {
  chmodSync(directory, 0o755);
  [postfix, stale] = await Promise.all([
    startPostfix({ mainCf: tlsOnly(good) }),
    startPostfix({ mainCf: tlsOnly(expired) }),
  ]);
});

afterAll(async () => {
  await postfix?.stop();
  await stale?.stop();
  rmSync(directory, { recursive: true });
});

/** Runs a Sluice with these words about its backend. */
async function withSluice(
  backendPort: number,
  backend: Readonly<Record<string, unknown>>,
  act: (sluice: Sluice) => Promise<void>,
): Promise<void> {
  const sluice = await startSluice({ backendPort, config: { backend } });
  try {
    await act(sluice);
  } finally {
    await sluice.stop();
  }
}

describe.each(sluiceWays)('%s, inside TLS', (way) => {
  test('every message is delivered as it was sent, under the address of its client', async () => {
    const { backendPort, backend } = laneOf(way, postfix);
    const settings = { ...backend, tls: 'required', tls_ca: good.certificate, tls_name: name };
    await withSluice(backendPort, settings, async (sluice) => {
      for (const [at, { content }] of samples.entries()) {
        await postfix.empty();
        const address = `127.0.3.${at + 1}`;
        const { client } = await greeted(sluice.port, address);
        await client.expect('MAIL FROM:<sender@honest.test>', 250);
        await client.expect('RCPT TO:<anna@example.test>', 250);
        await client.expect('DATA', 354);
        client.send(onTheWire(content));
        expect((await client.reply())?.code).toBe(250);
        client.close();
        const queued = await postfix.messages();
        expect(queued).toHaveLength(1);
        expect(queued[0]?.content.equals(content)).toBe(true);
        expect(queued[0]?.clientAddress).toBe(address);
      }
      expect(sluice.said).not.toMatch(/backend 127\.0\.0\.1:\d+: /);
    });
    await postfix.logged(/Anonymous TLS connection established from .*: TLSv1\.3 with cipher/);
  });
});

describe('a backend that is not to be believed', () => {
  const wrongs: readonly {
    title: string;
    backend: Readonly<Record<string, string>>;
    isStale?: boolean;
    says: RegExp;
  }[] = [
    {
      title: 'whose certificate another authority vouches for',
      backend: { tls_ca: other.certificate, tls_name: name },
      says: /not vouched for by backend\.tls_ca/,
    },
    {
      title: 'whose certificate the system does not know',
      backend: { tls_name: name },
      says: /not vouched for by backend\.tls_ca/,
    },
    {
      title: 'whose certificate has another name',
      backend: { tls_ca: good.certificate, tls_name: 'mail.example.test' },
      says: /for another name than tls_name.*mail\.example\.test/,
    },
    {
      title: 'whose certificate does not name the address that is dialled',
      backend: { tls_ca: good.certificate },
      says: /for another name than tls_name, or the host of its address/,
    },
    {
      title: 'whose certificate has expired',
      backend: { tls_ca: expired.certificate, tls_name: name },
      isStale: true,
      says: /its certificate is out of date/,
    },
  ];

  test.each(wrongs)('$title gets nothing; clients hear 451', async ({ backend, isStale, says }) => {
    const behind = isStale === true ? stale : postfix;
    await behind.empty();
    await withSluice(behind.freshPort, { tls: 'required', ...backend }, async (sluice) => {
      await until('the fault is told', () => says.test(sluice.said));
      const { client } = await greeted(sluice.port, '127.0.3.100');
      await client.expect('MAIL FROM:<sender@honest.test>', 250);
      await client.expect('RCPT TO:<anna@example.test>', 451);
      client.close();
    });
    expect(behind.queuedIds()).toEqual([]);
    const config = configOf(behind.freshPort, { tls: 'required', ...backend });
    const { ok, lines } = await probeBackend(config);
    expect(ok).toBe(false);
    expect(lines.at(-1)).toMatch(says);
  });

  test('is believed, and encrypted, when nothing is to be verified; check warns', async () => {
    await stale.empty();
    await withSluice(stale.freshPort, { tls: 'unverified' }, async (sluice) => {
      const { client } = await greeted(sluice.port, '127.0.3.101');
      await client.expect('MAIL FROM:<sender@honest.test>', 250);
      await client.expect('RCPT TO:<anna@example.test>', 250);
      client.close();
    });
    const config = configOf(stale.freshPort, { tls: 'unverified' });
    expect(backendTlsText(config)).toContain('warning');
    const { ok, lines } = await probeBackend(config);
    expect(ok).toBe(true);
    expect(lines.join('\n')).toMatch(/NOT verified/);
  });

  test('in plaintext Postfix takes no mail from a Sluice without TLS, and the sender keeps it', async () => {
    await postfix.empty();
    await withSluice(postfix.freshPort, { tls: 'off' }, async (sluice) => {
      const { client } = await greeted(sluice.port, '127.0.3.102');
      await client.ask('MAIL FROM:<sender@honest.test>');
      const reply = await client.ask('RCPT TO:<anna@example.test>');
      expect(reply?.code).toBeGreaterThanOrEqual(400);
      client.close();
    });
    expect(postfix.queuedIds()).toEqual([]);
  });
});

test('check --live shows protocol, cipher, the name of the certificate and until when', async () => {
  const settings = { tls: 'required', tls_ca: good.certificate, tls_name: name };
  const { ok, lines } = await probeBackend(configOf(postfix.freshPort, settings));
  expect(ok).toBe(true);
  expect(lines).toContainEqual(
    `TLS: TLSv1.3 TLS_AES_256_GCM_SHA384; certificate of CN=${name}, until 2040-01-01`,
  );
  expect(lines.at(-1)).toContain('one connection for each client');
  const plain = await probeBackend(configOf(postfix.freshPort, { tls: 'off' }));
  expect(plain.lines.join('\n')).toContain('STARTTLS is offered, and not used');
});

function configOf(port: number, backend: Readonly<Record<string, string>>): ReturnType<typeof parseConfig> {
  const rows = Object.entries({ address: `127.0.0.1:${port}`, ...backend });
  const lines = rows.map(([key, value]) => `${key} = "${value}"`).join('\n');
  return parseConfig(`hostname = "mx.example.test"\n[backend]\n${lines}\n`, 'sluice.toml');
}
