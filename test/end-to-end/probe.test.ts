/**
 * `check --live`: what a look at the backend tells, for each kind of backend.
 */
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
