/**
 * simulate — `sluice simulate`: what a configuration would do to a population, on a virtual clock
 *
 * An hour of a hundred thousand zombies takes half a minute of one core. With --sweep each combination of values is a plan; all
 * plans meet the same crowds, one for each seed, in as many threads as there are cores, and are told by their frontier. The
 * figures follow from the command line, the configuration and this version of Sluice alone.
 *
 * Out: exit 0; 78 for a configuration that is wrong.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, extname } from 'node:path';
import type { Figures } from '../../loadgen/virtual/figures.ts';
import { populations } from '../../loadgen/populations.ts';
import type { PopulationName } from '../../loadgen/populations.ts';
import type { TownOrder } from '../../loadgen/virtual/town.ts';
import { readDuration } from '../config/units.ts';
import { hasNetworks, shareLists } from '../policy/lists.ts';
import type { ListsMemory } from '../policy/lists.ts';
import { compileLists } from '../primary/list-files.ts';
import { exitCodes } from './exit.ts';
import { complain, jsonText, print } from './output.ts';
import type { Sweep } from './simulate-flags.ts';
import { plansOf } from './simulate-plans.ts';
import type { NamedPlan } from './simulate-plans.ts';
import simulate from './simulate-task.ts';
import { markdownOf, pictureOf, textOf } from './simulate-text.ts';
import type { PlanResult, SimulationResult } from './simulate-text.ts';

/** What the command line says. */
export interface SimulateOptions {
  /** '' for the defaults as shipped, with one DNS list. */
  readonly config: string;
  readonly population: PopulationName;
  readonly sessions: number;
  readonly honest: number;
  readonly duration: string;
  readonly seeds: readonly number[];
  readonly sweeps: readonly Sweep[];
  readonly json: boolean;
  /** A file for the picture; '' for none. */
  readonly plot: string;
  /** A report goes to this name with .md and .svg; '' for none. */
  readonly out: string;
  /** The command that gives it again, for the report. */
  readonly command: string;
}

/** Runs all plans with all seeds, prints, writes. Throws ConfigError. */
export async function simulateVerb(options: SimulateOptions): Promise<number> {
  const plans = plansOf(options.config, options.sweeps);
  const hasZombies = Object.keys(populations[options.population].shares).length > 0;
  const sessions = hasZombies ? options.sessions : 0;
  const lists = compileLists(plans[0]!.config);
  const startMs = performance.now();
  const result: SimulationResult = {
    command: options.command,
    population: options.population,
    sessions,
    honest: options.honest,
    durationMs: readDuration(options.duration) ?? 0,
    seeds: options.seeds,
    plans: await runAll(plans, hasNetworks(lists) ? shareLists(lists) : null, { ...options, sessions }),
  };
  print(options.json ? jsonText(result) : textOf(result));
  if (options.plot !== '') writeOut(options.plot, pictureOf(result));
  if (options.out !== '') {
    writeOut(`${options.out}.svg`, pictureOf(result));
    const tookMs = Math.round(performance.now() - startMs);
    const peakMb = Math.round(process.resourceUsage().maxRSS / 1_024);
    writeOut(`${options.out}.md`, markdownOf(result, options.out, { tookMs, peakMb }));
  }
  return exitCodes.good;
}

async function runAll(
  plans: readonly NamedPlan[],
  lists: ListsMemory | null,
  options: SimulateOptions,
): Promise<readonly PlanResult[]> {
  const { population, sessions, honest, seeds } = options;
  const durationMs = readDuration(options.duration) ?? 0;
  const orders = plans.flatMap(({ config }) =>
    seeds.map((seed): TownOrder => {
      const order = { config, population, sessions, honest, durationMs, seed };
      return lists === null ? order : { ...order, lists };
    }),
  );
  const startMs = performance.now();
  let done = 0;
  const tell = (): void => {
    done += 1;
    const tookSec = ((performance.now() - startMs) / 1_000).toFixed(1);
    if (orders.length > 1) complain(`${done} of ${orders.length} runs after ${tookSec} s\n`);
  };
  const figures = await (orders.length === 1 ? [simulate(orders[0]!)] : inThreads(orders, tell));
  return plans.map(({ name }, at) => ({
    name,
    runs: figures.slice(at * seeds.length, (at + 1) * seeds.length),
  }));
}

/** All orders over the cores, their figures in the same sequence. */
async function inThreads(orders: readonly TownOrder[], tell: () => void): Promise<readonly Figures[]> {
  const { Piscina } = await import('piscina');
  const task = new URL(`./simulate-task${extname(new URL(import.meta.url).pathname)}`, import.meta.url);
  const threads = Math.min(orders.length, availableParallelism());
  const pool = new Piscina<TownOrder, Figures>({
    filename: task.href,
    minThreads: threads,
    maxThreads: threads,
  });
  try {
    return await Promise.all(
      orders.map(async (order) => {
        const figures = await pool.run(order);
        tell();
        return figures;
      }),
    );
  } finally {
    await pool.destroy();
  }
}

function writeOut(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
