/**
 * New TLS sessions at a real smtpd: which step is refused, and with which words. A server of `sides` has to give them,
 * Sluice's with the name of the limit behind them.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

import type { ReplyName } from '../../src/smtp/replies.ts';
import { replyTable } from '../../src/smtp/replies.ts';
import { runScript, tlsScript } from './limit-scripts.ts';
import { startPostfix } from './postfix.ts';
import { runWell, until } from './process.ts';
import { startSluice } from './sluice.ts';

/** Who is asked. */
const sides: readonly ('postfix' | 'sluice')[] = ['postfix', 'sluice'];

const address = '127.9.1.1';
let directory = '';
let pair = { certificate: '', key: '' };

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-tls-'));
  pair = { certificate: join(directory, 'certificate.pem'), key: join(directory, 'key.pem') };
  const subject = ['-subj', '/CN=mx.example.test', '-days', '2', '-nodes'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  await runWell('openssl', [
    'req',
    '-x509',
    ...curve,
    ...subject,
    '-keyout',
    pair.key,
    '-out',
    pair.certificate,
  ]);
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** What our table says for a reply, as the script writes replies down. */
const said = (name: ReplyName): string => replyTable[name].text.replace('%h', 'HOST').replace('%a', address);

const wanted = tlsScript.steps.map((_, at) => {
  const place = tlsScript.refused.indexOf(at);
  if (place < 0) return '';
  return said(place === 0 ? 'oneTlsSessionTooMany' : 'tooManyTlsSessions');
});

async function askPostfix(): Promise<string[]> {
  const postfix = await startPostfix({
    mainCf: {
      smtpd_client_event_limit_exceptions: '',
      smtpd_tls_security_level: 'may',
      smtpd_tls_cert_file: pair.certificate,
      smtpd_tls_key_file: pair.key,
      ...tlsScript.postfix,
    },
  });
  try {
    return await runScript(tlsScript, postfix.freshPort, address, 'backend.example.test', async () => {});
  } finally {
    await postfix.stop();
  }
}

async function askSluice(): Promise<string[]> {
  const sluice = await startSluice({
    // Nobody gets as far as the backend.
    backendPort: 9,
    config: {
      listener: { tls: pair },
      limits: { slow_from: 100, ...tlsScript.limits },
      screen: { greet_wait: '0s' },
    },
  });
  try {
    return await runScript(tlsScript, sluice.port, address, 'mx.example.test', (ends) =>
      until('Sluice has counted the session out', () => sluice.sessions.length >= ends),
    );
  } finally {
    await sluice.stop();
  }
}

test.each(sides)(
  '%s refuses the new TLS session that is one too many, behind its handshake, and the next before it',
  async (side) => {
    const replies = side === 'postfix' ? await askPostfix() : await askSluice();
    const name = side === 'postfix' ? '' : ' (tls_rate)';
    const refusals = tlsScript.refused.map((at) => replies[at]);
    expect(refusals).toEqual(tlsScript.refused.map((at) => wanted[at]! + name));
    const others = replies.filter((reply, at) => reply !== 'end' && !tlsScript.refused.includes(at));
    for (const reply of others) expect(reply).toMatch(/^2/);
  },
);
