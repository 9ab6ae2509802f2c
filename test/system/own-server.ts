/**
 * own-server — one mail server in a root of its own, from its start to its end
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { rm } from 'node:fs/promises';

import { greets } from '../../loadgen/greets.ts';
import type { OwnRoot } from './own-root.ts';
import { connectionsAt, stopByPid, until } from './process.ts';

export class OwnServer {
  readonly root: OwnRoot;
  readonly port: number;
  /** What it wrote to stdout and stderr. */
  said = '';
  private readonly command: readonly string[];
  private child: ChildProcess | undefined;

  /** `command` is run in `root`; it stays in the foreground and is to listen on `port` of 127.0.0.1. */
  constructor(root: OwnRoot, port: number, command: readonly string[]) {
    this.root = root;
    this.port = port;
    this.command = command;
  }

  /** Starts it and waits until it greets whoever sends `opening`: nothing, or the PROXY header that it wants to see. */
  async start(opening: Uint8Array = new Uint8Array()): Promise<void> {
    const [program = '', ...args] = [...this.root.within, ...this.command];
    const child = spawn(program, args, { cwd: this.root.directory, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    const keep = (bytes: Buffer): void => {
      this.said += bytes.toString();
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const what = `${this.command[0]} listens on port ${this.port}`;
    try {
      await until(what, () => {
        if (child.exitCode !== null) throw new Error(`${this.command[0]} ended at start:\n${this.said}`);
        return greets(this.port, opening);
      });
    } catch (failure) {
      await this.stop();
      throw failure;
    }
  }

  /** Waits until nobody is connected any more. */
  async settled(): Promise<void> {
    await until(`${this.command[0]} has let go of its clients`, () => connectionsAt(this.port) === 0);
  }

  /** Stops it and removes its directory. Safe to call twice. */
  async stop(): Promise<void> {
    const pid = this.child?.pid;
    this.child = undefined;
    if (pid !== undefined) await stopByPid(pid);
    await rm(this.root.directory, { recursive: true, force: true, maxRetries: 10 });
  }
}
