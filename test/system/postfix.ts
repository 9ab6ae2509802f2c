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
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { connectionsAt, freePort, isAlive, processesIn, runWell, stopByPid, until } from './process.ts';
import { completeIds, readMessages } from './queue.ts';
import type { QueuedMessage } from './queue.ts';

export interface PostfixOptions {
  /** Further lines of main.cf; they win over those written here. */
  readonly mainCf?: Readonly<Record<string, string>>;
  /** smtpd processes of each listener. */
  readonly processesMax?: number;
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
    await writeFile(join(postfix.configDirectory, 'main.cf'), mainCf(directory, options));
    await writeFile(join(postfix.configDirectory, 'master.cf'), masterCf(freshPort, reusedPort, options));
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

function mainCf(directory: string, options: PostfixOptions): string {
  const settings: Record<string, string> = {
    compatibility_level: '3.6',
    queue_directory: join(directory, 'queue'),
    data_directory: join(directory, 'data'),
    maillog_file: join(directory, 'maillog'),
    maillog_file_prefixes: directory,
    myhostname: 'backend.example.test',
    mydomain: 'example.test',
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'all',
    mynetworks: '127.0.0.1/32',
    mydestination: '',
    relay_domains: 'example.test',
    relay_recipient_maps: `texthash:${join(directory, 'config', 'recipients')}`,
    smtpd_relay_restrictions: 'permit_mynetworks, reject_unauth_destination',
    smtpd_recipient_restrictions: 'check_client_access static:HOLD',
    smtpd_peername_lookup: 'no',
    smtpd_client_connection_count_limit: '0',
    smtpd_client_connection_rate_limit: '0',
    // What the client sent is stored as it came.
    local_header_rewrite_clients: '',
    message_drop_headers: '',
    enable_long_queue_ids: 'yes',
    in_flow_delay: '0',
    service_throttle_time: '1s', // after a test has killed an smtpd
    alias_maps: '',
    local_recipient_maps: '',
    ...options.mainCf,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('');
}

function masterCf(freshPort: number, reusedPort: number, options: PostfixOptions): string {
  const processesMax = options.processesMax ?? 100;
  return `127.0.0.1:${freshPort} inet n - n - ${processesMax} smtpd
  -o syslog_name=postfix/fresh
  -o smtpd_authorized_xclient_hosts=127.0.0.1
127.0.0.1:${reusedPort} inet n - n - ${processesMax} smtpd
  -o syslog_name=postfix/reused
  -o smtpd_authorized_xclient_hosts=static:all
  -o smtpd_soft_error_limit=10000 -o smtpd_hard_error_limit=10001
  -o smtpd_junk_command_limit=100000 -o smtpd_error_sleep_time=0
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
proxymap unix - - n - - proxymap
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
relay unix - - n - - error
smtp unix - - n - - error
local unix - n n - - error
showq unix n - n - - showq
postlog unix-dgram n - n - 1 postlogd
`;
}

function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
    socket.once('data', (bytes: Buffer) => {
      resolve(bytes.toString('latin1').startsWith('220 '));
      socket.end('QUIT\r\n');
    });
  });
}
