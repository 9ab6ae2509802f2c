/**
 * program — Sluice as a process of its own, with everything about it to be seen
 *
 * Started in a temporary directory that is its working directory and in a process group of its own, so that
 * whatever it leaves behind can be found. Its log lines are kept as they came; one may wait for a line, for a word
 * on stderr, for the exit. Every wait has a deadline and fails with what the program had said by then.
 */
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'smol-toml';
import { freePort, isAlive, until } from '../system/process.ts';

const entry = fileURLToPath(new URL('../system/start-sluice.ts', import.meta.url));

export interface ProgramOptions {
  /** The program to run with node; Sluice's command line otherwise. */
  readonly program?: string;
  /** Open files that the process may have. */
  readonly filesMax?: number;
  /** Bytes that a file may grow to; what is written behind that fails, as on a full disk. */
  readonly fileBytesMax?: number;
  /** Its standard output is read as it comes; or not until `read` is called; or nobody is there to read it. */
  readonly stdout?: 'unread' | 'closed';
  /** The directory to work in; otherwise a new one. */
  readonly directory?: string;
}

/** A line of the session log. */
export type LogLine = Readonly<Record<string, unknown>>;

export class Program {
  readonly directory: string;
  /** Lines of standard output, as they came. */
  readonly lines: string[] = [];
  /** Everything on standard error. */
  said = '';
  /** How it ended; null while it runs. */
  end: { readonly code: number | null; readonly signal: string | null } | null = null;
  readonly child: ChildProcess;
  private partial = '';
  private readEnd = -1;
  private reading = false;
  private closed: Program['end'] = null;

  constructor(args: readonly string[], options: ProgramOptions = {}) {
    this.directory = options.directory ?? newDirectory();
    const { readEnd, writeEnd } = newPipe(this.directory);
    const command = [process.execPath, options.program ?? entry, ...args];
    const blocks = Math.floor((options.fileBytesMax ?? 0) / 512);
    const small = blocks > 0 ? `trap '' XFSZ && ulimit -S -f ${blocks} && ` : '';
    const limited = `${small}ulimit -n ${options.filesMax ?? 4096} && exec "$0" "$@"`;
    this.child = spawn('sh', ['-c', limited, ...command], {
      cwd: this.directory,
      stdio: ['pipe', writeEnd, 'pipe'],
      detached: true,
    });
    closeSync(writeEnd);
    this.readEnd = readEnd;
    if (options.stdout === undefined) this.read();
    else if (options.stdout === 'closed') this.closeReader();
    this.child.stderr!.on('data', (bytes: Buffer) => (this.said += bytes.toString()));
    this.child.on('close', (code, signal) => {
      this.closed = { code, signal };
      this.noteEnd();
    });
  }

  /** Begins to read the log. */
  read(): void {
    const reader = new Socket({ fd: this.readEnd, writable: false });
    this.readEnd = -1;
    this.reading = true;
    reader.on('data', (bytes: Buffer) => this.take(bytes.toString('latin1')));
    reader.on('close', () => {
      this.reading = false;
      this.noteEnd();
    });
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** The log lines, parsed. Throws on a line that is not JSON. */
  get sessions(): LogLine[] {
    return this.lines.map((line) => JSON.parse(line) as LogLine);
  }

  /** Waits for something to come true; fails at once when the program has ended before. */
  async sees(what: string, holds: () => boolean, limitMs = 30_000): Promise<void> {
    await until(what, () => holds() || this.end !== null, limitMs).catch((error: unknown) =>
      this.#fail(String(error)),
    );
    if (!holds()) this.#fail(`ended (${JSON.stringify(this.end)}) before: ${what}`);
  }

  /** Waits for words on standard error. */
  async says(words: RegExp, limitMs?: number): Promise<void> {
    await this.sees(`it says ${words.source}`, () => words.test(this.said), limitMs);
  }

  /** Waits until it listens. */
  listening(): Promise<void> {
    return this.says(/^sluice: listening on /m);
  }

  /** Waits for `count` log lines. */
  async logs(count: number): Promise<void> {
    await this.sees(`${count} log lines`, () => this.lines.length >= count);
  }

  /** Waits for its end; the exit code, or the signal that ended it. */
  async ended(limitMs = 20_000): Promise<number | string | null> {
    await until('the program ends', () => this.end !== null, limitMs).catch((error: unknown) =>
      this.#fail(String(error)),
    );
    return this.end!.signal ?? this.end!.code;
  }

  /** Sends a signal to the process alone. */
  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  /** Sends a signal to its whole process group, as a terminal does. */
  signalGroup(name: NodeJS.Signals): void {
    process.kill(-this.pid, name);
  }

  /** Living processes of its group. */
  group(): number[] {
    return processesWith(({ group }) => group === this.pid);
  }

  /** Its living children. */
  children(): number[] {
    return processesWith(({ parent }) => parent === this.pid);
  }

  /** Waits until no process of its group is left. */
  async groupGone(limitMs?: number): Promise<void> {
    await until(`no process of group ${this.pid} is left`, () => this.group().length === 0, limitMs);
  }

  /** Ends whatever is left of it, and its directory. */
  async dispose(): Promise<void> {
    for (const pid of this.group()) process.kill(pid, 'SIGKILL');
    await this.groupGone();
    this.closeReader();
    rmSync(this.directory, { recursive: true, force: true });
  }

  #fail(what: string): never {
    throw new Error(`${what}\nIt said:\n${this.said.slice(-3_000)}`);
  }

