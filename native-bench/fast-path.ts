/**
 * fast-path — `node native-bench/fast-path.ts [--blocks 200]`: what Sluice adds to RCPT → 250, the backend's part included
 *
 * One client, sequential, straight at a backend and through a Sluice in front of the same one, in turns: a block is one
 * message to 50 recipients; which way goes first changes from block to block. Both say the same bytes. Every recipient is a new name, so none is answered from Sluice's memory: each RCPT goes to the backend and back. The first RCPT of
 * a message has a line of its own, since Sluice then says whom the lane speaks for (XCLIENT, EHLO, MAIL) before it. Backends: Postfix, and
 * the project's own sink. The first blocks are thrown away. Goes to results/fast-path.md.
 *
 * Needs root and Debian's postfix for the one of the two. One to two minutes.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'hdr-histogram-js';
import type { Histogram } from 'hdr-histogram-js';
import { Asker } from './asker.ts';
import { fastPathPage } from './fast-path-page.ts';
import type { Trips } from './fast-path-page.ts';
import { madeOn } from './made-on.ts';
import { startPostfix } from './postfix.ts';
import { freePort, startServer } from './server.ts';
import { startShipped } from './shipped.ts';

const SESSIONS_MAX = 1_000;
const RECIPIENTS = 50;
const FURTHER = 'RCPT, further';
const FIRST = 'RCPT, first of a message';
const DOT = 'final dot';
const CLIENT = '127.0.0.9';
const message = `Subject: a short one\r\n\r\n${'x'.repeat(70)}\r\n.`;
const TRIP_NS_MAX = 10_000_000_000;

const { values } = parseArgs({
  options: {
    blocks: { type: 'string', default: '200' },
    warm: { type: 'string', default: '400' },
    backends: { type: 'string', default: 'postfix,sink' },
    set: { type: 'string', multiple: true, default: [] },
    out: { type: 'string' },
  },
});
const [blocks, warm] = [Number(values.blocks), Number(values.warm)];
const out = values.out ?? fileURLToPath(new URL('../results/fast-path.md', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'sluice-fast-path-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

interface Backend {
  readonly name: string;
  readonly port: number;
  stop(): Promise<void>;
}

async function startBackend(name: string): Promise<Backend> {
  if (name === 'postfix') {
    const postfix = await startPostfix();
    return { name: 'Postfix', port: postfix.reusedPort, stop: () => postfix.stop() };
  }
  const port = await freePort();
  const main = fileURLToPath(new URL('../loadgen/sink-main.ts', import.meta.url));
  const sink = await startServer({
    name: 'sink',
    command: [process.execPath, main, '--direct', '--listen', `127.0.0.1:${port}`],
    readyWord: 'listens',
    port,
    outputFile: join(folder, 'sink.log'),
  });
  return { name: 'sink', port, stop: () => sink.stop() };
}

const histogram = (): Histogram =>
  build({ lowestDiscernibleValue: 1, highestTrackableValue: TRIP_NS_MAX, numberOfSignificantValueDigits: 3 });

let names = 0;

const kinds = [FURTHER, FIRST, DOT] as const;
type Kind = (typeof kinds)[number];
type Block = Readonly<Record<Kind, readonly number[]>>;

/** One message: the nanoseconds of each command that is measured. */
async function block(asker: Asker): Promise<Block> {
  await asker.ask('MAIL FROM:<a@honest.example>', '250');
  const trips: number[] = [];
  for (let at = 0; at < RECIPIENTS; at++) {
    names += 1;
    trips.push(await asker.ask(`RCPT TO:<user${names}@example.com>`, '250'));
  }
  await asker.ask('DATA', '354');
  const dot = await asker.ask(message, '250');
  return { [FURTHER]: trips.slice(1), [FIRST]: trips.slice(0, 1), [DOT]: [dot] };
}

const medianOf = (trips: readonly number[]): number =>
  trips.toSorted((a, b) => a - b)[(trips.length - 1) >> 1] ?? 0;

async function measure(name: string): Promise<Trips[]> {
  const backend = await startBackend(name);
  const plan = { name: `sluice-${name}`, backendPort: backend.port, folder, sessionsMax: SESSIONS_MAX };
  const sluice = await startShipped({ ...plan, lines: values.set });
  try {
    // The client passes the tests of its first visit; the one that is measured is its second.
    const before = await Asker.open(sluice.port, CLIENT);
    await block(before);
    await before.close();
    const askers = {
      direct: await Asker.open(backend.port, CLIENT),
      through: await Asker.open(sluice.port, CLIENT),
    };
    const all = kinds.map((command) => ({
      backend: backend.name,
      command,
      direct: histogram(),
      through: histogram(),
      blocks: [] as { directNs: number; throughNs: number }[],
    }));
    for (let at = -warm; at < blocks; at++) {
      const order = (at & 1) === 0 ? (['direct', 'through'] as const) : (['through', 'direct'] as const);
      const made: Partial<Record<'direct' | 'through', Block>> = {};
      for (const way of order) made[way] = await block(askers[way]);
      if (at < 0) continue;
      for (const trips of all) {
        const [direct, through] = [made.direct![trips.command], made.through![trips.command]];
        for (const ns of direct) trips.direct.recordValue(ns);
        for (const ns of through) trips.through.recordValue(ns);
        trips.blocks.push({ directNs: medianOf(direct), throughNs: medianOf(through) });
      }
    }
    await askers.direct.close();
    await askers.through.close();
    return all;
  } finally {
    await sluice.stop();
    await backend.stop();
  }
}

const loadBefore = loadavg()[0]!.toFixed(1);
const all: Trips[] = [];
for (const name of values.backends.split(',')) all.push(...(await measure(name)));
const page = fastPathPage(
  {
    command: `node native-bench/fast-path.ts ${process.argv.slice(2).join(' ')}`.trimEnd(),
    facts: `${madeOn()} · load average ${loadBefore} before`,
    setting: `One client, one command at a time: ${blocks} blocks of ${RECIPIENTS} recipients each way, in turns, behind ${warm} blocks of warm-up. Sluice as shipped, reused lanes; every RCPT is answered by the
backend, none from memory. Client, Sluice and backend share the cores. There is no chance in it, so no seed.`,
    goalOf: FURTHER,
  },
  all,
);
process.stdout.write(page);
if (out !== '') writeFileSync(out, page);
