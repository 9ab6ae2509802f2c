/**
 * `sluice dnsxl test` with a name server that is not there; what it says of real ones is in test/system/dns-lists.
 */
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, it, vi } from 'vitest';
import { main } from '../../../src/cli/main.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-dnsxl-'));
const file = join(folder, 'sluice.toml');
afterAll(() => rmSync(folder, { recursive: true }));

let out = '';
let err = '';
beforeEach(() => {
  out = '';
  err = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((err += String(text)), true));
});
afterEach(() => vi.restoreAllMocks());

async function dnsxlTest(toml: string, ...args: readonly string[]): Promise<number> {
  writeFileSync(file, `hostname = "mx.example.net"\n${toml}`);
  return main(['dnsxl', 'test', '-c', file, ...args], '1.2.3');
}

/** A port of loopback on which nobody answers. */
async function deadPort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

it('without lists all is good', async () => {
  expect(await dnsxlTest('')).toBe(0);
  expect(out).toBe('no DNS list is configured\n');
});

it('an address that is none is a wrong command line', async () => {
  expect(await dnsxlTest('', '192.0.2.256')).toBe(2);
  expect(err).toBe('sluice: got "192.0.2.256", want an IPv4 or IPv6 address\n');
});

it('a list that cannot be asked is broken, and its key is not shown', async () => {
  const zone = '[[dnsxl]]\nzone = "s3cr3tk3y.list.test"\nshown_as = "list.test"\n';
  const toml = `[dnsxl_policy]\ndeadline = "100ms"\nresolvers = ["127.0.0.1:${await deadPort()}"]\n${zone}`;
  expect(await dnsxlTest(toml, '192.0.2.7')).toBe(1);
  expect(out).toMatch(/^list\.test +failed +failed +failed +failed .* nobody +broken$/m);
  expect(out).toContain('list.test: its name server cannot be reached (ECONNREFUSED).');
  const text = out;
  out = '';
  expect(await dnsxlTest(toml, '--json')).toBe(1);
  expect(JSON.parse(out)).toMatchObject([
    { zone: 'list.test', verdict: 'broken', families: [], address: null },
  ]);
  expect(text + out + err).not.toContain('s3cr3t');
});
