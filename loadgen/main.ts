/**
 * main — the zombie simulator as a program
 *
 * npm run load -- --target 127.0.0.1:2525 --population mixed --sessions 10000 --rate 500 --honest 50
 *   --duration 60 --seed 7
 *
 * Prints one line a second and a table at the end; exit 0 when every honest session finished, 1 when one did
 * not or the run could not begin.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { curves } from './arrivals.ts';
import type { Curve } from './arrivals.ts';
import { Load } from './load.ts';
import { connectionsMax, parseTarget, planDefaults } from './plan.ts';
import type { Plan, Target } from './plan.ts';
import { populations } from './populations.ts';
import type { PopulationName } from './populations.ts';
import { glanceLine, honestTroubles, textOf, writeResults } from './report.ts';

/** Files a process has open before the first connection. */
const FILES_OF_OUR_OWN = 64;

interface Flags {
  target: Target;
  population: PopulationName;
  sessions: number;
  rate: number;
  curve: Curve;
  keep: boolean;
  honest: number;
  honestSessions: number;
  honestAddresses: number;
  duration: number;
  grace: number;
  seed: number;
  domain: string;
  patience: number;
  out: string;
  ledger: string;
}

const whole = (text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('it is a whole number, 0 or more.');
  return Number(text);
};
const target = (text: string): Target => {
  try {
    return parseTarget(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
};

function readFlags(): Flags {
  const d = planDefaults;
  const kinds = Object.entries(populations).map(
    ([name, population]) => `  ${name.padEnd(15)}${population.says}`,
  );
  return new Command('load')
    .description('zombies and honest senders against an SMTP server on this machine')
    .addOption(
      new Option('--target <address:port>', 'a server in 127.0.0.0/8')
        .argParser(target)
        .default(d.target, '127.0.0.1:2525'),
    )
    .addOption(
      new Option('--population <name>', 'which zombies')
        .choices(Object.keys(populations))
        .default(d.population),
    )
    .option('--sessions <n>', 'zombies in all', whole, d.sessions)
    .option('--rate <n>', 'new zombies a second', whole, d.rate)
    .addOption(
      new Option('--curve <name>', 'how the rate goes').choices(Object.keys(curves)).default(d.curve),
    )
    .option('--keep', 'hold as many zombies as --sessions says: one that leaves is replaced', false)
    .option('--honest <n>', 'honest sessions begun a second', whole, d.honestPerSecond)
    .option('--honest-sessions <n>', 'honest sessions in all, 0 for no limit', whole, d.honestSessions)
    .option('--honest-addresses <n>', 'addresses that honest senders come from', whole, d.honestAddresses)
    .option('--duration <s>', 'seconds until zombies are cut', whole, d.durationMs / 1_000)
    .option('--grace <s>', 'seconds more for honest sessions', whole, d.graceMs / 1_000)
    .option('--seed <n>', 'fixes who comes when and draws what', whole, d.seed)
    .option('--domain <name>', 'the domain mail is for', d.rcptDomain)
    .option(
      '--patience <percent>',
      "zombies' patience in percent of the published one",
      whole,
      d.patiencePercent,
    )
    .option('--out <base>', 'write <base>.json and <base>.md', '')
    .option('--ledger <file>', 'write what every message was told, one JSON line each', '')
    .addHelpText('after', `\nPopulations:\n${kinds.join('\n')}`)
    .parse()
    .opts<Flags>();
}

function planOf(flags: Flags): Plan {
  return {
    target: flags.target,
    population: flags.population,
    sessions: flags.sessions,
    rate: flags.rate,
    curve: flags.curve,
    keep: flags.keep,
    honestPerSecond: flags.honest,
    honestSessions: flags.honestSessions,
    honestAddresses: Math.max(1, flags.honestAddresses),
    durationMs: flags.duration * 1_000,
    graceMs: flags.grace * 1_000,
    seed: flags.seed,
    rcptDomain: flags.domain,
    patiencePercent: flags.patience,
    run: `load${flags.seed}`,
  };
}

/** The soft limit of open files, Infinity where it cannot be read. */
function openFilesMax(): number {
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return limit === null ? Infinity : Number(limit[1]);
  } catch {
    return Infinity;
  }
}

async function main(): Promise<number> {
  const flags = readFlags();
  const plan = planOf(flags);
  const filesNeeded = connectionsMax(plan) + FILES_OF_OUR_OWN;
  const filesMax = openFilesMax();
  if (filesNeeded > filesMax) {
    process.stderr.write(
      `this run may open ${filesNeeded} files, and the limit is ${filesMax}: raise it with "ulimit -n ${filesNeeded}", ` +
        'or lower --sessions or --honest\n',
    );
    return 1;
  }
  const load = new Load(plan);
  load.onSecond = (glance) => process.stdout.write(`${glanceLine(glance)}\n`);
  process.once('SIGINT', () => load.stop());
  process.once('SIGTERM', () => load.stop());
  const result = await load.run();
  process.stdout.write(`\n${textOf(result)}`);
  if (flags.out !== '') writeResults(flags.out, result);
  if (flags.ledger !== '') writeFileSync(flags.ledger, load.ledger.jsonLines());
  return honestTroubles(result).length === 0 ? 0 : 1;
}

process.exitCode = await main();
