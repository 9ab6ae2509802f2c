/**
 * The API on a real socket, in this process: who may connect, what is refused, what survives.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openAdmin } from '../../src/admin/socket.ts';
import type { Inside } from '../../src/primary/inside.ts';
import { Kind } from '../../src/reputation/keys.ts';
import type { InsideParts } from '../unit/admin/table-with.ts';
import { insideOf, note } from '../unit/admin/table-with.ts';
import { until } from '../system/process.ts';

let folder = '';
let path = '';
const open: { close(): void }[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-admin-'));
  path = join(folder, 'run', 'admin.sock');
});
afterEach(() => {
  for (const admin of open.splice(0)) admin.close();
  rmSync(folder, { recursive: true });
});

async function start(parts: InsideParts = {}): Promise<Inside> {
  const inside = insideOf({ ...parts, config: { ...parts.config, admin: { socket: path } } });
  open.push(await openAdmin(inside));
  return inside;
}

interface Answer {
  readonly status: number;
  readonly value: Record<string, unknown>;
}

function ask(method: string, target: string, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath: path, method, path: target, agent: false }, (response) => {
      let text = '';
      response.on('data', (part: Buffer) => (text += part.toString()));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode!, value: JSON.parse(text || '{}') as Record<string, unknown> }),
      );
    });
    asking.on('error', reject);
    asking.end(body);
  });
}

/** Sends bytes; what came back when the other side had closed. */
function raw(bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ path });
    socket.on('data', (part) => (text += part.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
    socket.write(bytes);
  });
}

describe('admin.socket', () => {
  it('is open to its owner alone, in a directory made for its owner alone, and gone at the end', async () => {
    await start();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'run')).mode & 0o777).toBe(0o700);
    open.pop()!.close();
    await until('the socket is gone', () => !existsSync(path));
  });

  it('takes the place of one that a dead process left', async () => {
    mkdirSync(join(folder, 'run'));
    const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', script]);
    expect(statSync(path).isSocket()).toBe(true);
    const said: string[] = [];
    await start({ said });
    expect(said).toEqual([]);
    expect((await ask('GET', '/api/v1/ip')).status).toBe(200);
  });

  it('is left to a process that lives, with a notice', async () => {
    mkdirSync(join(folder, 'run'));
    const other = createServer((socket) =>
      socket
        .on('error', () => undefined)
        .resume()
        .end('mine'),
    );
    await new Promise<void>((resolve) => other.listen(path, resolve));
    const said: string[] = [];
    await start({ said });
    expect(said).toEqual([
      expect.stringMatching(/^admin\.socket: another process listens on .* mail is served without it/),
    ]);
    expect(await raw('x')).toBe('mine');
    await new Promise((resolve) => other.close(resolve));
  });

  it('touches no file, and says what is wrong with a path', async () => {
    mkdirSync(join(folder, 'run'));
    writeFileSync(path, 'precious');
    const said: string[] = [];
    await start({ said });
    expect(said[0]).toContain('is there and is no socket');
    expect(statSync(path).size).toBe(8);
    path = join(folder, 'x'.repeat(120));
    await start({ said });
    expect(said[1]).toContain('longer than 107 bytes');
    path = '/proc/none/admin.sock';
    await start({ said });
    expect(said[2]).toMatch(/^admin\.socket: .*ENOENT/);
  });
});

