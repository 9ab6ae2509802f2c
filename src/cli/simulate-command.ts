/**
 * simulate-command — `sluice simulate`, as the command line spells it
 *
 * What can be wrong with an option is told before anything is read or run. Populations and settings are looked at only when the
 * verb is called: the other verbs do not pay for them.
 */
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { readDuration } from '../config/units.ts';
import { exitCodes } from './exit.ts';
import { whole } from './option-kinds.ts';

const SEEDS_MAX = 100;
const SEED_MAX = 0xffff_ffff;
const DURATION_MAX_MS = 7 * 24 * 3_600_000;

interface Flags {
  readonly config?: string;
  readonly population: string;
  readonly sessions: number;
  readonly honest: number;
  readonly duration: string;
  readonly seeds: readonly number[];
  readonly sweep: readonly string[];
  readonly json?: true;
  readonly plot?: string;
  readonly out?: string;
}

/** Adds the verb. `args`: the command line as it was written, for the report. */
export function addSimulate(program: Command, args: readonly string[], finish: (code: number) => void): void {
  const verb = program
    .command('simulate')
    .description(
      'a population against a configuration on a virtual clock: an hour of botnet in half a minute',
    )
    .option('-c, --config <file>', 'configuration file; without it, the defaults and one DNS list')
    .option('--population <name>', 'which zombies; a name that is none lists them', '2009')
    .option('--sessions <count>', 'zombies in all', whole(0, 900_000), 100_000)
    .option('--honest <count>', 'honest messages in all', whole(0, 100_000), 5_000)
    .option('--duration <time>', 'virtual time within which they come', time, '1h')
    .option('--seeds <list>', 'one run for each, such as 7 or 1..3 or 1,5,9', seedList, [1])
    .option(
      '--sweep <key=values>',
      'compare plans: shape.reply_delay=5s,15s; may come several times',
      more,
      [],
    )
    .option('--json', 'for programs')
    .option('--plot <file>', 'draw when zombies left, or the frontier of plans, as SVG')
    .option('--out <base>', 'write a report to <base>.md and <base>.svg')
    .action(async (flags: Flags) => {
      const { readPopulation, readSweeps } = await import('./simulate-flags.ts');
      const population = readPopulation(flags.population);
      if ('wrong' in population)
        return verb.error(`error: ${population.wrong}`, { exitCode: exitCodes.usage });
      const sweeps = readSweeps(flags.sweep);
      if ('wrong' in sweeps) return verb.error(`error: ${sweeps.wrong}`, { exitCode: exitCodes.usage });
      const { simulateVerb } = await import('./simulate.ts');
      const { config = '', plot = '', out = '', sessions, honest, duration, seeds } = flags;
      return finish(
        await simulateVerb({
          config,
          population: population.name,
          sessions,
          honest,
          duration,
          seeds,
          sweeps: sweeps.sweeps,
          json: flags.json === true,
          plot,
          out,
          command: ['npm run sluice --', ...args].join(' '),
        }),
      );
    });
}

function time(text: string): string {
  const full = /^[0-9]+$/.test(text) ? `${text}s` : text;
  const ms = readDuration(full) ?? 0;
  if (ms > 0 && ms <= DURATION_MAX_MS) return full;
  throw new InvalidArgumentError('Want a duration up to 7d, such as 1h or 10min.');
}

function seedList(text: string): readonly number[] {
  const range = /^(\d{1,10})\.\.(\d{1,10})$/.exec(text);
  const [from, to] = [Number(range?.[1]), Number(range?.[2])];
  const isGoodRange = range !== null && from <= to && to - from < SEEDS_MAX;
  const list = isGoodRange
    ? Array.from({ length: to - from + 1 }, (_, at) => from + at)
    : text.split(',').map((one) => (/^\d{1,10}$/.test(one) ? Number(one) : Number.NaN));
  const unique = [...new Set(list)];
  if (unique.length <= SEEDS_MAX && unique.every((seed) => seed >= 0 && seed <= SEED_MAX)) return unique;
  throw new InvalidArgumentError(`Want up to ${SEEDS_MAX} seeds, such as 7 or 1..3 or 1,5,9.`);
}

/** Collects an option that may come several times. */
function more(text: string, before: readonly string[]): readonly string[] {
  return [...before, text];
}
