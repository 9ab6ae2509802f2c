import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { main } from '../../../src/cli/main.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-verbs-'));
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

const sluice = (...args: readonly string[]): Promise<number> => main(args, '1.2.3');
const nobody = join(folder, 'none.sock');

describe('explain and ip', () => {
  it.each([
    '192.0.2.0/23',
    '192.0.2.7/32x',
    '2001:db8::/32',
    '010.0.0.1',
    'fe80::1%eth0',
    'mx.example.net',
    'hmac:12',
    '',
    '1'.repeat(100),
  ])('refuse %j as an address with 2 and advice, before anybody is asked', async (text) => {
    for (const verb of [['explain'], ['ip', 'show'], ['ip', 'allow'], ['ip', 'deny'], ['ip', 'forget']]) {
      err = '';
      expect(await sluice(...verb, text, '--socket', nobody)).toBe(2);
      expect(err).toContain('is invalid for argument \'address\'. Want an address ("192.0.2.7"');
    }
  });

  it('say where another network can stand', async () => {
    expect(await sluice('explain', '192.0.0.0/16')).toBe(2);
    expect(err).toContain('others can stand in lists of the configuration');
  });

  it.each([
    '192.0.2.7',
    '192.0.2.0/24',
    '2001:db8::7',
    '2001:db8::/64',
    '2001:db8::/48',
    'hmac:0123456789abcdef',
    'hmac:0123456789abcdef/net',
  ])('take %j, and say in one sentence with 1 that nobody listens', async (text) => {
    expect(await sluice('explain', text, '--socket', nobody)).toBe(1);
    expect(err).toBe(
      `sluice: nobody listens on ${nobody}: Sluice does not run, or has another admin.socket (-c FILE, --socket PATH)\n`,
    );
    expect(out).toBe('');
  });

  it('find the socket in the configuration, with 78 for a bad one and 1 where there is none', async () => {
    const file = join(folder, 'sluice.toml');
    writeFileSync(file, `hostname = "mx.example.net"\n[admin]\nsocket = "${nobody}"\n`);
    expect(await sluice('ip', 'list', '-c', file)).toBe(1);
    expect(err).toContain(`nobody listens on ${nobody}`);
    writeFileSync(file, 'hostname = "mx.example.net"\n[admin]\nsocket = ""\n');
    err = '';
    expect(await sluice('ip', 'export', '-c', file)).toBe(1);
    expect(err).toBe(`sluice: ${file} says admin.socket = "": there is no way to ask\n`);
    writeFileSync(file, '[admin]\nsoket = ""\n');
    expect(await sluice('ip', 'list', '-c', file)).toBe(78);
  });

  it.each([
    [['ip', 'list', '--kind', 'meter']],
    [['ip', 'list', '--limit', '0']],
    [['ip', 'list', '--min', '1e9']],
    [['ip', 'list', '--network', '192.0.2.1/24']],
    [['ip', 'list', '--sort', 'name']],
    [['ip', 'allow', '192.0.2.7', '--until', '2 hours']],
    [['ip', 'import']],
    [['ip']],
  ])('answer %j with 2', async (args) => {
    expect(await sluice(...args)).toBe(2);
    expect(out).toBe('');
  });

  it('say that a file to import is not there', async () => {
    expect(await sluice('ip', 'import', join(folder, 'none'), '--socket', nobody)).toBe(1);
    expect(err).toMatch(/^sluice: .*\n$/);
  });

  it('say that what answers is no socket', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, 'x');
    expect(await sluice('ip', 'list', '--socket', file)).toBe(1);
    expect(err).toMatch(/^sluice: .*(?:no socket|nobody listens).*\n$/);
  });
});
