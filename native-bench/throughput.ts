/**
 * throughput — `node native-bench/throughput.ts [--messages 2000] [--rounds 7]`: messages a second through Sluice, beside Postfix alone
 *
 * One Postfix (native-bench/postfix), smtp-source with 20 sessions, and four ways that take turns within each round: straight to
 * Postfix as the world meets it, which counts the connections of each client; straight to one that does not, which is what it does
 * behind XCLIENT; through a Sluice whose lanes serve one client each; and through one whose lanes serve one client after another. Both
 * Sluices run as shipped; their client has passed the tests in a warm-up, as most clients of a busy MX have. Each round
 * has two shapes: one message a connection, and many. The order of the ways turns from round to round; Postfix's
 * queue is emptied between two runs. Goes to results/throughput.md.
 *
 * Client, Sluice and Postfix share the cores, so whatever CPU Sluice uses is missing elsewhere: that is a part of the figure. Needs
 * root and Debian's postfix. Two to four minutes with the usual numbers.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { madeOn } from './made-on.ts';
import { startPostfix } from './postfix.ts';
import type { BarePostfix } from './postfix.ts';
import { cpuWithEndedUs, endedChildrenCpuUs } from './proc.ts';
import { killAtExit } from './server.ts';
import type { Server } from './server.ts';
import { startShipped } from './shipped.ts';
import { shapeNames, shapes, throughputPage, wayNames } from './throughput-page.ts';
import type { Run, ShapeName, WayName } from './throughput-page.ts';

const SESSIONS = 20;
const SESSIONS_MAX = 5_000;
const BODY_BYTES = 2_000;
const WARM_MESSAGES = 4_000;
/** After a run, until its last log lines and children are through. */
const SETTLE_MS = 300;

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '2000' },
    rounds: { type: 'string', default: '7' },
    shapes: { type: 'string', default: shapeNames.join(',') },
    ways: { type: 'string', default: wayNames.join(',') },
    /** A line of Sluice's configuration, as `engine.shards=1`; may be said more than once. */
    set: { type: 'string', multiple: true, default: [] },
    warm: { type: 'string', default: String(WARM_MESSAGES) },
    out: { type: 'string' },
  },
});
const [messages, rounds] = [Number(values.messages), Number(values.rounds)];
const chosenShapes = shapeNames.filter((name) => values.shapes.split(',').includes(name));
const chosenWays = wayNames.filter((name) => values.ways.split(',').includes(name));
const out = values.out ?? fileURLToPath(new URL('../results/throughput.md', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'sluice-throughput-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

const startSluice = (name: 'fresh' | 'reused', backendPort: number): Promise<Server> =>
  startShipped({ name, backendPort, folder, sessionsMax: SESSIONS_MAX, lines: values.set });

/** smtp-source to its end; the seconds it took. */
async function send(port: number, count: number, shape: ShapeName): Promise<number> {
  const args = ['-s', SESSIONS, '-m', count, '-l', BODY_BYTES, '-M', 'source.example.org'];
  const envelope = ['-f', 'a@honest.example', '-t', 'user@example.com', `inet:127.0.0.1:${port}`];
  const beganMs = performance.now();
  const child = spawn('smtp-source', [...args.map(String), ...shapes[shape].flags, ...envelope], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  killAtExit(child);
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0 || said !== '') throw new Error(`smtp-source ended with ${String(code)}: ${said}`);
  return (performance.now() - beganMs) / 1_000;
}

type Servers = Readonly<Record<WayName, { readonly port: number; readonly sluice: Server | null }>>;

async function measure(
  postfix: BarePostfix,
  servers: Servers,
  shape: ShapeName,
  way: WayName,
  count: number,
): Promise<Run> {
  const { port, sluice } = servers[way];
  const sluiceUs = (): number => (sluice === null ? 0 : cpuWithEndedUs(sluice.pid));
  postfix.empty();
  const before = [sluiceUs(), cpuWithEndedUs(postfix.pid), endedChildrenCpuUs()] as const;
  const seconds = await send(port, count, shape);
  const clientUs = endedChildrenCpuUs() - before[2];
  await pause(SETTLE_MS);
  return {
    shape,
    way,
    seconds,
    messages: count,
    sluiceCpuSec: (sluiceUs() - before[0]) / 1e6,
    postfixCpuSec: (cpuWithEndedUs(postfix.pid) - before[1]) / 1e6,
    clientCpuSec: clientUs / 1e6,
  };
}

async function main(): Promise<void> {
  const loadBefore = loadavg()[0]!.toFixed(1);
  const postfix = await startPostfix();
  const fresh = await startSluice('fresh', postfix.port);
  const reused = await startSluice('reused', postfix.reusedPort);
  const servers: Servers = {
    direct: { port: postfix.publicPort, sluice: null },
    uncounted: { port: postfix.port, sluice: null },
    fresh: { port: fresh.port, sluice: fresh },
    reused: { port: reused.port, sluice: reused },
  };
  const made: Run[][] = [];
  try {
    for (const way of chosenWays) await measure(postfix, servers, 'one', way, Number(values.warm));
    for (let at = 0; at < rounds; at++) {
      const round: Run[] = [];
      for (const shape of chosenShapes) {
        for (let turn = 0; turn < chosenWays.length; turn++) {
          const way = chosenWays[(at + turn) % chosenWays.length]!;
          const run = await measure(postfix, servers, shape, way, messages);
          round.push(run);
          const cpu = [run.sluiceCpuSec, run.postfixCpuSec, run.clientCpuSec].map((sec) => sec.toFixed(2));
          process.stderr.write(
            `round ${at + 1} of ${rounds}: ${shape} ${way} ${(messages / run.seconds).toFixed(0)}/s, CPU s ${cpu.join(' ')}\n`,
          );
        }
      }
      made.push(round);
    }
  } finally {
    await Promise.all([fresh.stop(), reused.stop()]);
    await postfix.stop();
  }
  const command = `node native-bench/throughput.ts ${process.argv.slice(2).join(' ')}`.trimEnd();
  const page = throughputPage(
    {
      command,
      facts: `${madeOn()} · load average ${loadBefore} before`,
      setting: `${messages.toLocaleString('en')} messages of ${BODY_BYTES.toLocaleString('en')} bytes a run, ${SESSIONS} sessions at a time; Sluice as shipped (early verification, its log on), 20 connections to Postfix at most. \
Postfix counts the connections of its direct clients (\`smtpd_client_connection_count_limit = 50\`), as shipped; in the second line it does not. \
Client, Sluice and Postfix share the cores. There is no chance in it, so no seed.`,
    },
    made,
  );
  process.stdout.write(page);
  if (out !== '') writeFileSync(out, page);
}

await main();
