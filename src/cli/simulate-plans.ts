/**
 * simulate-plans — the configurations that `sluice simulate` compares: one, or the product of all `--sweep`s
 *
 * Each plan is the configuration with a few values changed, read and checked as a file would be: what `sluice check` refuses is
 * not simulated.
 */
import { parse, stringify } from 'smol-toml';
import { ConfigError } from '../config/config-error.ts';
import type { Config } from '../config/config.ts';
import { dumpFile } from '../config/describe.ts';
import { loadConfig, parseConfig } from '../config/load.ts';
import { patienceProblems } from '../policy/patience.ts';
import type { Sweep, SweptValue } from './simulate-flags.ts';

/** One configuration under its name. */
export interface NamedPlan {
  /** "shape.reply_delay=5s", or "as configured". */
  readonly name: string;
  readonly config: Config;
}

/** More plans than this are a mistake in the making. */
export const PLANS_MAX = 500;

/** What is simulated when no file is named: the defaults, and a DNS list, without which nobody should run. */
const USUAL = `hostname = "mx.example.net"
[[dnsxl]]
zone = "list.example.org"
weight = 3
`;

/** The plans: of a file, or of the defaults when `fileName` is ''. Throws ConfigError. */
export function plansOf(fileName: string, sweeps: readonly Sweep[]): readonly NamedPlan[] {
  const base = fileName === '' ? parseConfig(USUAL, 'defaults') : loadConfig(fileName);
  const count = sweeps.reduce((plans, { values }) => plans * values.length, 1);
  if (count > PLANS_MAX)
    throw new ConfigError([`${count} plans are more than ${PLANS_MAX}: sweep fewer settings or values`]);
  if (sweeps.length === 0) return [checked({ name: 'as configured', config: base })];
  return product(sweeps).map((choice) => {
    const name = choice.map(({ section, key, value }) => `${section}.${key}=${value}`).join(' ');
    const file = parse(dumpFile(base)) as Record<string, Record<string, unknown>>;
    for (const { section, key, value } of choice) file[section] = { ...file[section], [key]: value };
    return checked({ name, config: configOf(stringify(file), name) });
  });
}

interface Choice {
  readonly section: string;
  readonly key: string;
  readonly value: SweptValue;
}

function product(sweeps: readonly Sweep[]): readonly (readonly Choice[])[] {
  let choices: readonly (readonly Choice[])[] = [[]];
  for (const { section, key, values } of sweeps)
    choices = choices.flatMap((choice) => values.map((value) => [...choice, { section, key, value }]));
  return choices;
}

/** Places in a file that nobody has seen say nothing: problems are told by the plan alone. */
function configOf(text: string, name: string): Config {
  try {
    return parseConfig(text, 'plan');
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(
      error.problems.map((problem) => `${name}: ${problem.replace(/^plan:\d+:\d+: /, '')}`),
    );
  }
}

/** What `run` refuses is not simulated. */
function checked(plan: NamedPlan): NamedPlan {
  const problems = patienceProblems(plan.config);
  if (problems.length > 0) throw new ConfigError(problems.map((problem) => `${plan.name}: ${problem}`));
  return plan;
}
