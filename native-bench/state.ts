/**
 * state — how quickly what is remembered is saved and read back, and what a kill costs
 *
 *   node native-bench/state.ts [rounds]      writes results/state.md
 *
 * First the keeper of the product saves a table in which every entry has changed, and fills an empty one from the file;
 * beside it, how long the main thread was kept from anything else at the longest. Then a process that notes a client
 * every 10 ms is killed with SIGKILL at a moment drawn from a seed, and the file is read: the clients that are not in
 * it are what was lost. A round's loss is the time from the last saved client to the last one noted.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Prng } from '../src/base/prng.ts';
import { PLAIN_NAMES, StateFile } from '../src/io/state-file.ts';
import type { Loaded } from '../src/io/state-file.ts';
import { Keeper } from '../src/primary/keeper.ts';
import { Kind, newKey } from '../src/reputation/keys.ts';
import { ROW_WORDS, RowWord } from '../src/reputation/rows.ts';
import { ReputationTable } from '../src/reputation/table.ts';

const SEED = 20261125;
const SAVE_INTERVAL_MS = 2_000;
const KEEP_SEC = 60 * 86_400;
const NOTE_EVERY_MS = 10;
const nowSec = (): number => Math.floor(Date.now() / 1000);

function newTable(entries: number): { shard: ReputationTable; main: ReputationTable } {
  const shared = new SharedArrayBuffer(ReputationTable.bytesFor(entries, 1));
  ReputationTable.prepare(shared, SEED);
  return {
    shard: new ReputationTable(shared, entries, 1, 0),
    main: new ReputationTable(shared, entries, 1, 1),
  };
}

function keeperOf(table: ReputationTable, path: string, saveIntervalMs: number): Keeper {
  return new Keeper({
    path,
    rowsMax: table.entries,
    keepSec: KEEP_SEC,
    savesHosts: true,
    namesId: PLAIN_NAMES,
    saveIntervalMs,
    table,
    dirty: table.dirty,
    say: (line) => void process.stderr.write(`${line}\n`),
    nowSec,
    joined: () => undefined,
  });
}

/** Notes a client as a shard does. */
function note(table: ReputationTable, number: number, random: Prng): void {
  const key = newKey();
  key[0] = 0xffff;
  key[1] = Math.imul(number, 0x9e3779b1);
  const index = table.claim(Kind.Host, key, nowSec());
  if (index < 0) return;
  table.pass(index, 15, nowSec() + 86_400);
  table.observe(index, 1 + random.below(12), nowSec());
}

/** Runs `act` and gives its time, and the longest pause of this thread beside it. */
async function timed(act: () => Promise<void>): Promise<{ ms: number; pauseMs: number }> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  await pause(50);
  delay.enable();
  const startedMs = performance.now();
  await act();
  const ms = performance.now() - startedMs;
  delay.disable();
  return { ms, pauseMs: delay.max / 1e6 };
}

async function speed(clients: number, directory: string): Promise<string> {
  const path = join(directory, `${clients}.db`);
  const entries = clients * 2;
  const { shard, main } = newTable(entries);
  const random = new Prng(SEED);
  const keeper = keeperOf(main, path, 100);
  await keeper.start();
  for (let number = 0; number < clients; number += 1) note(shard, number, random);
  // Where nine clients fall into one set, one has pushed another out.
  const key = newKey();
  let rows = 0;
  for (let index = 0; index < main.entries; index += 1) if (main.keyOf(index, key) !== 0) rows += 1;
  const saving = await timed(async () => {
    while (keeper.status().rowsWritten < rows) await pause(5);
  });
  await keeper.end();
  const fresh = newTable(entries).main;
  const reader = keeperOf(fresh, path, 100);
  const loading = await timed(async () => {
    await reader.start();
    while (reader.status().state !== 'ok') await pause(5);
  });
  const read = reader.status().rowsRead;
  await reader.end();
  const perSecond = ({ ms }: { ms: number }): string => Math.round((rows / ms) * 1000).toLocaleString('en');
  return `| ${rows.toLocaleString('en')} | ${perSecond(saving)} | ${saving.pauseMs.toFixed(1)} | ${perSecond(loading)} | ${(loading.ms / 1000).toFixed(1)} | ${loading.pauseMs.toFixed(1)} | ${(statSync(path).size / 1e6).toFixed(0)} | ${read === rows ? 'all' : read} |`;
}

