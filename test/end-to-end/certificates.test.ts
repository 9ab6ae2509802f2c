/**
 * Certificates are renewed without a restart, and what was sealed under one is worth nothing elsewhere.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { selfSigned } from '../self-signed.ts';
import { until } from '../system/process.ts';
import { Program } from './program.ts';
import { deliver, nameOf, rewrite, TlsHouse } from './tls-house.ts';

const house = new TlsHouse();
afterEach(() => house.close());

describe.each([1, 2])('certificates, with %i processes', (processes) => {
  test('are read anew at SIGHUP: new handshakes show the new one, sessions go on', async () => {
    const served = await house.serve({ engine: { shards: 2, processes } });
    const { client, secure } = await house.inside(served.port, '127.6.1.1');
    rewrite(served, 'new.example.test');
    served.program.signal('SIGHUP');
    await served.program.says(/127\.0\.0\.1:\d+: certificate and key were read anew\n.*were read anew/);
    await until('every shard shows the new one', async () => {
      const names = await house.namesShown(served.port);
      return names.size === 1 && names.has('new.example.test');
    });
    expect(nameOf(secure)).toBe('mx.example.test');
    await deliver(client, 'Subject: still here\n\n');
  });

  test('that cannot be used change nothing, and are told with their reason', async () => {
    const served = await house.serve({ engine: { shards: 2, processes } });
    writeFileSync(served.key, selfSigned('other.example.test').key);
    served.program.signal('SIGHUP');
    await served.program.says(
      /key: ".*" is not the key of the first certificate in .*; the one before stays in use/,
    );
    expect(await house.namesShown(served.port)).toEqual(new Set(['mx.example.test']));
    writeFileSync(served.certificate, 'junk');
    served.program.signal('SIGHUP');
    await served.program.says(/certificate: ".*" holds no certificate in PEM; the one before stays in use/);
    expect(await house.namesShown(served.port)).toEqual(new Set(['mx.example.test']));
    expect(served.program.said).not.toContain('read anew');
  });

  test('keep their session tickets to themselves: to their listener, and to their lifetime', async () => {
    const served = await house.serve({ engine: { shards: 2, processes } });
    const options: ConnectionOptions = { maxVersion: 'TLSv1.2' };
    const { client, secure } = await house.inside(served.port, '127.6.2.1', options);
    const session = secure.getSession()!;
    client.close();
    const reuses = async (port: number, at: number): Promise<boolean> => {
      const { client: again, secure: next } = await house.inside(port, `127.6.3.${at}`, {
        ...options,
        session,
      });
      const isReused = next.isSessionReused();
      again.close();
      return isReused;
    };
    for (let at = 1; at <= 8; at += 1) expect(await reuses(served.port, at), 'the same listener').toBe(true);
    for (let at = 9; at <= 16; at += 1) expect(await reuses(served.secondPort, at), 'another').toBe(false);
    rewrite(served, 'new.example.test');
    served.program.signal('SIGHUP');
    await served.program.says(/were read anew\n.*were read anew/);
    await until(
      'every shard shows the new one',
      async () => (await house.namesShown(served.port)).size === 1,
    );
    for (let at = 17; at <= 24; at += 1) expect(await reuses(served.port, at), 'renewed').toBe(false);
  });
});

test('a certificate that is missing at the start is told with its place, and nothing starts', async () => {
  const { program: sluice, certificate } = await house.serve();
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

test('a shard that is started again shows the renewed certificate', async () => {
  const served = await house.serveThreads({ engine: { shards: 2 } });
  const saidTimes = (text: string): number => served.program.said.split(text).length - 1;
  await served.program.sees('two shards listen', () => saidTimes('"kind":"listening"') === 2);
  rewrite(served, 'new.example.test');
  served.program.child.stdin!.write('renew\nkill 0\n');
  await served.program.sees('a third shard listens', () => saidTimes('"kind":"listening"') === 3);
  await until('every shard shows the new one', async () => {
    const names = await house.namesShown(served.port);
    return names.size === 1 && names.has('new.example.test');
  });
  expect(await house.namesShown(served.secondPort)).toEqual(new Set(['new.example.test']));
});
