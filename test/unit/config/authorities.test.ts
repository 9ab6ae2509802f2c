import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readAuthorities } from '../../../src/config/key-pairs.ts';
import type { ConfigError } from '../../../src/config/config-error.ts';
import { parseConfig } from '../../../src/config/load.ts';
import { selfSigned } from '../../self-signed.ts';

const directory = mkdtempSync(join(tmpdir(), 'sluice-authorities-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

const one = selfSigned('one.example.net').certificate;
const two = selfSigned('two.example.net').certificate;
const good = file('good.pem', `the first\n${one}and the second\n${two}`);

function problemsOf(...lines: readonly string[]): readonly string[] {
  try {
    parseConfig(`[backend]\n${lines.join('\n')}\n`, 'sluice.toml');
    return [];
  } catch (error) {
    return (error as ConfigError).problems;
  }
}

describe('the certificates that vouch for the backend', () => {
  it('are all of the file, whatever stands between them', () => {
    expect(readAuthorities(good)).toEqual([one.trim(), two.trim()]);
  });

  it('are those of the system when no file is named', () => {
    const found = readAuthorities('');
    expect(typeof found === 'string' ? found : found.length).toSatisfy(
      (what) => what === 0 || /the system trusts no certificate at all/.test(String(what)),
    );
  });

  it.each([
    ['a file that is missing', join(directory, 'missing'), 'cannot be read: no such file or directory'],
    ['a file without a certificate', file('junk', 'junk'), 'holds no certificate in PEM'],
    [
      'a certificate that is none',
      file('half', one + one.replace(/MI.{20}/, 'MI')),
      'certificate 2 of 2 cannot be read',
    ],
  ])('are refused with their place: %s', (_, path, says) => {
    const problems = problemsOf('tls = "required"', `tls_ca = "${path}"`);
    expect(problems).toEqual([expect.stringMatching(/^sluice\.toml:3:\d+: /)]);
    expect(problems[0]).toContain(says);
  });

  it('are taken with "required" alone: a file that would verify nothing is a mistake', () => {
    expect(problemsOf('tls = "required"', `tls_ca = "${good}"`, 'tls_name = "mx.example.net"')).toEqual([]);
    for (const tls of ['off', 'unverified']) {
      const problems = problemsOf(`tls = "${tls}"`, `tls_ca = "${good}"`, 'tls_name = "mx.example.net"');
      expect(problems).toEqual([
        expect.stringContaining(`3:10: backend.tls_ca: nothing is verified with tls = "${tls}"`),
        expect.stringContaining(`4:12: backend.tls_name: nothing is verified with tls = "${tls}"`),
      ]);
    }
  });
});
