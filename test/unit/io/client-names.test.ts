import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { ConfigError } from '../../../src/config/config-error.ts';
import type { Config } from '../../../src/config/config.ts';
import { defaultConfig } from '../../../src/config/load.ts';
import { readNameKey } from '../../../src/io/client-names.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-key-'));
afterAll(() => rmSync(folder, { recursive: true }));

const configFor = (path: string): Config => defaultConfig({ privacy: { logIp: 'hmac', keyFile: path } });

function keyFile(content: string, mode: number): string {
  const path = join(folder, `key-${content.length}-${mode}`);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

it('a key file is not looked for unless names are hashed', () => {
  const config = defaultConfig({ privacy: { logIp: 'full', keyFile: '/nowhere' } });
  expect(readNameKey(config, 'x.toml')).toEqual({ bytes: null, warning: null });
});

it('a key file of 16 bytes that only its owner can read is taken without a word', () => {
  const { bytes, warning } = readNameKey(configFor(keyFile('k'.repeat(16), 0o600)), 'x.toml');
  expect(Buffer.from(bytes!).toString()).toBe('k'.repeat(16));
  expect(warning).toBeNull();
});

it('a key file that others can read is taken with a warning that does not show the key', () => {
  const { bytes, warning } = readNameKey(configFor(keyFile('k'.repeat(17), 0o644)), 'x.toml');
  expect(bytes).toHaveLength(17);
  expect(warning).toMatch(/^privacy\.key_file: others than its owner .*chmod 600/);
  expect(warning).not.toContain('kkk');
});

it.each([
  ['holds 15 bytes, want at least 16', () => keyFile('k'.repeat(15), 0o600)],
  ['holds more than 4096 bytes', () => keyFile('k'.repeat(4097), 0o600)],
  ['cannot be read (ENOENT)', () => join(folder, 'none')],
  ['is not a file', () => folder],
])('a key file is refused as a configuration error when it %s', (says, make) => {
  const path = make();
  const read = (): unknown => readNameKey(configFor(path), 'x.toml');
  expect(read).toThrow(ConfigError);
  expect(read).toThrow(`x.toml: privacy.key_file: "${path}" ${says}`);
});
