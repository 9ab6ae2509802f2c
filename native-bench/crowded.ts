/**
 * crowded — `node native-bench/crowded.ts [--zombies 20000] [--seed 1]`: honest mail into Postfix while zombies hold sessions
 *
 * Sluice as shipped in front of a Postfix. Honest senders alone, until each is of good standing; measured for a while; then
 * measured again while the zombies are attached, as many as were asked for, those that leave being replaced; and
 * once more when they have gone. Honest times are those of the simulator's HDR histograms, connect to 250. How many
 * connections Postfix had at once is told by its own log, so no moment is missed. Goes to results/crowded.md.
 *
 * The limit of open files counts per process: the zombies are several processes, and Sluice makes several of itself. All of it
 * shares the cores of one machine. Needs root and Debian's postfix. Bounded in time, about four minutes.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { LoadResult } from '../loadgen/load.ts';
import { honestTroubles } from '../loadgen/report.ts';
import { crowdedPage } from './crowded-page.ts';
import type { Phase } from './crowded-page.ts';
import { madeOn } from './made-on.ts';
import { startPostfix } from './postfix.ts';
import { cpuWithEndedUs, openFilesMax } from './proc.ts';
import { killAtExit } from './server.ts';
import { startShipped } from './shipped.ts';

const HONEST_ADDRESSES = 100;
const WARM_SEC = 20;
const GRACE_SEC = 20;
/** All zombies have to be there by then. */
const FILL_SEC_MAX = 120;
/** That many percent of the zombies asked for have to be attached before honest mail is measured. */
const ATTACHED_PERCENT = 95;
/** Less CPU than this in a second is rest. */
const CALM_CPU_US = 50_000;
const CALM_SEC_MAX = 60;
const FILES_SPARE = 500;
const CONNECTIONS_MAX = 20;