  /** It has ended when the process is gone and what it wrote was read. */
  private noteEnd(): void {
    if (this.closed !== null && !this.reading) this.end = this.closed;
  }

  private closeReader(): void {
    if (this.readEnd >= 0) closeSync(this.readEnd);
    this.readEnd = -1;
  }

  private take(text: string): void {
    const lines = (this.partial + text).split('\n');
    this.partial = lines.pop()!;
    this.lines.push(...lines);
  }
}

/** Processes that are alive, by what /proc tells of them. */
function processesWith(wanted: (process: { parent: number; group: number }) => boolean): number[] {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || !isAlive(pid)) return [];
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      const words = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return wanted({ parent: Number(words[1]), group: Number(words[2]) }) ? [pid] : [];
    } catch {
      return [];
    }
  });
}

/** A real pipe: what node makes for a child is a pair of sockets, and these behave otherwise when they are full. */
function newPipe(directory: string): { readEnd: number; writeEnd: number } {
  const path = join(directory, 'stdout');
  execFileSync('mkfifo', [path]);
  const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeEnd = openSync(path, constants.O_WRONLY);
  rmSync(path);
  return { readEnd, writeEnd };
}

/** A temporary directory for a program to work in. */
export function newDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'sluice-e2e-'));
}

type Table = Readonly<Record<string, unknown>>;

/** A configuration with short waits; tables of `more` are merged over it. */
export function configText(
  port: number,
  backendPort: number,
  more: Readonly<Record<string, unknown>> = {},
): string {
  const config: Record<string, unknown> = {
    hostname: 'mx.example.test',
    listener: [{ address: `127.0.0.1:${port}` }],
    engine: { shards: 2, processes: 1, max_sessions: 1_000, drain_timeout: '10s' },
    backend: { address: `127.0.0.1:${backendPort}` },
    screen: { greet_wait: '50ms' },
    reputation: { entries: 10_000, file: '' },
    pools: { spf: false },
    admin: { socket: '' },
  };
  for (const [name, value] of Object.entries(more)) {
    const isTable = typeof value === 'object' && value !== null && !Array.isArray(value);
    config[name] = isTable ? { ...(config[name] as Table), ...value } : value;
  }
  return stringify(config);
}

/** A Sluice that listens, and where. */
export interface Running {
  readonly program: Program;
  readonly port: number;
}

/** Starts Sluice with `configText` and waits until it listens. */
export async function startRunning(
  backendPort: number,
  more: Readonly<Record<string, unknown>> = {},
  options: ProgramOptions = {},
): Promise<Running> {
  const directory = options.directory ?? newDirectory();
  const port = await freePort();
  const file = join(directory, 'sluice.toml');
  writeFileSync(file, configText(port, backendPort, more));
  const program = new Program(['run', '-c', file], { ...options, directory });
  try {
    await program.listening();
  } catch (error) {
    await program.dispose();
    throw error;
  }
  return { program, port };
}

/** Whether something listens there. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
