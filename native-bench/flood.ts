/**
 * flood — `node native-bench/flood.ts [SESSIONS [RATE [SEED]]]`: twice as many zombies as there are slots, and honest senders
 *
 * Sluice with `max_sessions` SESSIONS, a sink behind it, and the zombie simulator in two runs: first the honest senders
 * alone, until each has had mail accepted; then twice SESSIONS zombies that hold what they get, RATE new ones a second in the
 * place of those that were sent away, with the same honest senders beside them. Honest times are those of the simulator's
 * HDR histograms, connect to 250; what became of the zombies is Sluice's own count. With the usual 5,000 sessions the
 * page goes to results/stress.md.
 *
 * All of it shares the cores of one machine: the zombies need more of them than Sluice does.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { LoadResult } from '../loadgen/load.ts';
import { machine } from '../loadgen/report.ts';
import { milliseconds } from '../loadgen/tables.ts';
import { freePort, killAtExit, startServer } from './server.ts';
import { sluiceCommand } from './sluice.ts';

const SESSIONS = 5_000;
const WARM_SEC = 20;
const FLOOD_SEC = 40;
/** Those that are after slots alone leave the backend idle; the others have lanes and deliver. */
const floods = ['drippers', 'mixed'] as const;
type Flood = (typeof floods)[number];
const HONEST_PER_SEC = 50;
const HONEST_ADDRESSES = 100;
const SAYS_MS_MAX = 10_000;

const sessions = Number(process.argv[2] ?? SESSIONS);
const rate = Number(process.argv[3] ?? 1_000);
const seed = Number(process.argv[4] ?? 1);

const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'sluice-flood-'));

function configuration(port: number, backendPort: number): string {
  return `hostname = "mx.example.net"
pools = { spf = false }
listener = [{ address = "127.0.0.1:${port}" }]
engine = { processes = 1, max_sessions = ${sessions} }
backend = { address = "127.0.0.1:${backendPort}" }
limits = { connections = ${Math.min(1_000, sessions)} }
reputation = { file = "" }
admin = { socket = "" }
`;
}

/** The simulator in a process of its own; its result. */
async function load(
  port: number,
  population: Flood,
  zombies: number,
  seconds: number,
  ownSeed: number,
): Promise<LoadResult> {
  const out = join(folder, `load-${population}-${zombies}`);
  const flags = {
    target: `127.0.0.1:${port}`,
    population,
    sessions: zombies,
    rate,
    honest: HONEST_PER_SEC,
    'honest-addresses': HONEST_ADDRESSES,
    duration: seconds,
    grace: 20,
    seed: ownSeed,
    out,
  };
  const words = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const args = [fileOf('../loadgen/main.ts'), ...(zombies > 0 ? ['--keep'] : []), ...words];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  killAtExit(child);
  await new Promise((resolve) => child.on('exit', resolve));
  return JSON.parse(readFileSync(`${out}.json`, 'utf8')) as LoadResult;
}

/** User and system time of a process, in seconds. */
function cpuSecOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const words = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(words[11]) + Number(words[12])) / 100;
}

const backendPort = await freePort();
const port = await freePort();
const sink = await startServer({
  name: 'sink',
  command: [process.execPath, fileOf('../loadgen/sink-main.ts'), '--listen', `127.0.0.1:${backendPort}`],
  readyWord: 'listens',
  port: backendPort,
  outputFile: join(folder, 'sink.log'),
});
const configFile = join(folder, 'sluice.toml');
writeFileSync(configFile, configuration(port, backendPort));
const sluice = await startServer({
  name: 'sluice',
  command: sluiceCommand.map((word) => word.replace('{config}', configFile)),
  readyWord: 'listening',
  port,
  outputFile: join(folder, 'sluice.log'),
});

const said = (): readonly string[] =>
  readFileSync(sluice.outputFile, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('sluice: '))
    .map((line) => line.slice(8));

/** All that was counted up to now. */
async function counters(): Promise<Readonly<Record<string, number>>> {
  const lines = (): readonly string[] => said().filter((line) => line.startsWith('counters '));
  const before = lines().length;
  process.kill(sluice.pid, 'SIGUSR2');
  for (const lastMs = performance.now() + SAYS_MS_MAX; lines().length === before; await pause(50))
    if (performance.now() > lastMs) throw new Error('Sluice does not say what it has counted');
  return JSON.parse(lines().at(-1)!.slice(9)) as Record<string, number>;
}

