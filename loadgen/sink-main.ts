/**
 * sink-main — the sink as a program: `node loadgen/sink-main.ts --listen 127.0.0.1:10025 --journal
 * stored.jsonl`
 *
 * Prints one line when it listens, its counters as one JSON line when it is told to stop (SIGTERM, SIGINT).
 */
import { Command, Option } from 'commander';
import { Sink } from './sink.ts';
import { dotAnswers, xclientModes } from './sink-options.ts';
import type { DotAnswer, XclientMode } from './sink-options.ts';

interface Flags {
  listen: string;
  hostname: string;
  xclient: XclientMode;
  direct: boolean;
  journal: string;
  fsync: boolean;
  looseEnd: boolean;
  greetDelay: number;
  replyDelay: number;
  dot: DotAnswer;
  mishaps: number;
  seed: number;
  namesAddresses: boolean;
}

const wholeNumber = (text: string): number => {
  if (!/^\d{1,12}$/.test(text)) throw new Error(`"${text}" is not a whole number`);
  return Number(text);
};

const flags = new Command('sink')
  .description('a sink MTA for tests: lists XCLIENT, stores hashes, can be slow or broken')
  .option('--listen <address>', 'loopback address and port', '127.0.0.1:10025')
  .option('--hostname <name>', 'name in the greeting', 'sink.example.com')
  .addOption(
    new Option('--xclient <mode>', 'how often XCLIENT is obeyed')
      .choices(Object.keys(xclientModes))
      .default('always'),
  )
  .option('--direct', 'take mail without an XCLIENT first', false)
  .option('--journal <file>', 'one JSON line per stored message, written before its 250', '')
  .option('--fsync', 'push each journal line to the disk', false)
  .option('--loose-end', 'accept bare newlines around the final dot', false)
  .option('--greet-delay <ms>', 'silence before each greeting', wholeNumber, 0)
  .option('--reply-delay <ms>', 'silence before each reply', wholeNumber, 0)
  .addOption(
    new Option('--dot <answer>', 'how the final dot is answered')
      .choices(Object.keys(dotAnswers))
      .default('store'),
  )
  .option('--mishaps <per mille>', 'commands of a thousand to which something happens', wholeNumber, 0)
  .option('--seed <number>', 'decides which', wholeNumber, 1)
  .option('--names-addresses', 'name the address in replies to RCPT and in refusals', false)
  .parse()
  .opts<Flags>();

const colon = flags.listen.lastIndexOf(':');
const sink = new Sink({
  host: flags.listen.slice(0, colon),
  port: Number(flags.listen.slice(colon + 1)),
  hostname: flags.hostname,
  xclient: flags.xclient,
  mustXclient: !flags.direct,
  journalFile: flags.journal,
  journalFsync: flags.fsync,
  // A program has its journal.
  keepMessages: false,
  mishaps: flags.mishaps > 0 ? { seed: flags.seed, perMille: flags.mishaps } : null,
  namesAddresses: flags.namesAddresses,
  endOfData: flags.looseEnd ? 'loose' : 'strict',
  faults: { greetDelayMs: flags.greetDelay, replyDelayMs: flags.replyDelay, dot: flags.dot },
});

const stop = async (): Promise<void> => {
  await sink.close();
  process.stdout.write(`${JSON.stringify(sink.stats)}\n`);
};

const port = await sink.listen();
process.stdout.write(`sink listens on ${sink.options.host}:${port}\n`);
process.once('SIGTERM', () => void stop());
process.once('SIGINT', () => void stop());
