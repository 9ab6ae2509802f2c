import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ConfigError } from '../../../src/config/config-error.ts';
import { dumpFile } from '../../../src/config/describe.ts';
import { readKeyPair } from '../../../src/config/key-pairs.ts';
import { parseConfig } from '../../../src/config/load.ts';
import { selfSigned } from '../../self-signed.ts';

const directory = mkdtempSync(join(tmpdir(), 'sluice-pairs-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

const one = selfSigned('mx.example.net', new Date('2031-02-03T00:00:00Z'));
const other = selfSigned('other.example.net');
const certificate = file('one.crt', one.certificate);
const key = file('one.key', one.key);
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const locked = privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' });
const missing = join(directory, 'missing');

function problemsOf(text: string): readonly string[] {
  try {
    parseConfig(text, 'sluice.toml');
    return [];
  } catch (error) {
    return (error as ConfigError).problems;
  }
}

function listener(paths: { certificate: string; key: string }): string {
  return `[[listener]]\naddress = "127.0.0.1:25"\ntls = { certificate = "${paths.certificate}", key = "${paths.key}" }\n`;
}

describe('a certificate and its key', () => {
  it('are read, with whom they name and until when they hold', () => {
    expect(readKeyPair({ certificate, key })).toEqual({
      certificate: one.certificate,
      key: one.key,
      names: 'CN=mx.example.net',
      untilMs: Date.UTC(2031, 1, 3),
    });
  });

  it('may be a chain, of which the first counts', () => {
    const chain = file('chain.crt', one.certificate + other.certificate);
    expect(readKeyPair({ certificate: chain, key })).toMatchObject({ names: 'CN=mx.example.net' });
  });

  it('may stand in the configuration, which then shows the paths alone', () => {
    const config = parseConfig(listener({ certificate, key }), 'sluice.toml');
    expect(config.listener[0]?.tls).toEqual({ certificate, key });
    const dumped = dumpFile(config);
    expect(dumped).toContain(`tls = { certificate = "${certificate}", key = "${key}" }`);
    expect(dumped).not.toContain('PRIVATE');
    expect(parseConfig(dumped, 'dump.toml')).toEqual(config);
  });

  // oxfmt-ignore
  it.each([
    ['a certificate that is missing', { certificate: missing, key }, 'certificate', 'cannot be read: no such file or directory'],
    ['a key that is missing', { certificate, key: missing }, 'key', 'cannot be read: no such file or directory'],
    ['a directory for a certificate', { certificate: directory, key }, 'certificate', 'cannot be read: illegal operation on a directory'],
    ['a file of something else', { certificate: file('junk', 'junk'), key }, 'certificate', 'holds no certificate in PEM'],
    ['a key where the certificate should be', { certificate: key, key }, 'certificate', 'holds no certificate in PEM'],
    ['a certificate where the key should be', { certificate, key: certificate }, 'key', 'holds no key in PEM'],
    ['bytes of all kinds', { certificate, key: file('zeros', new Uint8Array(5_000)) }, 'key', 'holds no key in PEM'],
    ['a file without end', { certificate, key: '/dev/zero' }, 'key', 'is larger than 1MB'],
    ['a key of another certificate', { certificate, key: file('other.key', other.key) }, 'key', 'is not the key of the first certificate in'],
    ['a key with a passphrase', { certificate, key: file('locked.key', locked) }, 'key', 'is locked with a passphrase'],
  ] as const)('are refused with their place and a reason: %s', (_title, paths, part, says) => {
    const [problem, ...rest] = problemsOf(listener(paths));
    expect(rest).toEqual([]);
    expect(problem).toMatch(new RegExp(`^sluice\\.toml:3:\\d+: listener\\.tls\\.${part}: `));
    expect(problem).toContain(says);
    expect(problem).not.toMatch(/BEGIN|PRIVATE/);
  });

  // oxfmt-ignore
  it.each([
    ['a key without a certificate', '{ key = "/k" }', 'listener.tls: the certificate is missing; want both, or neither for no STARTTLS'],
    ['a path that is not absolute', '{ certificate = "c.pem", key = "/k" }', 'listener.tls: want absolute paths: { certificate = "/path/chain.pem", key = "/path/key.pem" }'],
    ['a key itself for its path', `{ certificate = "/c", key = ${JSON.stringify(one.key)} }`, 'listener.tls: want absolute paths: { certificate = "/path/chain.pem", key = "/path/key.pem" }'],
    ['another key', '{ cert = "/c", key = "/k" }', 'listener.tls: unknown key "cert", want { certificate = "/path/chain.pem", key = "/path/key.pem" }'],
    ['a key itself for the pair', JSON.stringify(one.key), 'listener.tls: want { certificate = "/path/chain.pem", key = "/path/key.pem" }'],
  ])('are wanted as two paths: %s', (_title, value, says) => {
    expect(problemsOf(`[[listener]]\ntls = ${value}\n`)).toEqual([`sluice.toml:2:7: ${says}`]);
  });
});
