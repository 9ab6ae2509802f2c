/**
 * demo — `sluice demo`: the whole thing on loopback, for a minute, without root
 *
 * Starts an engine, a mail server behind it (loadgen/sink), a crowd of zombies and a trickle of honest senders;
 * prints a line a second, a table at the end, and writes it to results/. Everything ends by itself within
 * the duration and ten seconds; a broken demo leaves no process, since the engine ends with its channel.
 *
 * Seven of eight zombies come from networks on the slow list, which stands here for a DNS block list that knows
 * most of them. The others have to give themselves away.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Load } from '../../loadgen/load.ts';
import type { LoadResult } from '../../loadgen/load.ts';
import { planDefaults } from '../../loadgen/plan.ts';
import type { Plan } from '../../loadgen/plan.ts';
import { glanceLine, honestTroubles, textOf, writeResults } from '../../loadgen/report.ts';
import { Sink } from '../../loadgen/sink.ts';
import { readDuration } from '../config/units.ts';
import { readMachine } from '../primary/machine.ts';
import { DemoTally } from './demo-tally.ts';
import { exitCodes } from './exit.ts';
import { complain, print } from './output.ts';

const HOST = '127.0.0.1';
const PORT_WANTED = 2525;
/** Files the demo needs beside its zombies: the mail server's, the engine's channel, honest senders. */
const OWN_FILES = 700;
const HONEST_PER_SECOND = 5;
/** Of the duration, kept for honest sessions that have begun. */
const TAIL_MS = 3_000;
const GRACE_MS = 8_000;
const STOP_MS = 1_500;

/** Networks of zombies that are known: seven eighths of 127.64.0.0/10. */
const KNOWN_NETWORKS = ['127.64.0.0/11', '127.96.0.0/12', '127.112.0.0/13'];

/** Runs the demo; 0 when every honest message arrived. */
export async function demoVerb(options: {
  sessions: number;
  duration: string;
  seed: number;
}): Promise<number> {
  const { filesMax } = readMachine();
  if (options.sessions + OWN_FILES > filesMax) {
    complain(
      `${options.sessions} sessions need ${options.sessions + OWN_FILES} open files, and the limit is ${filesMax}: ` +
        `raise it ("ulimit -n ${options.sessions + OWN_FILES}"), or ask for --sessions ${filesMax - OWN_FILES}\n`,
    );
    return exitCodes.failed;
  }
  const directory = mkdtempSync(join(tmpdir(), 'sluice-demo-'));
  const sink = new Sink({});
  let engine: ChildProcess | null = null;
  try {
    const sinkPort = await sink.listen();
    const port = await freePort();
    const file = join(directory, 'sluice.toml');
    writeFileSync(file, configText(options.sessions, port, sinkPort));
    const tally = new DemoTally();
    engine = await startEngine(file, tally);
    print(openingText(options, port));
    const result = await play(options, port);
    // The last lines of its log come when it ends.
    await stopEngine(engine);
    tell(result, tally.text(sink.stats.messages));
    return honestTroubles(result).length === 0 ? exitCodes.good : exitCodes.failed;
  } finally {
    if (engine !== null) await stopEngine(engine);
    await sink.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function play(
  options: { sessions: number; duration: string; seed: number },
  port: number,
): Promise<LoadResult> {
  const durationMs = readDuration(options.duration) ?? planDefaults.durationMs;
  const plan: Plan = {
    ...planDefaults,
    target: { host: HOST, port },
    sessions: options.sessions,
    rate: Math.max(20, Math.ceil((options.sessions * 4_000) / durationMs)),
    keep: true,
    honestPerSecond: HONEST_PER_SECOND,
    honestAddresses: 50,
    durationMs: Math.max(1_000, durationMs - TAIL_MS),
    graceMs: GRACE_MS,
    seed: options.seed,
    run: `demo${options.seed}`,
  };
  const load = new Load(plan);
  load.onSecond = (glance) => print(`${glanceLine(glance)}\n`);
  const stop = (): void => load.stop();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const result = await load.run();
  process.off('SIGINT', stop);
  process.off('SIGTERM', stop);
  return result;
}

/** Prints the table and writes it to results/ of the present directory. */
function tell(result: LoadResult, sums: string): void {
  print(`\n${textOf(result)}\n${sums}`);
  mkdirSync('results', { recursive: true });
  const base = join('results', `demo-${new Date().toISOString().slice(0, 19).replaceAll(':', '')}`);
  writeResults(base, result);
  appendFileSync(`${base}.md`, `\n${sums.replace(/^/gm, '    ').trimEnd()}\n`);
  print(`\nwritten to ${base}.md and ${base}.json\n`);
}

async function startEngine(file: string, tally: DemoTally): Promise<ChildProcess> {
  const extension = extname(fileURLToPath(import.meta.url));
  const entry = fileURLToPath(new URL(`./demo-engine${extension}`, import.meta.url));
  const engine = fork(entry, [file], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  createInterface({ input: engine.stdout! }).on('line', (line) => tally.add(line));
  const errors = createInterface({ input: engine.stderr! });
  let said = '';
  const listening = new Promise<void>((resolve, reject) => {
    errors.on('line', (line) => {
      said += `${line}\n`;
      if (line.includes('listening on')) resolve();
      else if (line.includes('shard')) complain(`${line}\n`);
    });
    engine.once('exit', (code) => reject(new Error(`the engine ended with ${code}: ${said}`)));
  });
  await listening;
  return engine;
}

/** First a drain, then the end. */
async function stopEngine(engine: ChildProcess): Promise<void> {
  if (engine.exitCode !== null || engine.signalCode !== null) return;
  const ended = once(engine, 'close');
  engine.kill('SIGTERM');
  const timer = setTimeout(() => engine.kill('SIGKILL'), STOP_MS);
  await ended;
  clearTimeout(timer);
}

function configText(sessions: number, port: number, sinkPort: number): string {
  return `hostname = "mx.demo.example"
[[listener]]
address = "${HOST}:${port}"
[engine]
max_sessions = ${sessions + 500}
[backend]
address = "${HOST}:${sinkPort}"
[lists]
slow = ${JSON.stringify(KNOWN_NETWORKS)}
[reputation]
entries = 200000
file = ""
[admin]
socket = ""
`;
}

function openingText(options: { sessions: number; duration: string }, port: number): string {
  return (
    `Sluice listens on ${HOST}:${port}, a mail server behind it. ${options.sessions} zombies are on their way, and ${HONEST_PER_SECOND} honest\n` +
    `senders a second. It ends by itself after ${options.duration}; Ctrl-C ends it sooner.\n` +
    `Be a zombie yourself:  (echo EHLO me; sleep 60) | nc ${HOST} ${port}\n\n`
  );
}

/** The usual port of the demo when it is free, else one that is. */
function freePort(): Promise<number> {
  const tryPort = (port: number): Promise<number> =>
    new Promise((resolve, reject) => {
      const server = createServer();
      server.once('error', reject);
      server.listen(port, HOST, () => {
        const address = server.address();
        server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : port));
      });
    });
  return tryPort(PORT_WANTED).catch(() => tryPort(0));
}