/** What one flood came to. */
interface Flooded {
  readonly name: Flood;
  readonly result: LoadResult;
  /** What Sluice counted in it, and its CPU time. */
  readonly grown: ReadonlyMap<string, number>;
  readonly cpuSec: number;
}

async function flood(name: Flood, ownSeed: number): Promise<Flooded> {
  const cpuBefore = cpuSecOf(sluice.pid);
  const before = await counters();
  const result = await load(port, name, sessions * 2, FLOOD_SEC, ownSeed);
  const after = await counters();
  const grown = Object.entries(after)
    .map(([counter, count]) => [counter, count - (before[counter] ?? 0)] as const)
    .filter(([counter, count]) => count > 0 && /^ending\.|^shed|^stressE|^sessions/.test(counter));
  return { name, result, grown: new Map(grown), cpuSec: cpuSecOf(sluice.pid) - cpuBefore };
}

const warm = await load(port, 'mixed', 0, WARM_SEC, seed);
const runs: Flooded[] = [];
for (const [at, name] of floods.entries()) runs.push(await flood(name, seed + 1 + at));
const notices = said().filter((line) => /stress/.test(line) && !line.startsWith('counters'));
await sluice.stop();
await sink.stop();
rmSync(folder, { recursive: true, force: true });

const many = (value: number): string => value.toLocaleString('en');
const honestOf = (result: LoadResult): LoadResult['kinds'][number] =>
  result.kinds.find((kind) => kind.honest)!;
const zombiesOf = ({ result }: Flooded): LoadResult['kinds'] => result.kinds.filter((kind) => !kind.honest);
const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);
const counted = [...new Set(runs.flatMap(({ grown }) => [...grown.keys()]))];

function timesOf(name: string, result: LoadResult): string {
  const { started, messages, deliverMs } = honestOf(result);
  const times = [deliverMs.p50, deliverMs.p90, deliverMs.p99, deliverMs.p999, deliverMs.max].map(
    milliseconds,
  );
  return `| ${name} | ${many(started)} | ${many(messages.told2xx)} | ${times.join(' | ')} |`;
}

const made = machine();
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
const floodRow = (run: Flooded): string => {
  const came = sum(zombiesOf(run).map((kind) => kind.started));
  const delivered = sum(zombiesOf(run).map((kind) => kind.messages.told2xx));
  const seconds = `${run.cpuSec.toFixed(1)} s of ${(run.result.elapsedMs / 1_000).toFixed(0)} s`;
  return `| \`${run.name}\` | ${many(came)} | ${many(delivered)} | ${seconds} |`;
};
const countRow = (name: string): string =>
  `| \`${name}\` | ${runs.map(({ grown }) => many(grown.get(name) ?? 0)).join(' | ')} |`;

const page = `# Stress: ${many(sessions)} slots, ${many(sessions * 2)} zombies

    node native-bench/flood.ts ${sessions} ${rate} ${seed}

${new Date().toISOString().slice(0, 10)} · project ${commit} · Node ${made.node} · ${made.os} · ${made.cpu}, shared · ${made.memoryGb} GB · seed ${seed}.

Sluice as shipped with \`max_sessions = ${sessions}\`, all shards in one process, log on, a sink as the backend. ${WARM_SEC} s of honest senders alone (${HONEST_PER_SEC} sessions a second
from ${HONEST_ADDRESSES} addresses), by the end of which each is of good standing; then two floods of ${FLOOD_SEC} s, one after the other, each with twice as many zombies as slots, which
hold what they get and are replaced, ${many(rate)} a second, when they are sent away. \`drippers\` are after slots alone and leave the backend idle; of \`mixed\` many pass the
tests, name recipients and deliver. Zombies, sink and Sluice share the cores with each other and with others; the load average was ${loadavg()[0]!.toFixed(1)} at the end.

## Honest senders, from connect to 250

| run | sessions | delivered | p50 | p90 | p99 | p99.9 | max |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
${[timesOf('alone, many of them still unknown', warm), ...runs.map(({ name, result }) => timesOf(`under \`${name}\``, result))].join('\n')}

## Zombies

| flood | came | delivered | CPU of Sluice |
| --- | ---: | ---: | ---: |
${runs.map(floodRow).join('\n')}

## What Sluice counted

| counter | ${floods.map((name) => `\`${name}\``).join(' | ')} |
| --- | ${floods.map(() => '---:').join(' | ')} |
${counted.map(countRow).join('\n')}

What it said:

${notices.map((line) => `    ${line}`).join('\n')}
`;
process.stdout.write(`\n${page}`);
if (sessions === SESSIONS) writeFileSync(fileOf('../results/stress.md'), page);
