/**
 * name-server — a real DNS server on loopback that knows the names of one test and no others
 *
 * Debian's unbound in the foreground, with the records of the test as local data: a name that is not there does not
 * exist, and nothing is ever asked of anybody else. Its directory is temporary, and is its working directory.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, isAlive, stopByPid, until } from './process.ts';

/** Characters of one string of a TXT record. */
const STRING_MAX = 255;

/** A TXT record of any length: `a.test TXT "…" "…"`. */
export function txt(name: string, text: string): string {
  const strings: string[] = [];
  for (let at = 0; at < text.length; at += STRING_MAX) strings.push(`"${text.slice(at, at + STRING_MAX)}"`);
  return `${name}. IN TXT ${strings.join(' ')}`;
}

export class NameServer {
  readonly port: number;
  readonly #directory: string;
  readonly #child: ChildProcess;
  #said = '';

  private constructor(port: number, directory: string, child: ChildProcess) {
    this.port = port;
    this.#directory = directory;
    this.#child = child;
    child.stderr?.on('data', (bytes: Buffer) => (this.#said += bytes.toString()));
  }

  /** Starts a server that knows these records, on `port` or one that is free, and waits until it listens. */
  static async start(records: readonly string[], port?: number): Promise<NameServer> {
    const own = port ?? (await freePort());
    const directory = await mkdtemp(join(tmpdir(), 'sluice-names-'));
    const lines = [
      'server:',
      `  interface: 127.0.0.1@${own}`,
      '  do-daemonize: no',
      '  use-syslog: no',
      '  logfile: ""',
      '  pidfile: ""',
      '  chroot: ""',
      '  username: ""',
      `  directory: "${directory}"`,
      '  module-config: "iterator"',
      '  num-threads: 1',
      '  access-control: 127.0.0.0/8 allow',
      '  local-zone: "." static',
      ...records.map((record) => `  local-data: '${record}'`),
      'remote-control:',
      '  control-enable: no',
    ];
    const file = join(directory, 'unbound.conf');
    await writeFile(file, `${lines.join('\n')}\n`);
    const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
    const child = spawn('unbound', ['-d', '-c', file], {
      cwd: directory,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, PATH: path },
    });
    const server = new NameServer(own, directory, child);
    await until('unbound listens', async () => {
      if (child.pid === undefined || !isAlive(child.pid)) throw new Error(`unbound ended:\n${server.#said}`);
      return canConnect(own);
    });
    return server;
  }

  /** As in dnsxl_policy.resolvers. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    if (this.#child.pid !== undefined) await stopByPid(this.#child.pid);
    await rm(this.#directory, { recursive: true, force: true });
  }
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
