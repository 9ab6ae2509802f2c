/**
 * postfix — a real Postfix of its own for one test file
 *
 * It lives in one temporary directory (configuration, queue, data, log), listens on two free ports of 127.0.0.1
 * and is stopped by the pid of its master process. Nothing of the machine's own Postfix is read or changed but the
 * programs. Needs root, because Postfix does.
 *
 * The two listeners are the two ways to stand behind Sluice: `fresh` lets 127.0.0.1 say XCLIENT once per connection,
 * `reused` takes any number of them. mynetworks is 127.0.0.1 alone, so a lane that forgot its XCLIENT would relay
 * anything, and a client from any other address, 127.0.0.2 included, is a stranger. Everything accepted is
 * put on hold: no delivery, nothing leaves the machine, and the queue can be read in peace.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { greets } from '../../loadgen/greets.ts';
import { postfixMainCf, postfixMasterCf } from '../../loadgen/postfix-files.ts';
import { connectionsAt, freePort, isAlive, processesIn, runWell, stopByPid, until } from './process.ts';
import { completeIds, readMessages } from './queue.ts';
import type { QueuedMessage } from './queue.ts';

export interface PostfixOptions {
  /** Further lines of main.cf; they win over those written here. */
  readonly mainCf?: Readonly<Record<string, string>>;
  /** smtpd processes of each listener. */
  readonly processesMax?: number;
  /** Further lines of master.cf. */
  readonly masterCf?: string;
}

/** Recipients that exist; every other one of example.test is answered 550 5.1.1. */
export const knownRecipients = [
  'anna@example.test',
  'bert@example.test',
  'cleo@example.test',
  'jürgen@example.test',
] as const;

export class Postfix {
  readonly directory: string;
  readonly freshPort: number;
  readonly reusedPort: number;
  private readonly masterPath: string;
  private master: ChildProcess | undefined;
  private said = '';

  constructor(directory: string, freshPort: number, reusedPort: number, masterPath: string) {
    this.directory = directory;
    this.freshPort = freshPort;
    this.reusedPort = reusedPort;
    this.masterPath = masterPath;
  }

  get configDirectory(): string {
    return join(this.directory, 'config');
  }

  get queueDirectory(): string {
    return join(this.directory, 'queue');
  }

  get pid(): number {
    if (this.master?.pid === undefined) throw new Error('Postfix is not running');
    return this.master.pid;
  }

