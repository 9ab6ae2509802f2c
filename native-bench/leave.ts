/**
 * leave — `node native-bench/leave.ts [--population 2009] [--sessions 20000] [--rate 60] [--seed 1] [--direct] [--out BASE]`: when
 * zombies leave, over real sockets
 *
 * An rbldnsd whose one zone has exactly the listed addresses of the run, Sluice as shipped with that zone at weight 3, the sink
 * behind it, the zombies of a population at a rate, and five honest messages for every hundred of them. Prints what became of each
 * kind, and draws when they left. With --direct the same zombies then visit a Postfix that nothing protects.
 *
 * The zombies live in this process, on 127.0.0.0/8 alone. Bounded in time: eleven minutes after the last has come everybody is cut, which is
 * more than Sluice adds to a session (`shape.total_max`).
 */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { ClientEnd } from '../loadgen/drivers/socket-driver.ts';
import { Load, zombieOrigins } from '../loadgen/load.ts';
import type { LoadResult } from '../loadgen/load.ts';
import { planDefaults } from '../loadgen/plan.ts';
import type { Plan } from '../loadgen/plan.ts';
import { isListed, populations } from '../loadgen/populations.ts';
import type { PopulationName } from '../loadgen/populations.ts';
import { glanceLine, machine } from '../loadgen/report.ts';
import { leavePage, leavePicture } from './leave-page.ts';
import type { Run, SessionLine } from './leave-page.ts';
import { startPostfix } from './postfix.ts';
import { cpuUs } from './proc.ts';
import { freePort, startServer } from './server.ts';
import type { Server } from './server.ts';
import { sluiceCommand } from './sluice.ts';

const HOST = '127.0.0.1';
const ZONE = 'zombies.example';
const ZONE_WEIGHT = 3;
const HONEST_PERCENT = 5;
/** Honest sessions for each honest address: most of them come from somebody who is known by then. */
const HONEST_VISITS = 5;
/** Zombies stay this long after the last has come, at most. */
const TAIL_MS = 660_000;
const GRACE_MS = 60_000;
const SAYS_MS_MAX = 20_000;
const LOG_MS_MAX = 10_000;
/** Clients in one second of the simulator's own lines. */
const GLANCE_SEC = 10;
const HONEST_SERIALS = 100_000_000;

const { values } = parseArgs({
  options: {
    population: { type: 'string', default: '2009' },
    sessions: { type: 'string', default: '20000' },
    rate: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    direct: { type: 'boolean', default: false },
    out: { type: 'string' },
  },
});
if (!(values.population in populations))
  throw new Error(`no population ${values.population}; there are ${Object.keys(populations).join(', ')}`);
