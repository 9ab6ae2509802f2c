/**
 * main — the command line: verbs, options, exit codes
 *
 * Verbs are loaded when they are called, so that `sluice check` does not pay for the engine. A verb returns
 * its exit code; nothing here ends the process, so that output is written out first.
 *
 * In: the arguments behind the program's name.   Out: 0 good, 1 failed, 2 usage, 78 bad configuration.
 */
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { ConfigError } from '../config/config-error.ts';
import { readDuration } from '../config/units.ts';
import { addClientCommands } from './client-commands.ts';
import { exitCodes } from './exit.ts';
import { whole } from './option-kinds.ts';
import { complain, print, tolerateLostReaders } from './output.ts';
import { addSimulate } from './simulate-command.ts';

const FILE = '/etc/sluice/sluice.toml';

/** Runs one command line and returns its exit code. */
export async function main(args: readonly string[], version: string): Promise<number> {
  tolerateLostReaders();
  let code: number = exitCodes.good;
  const program = commands(version, args, (result) => (code = result));
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    return failureOf(error);
  }
}

function commands(version: string, args: readonly string[], finish: (code: number) => void): Command {
  const program = new Command('sluice')
    .description(
      'An SMTP front end for busy MX hosts: zombies wait, honest mail goes through in the same session.',
    )
    .version(version)
    .exitOverride()
    .configureOutput({ writeOut: print, writeErr: complain })
    .addHelpText('after', '\nExit codes: 0 good, 1 failed, 2 wrong command line, 78 wrong configuration.');

  program
    .command('run')
    .description('run in the foreground; SIGTERM drains, a second one stops')
    .option('-c, --config <file>', 'configuration file', FILE)
    .action(async (options: { config: string }) => finish(await (await import('./run.ts')).runVerb(options)));

  program
    .command('check')
    .description('say whether a configuration is good, and what a client waits for at worst')
    .option('-c, --config <file>', 'configuration file', FILE)
    .option('--live', 'connect to the backend too')
    .action(async (options: { config: string; live?: true }) =>
      finish(
        await (await import('./check.ts')).checkVerb({ config: options.config, live: options.live === true }),
      ),
    );

  program
    .command('demo')
    .description('engine, mail server, zombies and honest senders on loopback; stops by itself')
    .option('--sessions <count>', 'zombies at once', whole(1, 1_000_000), 2_000)
    .option('--duration <time>', 'how long, such as 60s or 2min', time, '60s')
    .option('--seed <number>', 'the same number gives the same crowd', whole(0, 0xffff_ffff), 1)
    .action(async (options: { sessions: number; duration: string; seed: number }) =>
      finish(await (await import('./demo.ts')).demoVerb(options)),
    );

  program
    .command('report')
    .description(
      'sum up the log: who was slowed or refused, or would have been, and whose mail was accepted all the same',
    )
    .argument('[file...]', 'logs of Sluice, packed by gzip or not; otherwise standard input')
    .option('--since <time>', 'only the last so long, such as 24h or 7d', time)
    .option('--top <count>', 'rows of each list of clients and networks', whole(1, 512), 10)
    .option('--json', 'for programs')
    .action(async (files: readonly string[], options: { since?: string; top: number; json?: true }) =>
      finish(
        await (
          await import('./report.ts')
        ).reportVerb(files, {
          json: options.json === true,
          sinceMs: options.since === undefined ? Infinity : readDuration(options.since)!,
          top: options.top,
        }),
      ),
    );

  const dnsxl = program.command('dnsxl').description('DNS lists of clients');
  dnsxl
    .command('test')
    .description('ask each list for its test entries, and about an address; 1 when a list is broken')
    .argument('[address]', 'say what each list has about this address too')
    .option('-c, --config <file>', 'configuration file', FILE)
    .option('--json', 'for programs')
    .action(async (address: string | undefined, options: { config: string; json?: true }) =>
      finish(
        await (
          await import('./dnsxl.ts')
        ).dnsxlTest({ config: options.config, address: address ?? null, json: options.json === true }),
      ),
    );
  addClientCommands(program, FILE, finish);
  addSimulate(program, args, finish);

  const config = program
    .command('config')
    .description('print an example file, its JSON Schema, or the settings in effect');
  config
    .command('example')
    .description('print a commented file with every setting')
    .action(async () => finish((await import('./config-verb.ts')).configExample()));
  config
    .command('schema')
    .description('print the JSON Schema, for editors')
    .action(async () => finish((await import('./config-verb.ts')).configSchemaVerb()));
  config
    .command('dump')
    .description('print the settings in effect, defaults included')
    .option('-c, --config <file>', 'configuration file', FILE)
    .action(async (options: { config: string }) =>
      finish((await import('./config-verb.ts')).configDump(options)),
    );
  return program;
}

function time(text: string): string {
  const full = /^[0-9]+$/.test(text) ? `${text}s` : text;
  if ((readDuration(full) ?? 0) > 0) return full;
  throw new InvalidArgumentError('Want a duration such as 60s or 2min.');
}

function failureOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.good : exitCodes.usage;
  if (error instanceof ConfigError) {
    complain(error.problems.map((problem) => `${problem}\n`).join(''));
    return exitCodes.config;
  }
  complain(`sluice: ${reasonOf(error)}\n`);
  return exitCodes.failed;
}

/** A refusal of the system in one line; the whole trace for a fault of our own. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'syscall' in error ? error.message : (error.stack ?? error.message);
}
