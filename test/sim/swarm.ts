/**
 * swarm — what one seed's world is like: which faults it has, and which configuration
 *
 * A world with every fault at once finds little: the loud faults hide the quiet ones. So each seed draws how
 * many faults it has, and then which; the others are switched off entirely. The configuration is drawn too,
 * within what `sluice check` lets pass, since bugs like settings that nobody uses.
 */
import type { Prng, Random } from '../../src/base/prng.ts';
import type { Config } from '../../src/config/config.ts';
import { defaultConfig } from '../../src/config/load.ts';
import type { PartialConfig } from '../../src/config/load.ts';

/** Every kind of trouble that a world may have, and what it does. */
export const faultTable = {
  splitReads: 'input arrives in pieces, from one byte up',
  stalledReaders: 'clients stop reading for a while',
  resets: 'clients are cut off in the middle of a line',
  halfClose: 'clients send their last byte long before they have heard everything',
  lateTicks: 'a shard is not called for 400 ms',
  acceptStorm: 'everybody comes within a second',
  fullTable: 'there are fewer slots than clients',
  foreignScores: 'another shard changes scores and passes',
  slowBackend: 'the backend answers late',
  refusingBackend: 'the backend cannot be reached, greets with 421 or 554, or takes no XCLIENT',
  closingBackend: 'the backend closes or resets, with a reply or without, also while a lane rests',
  silentBackend: 'the backend does not answer',
  garbageBackend: 'the backend says what is no reply, or one reply too many',
  temporaryBackend: 'the backend says 451, 421 and, to messages, 550',
  slowDisk: 'the spool file takes its time',
  brokenDisk: 'the spool file fails',
} as const;
export type FaultName = keyof typeof faultTable;
export type Faults = ReadonlySet<FaultName>;

const faultNames = Object.keys(faultTable) as readonly FaultName[];

/** No trouble at all. */
export const NO_FAULTS: Faults = new Set();

/** The faults of a seed: some seeds have one or two, some nearly all. */
export function drawFaults(random: Random): Faults {
  const percent = 10 + random.below(55);
  return new Set(faultNames.filter(() => random.below(100) < percent));
}

function oneOf<Value>(random: Random, values: readonly Value[]): Value {
  return values[random.below(values.length)] as Value;
}

/** What the backend behind a seed's world can do. */
export interface BackendKind {
  /** Whether a second XCLIENT on one connection is taken. */
  readonly repeatsXclient: boolean;
  readonly pipelining: boolean;
  /** Takes mail for every name; absent: not for those that exist nowhere. */
  readonly takesAll?: boolean;
}

/** The backend of a seed. */
export function drawBackendKind(random: Random): BackendKind {
  return { repeatsXclient: random.below(3) > 0, pipelining: random.below(4) > 0 };
}

/** The configuration of a seed; `kind` is the backend that it has to fit. */
export function drawConfig(random: Prng, kind: BackendKind): Config {
  const onTrap = ['refuse', 'drop', 'ignore'] as const;
  return simConfig({
    backend: {
      reuse: kind.repeatsXclient
        ? oneOf(random, ['auto', 'always', 'never'])
        : oneOf(random, ['auto', 'never']),
      verifyRecipients: oneOf(random, ['early', 'early', 'late']),
      holdMs: oneOf(random, [0, 200, 1_000, 5_000]),
      waitMaxMs: oneOf(random, [2_000, 30_000]),
      replyTimeoutMs: oneOf(random, [5_000, 120_000]),
      finalTimeoutMs: oneOf(random, [30_000, 600_000]),
      usesMax: oneOf(random, [1, 5, 1_000]),
    },
    screen: {
      greetWaitMs: oneOf(random, [0, 1_000, 6_000]),
      pregreet: oneOf(random, onTrap),
      pipelining: oneOf(random, onTrap),
      nonSmtpCommand: oneOf(random, onTrap),
      bareNewline: oneOf(random, onTrap),
    },
    shape: {
      slowFrom: oneOf(random, [0, 15]),
      replyDelayMs: oneOf(random, [0, 3_000, 15_000, 200_000]),
      holdMs: oneOf(random, [0, 5_000, 60_000, 300_000]),
      bodyRateBytes: oneOf(random, [64, 1_000, 1_000_000]),
      dripReplies: random.below(3) === 0,
      totalMaxMs: oneOf(random, [10_000, 600_000]),
      dripBytes: oneOf(random, [1, 16]),
      dripIntervalMs: oneOf(random, [100, 2_000]),
    },
    spool: {
      messageMemoryBytes: 4_096,
      memoryMaxBytes: oneOf(random, [65_536, 64_000_000]),
      // Drawn aside: the rest of a seed's world stays what it was.
      streamFromBytes: oneOf(random.fork('stream'), [0, 1, 500, 5_000]),
    },
    limits: { connections: oneOf(random, [5, 50]) },
    smtp: { bareNewline: oneOf(random, ['reject', 'normalize']) },
  });
}

/** The default configuration under a name of its own, changed by `overrides`. */
export function simConfig(overrides: PartialConfig = {}): Config {
  return defaultConfig({ hostname: 'mx.example.com', ...overrides });
}