const { values } = parseArgs({
  options: {
    zombies: { type: 'string', default: '20000' },
    population: { type: 'string', default: 'mixed' },
    rate: { type: 'string', default: '600' },
    honest: { type: 'string', default: '30' },
    seconds: { type: 'string', default: '40' },
    seed: { type: 'string', default: '1' },
    set: { type: 'string', multiple: true, default: [] },
    out: { type: 'string' },
  },
});
const [zombies, rate, honest] = [Number(values.zombies), Number(values.rate), Number(values.honest)];
const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
const loadMain = fileURLToPath(new URL('../loadgen/main.ts', import.meta.url));
const out = values.out ?? fileURLToPath(new URL('../results/crowded.md', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'sluice-crowded-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

interface Simulator {
  /** Zombies that are connected just now. */
  readonly open: number;
  /** Its result, when it has ended. */
  readonly ended: Promise<LoadResult>;
  stop(): void;
}

let simulators = 0;

/** The simulator in a process of its own. */
function simulate(port: number, flags: Readonly<Record<string, string | number | boolean>>): Simulator {
  simulators += 1;
  const base = join(folder, `load-${simulators}`);
  const all = { target: `127.0.0.1:${port}`, grace: GRACE_SEC, out: base, ...flags };
  const words = Object.entries(all).flatMap(([name, value]) =>
    typeof value === 'boolean' ? [`--${name}`] : [`--${name}`, String(value)],
  );
  const child = spawn(process.execPath, [loadMain, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  killAtExit(child);
  let open = 0;
  let said = '';
  const hear = (bytes: Buffer): void => {
    said = `${said}${bytes.toString()}`.slice(-4_000);
    const glances = [...said.matchAll(/zombies (\d+) open/g)];
    open = Number(glances.at(-1)?.[1] ?? open);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const ended = once(child, 'exit').then((): LoadResult => {
    try {
      return JSON.parse(readFileSync(`${base}.json`, 'utf8')) as LoadResult;
    } catch {
      throw new Error(`the simulator ended without a result:\n${said}`);
    }
  });
  ended.catch(() => {
    /* Whoever awaits it hears. */
  });
  return {
    get open() {
      return open;
    },
    ended,
    stop: () => void child.kill('SIGTERM'),
  };
}

const postfix = await startPostfix();
const lines = [`backend.max_connections = ${CONNECTIONS_MAX}`, ...values.set];
const sluice = await startShipped({
  name: 'sluice',
  backendPort: postfix.reusedPort,
  folder,
  sessionsMax: Math.ceil(zombies * 1.5) + 1_000,
  lines,
});

const honestFor = (sec: number, ownSeed: number, perSec = honest): Simulator =>
  simulate(sluice.port, {
    population: 'honest',
    sessions: 0,
    honest: perSec,
    'honest-addresses': HONEST_ADDRESSES,
    duration: sec,
    seed: ownSeed,
  });

/** Honest senders for a while, beside the crowd that there is. */
async function measure(name: string, ownSeed: number, crowd: readonly Simulator[]): Promise<Phase> {
  const cpu = (): readonly [number, number] => [cpuWithEndedUs(sluice.pid), cpuWithEndedUs(postfix.pid)];
  const before = cpu();
  const run = honestFor(seconds, ownSeed);
  const held = (): number => crowd.reduce((sum, one) => sum + one.open, 0);
  let [heldMin, heldMax] = [held(), held()];
  const look = setInterval(() => {
    heldMin = Math.min(heldMin, held());
    heldMax = Math.max(heldMax, held());
  }, 500);
  const result = await run.ended.finally(() => clearInterval(look));
  const after = cpu();
  const times = result.kinds.find((kind) => kind.honest)?.deliverMs;
  process.stderr.write(`${[`${name}: ${JSON.stringify(times)}`, ...honestTroubles(result)].join('\n')}\n`);
  return {
    name,
    result,
    heldMin,
    heldMax,
    sluiceCpuSec: (after[0] - before[0]) / 1e6,
    postfixCpuSec: (after[1] - before[1]) / 1e6,
  };
}

/** Lets the crowd come; resolves when it is there. */
async function attach(): Promise<Simulator[]> {
  const processes = Math.ceil(zombies / (openFilesMax() - FILES_SPARE));
  const crowd = Array.from({ length: processes }, (_, at) =>
    simulate(sluice.port, {
      population: values.population,
      sessions: Math.ceil(zombies / processes),
      rate: Math.ceil(rate / processes),
      keep: true,
      honest: 0,
      duration: FILL_SEC_MAX + seconds + 2 * GRACE_SEC,
      seed: seed + 100 + at,
    }),
  );
  const wanted = (zombies * ATTACHED_PERCENT) / 100;
  const held = (): number => crowd.reduce((sum, one) => sum + one.open, 0);
  const lastMs = performance.now() + FILL_SEC_MAX * 1_000;
  while (held() < wanted && performance.now() < lastMs) await pause(250);
  process.stderr.write(`${held()} zombies are attached\n`);
  return crowd;
}

/** Waits until Sluice is done with those that have left. */
async function calm(): Promise<void> {
  const lastMs = performance.now() + CALM_SEC_MAX * 1_000;
  for (let before = -Infinity; performance.now() < lastMs; await pause(1_000)) {
    const now = cpuWithEndedUs(sluice.pid);
    if (now - before < CALM_CPU_US) return;
    before = now;
  }
}

const loadBefore = loadavg()[0]!.toFixed(1);
const phases: Phase[] = [];
let came = 0;
let delivered = 0;
let log = '';
try {
  await honestFor(WARM_SEC, seed, HONEST_ADDRESSES / 2).ended;
  phases.push(await measure('alone', seed + 1, []));
  const crowd = await attach();
  phases.push(await measure('beside the crowd', seed + 2, crowd));
  for (const one of crowd) one.stop();
  for (const { kinds } of await Promise.all(crowd.map(({ ended }) => ended))) {
    came += kinds.reduce((sum, kind) => sum + kind.started, 0);
    delivered += kinds.reduce((sum, kind) => sum + kind.messages.told2xx, 0);
  }
  await calm();
  phases.push(await measure('alone again', seed + 3, []));
} finally {
  await sluice.stop();
  log = postfix.log();
  await postfix.stop();
}
const many = (count: number): string => count.toLocaleString('en');
const page = crowdedPage(
  {
    title: `Honest mail beside ${many(zombies)} zombies, into a real Postfix`,
    command: `node native-bench/crowded.ts ${process.argv.slice(2).join(' ')}`.trimEnd(),
    facts: `${madeOn()} · load average ${loadBefore} before · seed ${seed}`,
    setting: `${honest} honest sessions a second from ${HONEST_ADDRESSES} addresses, all of good standing; ${seconds} s each time. Population \`${values.population}\`, up to ${many(rate)} new zombies a second.
Sluice as shipped, ${CONNECTIONS_MAX} connections to Postfix at most. Senders, zombies, Sluice and Postfix share the cores.`,
    connectionsMax: CONNECTIONS_MAX,
    zombies: `${many(came)} zombies came in all, and ${many(delivered)} messages of theirs were told 250.`,
  },
  phases,
  log,
  'postfix/reused',
);
process.stdout.write(page);
if (out !== '') writeFileSync(out, page);
