/**
 * options — the flags of the floor benchmark, checked before anything starts
 */
import { Command, InvalidArgumentError } from 'commander';
import { openFilesMax } from './proc.ts';
import { sluiceCommand } from './sluice.ts';

export const peerNames = ['responder', 'node', 'sluice'] as const;
export type PeerName = (typeof peerNames)[number];

export interface Options {
  readonly peers: readonly PeerName[];
  readonly rounds: number;
  readonly dialogues: number;
  readonly warmup: number;
  readonly concurrency: number;
  readonly greetWaitMs: number;
  /** Sessions held for the memory figure; 0: none. */
  readonly hold: number;
  readonly settleMs: number;
  readonly firstSource: number;
  /** Folder of the results; empty: they are only printed. */
  readonly out: string;
  readonly sluiceCommand: readonly string[];
}

/** What `--quick` replaces: enough to see that every part works, too little for a figure. */
const quick = {
  rounds: 1,
  dialogues: 300,
  warmup: 50,
  concurrency: 50,
  greetWait: 20,
  hold: 100,
  settle: 20,
  out: '',
} as const;

/** Files that a process needs beside its sessions. */
const openFilesSpare = 200;

function wholeNumber(text: string): number {
  if (!/^\d{1,8}$/.test(text)) throw new InvalidArgumentError('a whole number is wanted.');
  return Number(text);
}

function peerList(text: string): PeerName[] {
  const peers = text.split(',').map((word) => {
    const known = peerNames.find((name) => name === word);
    if (known === undefined) throw new InvalidArgumentError(`known are ${peerNames.join(', ')}.`);
    return known;
  });
  if (!peers.includes('responder'))
    throw new InvalidArgumentError('the responder must be among them: it is the floor.');
  return [...new Set(peers)];
}

/** Reads the flags; ends the process with a sentence when one is wrong. */
export function readOptions(words: readonly string[], resultsFolder: string): Options {
  const program = new Command('floor')
    .description('CPU a zombie dialogue and memory a held session: Sluice beside a bare C responder')
    .option('--peers <names>', 'who takes part, with commas between', peerList, [...peerNames])
    .option('--rounds <n>', 'alternating rounds', wholeNumber, 7)
    .option('--dialogues <n>', 'dialogues of each server in each round', wholeNumber, 20_000)
    .option('--warmup <n>', 'dialogues of each server before the first round', wholeNumber, 20_000)
    .option('--concurrency <n>', 'dialogues at once', wholeNumber, 500)
    .option('--greet-wait <ms>', 'between the two halves of the greeting', wholeNumber, 100)
    .option('--hold <n>', 'sessions held for the memory figure, 0 for none', wholeNumber, 15_000)
    .option('--settle <ms>', 'pause before each reading of CPU or memory', wholeNumber, 1_000)
    .option('--first-source <n>', 'where to begin in the list of source addresses', wholeNumber, 0)
    .option('--out <folder>', 'where the results go; empty: print only', resultsFolder)
    .option('--sluice-command <words>', 'another way to start Sluice; {config} and {port} are filled in')
    .option('--quick', 'a tiny run that shows that every part works; no figure, no file');
  program.parse([...words], { from: 'user' });
  const flags = program.opts<{
    peers: PeerName[];
    rounds: number;
    dialogues: number;
    warmup: number;
    concurrency: number;
    greetWait: number;
    hold: number;
    settle: number;
    firstSource: number;
    out: string;
    sluiceCommand?: string;
    quick?: true;
  }>();
  if (flags.quick === true) {
    for (const [name, value] of Object.entries(quick)) {
      if (program.getOptionValueSource(name) === 'default') Object.assign(flags, { [name]: value });
    }
  }
  const { greetWait, settle, sluiceCommand: otherCommand, quick: _, ...rest } = flags;
  if (rest.rounds < 1 || rest.dialogues < 1 || rest.concurrency < 1 || greetWait < 1) {
    program.error('rounds, dialogues, concurrency and greet-wait must be at least 1');
  }
  const wanted = Math.max(rest.hold, rest.concurrency) + openFilesSpare;
  if (wanted > openFilesMax()) {
    program.error(
      `the limit of open files is ${openFilesMax()}, ${wanted} are needed: raise it (ulimit -Hn) or lower --hold`,
    );
  }
  return {
    ...rest,
    greetWaitMs: greetWait,
    settleMs: settle,
    sluiceCommand: otherCommand?.split(' ') ?? sluiceCommand,
  };
}
