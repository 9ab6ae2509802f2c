/**
 * client-commands — the verbs about clients, as the command line spells them
 *
 * What an address may look like is checked here, before anybody is asked.
 */
import type { Command } from 'commander';
import { Argument, InvalidArgumentError, Option } from 'commander';
import { askedFor, askedWants } from '../admin/asked.ts';
import { LIMIT_MAX, REACH_MAX } from '../admin/listing.ts';
import { networkFault } from '../config/addresses.ts';
import { readDuration } from '../config/units.ts';
import { hashedNames } from '../reputation/names.ts';
import type { ClientOptions, ListOptions } from './client-verbs.ts';
import { whole } from './option-kinds.ts';

type Finish = (code: number) => void;

/** Adds `explain`, `families`, `recipients` and `ip` to the program. `file`: the usual configuration file. */
export function addClientCommands(program: Command, file: string, finish: Finish): void {
  const withPlace = (command: Command): Command =>
    command
      .option('-c, --config <file>', 'configuration file of the Sluice that runs', file)
      .option('--socket <path>', 'its admin.socket, if not that of the file')
      .option('--json', 'print the answer as JSON');

  withPlace(program.command('explain').addArgument(address()))
    .description('what would be done with a client now, and on which evidence')
    .action(async (name: string, options: ClientOptions) =>
      finish(await (await import('./client-verbs.ts')).explainVerb(name, options)),
    );

  withPlace(program.command('families'))
    .description('families of zombies: share, patience, dialect, networks; and when sessions leave')
    .action(async (options: ClientOptions) =>
      finish(await (await import('./client-verbs.ts')).familiesVerb(options)),
    );

  const recipients = program.command('recipients').description('what is remembered of recipients');
  withPlace(recipients.command('flush'))
    .description('forget it: the backend is asked about every name again')
    .action(async (options: ClientOptions) =>
      finish(await (await import('./client-verbs.ts')).flushRecipientsVerb(options)),
    );

  const ip = program.command('ip').description('what is remembered of clients and networks');
  addList(withPlace(ip.command('list')), finish);
  withPlace(ip.command('show').addArgument(address()))
    .description('print one entry')
    .action(async (name: string, options: ClientOptions) =>
      finish(await (await import('./client-verbs.ts')).showVerb(name, options)),
    );
  for (const mark of ['allow', 'deny'] as const) {
    withPlace(ip.command(mark).addArgument(address()))
      .description(mark === 'allow' ? 'never test or delay it' : 'always refuse it')
      .option('--until <time>', 'for so long, such as 2h or 30d; for ever otherwise', time)
      .action(async (name: string, options: ClientOptions & { until?: string }) =>
        finish(await (await import('./client-verbs.ts')).markVerb(mark, name, options)),
      );
  }
  withPlace(ip.command('forget').addArgument(address()))
    .description('forget all that is known of it, marks included')
    .action(async (name: string, options: ClientOptions) =>
      finish(await (await import('./client-verbs.ts')).forgetVerb(name, options)),
    );
  withPlace(ip.command('export'))
    .description('print everything as lines of JSON')
    .action(async (options: ClientOptions) =>
      finish(await (await import('./client-verbs.ts')).exportVerb(options)),
    );
  withPlace(ip.command('import').argument('<file>', 'what export printed; - for standard input'))
    .description('take in what another Sluice exported: all of it, or nothing')
    .action(async (source: string, options: ClientOptions) =>
      finish(await (await import('./client-verbs.ts')).importVerb(source, options)),
    );
}

function addList(command: Command, finish: Finish): void {
  command
    .description('list entries, the worst score first')
    .addOption(new Option('--kind <kind>', 'only these').choices(['host', 'network', 'pool', 'tuple']))
    .addOption(new Option('--mark <mark>', 'only these').choices(['none', 'allow', 'deny', 'trap']))
    .option('--min <score>', 'this score or more', points)
    .option('--max <score>', 'this score or less', points)
    .option('--network <cidr>', 'only in this network', cidr)
    .addOption(new Option('--sort <by>', 'what comes first').choices(['score', 'seen']).default('score'))
    .option('--offset <count>', 'leave out so many', whole(0, REACH_MAX - LIMIT_MAX), 0)
    .option('--limit <count>', 'at most so many', whole(1, LIMIT_MAX), 50)
    .action(async (options: ListOptions) =>
      finish(await (await import('./client-verbs.ts')).listVerb(options)),
    );
}

/** Whatever some Sluice could take: addresses, and hashes. */
const anyNames = hashedNames(() => undefined, '');

function address(): Argument {
  return new Argument(
    '<address>',
    '192.0.2.7, 192.0.2.0/24, 2001:db8::7, 2001:db8::/48, or a name of the log',
  ).argParser((text) => {
    if (askedFor(text, anyNames) !== null) return text;
    throw new InvalidArgumentError(adviceFor(text));
  });
}

/** What is wanted instead; a network of another size has one of the right size around it or in it. */
function adviceFor(text: string): string {
  const sentence = `${askedWants[0]!.toUpperCase()}${askedWants.slice(1)}.`;
  if (networkFault(text) !== undefined) return sentence;
  return `${sentence} Networks are remembered as /24 and /48; others can stand in lists of the configuration.`;
}

function points(text: string): string {
  if (/^-?[0-9]{1,4}$/.test(text) && Math.abs(Number(text)) <= 1_000) return text;
  throw new InvalidArgumentError('Want a score, -1000 to 1000.');
}

function cidr(text: string): string {
  const fault = networkFault(text);
  if (fault === undefined) return text;
  throw new InvalidArgumentError(`Want ${fault.want}.`);
}

function time(text: string): string {
  if ((readDuration(text) ?? 0) > 0) return text;
  throw new InvalidArgumentError('Want a duration such as 2h or 30d.');
}
