/**
 * reputation — what one look-up plus one update of a client costs, with a million clients known
 *
 *     node native-bench/reputation.ts --out results/reputation.md     # some minutes
 *     node native-bench/reputation.ts --quick                         # seconds; shows that it works, gives no figure
 *
 * The table, a plain Map and a bare read of memory take turns on one thread (visits); then several threads visit one table at
 * once. At the end the signals that were noted are counted. Times are CPU of the threads as the kernel counts it, since
 * a machine that is shared would add the turns of others.
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import process from 'node:process';
import { Command, InvalidArgumentError } from 'commander';
import { Prng } from '../src/base/prng.ts';
import { ONE } from '../src/reputation/decay.ts';
import { signals } from '../src/reputation/signals.ts';
import { ReputationTable } from '../src/reputation/table.ts';
import { cells, describeMachine, spread, table as markdown } from './report.ts';
import {
  addressOf,
  claimClient,
  counted,
  findClient,
  visitMap,
  visitMemory,
  visitsPerSec,
  visitTable,
} from './visits.ts';
import type { VisitorPlan } from './visitor.ts';

const MIB = 2 ** 20;
/** A step of every signal's decay begins here. */
const START_SEC = 86_400 * 14 * 1500;
/** So long nothing fades: a sixty-fourth of a day. */
const STEP_SEC = 1350;
/** Skewed: the client at place u⁴ of the list, u uniform. Half of the visits come from a sixteenth of the clients. */
const SKEW = 4;
const skewedIds = [signals.badCommand.id];

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,7}$/.test(text)) throw new InvalidArgumentError('a whole number above 0 is wanted.');
  return Number(text);
}

const program = new Command('reputation')
  .option('--entries <n>', 'entries of the table', wholeNumber, 1_000_000)
  .option('--fill <percent>', 'clients to know, in percent of the entries', wholeNumber, 83)
  .option('--visits <n>', 'visits in each round', wholeNumber, 1_000_000)
  .option('--rounds <n>', 'alternating rounds', wholeNumber, 9)
  .option('--threads <n>', 'threads that visit one table at once', wholeNumber, 4)
  .option('--seed <n>', 'seed of the draws', wholeNumber, 1)
  .option('--out <file>', 'where the page goes; empty: print only', '')
  .option('--quick', 'a tiny run that shows that every part works; no figure')
  .parse();
const flags = program.opts<Record<'entries' | 'fill' | 'visits' | 'rounds' | 'threads' | 'seed', number>>();
const { out, quick } = program.opts<{ out: string; quick?: true }>();
if (quick === true) Object.assign(flags, { entries: 10_000, visits: 20_000, rounds: 1 });

const { entries, rounds, visits, threads } = flags;
if ((rounds + 1) * 6 * Math.ceil(visits / visitsPerSec) > STEP_SEC)
  program.error('in so long a run signals would fade, and could not be counted: fewer rounds or visits');
const random = new Prng(flags.seed);
let nowSec = START_SEC;

/** CPU of this thread for a round of visits, in ns. */
function cpuNsOf(round: () => unknown): number {
  const before = process.threadCpuUsage();
  round();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) * 1000;
}

/** A table of so many shards in which the clients are known; and which of them have found room. */
function filled(shards: number): { shared: SharedArrayBuffer; table: ReputationTable; known: Uint32Array } {
  const shared = new SharedArrayBuffer(ReputationTable.bytesFor(entries, shards));
  ReputationTable.prepare(shared, flags.seed);
  const table = new ReputationTable(shared, entries, shards, 0);
  const clients = Uint32Array.from(
    { length: Math.floor((entries * flags.fill) / 100) },
    (_, client) => client,
  );
  for (const client of clients) claimClient(table, client, START_SEC);
  return { shared, table, known: clients.filter((client) => findClient(table, client) >= 0) };
}

/** Clients of the list for one round of visits. */
function drawn(known: Uint32Array, isSkewed: boolean): Uint32Array {
  const place = (): number =>
    isSkewed
      ? Math.floor(known.length * (random.below(2 ** 32) / 2 ** 32) ** SKEW)
      : random.below(known.length);
  // The list is in the order of numbers, which say nothing: addresses are scattered.
  return Uint32Array.from({ length: visits }, () => known[place()]!);
}

