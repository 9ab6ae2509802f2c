/**
 * unbound — a real resolver between Sluice and the lists, as most hosts have one
 *
 * Started on a free port of loopback; each zone is asked of the server that is named for it and of nobody else.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort, isAlive, stopByPid, until } from './process.ts';

export class Unbound {
  readonly port: number;
  readonly directory: string;
  said = '';
  readonly #child: ChildProcess;

  private constructor(port: number, directory: string, child: ChildProcess) {
    this.port = port;
    this.directory = directory;
    this.#child = child;
    const keep = (bytes: Buffer): void => {
      this.said += bytes.toString();
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
  }

  /** Starts a resolver for zones, each with the port of its server on loopback. */
  static async start(zones: Readonly<Record<string, number>>): Promise<Unbound> {
    const port = await freePort();
    const directory = await mkdtemp(join(tmpdir(), 'sluice-unbound-'));
    const stubs = Object.entries(zones).map(
      ([zone, server]) => `stub-zone:\n  name: "${zone}"\n  stub-addr: 127.0.0.1@${server}\n`,
    );
    const file = join(directory, 'unbound.conf');
    writeFileSync(
      file,
      `server:
  interface: 127.0.0.1@${port}
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "${directory}"
  pidfile: ""
  use-syslog: no
  logfile: ""
  verbosity: 1
  num-threads: 1
  access-control: 127.0.0.0/8 allow
  do-not-query-localhost: no
  module-config: "iterator"
  local-zone: "test." nodefault
${Object.keys(zones)
  .map((zone) => `  local-zone: "${zone}." nodefault\n`)
  .join('')}remote-control:
  control-enable: no
${stubs.join('')}`,
    );
    const child = spawn('/usr/sbin/unbound', ['-d', '-c', file], {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const resolver = new Unbound(port, directory, child);
    await until('unbound has started', () => {
      if (!isAlive(child.pid!)) throw new Error(`unbound ended at start:\n${resolver.said}`);
      return resolver.said.includes('start of service');
    });
    return resolver;
  }

  async stop(): Promise<void> {
    await stopByPid(this.#child.pid!);
    await rm(this.directory, { recursive: true, force: true });
  }
}
