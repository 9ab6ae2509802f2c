/**
 * sink-process — the sink of the load generator as a process of its own, which can be killed
 *
 * It writes one line for each message to its journal before it says 250: what write(2) has taken survives a kill -9 of the writer.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import type { SinkStats, StoredMessage } from '../../loadgen/sink.ts';
import { freePort, isAlive, until } from './process.ts';

const program = fileURLToPath(new URL('../../loadgen/sink-main.ts', import.meta.url));

export class SinkProcess {
  readonly port: number;
  readonly directory: string;
  readonly #flags: readonly string[];
  #child: ChildProcess | undefined;
  #said = '';

  constructor(port: number, directory: string, flags: readonly string[]) {
    this.port = port;
    this.directory = directory;
    this.#flags = flags;
  }

  get #journal(): string {
    return join(this.directory, 'stored.jsonl');
  }

  /** Starts (again), on the same port and with the same journal, and waits until it listens. */
  async start(): Promise<void> {
    this.#said = '';
    const listen = ['--listen', `127.0.0.1:${this.port}`, '--journal', this.#journal];
    const child = spawn(process.execPath, [program, ...listen, ...this.#flags], {
      cwd: this.directory,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    child.stdout.on('data', (bytes: Buffer) => {
      this.#said += bytes.toString();
    });
    await until('the sink listens', () => {
      if (child.exitCode !== null) throw new Error(`the sink ended at start:\n${this.#said}`);
      return this.#said.includes('listens on');
    });
  }

  /** SIGKILL; comes back when it is gone. */
  async kill9(): Promise<void> {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    process.kill(pid, 'SIGKILL');
    await until('a killed sink is gone', () => !isAlive(pid));
    this.#child = undefined;
  }

  /** SIGTERM; its counters. */
  async stop(): Promise<SinkStats> {
    const child = this.#child;
    if (child === undefined) throw new Error('the sink does not run');
    child.kill('SIGTERM');
    await until('the sink has ended', () => child.exitCode !== null || child.signalCode !== null);
    this.#child = undefined;
    return JSON.parse(this.#said.split('\n').at(-2) ?? '') as SinkStats;
  }

  /** Ends it if it still runs, and removes its directory. Safe to call twice. */
  async remove(): Promise<void> {
    await this.kill9();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** Everything that it has stored, in order; what a kill has cut short is no message, and the next one stands behind it. */
  async *stored(): AsyncGenerator<StoredMessage> {
    for await (const line of createInterface({ input: createReadStream(this.#journal) })) {
      if (line.endsWith('}')) yield JSON.parse(line.slice(line.lastIndexOf('{"queueId":'))) as StoredMessage;
    }
  }
}

/** Starts a sink with these flags of loadgen/sink-main. */
export async function startSinkProcess(flags: readonly string[]): Promise<SinkProcess> {
  const sink = new SinkProcess(await freePort(), await mkdtemp(join(tmpdir(), 'sluice-sink-')), flags);
  try {
    await sink.start();
  } catch (failure) {
    await sink.remove();
    throw failure;
  }
  return sink;
}