/** Observations that a table holds of the counted signals. */
function observationsOf(table: ReputationTable): number {
  let amount = 0;
  for (let index = 0; index < table.entries; index += 1)
    for (const id of counted) amount += table.amountOf(index, id, nowSec);
  return amount / ONE;
}

const one = filled(2);
const many = filled(threads);
const names = Array.from({ length: Math.floor((entries * flags.fill) / 100) }, (_, client) => {
  const word = addressOf(client);
  return [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255].join('.');
});
const map = new Map();
const workers = Array.from({ length: threads }, (_, shard) => {
  const workerData: VisitorPlan = {
    shared: many.shared,
    entries,
    shards: threads,
    shard,
    draws: drawn(many.known, false),
    ids: counted,
  };
  return new Worker(new URL('visitor.ts', import.meta.url), { workerData });
});

/** CPU of all threads for a round of visits that they make at once, in ns. */
async function visitTogether(): Promise<number> {
  const cpuNs = await Promise.all(
    workers.map(async (worker) => {
      worker.postMessage(nowSec);
      return ((await once(worker, 'message')) as [number])[0];
    }),
  );
  return cpuNs.reduce((sum, ns) => sum + ns, 0);
}

const uniform = drawn(one.known, false);
const skewed = drawn(one.known, true);
const places = uniform.map((client) => one.table.wordOf(findClient(one.table, client)));
const cases = [
  ['table', () => cpuNsOf(() => visitTable(one.table, uniform, 0, visits, nowSec, counted))],
  ['Map', () => cpuNsOf(() => visitMap(map, names, uniform, nowSec, counted))],
  ['one read of memory, none ahead', () => cpuNsOf(() => visitMemory(one.table.words, places))],
  ['table, skewed', () => cpuNsOf(() => visitTable(one.table, skewed, 0, visits, nowSec, skewedIds))],
  ['Map, skewed', () => cpuNsOf(() => visitMap(map, names, skewed, nowSec, skewedIds))],
  [`table, ${threads} threads at once`, visitTogether],
] as const;
const times = cases.map((): number[] => []);
// Round -1 warms up; its visits count among the signals.
for (let round = -1; round < rounds; round += 1) {
  for (const [at, [, visit]] of cases.entries()) {
    const ns = await visit();
    nowSec += Math.ceil(visits / visitsPerSec);
    if (round >= 0) times[at]!.push(ns / visits);
  }
}
for (const worker of workers) worker.postMessage(-1);

const visited = (rounds + 1) * visits;
const visitedTogether = (rounds + 1) * Math.floor(visits / threads) * threads;
const lost = [visited - observationsOf(one.table), visitedTogether - observationsOf(many.table)];
const base = [0, 0, 0, 3, 3, 0].map((at) => times[at]!);
const page = `# The memory of clients: look-up plus update

    node native-bench/reputation.ts ${process.argv.slice(2).join(' ')}

${Object.entries({ ...describeMachine(), load: loadavg()[0]!.toFixed(1), ...flags })
  .map(([name, fact]) => `${name} ${fact}`)
  .join(' · ')}

\`load\` is the machine's load average at the end: what others did on these cores costs cache and memory here.

A visit: find the client and date it, count its session in, note one signal, score it, count the session out. ${one.known.length}
clients are known in ${entries} entries. Clients are drawn uniformly, or skewed: half of the visits from a sixteenth of them. The
cases take turns in each round. CPU of the threads, by the kernel; with ${threads} threads the sum of theirs over all visits.

${markdown(
  [`least / **median** / most of ${rounds} rounds`, 'CPU ns a visit', 'ratio to the table'],
  cases.map(([name], at) => [
    name,
    cells(spread(times[at]!), 0),
    cells(spread(times[at]!.map((ns, round) => ns / base[at]![round]!)), 2),
  ]),
)}

Signals lost: ${lost[0]} of ${visited} on one thread, ${lost[1]} of ${visitedTogether} with ${threads} threads.

Memory: ${(ReputationTable.bytesFor(entries, 2) / MIB).toFixed(1)} MiB for ${entries} entries and 2 shards,
${(ReputationTable.bytesFor(entries, threads) / MIB).toFixed(1)} MiB for ${threads}, allocated once. The Map has no bound.
`;
process.stdout.write(page);
if (out !== '') writeFileSync(fileURLToPath(new URL(out, `file://${process.cwd()}/`)), page);