  /** Starts (again) and waits until both listeners greet. */
  async start(): Promise<void> {
    const master = spawn(this.masterPath, ['-c', this.configDirectory, '-s'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], MAIL_CONFIG: this.configDirectory },
    });
    this.master = master;
    const keep = (bytes: Buffer): void => {
      this.said += bytes.toString();
    };
    master.stdout.on('data', keep);
    master.stderr.on('data', keep);
    for (const port of [this.freshPort, this.reusedPort]) {
      await until(`Postfix greets on port ${port}\n${this.said}`, async () => {
        if (master.exitCode !== null) throw new Error(`Postfix ended at start:\n${this.said}`);
        return greets(port);
      });
    }
  }

  /** Stops all its processes and keeps its directory: `start` brings it back with the same ports and queue. */
  async halt(): Promise<void> {
    if (this.master === undefined) return;
    await stopByPid(this.pid);
    this.master = undefined;
    await until(`Postfix in ${this.directory} is gone`, () => processesIn(this.directory).length === 0);
  }

  /**
   * SIGKILL without a warning: all processes of one of its programs, which its master starts again, or the whole of it, which
   * `start` brings back with what it had stored. Comes back when they are gone.
   */
  async kill9(victim: 'smtpd' | 'cleanup' | 'whole'): Promise<void> {
    const isVictim = (pid: number): boolean => victim === 'whole' || programOf(pid) === victim;
    const pids = processesIn(this.directory).filter(isVictim);
    if (victim === 'whole') pids.unshift(this.pid);
    for (const pid of pids) {
      // One may have ended by itself, as the children do whose master is gone.
      if (isAlive(pid)) killHard(pid);
    }
    await until(`killed ${victim} of Postfix is gone`, () => !pids.some(isAlive));
    if (victim !== 'whole') return;
    this.master = undefined;
    await until(`Postfix in ${this.directory} is gone`, () => processesIn(this.directory).length === 0);
  }

  /** Stops it and removes its directory. Safe to call twice. */
  async stop(): Promise<void> {
    await this.halt();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** Ids of the messages that are completely stored at this moment. */
  queuedIds(): string[] {
    return completeIds(this.queueDirectory);
  }

  /** All stored messages, or those named. */
  async messages(ids: readonly string[] = this.queuedIds()): Promise<QueuedMessage[]> {
    return readMessages(this.configDirectory, ids);
  }

  /** One stored message. */
  async message(id: string): Promise<QueuedMessage> {
    const [message] = await this.messages([id]);
    if (!message) throw new Error(`no message ${id}`);
    return message;
  }

  /** Throws away everything stored. Only while no client is connected. */
  async empty(): Promise<void> {
    await runWell('postsuper', ['-c', this.configDirectory, '-d', 'ALL']);
  }

  /** Waits until the mail log says this: postlogd writes it a moment after the client was answered. */
  async logged(pattern: RegExp): Promise<void> {
    await until(`the log of Postfix says ${pattern}`, async () => pattern.test(await this.log()));
  }

  /** The whole mail log, as far as it is written. */
  async log(): Promise<string> {
    return readFile(join(this.directory, 'maillog'), 'utf8');
  }

  /** Waits until no smtpd has a client any more: what was under way is stored or thrown away. */
  async settled(): Promise<void> {
    await until('Postfix has let go of its clients', () => this.connectionsOpen() === 0);
  }

  /** Connections to its listeners, those not yet accepted included. */
  connectionsOpen(): number {
    return connectionsAt(this.freshPort) + connectionsAt(this.reusedPort);
  }

  isRunning(): boolean {
    return this.master?.pid !== undefined && isAlive(this.master.pid);
  }
}

function programOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}

function killHard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended by itself.
  }
}

/** Writes a configuration, starts a Postfix with it and waits until it greets; about half a second. */
export async function startPostfix(options: PostfixOptions = {}): Promise<Postfix> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-postfix-'));
  await chmod(directory, 0o755); // its daemons run as the user postfix
  const defaults = await postconfDefaults();
  const freshPort = await freePort();
  const reusedPort = await freePort();
  const postfix = new Postfix(directory, freshPort, reusedPort, join(defaults.daemonDirectory, 'master'));
  try {
    for (const name of ['config', 'queue', 'data']) await mkdir(join(directory, name), { mode: 0o755 });
    await runWell('chown', [defaults.mailOwner, join(directory, 'data')]);
    await writeFile(join(postfix.configDirectory, 'main.cf'), postfixMainCf(directory, options.mainCf));
    await writeFile(
      join(postfix.configDirectory, 'master.cf'),
      postfixMasterCf(freshPort, reusedPort, options.processesMax) + (options.masterCf ?? ''),
    );
    await writeFile(
      join(postfix.configDirectory, 'recipients'),
      knownRecipients.map((address) => `${address} known\n`).join(''),
    );
    // Makes the queue's directories with the owners and modes that Postfix wants.
    await runWell('postfix', ['-c', postfix.configDirectory, 'check']);
    await postfix.start();
  } catch (failure) {
    await postfix.stop();
    throw failure;
  }
  return postfix;
}

async function postconfDefaults(): Promise<{ daemonDirectory: string; mailOwner: string }> {
  const printed = (await runWell('postconf', ['-dh', 'daemon_directory', 'mail_owner']))
    .toString()
    .split('\n');
  return { daemonDirectory: printed[0] ?? '', mailOwner: printed[1] ?? '' };
}
