/**
 * process — programs that the system tests start, and waiting for what they do
 *
 * `run` is for a program that ends by itself, `stopByPid` for one that does not. `until` asks again and again
 * whether something has come true and fails loudly when it has not in time: no test waits a fixed time and
 * hopes. Everything here addresses processes by pid or by their working directory, never by name.
 */
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import type { ListenOptions, Server } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export interface Finished {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Postfix's commands live where only root's own search path may lead. */
const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };

/** Runs a program to its end and gives back what it said; its exit code is the caller's to judge. */
export async function run(
  program: string,
  args: readonly string[],
  options: { readonly input?: Uint8Array } = {},
): Promise<Finished> {
  const child = spawn(program, args, { stdio: 'pipe', env });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (bytes: Buffer) => stdout.push(bytes));
  child.stderr.on('data', (bytes: Buffer) => stderr.push(bytes));
  // A program that ends before it has read its input makes the pipe fail; its exit code says why.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() };
}

/** Runs a program that must succeed; throws with what it wrote when its exit code is not 0. */
export async function runWell(program: string, args: readonly string[]): Promise<Buffer> {
  const done = await run(program, args);
  if (done.code !== 0) {
    throw new Error(
      `${program} ${args.join(' ')} ended with ${done.code}:\n${done.stderr}${done.stdout.toString()}`,
    );
  }
  return done.stdout;
}

/** Waits until `holds` is true, asking every `everyMs`; throws with `what` after `limitMs`. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  limitMs = 30_000,
  everyMs = 10,
): Promise<void> {
  const lastMs = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > lastMs) throw new Error(`waited ${limitMs} ms in vain: ${what}`);
    await pause(everyMs);
  }
}

/** Whether a process is there. A zombie that waits for its parent counts as gone. */
export function isAlive(pid: number): boolean {
  try {
    // The state is the first word behind the name, which stands in brackets and may itself hold brackets.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2)[0] !== 'Z';
  } catch {
    return false;
  }
}

/** Sends SIGTERM, waits, and after `graceMs` SIGKILL. Returns true when SIGTERM was enough. */
export async function stopByPid(pid: number, graceMs = 20_000): Promise<boolean> {
  if (!isAlive(pid)) return true;
  process.kill(pid, 'SIGTERM');
  try {
    await until(`process ${pid} ends`, () => !isAlive(pid), graceMs);
    return true;
  } catch {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    await until(`process ${pid} is gone`, () => !isAlive(pid));
    return false;
  }
}

/** Pids of all processes whose working directory is `directory` or lies below it. */
export function processesIn(directory: string): number[] {
  const found: number[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    try {
      const cwd = readlinkSync(`/proc/${pid}/cwd`);
      if ((cwd === directory || cwd.startsWith(`${directory}/`)) && isAlive(pid)) found.push(pid);
    } catch {
      // It ended while we looked, or belongs to the kernel.
    }
  }
  return found;
}

/** TCP connections (IPv4) whose local port is `port` and that are still in somebody's hands. */
export function connectionsAt(port: number): number {
  // 0A is LISTEN, 06 TIME_WAIT: neither has a process that could still do something with it.
  return statesAt(port).filter((state) => state !== '0A' && state !== '06').length;
}

/** TCP connections (IPv4) whose local port is `port` and that neither side has begun to close. */
export function establishedAt(port: number): number {
  return statesAt(port).filter((state) => state === '01').length;
}

function statesAt(port: number): string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const states: string[] = [];
  for (const line of readFileSync('/proc/net/tcp', 'latin1').split('\n').slice(1)) {
    const [, local, , state] = line.trim().split(/\s+/);
    if (state !== undefined && local?.endsWith(wanted)) states.push(state);
  }
  return states;
}

/**
 * A TCP port of 127.0.0.1 that nobody listens on at this moment, and that no other test will be given while this one runs. It lies below the range from which the kernel
 * takes ports for outgoing connections, so it is still free when a server that died on it comes back.
 */
export async function freePort(): Promise<number> {
  const range = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'latin1').trim().split(/\s+/);
  const top = Math.max(Number(range[0]), 12_000);
  for (let tries = 0; tries < 200; tries += 1) {
    const port = randomInt(10_000, top);
    // A port that cannot be listened on stays leased until the process ends: nobody here has a use for it.
    if ((await lease(port)) && (await canListen(port))) return port;
  }
  throw new Error('no free port found on 127.0.0.1');
}

/**
 * Takes a port for this process, until it ends, however it ends: test files run side by side, and between the draw of a port and
 * the moment somebody listens on it another process may draw the same. The lease is a socket with an abstract name.
 */
function lease(port: number): Promise<boolean> {
  return listens(createServer().unref(), { path: `\0sluice-test-port-${port}` });
}

function listens(server: Server, where: ListenOptions): Promise<boolean> {
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(where, () => resolve(true));
  });
}

async function canListen(port: number): Promise<boolean> {
  const server = createServer();
  const listening = await listens(server, { port, host: '127.0.0.1' });
  if (listening) await new Promise((resolve) => server.close(resolve));
  return listening;
}
