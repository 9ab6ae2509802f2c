/**
 * sluice — the real program, started the way an operator starts it
 *
 * One process from a configuration file in a temporary directory, which is also its working directory, so that
 * whatever it may leave behind can be found. Its log lines (one JSON object per session) are kept as they come.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'smol-toml';

import { freePort, isAlive, processesIn, stopByPid, until } from './process.ts';

type Table = Readonly<Record<string, unknown>>;

export interface SluiceOptions {
  /** Where Postfix (or nothing yet) listens. */
  readonly backendPort: number;
  /** Listen here again; otherwise on a free port. */
  readonly port?: number;
  /** Words in front of the command, as of a network namespace that it is to run in. */
  readonly within?: readonly string[];
  /** Offers STARTTLS with these files. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** Where Node keeps what it has compiled, written when a Sluice stops in order; halves the work of the next start. */
  readonly compileCache?: string;
  /** Gets each log line, in place of `sessions`. */
  readonly onSession?: (line: SessionLine) => void;
  /** Keys of the configuration file, merged table by table over those of `baseConfig`; `listener` into its one listener. */
  readonly config?: Readonly<Record<string, Table | readonly Table[] | string>>;
}

/** The log line of one session. */
export type SessionLine = Readonly<Record<string, unknown>>;

/** A second on a machine that has nothing else to do. */
const START_MS_MAX = 120_000;
const program = fileURLToPath(new URL('./start-sluice.ts', import.meta.url));

export class Sluice {
  readonly port: number;
  readonly directory: string;
  readonly sessions: SessionLine[] = [];
  /** What it wrote to stderr. */
  said = '';
  private readonly child: ChildProcess;
  private readonly onSession: (line: SessionLine) => void;
  private partial = '';

  constructor(port: number, directory: string, child: ChildProcess, onSession?: SluiceOptions['onSession']) {
    this.onSession = onSession ?? ((line): unknown => this.sessions.push(line));
    this.port = port;
    this.directory = directory;
    this.child = child;
    child.stdout?.on('data', (bytes: Buffer) => this.takeLog(bytes.toString()));
    child.stderr?.on('data', (bytes: Buffer) => {
      this.said += bytes.toString();
    });
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error('Sluice could not be started');
    return this.child.pid;
  }

  /** Waits for the line that says it listens. */
  async listening(): Promise<void> {
    await until(
      'Sluice says that it listens',
      () => {
        if (!isAlive(this.pid))
          throw new Error(`Sluice ended at start (${this.child.exitCode}):\n${this.said}`);
        return /^sluice: listening on .*$/m.test(this.said);
      },
      START_MS_MAX,
    );
  }

  /** SIGTERM, drain, gone. Throws when it had to be killed, left a process behind, or lost a shard on the way. */
  async stop(): Promise<void> {
    const byItself = await stopByPid(this.pid);
    const left = processesIn(this.directory);
    for (const pid of left) process.kill(pid, 'SIGKILL');
    await rm(this.directory, { recursive: true, force: true });
    if (!byItself) throw new Error(`Sluice did not end on SIGTERM:\n${this.said.slice(-2000)}`);
    if (this.said.includes('ShardBug')) throw new Error(`a shard died:\n${this.said.slice(-2000)}`);
    if (left.length > 0) throw new Error(`Sluice left ${left.length} processes behind`);
  }

  /** SIGKILL, without a warning; comes back when the process and all its children are gone. */
  async kill9(): Promise<void> {
    process.kill(this.pid, 'SIGKILL');
    await until('a killed Sluice is gone', () => processesIn(this.directory).length === 0);
    await rm(this.directory, { recursive: true, force: true });
  }

  private takeLog(text: string): void {
    const lines = (this.partial + text).split('\n');
    this.partial = lines.pop() ?? '';
    for (const line of lines) if (line !== '') this.onSession(JSON.parse(line) as SessionLine);
  }
}

/** A small Sluice: one process, one shard, short waits, every lane a fresh connection. */
export function baseConfig(
  port: number,
  backendPort: number,
  directory: string,
): Record<string, Table | string | Table[]> {
  return {
    hostname: 'mx.example.test',
    listener: [{ address: `127.0.0.1:${port}` }],
    engine: { shards: 1, processes: 1, max_sessions: 2000, drain_timeout: '2s' },
    backend: { address: `127.0.0.1:${backendPort}`, reuse: 'never', max_connections: 20 },
    screen: { greet_wait: '100ms' },
    shape: { reply_delay: '50ms' },
    reputation: { entries: 10_000, file: '' },
    // The senders of most tests have domains that nobody here may be asked about.
    pools: { spf: false },
    admin: { socket: '' },
    spool: { directory },
  };
}

/** Starts Sluice and waits until it listens; about a second. */
export async function startSluice(options: SluiceOptions): Promise<Sluice> {
  const port = options.port ?? (await freePort());
  const directory = await mkdtemp(join(tmpdir(), 'sluice-system-'));
  const config = baseConfig(port, options.backendPort, directory);
  if (options.tls !== undefined) config['listener'] = [{ address: `127.0.0.1:${port}`, tls: options.tls }];
  for (const [name, value] of Object.entries(options.config ?? {})) {
    if (name === 'listener' && typeof value !== 'string' && !Array.isArray(value))
      config[name] = (config[name] as Table[]).map((row) => ({ ...row, ...(value as Table) }));
    else if (typeof value === 'string' || Array.isArray(value)) config[name] = value as string | Table[];
    else config[name] = { ...(config[name] as Table), ...(value as Table) };
  }
  const file = join(directory, 'sluice.toml');
  await writeFile(file, stringify(config));
  const command = [...(options.within ?? []), process.execPath, program, 'run', '-c', file];
  const child = spawn(command[0]!, command.slice(1), {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...(options.compileCache && { NODE_COMPILE_CACHE: options.compileCache }) },
  });
  const sluice = new Sluice(port, directory, child, options.onSession);
  try {
    await sluice.listening();
  } catch (failure) {
    await sluice.kill9().catch(() => {});
    throw failure;
  }
  return sluice;
}
