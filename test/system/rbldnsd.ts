/**
 * rbldnsd — a real server of DNS lists, as list operators run it
 *
 * Started on a free port of loopback with its zones in a temporary directory. Its own log of queries is what the tests
 * count by: it says what was really asked, whatever Sluice believes.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort, isAlive, stopByPid, until } from './process.ts';

/** Kinds of data that rbldnsd knows and the tests use. */
export type ZoneKind = 'ip4trie' | 'ip6trie';

/** The data of one zone by kind, in rbldnsd's own form. */
export type ZoneData = Partial<Readonly<Record<ZoneKind, readonly string[]>>>;

/** One line of its query log. */
export interface LoggedQuery {
  readonly name: string;
  readonly type: string;
}

/** What every list has: its test entry, and how long its answers live. */
export const head: readonly string[] = [
  '$SOA 600 ns.list.test hostmaster.list.test 1 600 300 86400 600',
  ':127.0.0.2:Listed by the test, see https://list.test/$',
  '127.0.0.2',
];

/** The same for IPv6. */
export const head6: readonly string[] = [
  '$SOA 600 ns.list.test hostmaster.list.test 1 600 300 86400 600',
  ':127.0.0.2:Listed by the test for IPv6',
  '0:0:0:0:0:ffff:7f00:2',
];

export class Rbldnsd {
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

  /** Starts a server of these zones and waits until it answers. */
  static async start(zones: Readonly<Record<string, ZoneData>>): Promise<Rbldnsd> {
    const port = await freePort();
    const directory = await mkdtemp(join(tmpdir(), 'sluice-rbldnsd-'));
    // Started by root it becomes a user of its own, who has to write the log here.
    chmodSync(directory, 0o777);
    const specs = Object.entries(zones).flatMap(([zone, data]) =>
      Object.entries(data).map(([kind, lines]) => {
        const file = `${zone}.${kind}`;
        writeFileSync(join(directory, file), `${lines.join('\n')}\n`);
        return `${zone}:${kind}:${file}`;
      }),
    );
    const args = [
      '-n',
      '-b',
      `127.0.0.1/${port}`,
      '-w',
      directory,
      '-c',
      '1d',
      '-l',
      '+queries.log',
      ...specs,
    ];
    const child = spawn('/usr/sbin/rbldnsd', args, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
    const server = new Rbldnsd(port, directory, child);
    await until('rbldnsd has started', () => {
      if (!isAlive(child.pid!)) throw new Error(`rbldnsd ended at start:\n${server.said}`);
      return server.said.includes(' started ');
    });
    return server;
  }

  /** Replaces the data of a zone; comes back when it is in effect. */
  async rewrite(zone: string, kind: ZoneKind, lines: readonly string[]): Promise<void> {
    const reloads = (): number => this.said.split('zones reloaded').length;
    const before = reloads();
    writeFileSync(join(this.directory, `${zone}.${kind}`), `${lines.join('\n')}\n`);
    this.#child.kill('SIGHUP');
    await until('rbldnsd has read its zones anew', () => reloads() > before);
  }

  /** Every query of its life, in order. */
  queries(): readonly LoggedQuery[] {
    let text: string;
    try {
      text = readFileSync(join(this.directory, 'queries.log'), 'latin1');
    } catch {
      // Nobody has asked anything yet.
      return [];
    }
    return text
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' '))
      .map(([, , name = '', type = '']) => ({ name, type }));
  }

  async stop(): Promise<void> {
    await stopByPid(this.#child.pid!);
    await rm(this.directory, { recursive: true, force: true });
  }
}
