import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const bin = fileURLToPath(new URL('../../../bin/sluice.js', import.meta.url));

async function start(args: readonly string[], nodeArgs: readonly string[] = [], readsOutput = true) {
  const child = spawn(process.execPath, [...nodeArgs, bin, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  if (!readsOutput) child.stdout.destroy();
  const [out, err, [code]] = await Promise.all([
    readsOutput ? text(child.stdout) : '',
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { out, err, code };
}

describe('bin/sluice.js', () => {
  it('passes the exit code on and knows its version', async () => {
    const version = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
      .version as string;
    expect(await start(['--version'])).toMatchObject({ out: `${version}\n`, code: 0 });
    expect(await start(['chek'])).toMatchObject({ out: '', code: 2 });
    expect(await start(['config', 'dump', '-c', '/nowhere/sluice.toml'])).toMatchObject({
      err: expect.stringContaining(
        '/nowhere/sluice.toml: cannot be read: no such file or directory\n',
      ) as string,
      code: 78,
    });
  });

  it('does not crash when nobody reads its output', async () => {
    const { err, code } = await start(['config', 'example'], [], false);
    expect(err).not.toContain('EPIPE');
    expect(code).toBe(0);
  });

  it('says plainly that a version of Node is too old', async () => {
    const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '22.17.1' } })`;
    const { err, code } = await start(
      ['--version'],
      ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`],
    );
    expect(err).toContain('sluice: needs Node 22.18 or later, this is Node 22.17.1.\n');
    expect(code).toBe(1);
  });
});