describe('the API', () => {
  it.each([
    ['GET', '/', 404],
    ['GET', '/api/v1/ip/', 404],
    ['POST', '/api/v1/ip', 405],
    ['DELETE', '/api/v1/ip/192.0.2.7', 405],
    ['GET', '/api/v1/ip/192.0.2.7', 404],
    ['GET', '/api/v1/ip/%ff', 400],
    ['GET', '/api/v1/ip/192.0.2.0%2f23', 400],
    ['GET', '/api/v1/explain/..', 400],
    ['GET', '/api/v1/ip?limit=0', 400],
    ['GET', '/api/v1/ip?limit=1e3', 400],
    ['GET', '/api/v1/ip?kind=', 400],
    ['GET', '/api/v1/ip?sort=__proto__', 400],
    ['GET', '/api/v1/ip?network=192.0.2.1/24', 400],
    ['GET', '/api/v1/ip?limits=1', 400],
    ['POST', '/api/v1/ip/192.0.2.7/trap', 404],
  ])('answers %s %s with %i and a sentence', async (method, target, status) => {
    await start();
    const answer = await ask(method, target);
    expect(answer.status).toBe(status);
    expect(answer.value['error']).toEqual(expect.stringMatching(/\w+ \w+/));
  });

  it.each(['{', '[]', '{"until": 5}', '{"until": "2 h"}', '{"until": "99999d"}', '{"from": "2h"}', 'null'])(
    'refuses the body %s of a mark, and marks nothing',
    async (body) => {
      await start();
      expect((await ask('POST', '/api/v1/ip/192.0.2.7/deny', body)).status).toBe(400);
      expect((await ask('GET', '/api/v1/ip/192.0.2.7')).status).toBe(404);
    },
  );

  it('refuses a body, a head and a path that are too large, and goes on', async () => {
    await start();
    expect((await ask('POST', '/api/v1/ip/192.0.2.7/deny', 'x'.repeat(5_000))).status).toBe(413);
    expect(await raw(`GET /${'x'.repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`)).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(await raw('\u0000\u0001garbage\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect((await ask('GET', '/api/v1/ip')).status).toBe(200);
  });

  it('goes on beside clients that say half a request and those that leave in the middle', async () => {
    await start();
    const halves = Array.from({ length: 20 }, () => connect({ path }));
    for (const socket of halves)
      socket.write('POST /api/v1/import HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n{');
    const gone = connect({ path });
    gone.write('GET /api/v1/export HTTP/1.1\r\nhost: x\r\n\r\n');
    gone.destroy();
    expect((await ask('GET', '/api/v1/explain/192.0.2.7')).status).toBe(200);
    for (const socket of halves) socket.destroy();
  });

  it('does not let more than a few walk over the table at once', async () => {
    await start();
    const imports = Array.from({ length: 4 }, () => connect({ path }));
    for (const socket of imports)
      socket.write('POST /api/v1/import HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n{');
    await until('a list is refused', async () => (await ask('GET', '/api/v1/ip')).status === 429);
    expect((await ask('GET', '/api/v1/export')).status).toBe(429);
    for (const socket of imports) socket.destroy();
    await until('a list is given', async () => (await ask('GET', '/api/v1/ip')).status === 200);
  });

  it('answers a fault of ours with 500 and a notice, and goes on', async () => {
    const said: string[] = [];
    const inside = insideOf({ said, config: { admin: { socket: path } } });
    const broken = {
      ...inside,
      lists: () => {
        throw new Error('boom');
      },
    };
    open.push(await openAdmin(broken));
    expect((await ask('GET', '/api/v1/explain/192.0.2.7')).status).toBe(500);
    expect(said).toEqual([expect.stringMatching(/^admin: Error: boom/)]);
    expect((await ask('GET', '/api/v1/ip')).status).toBe(200);
  });

  it('tells every shard to forget what the backend said of names, for POST alone', async () => {
    let flushes = 0;
    await start({ onFlush: () => (flushes += 1) });
    expect(await ask('GET', '/api/v1/recipients/flush')).toMatchObject({ status: 405 });
    expect(flushes).toBe(0);
    expect(await ask('POST', '/api/v1/recipients/flush')).toEqual({ status: 200, value: { flushed: true } });
    expect(flushes).toBe(1);
  });

  it('marks and forgets, for a while or for ever, and tells whoever watches', async () => {
    const inside = await start();
    const heard: unknown[] = [];
    inside.memory.watch({
      marked: (kind, key, mark, untilSec) =>
        heard.push(['marked', kind, inside.names.nameOf(kind, key), mark, untilSec]),
      forgot: (kind, key) => heard.push(['forgot', kind, inside.names.nameOf(kind, key)]),
    });
    note(inside, Kind.Host, '192.0.2.7', 'pregreet');
    expect((await ask('POST', '/api/v1/ip/192.0.2.7/allow')).value).toMatchObject({
      mark: 'allow',
      mark_until: null,
    });
    expect((await ask('POST', '/api/v1/ip/192.0.2.0%2F24/deny', '{"until":"2h"}')).value).toEqual({
      kind: 'network',
      name: '192.0.2.0/24',
      mark: 'deny',
      mark_until: '2026-09-21T16:13:20Z',
    });
    expect((await ask('GET', '/api/v1/ip/192.0.2.7')).value).toMatchObject({
      score: 40,
      mark: 'allow',
      rows: [{ signal: 'pregreet', points: 40, observations: 1 }],
    });
    expect((await ask('POST', '/api/v1/ip/192.0.2.7/forget')).value).toMatchObject({ was_known: true });
    expect((await ask('POST', '/api/v1/ip/192.0.2.7/forget')).value).toMatchObject({ was_known: false });
    expect((await ask('GET', '/api/v1/ip/192.0.2.7')).status).toBe(404);
    expect(heard).toEqual([
      ['marked', Kind.Host, '192.0.2.7', 1, 0],
      ['marked', Kind.Network, '192.0.2.0/24', 2, 1_790_000_000 + 7_200],
      ['forgot', Kind.Host, '192.0.2.7'],
      ['forgot', Kind.Host, '192.0.2.7'],
    ]);
  });

  it('keeps a mark for ever although ten times as many strangers come as the table holds', async () => {
    const inside = await start({ entries: 1_024 });
    await ask('POST', '/api/v1/ip/192.0.2.7/allow');
    await ask('POST', '/api/v1/ip/192.0.2.0%2F24/deny');
    for (let at = 0; at < 10_240; at += 1) note(inside, Kind.Host, `10.1.${at >> 8}.${at & 255}`, 'pregreet');
    expect((await ask('GET', '/api/v1/ip/192.0.2.7')).value).toMatchObject({ mark: 'allow' });
    expect((await ask('GET', '/api/v1/ip/192.0.2.0%2F24')).value).toMatchObject({ mark: 'deny' });
  });
});
