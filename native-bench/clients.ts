/**
 * clients — what names of clients and walks over the reputation table cost
 *
 * `node native-bench/clients.ts` prints a Markdown table: the keys of one session and the name in its log line for each
 * choice of privacy.log_ip, and a list and an export of a table of 2^20 entries. CPU of the thread, so that a busy machine
 * does not count; the median of seven rounds for what is short.
 */
import { availableParallelism, cpus } from 'node:os';
import { pageOf } from '../src/admin/listing.ts';
import { exported } from '../src/admin/transfer.ts';
import { defaultConfig } from '../src/config/load.ts';
import { openNames } from '../src/io/client-names.ts';
import { Kind, newKey } from '../src/reputation/keys.ts';
import { fullNames } from '../src/reputation/names.ts';
import { ReputationTable } from '../src/reputation/table.ts';

const ROUNDS = 7;
/** Enough for a CPU clock of 10 ms. */
const TIMES = 1_000_000;
const TIMES_HASHED = 100_000;
const ENTRIES = 2 ** 20;
const NOW = 1_790_000_000;

const words = Uint32Array.from([0, 0, 0xffff, 0]);
const key = newKey();
let kept = 0;

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Nanoseconds of one call. */
function nsOf(times: number, work: () => void): number {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const from = cpuMs();
    for (let time = 0; time < times; time += 1) {
      words[3] = Math.imul(time, 2_654_435_761);
      work();
    }
    return ((cpuMs() - from) / times) * 1e6;
  });
  return rounds.toSorted((a, b) => a - b)[ROUNDS >> 1]!;
}

const print = (...cells: string[]): void => void process.stdout.write(`| ${cells.join(' | ')} |\n`);

process.stdout.write(
  `${new Date().toISOString()} · \`node native-bench/clients.ts\` · node ${process.version} · cpu ${cpus()[0]?.model ?? ''} · cores ${availableParallelism()}\n\n`,
);
print('what', 'CPU');
print('---', '---:');
for (const logIp of ['full', 'truncate', 'hmac'] as const) {
  const config = defaultConfig({ privacy: { logIp, keyFile: '/none' } });
  const names = openNames(config, new Uint8Array(32).fill(7));
  const keys = nsOf(logIp === 'hmac' ? TIMES_HASHED : TIMES, () => {
    names.networkKey(words, 0, key);
    names.hostKey(words, 0, key);
    kept ^= key[1]!;
  });
  print(`${logIp}: both keys of a session`, `${keys.toFixed(0)} ns`);
  const name = nsOf(TIMES, () => (kept ^= names.clientName('192.0.2.7', words, 0, key, true).length));
  print(`${logIp}: its name in the log`, `${name.toFixed(0)} ns`);
}

const shared = new SharedArrayBuffer(ReputationTable.bytesFor(ENTRIES, 2));
const table = new ReputationTable(shared, ENTRIES, 2, 2);
for (let host = 0; host < ENTRIES; host += 1) {
  words[3] = host;
  fullNames.hostKey(words, 0, key);
  table.observe(table.claim(Kind.Host, key, NOW - (host % 100_000)), 1 + (host % 8), NOW);
}
for (const sort of ['score', 'seen'] as const) {
  const from = cpuMs();
  const wish = { kind: 0, mark: -1, scoreMin: -Infinity, scoreMax: Infinity, network: null, offset: 0 };
  const { matched } = await pageOf(table, fullNames, { ...wish, sort, limit: 50 }, NOW);
  print(`50 of ${matched} entries by ${sort}`, `${(cpuMs() - from).toFixed(0)} ms`);
}
const from = cpuMs();
let characters = 0;
for await (const part of exported(table, fullNames, () => NOW)) characters += part.length;
print(`export of all, ${(characters / 1e6).toFixed(0)} MB`, `${(cpuMs() - from).toFixed(0)} ms`);
if (!Number.isInteger(kept)) throw new RangeError('what was measured was not done');
