/**
 * server — one server under measurement: a child process that says when it listens and is stopped by its pid
 *
 * Its output goes to a file, as that of a service would, and not through the benchmark: a pipe that is read late
 * would slow the server down, one that is read at once would take CPU from it.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';

const startMsMax = 60_000;
const stopMsMax = 20_000;
const pollMs = 20;

export interface ServerPlan {
  readonly name: string;
  readonly command: readonly string[];
  /** A line of output with this word in it means that the server listens. */
  readonly readyWord: string;
  readonly port: number;
  /** Where its stdout and stderr go. */
  readonly outputFile: string;
}

export interface Server extends ServerPlan {
  readonly pid: number;
  /** SIGTERM, and SIGKILL after 20 s; resolves when the process has gone. */
  stop(): Promise<void>;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

/** A child that shall not live longer than the benchmark, however that ends (short of SIGKILL). */
export function killAtExit(child: ChildProcess): void {
  running.add(child);
  child.on('exit', () => running.delete(child));
}

/** Starts a server and waits for its word. Throws with its output when it ends first or says nothing for a minute. */
export async function startServer(plan: ServerPlan): Promise<Server> {
  const output = openSync(plan.outputFile, 'w');
  const [program, ...words] = plan.command;
  if (program === undefined) throw new Error(`${plan.name}: the command is empty`);
  const child = spawn(program, words, { stdio: ['ignore', output, output] });
  closeSync(output);
  killAtExit(child);
  let gone: string | undefined;
  const ended = new Promise<void>((resolve) => {
    const end = (why: string): void => {
      gone = why;
      resolve();
    };
    child.on('error', (error) => end(error.message));
    child.on('exit', (code, signal) => end(`ended with ${signal ?? `exit code ${code}`}`));
  });
  const startedMs = performance.now();
  for (;;) {
    const said = readFileSync(plan.outputFile, 'utf8');
    if (said.includes(plan.readyWord)) break;
    if (gone === undefined && performance.now() - startedMs > startMsMax) {
      child.kill('SIGKILL');
      gone = `did not say "${plan.readyWord}" within ${startMsMax} ms`;
    }
    if (gone !== undefined) throw new Error(`${plan.name} (${plan.command.join(' ')}) ${gone}\n${said}`);
    await delay(pollMs);
  }
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), stopMsMax);
    await ended;
    clearTimeout(killer);
  };
  return { ...plan, pid: child.pid ?? 0, stop };
}

/** A loopback port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
