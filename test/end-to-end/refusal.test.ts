/**
 * A start that cannot go well: one clear line, the right exit code, no trace of a stack.
 */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { freePort } from '../system/process.ts';
import { configText, newDirectory, Program } from './program.ts';

let program: Program | null = null;

afterEach(async () => {
  await program?.dispose();
  program = null;
});

/** Runs with a file of this text until it ends. */
async function runWith(text: string, filesMax?: number): Promise<{ code: unknown; said: string }> {
  const directory = newDirectory();
  writeFileSync(join(directory, 'sluice.toml'), text);
  program = new Program(['run', '-c', 'sluice.toml'], {
    directory,
    ...(filesMax === undefined ? {} : { filesMax }),
  });
  const code = await program.ended();
  expect(program.lines).toEqual([]);
  expect(program.said).not.toMatch(/^\s+at /m);
  await program.groupGone();
  return { code, said: program.said };
}

test.each([1, 2])('a port in use is named, and the exit code is 1 (%i processes)', async (processes) => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const { code, said } = await runWith(configText(port, 1, { engine: { processes } }));
  server.close();
  expect(code).toBe(1);
  expect(said).toMatch(new RegExp(`^sluice: cannot listen: .*EADDRINUSE.* 127\\.0\\.0\\.1:${port}$`, 'm'));
  expect(said).not.toContain('listening on');
  expect(said).not.toContain('drained');
});

test('a backend whose name leads nowhere is named, and the exit code is 1', async () => {
  const { code, said } = await runWith(
    configText(await freePort(), 1, { backend: { address: 'mx.invalid:25' } }),
  );
  expect(code).toBe(1);
  expect(said).toMatch(/^sluice: backend\.address: no address was found for "mx\.invalid" \([A-Z_]+\)\n$/);
});

test('a wrong configuration is told by file, line and column, and the exit code is 78', async () => {
  const { code, said } = await runWith('hostname = "mx.example.test"\n[engine]\nshrads = 2\n');
  expect(code).toBe(78);
  expect(said).toMatch(/^sluice\.toml:3:1: .*shards/);
});

test('waiting times that break a timer of the client are refused with exit code 78', async () => {
  const { code, said } = await runWith(configText(await freePort(), 1, { screen: { greet_wait: '3min' } }));
  expect(code).toBe(78);
  expect(said).toMatch(/^sluice: sluice\.toml: .*greet_wait/m);
});

test('more sessions than the files of one process are refused with exit code 78 when one process is asked for', async () => {
  const engine = { shards: 1, processes: 1, max_sessions: 1_000 };
  const { code, said } = await runWith(configText(await freePort(), 1, { engine }), 400);
  expect(code).toBe(78);
  expect(said).toMatch(/^sluice: .*400 open files each cannot hold 1000 sessions/m);
});