/** The process that is killed: notes a client every 10 ms, and says so. */
async function victim(path: string): Promise<void> {
  const { shard, main } = newTable(100_000);
  const random = new Prng(SEED);
  const keeper = keeperOf(main, path, SAVE_INTERVAL_MS);
  await keeper.start();
  for (let number = 0; ; number += 1) {
    note(shard, number, random);
    process.stdout.write(`${number}\n`);
    await pause(NOTE_EVERY_MS);
  }
}

interface Loss {
  readonly lostMs: number;
  readonly lostNotes: number;
  /** The file that was left had something to say of itself. */
  readonly isBroken: boolean;
}

/** Kills a victim after `lifeMs`; milliseconds of notes that were lost. */
async function killed(path: string, lifeMs: number): Promise<Loss> {
  for (const end of ['', '-wal', '-shm']) rmSync(path + end, { force: true });
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), 'victim', path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const times: number[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => (times[Number(line)] = performance.now()));
  while (times.length === 0) await pause(5);
  await pause(lifeMs);
  child.kill('SIGKILL');
  await once(child, 'close');
  const found = new Set<number>();
  let next: IteratorResult<Int32Array, Loaded>;
  const file = new StateFile({
    path,
    rowsMax: 100_000,
    keepSec: KEEP_SEC,
    savesHosts: true,
    namesId: PLAIN_NAMES,
  });
  const reading = file.load(nowSec());
  for (next = reading.next(); next.done !== true; next = reading.next()) {
    for (let at = 0; at < next.value.length; at += ROW_WORDS) found.add(next.value[at + RowWord.key + 1]!);
  }
  file.close();
  const isBroken = next.value.notices.length > 0;
  const isSaved = (_: number, number: number): boolean => found.has(Math.imul(number, 0x9e3779b1));
  const lost = times.filter((time, number) => !isSaved(time, number));
  const lastSaved = Math.max(times[0]!, ...times.filter(isSaved));
  return { lostMs: lost.length === 0 ? 0 : times.at(-1)! - lastSaved, lostNotes: lost.length, isBroken };
}

async function run(): Promise<void> {
  if (process.argv[2] === 'victim') return victim(process.argv[3]!);
  const rounds = Number(process.argv[2] ?? 50);
  const directory = mkdtempSync(join(tmpdir(), 'sluice-state-bench-'));
  const load = loadavg()[0]!.toFixed(1);
  const speeds = [await speed(200_000, directory), await speed(1_000_000, directory)];
  const loads = `${load} before, ${loadavg()[0]!.toFixed(1)} behind`;
  process.stdout.write(`${speeds.join('\n')}\n`);
  const random = new Prng(SEED);
  const losses: Loss[] = [];
  for (let round = 0; round < rounds; round += 1) {
    losses.push(await killed(join(directory, 'killed.db'), 500 + random.below(5_000)));
    process.stdout.write(`round ${round + 1}: ${Math.round(losses.at(-1)!.lostMs)} ms lost\n`);
  }
  rmSync(directory, { recursive: true });
  const sorted = losses.map(({ lostMs }) => lostMs).toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor((sorted.length - 1) * share)]! / 1000).toFixed(2);
  writeFileSync(
    fileURLToPath(new URL('../results/state.md', import.meta.url)),
    `# State: saved, read back, and killed

${new Date().toISOString()} · \`node native-bench/state.ts ${rounds}\`

node ${process.version} · SQLite ${process.versions['sqlite']} · kernel ${release()} · cpu ${cpus()[0]?.model ?? '?'} · cores ${cpus().length} · seed ${SEED} · save_interval ${SAVE_INTERVAL_MS / 1000} s

Every entry of a table has changed; it is saved, and an empty table is filled from the file. The pauses are the longest in
which the main thread could do nothing else, by \`monitorEventLoopDelay\` with 1 ms; other programs shared
the machine (load ${loads}), and a pause counts their turns too.

| rows | saved, rows/s | longest pause ms | read, rows/s | read in s | longest pause ms | file MB | came back |
| ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |
${speeds.join('\n')}

A process that notes a client every ${NOTE_EVERY_MS} ms is killed with SIGKILL after 0.5 to 5.5 s, ${rounds} times. Lost is the time from the
last note that was in the file to the last one that was made.

| rounds | lost at least s | half of them at most s | lost at most s | files that were broken |
| ---: | ---: | ---: | ---: | ---: |
| ${rounds} | ${at(0)} | ${at(0.5)} | ${at(1)} | ${losses.filter(({ isBroken }) => isBroken).length} |
`,
  );
}

await run();