const population = values.population as PopulationName;
const [sessions, rate, seed] = [Number(values.sessions), Number(values.rate), Number(values.seed)];
const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const out = values.out ?? fileOf(`../results/leave-${population}`);
const folder = mkdtempSync(join(tmpdir(), 'sluice-leave-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
// rbldnsd becomes a user of its own, who has to read its zone here.
chmodSync(folder, 0o755);

function planFor(port: number): Plan {
  const honestSessions = Math.ceil((sessions * HONEST_PERCENT) / 100);
  return {
    ...planDefaults,
    target: { host: HOST, port },
    population,
    sessions,
    rate,
    honestPerSecond: (rate * HONEST_PERCENT) / 100,
    honestSessions,
    honestAddresses: Math.max(1, Math.floor(honestSessions / HONEST_VISITS)),
    durationMs: Math.ceil((sessions / rate) * 1_200) + TAIL_MS,
    graceMs: GRACE_MS,
    seed,
    run: 'leave',
  };
}

/** The address of each zombie by its serial number. */
function addressesOf(plan: Plan): readonly string[] {
  const origins = zombieOrigins(plan);
  return ['', ...Array.from({ length: plan.sessions }, () => origins.next())];
}

async function startList(addresses: readonly string[]): Promise<Server> {
  const port = await freePort();
  const listed = [...new Set(addresses.slice(1))].filter((one) => isListed(one, populations[population]));
  const lines = [
    '$SOA 600 ns.zombies.example hostmaster.zombies.example 1 600 300 86400 600',
    ':127.0.0.2:A zombie of the run',
    '127.0.0.2',
    ...listed,
  ];
  writeFileSync(join(folder, 'zone'), `${lines.join('\n')}\n`);
  return startServer({
    name: 'rbldnsd',
    command: ['/usr/sbin/rbldnsd', '-n', '-b', `${HOST}/${port}`, '-w', folder, `${ZONE}:ip4trie:zone`],
    readyWord: ' started ',
    port,
    outputFile: join(folder, 'rbldnsd.log'),
  });
}

async function startSink(): Promise<Server> {
  const port = await freePort();
  const journal = join(folder, 'stored.jsonl');
  return startServer({
    name: 'sink',
    command: [
      process.execPath,
      fileOf('../loadgen/sink-main.ts'),
      '--listen',
      `${HOST}:${port}`,
      '--journal',
      journal,
    ],
    readyWord: 'listens',
    port,
    outputFile: join(folder, 'sink.log'),
  });
}

async function startSluice(backendPort: number, dnsPort: number): Promise<Server> {
  const port = await freePort();
  const configFile = join(folder, 'sluice.toml');
  writeFileSync(
    configFile,
    `hostname = "mx.example.net"
pools = { spf = false }
listener = [{ address = "${HOST}:${port}" }]
backend = { address = "${HOST}:${backendPort}" }
dnsxl = [{ zone = "${ZONE}", weight = ${ZONE_WEIGHT} }]
dnsxl_policy = { resolvers = ["${HOST}:${dnsPort}"] }
reputation = { file = "" }
admin = { socket = "" }
`,
  );
  const server = await startServer({
    name: 'sluice',
    command: sluiceCommand.map((word) => word.replace('{config}', configFile)),
    readyWord: 'listening',
    port,
    outputFile: join(folder, 'sluice.log'),
  });
  for (
    const lastMs = performance.now() + SAYS_MS_MAX;
    !readFileSync(server.outputFile, 'utf8').includes(`${ZONE}: good`);
  ) {
    if (performance.now() > lastMs) throw new Error(`the zone ${ZONE} has not passed its test`);
    process.kill(server.pid, 'SIGUSR2');
    await pause(200);
  }
  return server;
}

/** Lets the crowd loose on a server and waits for its end. */
async function visit(plan: Plan, name: string): Promise<{ result: LoadResult; ends: readonly ClientEnd[] }> {
  const ends: ClientEnd[] = [];
  const load = new Load(plan);
  load.onEnded = (end) => ends.push(end);
  load.onSecond = (glance) => {
    if (glance.seconds % GLANCE_SEC === 0) process.stdout.write(`${name} ${glanceLine(glance)}\n`);
  };
  process.once('SIGINT', () => load.stop());
  return { result: await load.run(), ends };
}

/** The session lines of the log, once all have come. */
async function linesOf(server: Server, count: number): Promise<readonly SessionLine[]> {
  for (const lastMs = performance.now() + LOG_MS_MAX; ; await pause(100)) {
    const lines = readFileSync(server.outputFile, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('{'));
    if (lines.length >= count || performance.now() > lastMs)
      return lines.map((line) => JSON.parse(line) as SessionLine);
  }
}

/** Messages of zombies that the backend has, whether their senders heard of it or not. */
function storedOfZombies(): number {
  const lines = readFileSync(join(folder, 'stored.jsonl'), 'utf8').split('\n');
  const serialOf = (line: string): number => Number(/"id":"leave\.(\d+)\.\d+"/.exec(line)?.[1] ?? Infinity);
  return lines.filter((line) => serialOf(line) < HONEST_SERIALS).length;
}

/** What Sluice says when it starts: shards, processes and slots. */
function planSaid(server: Server): readonly string[] {
  const lines = readFileSync(server.outputFile, 'utf8').split('\n');
  return lines.filter((line) => /^sluice: (?!counters|dnsxl)/.test(line)).slice(0, 4);
}

async function shaped(): Promise<Run> {
  const addresses = addressesOf(planFor(1));
  const list = await startList(addresses);
  const sink = await startSink();
  const sluice = await startSluice(sink.port, list.port);
  const plan = planFor(sluice.port);
  const { result, ends } = await visit(plan, 'Sluice');
  const cpuSec = cpuUs(sluice.pid) / 1e6;
  const lines = await linesOf(sluice, ends.length);
  const said = planSaid(sluice);
  for (const server of [sluice, sink, list]) await server.stop();
  return { plan, result, ends, addresses, lines, storedOfZombies: storedOfZombies(), cpuSec, said };
}

async function direct(): Promise<Run> {
  const postfix = await startPostfix();
  const plan = planFor(postfix.port);
  const { result, ends } = await visit(plan, 'Postfix');
  await postfix.stop();
  const told = result.kinds
    .filter((kind) => !kind.honest)
    .reduce((sum, kind) => sum + kind.messages.told2xx, 0);
  return {
    plan,
    result,
    ends,
    addresses: addressesOf(plan),
    lines: [],
    storedOfZombies: told,
    cpuSec: 0,
    said: [],
  };
}

const run = await shaped();
const bare = values.direct ? await direct() : null;
const command = `node native-bench/leave.ts --population ${population} --sessions ${sessions} --rate ${rate} --seed ${seed}${values.direct ? ' --direct' : ''}`;
const page = leavePage({
  run,
  bare,
  command,
  made: machine(),
  loadAverage: loadavg()[0]!,
  picture: `leave-${population}.svg`,
});
writeFileSync(`${out}.svg`, leavePicture(run));
writeFileSync(`${out}.md`, page);
process.stdout.write(`\n${page}`);
