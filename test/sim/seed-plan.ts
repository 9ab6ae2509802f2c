/**
 * seed-plan — everything about a run that follows from its seed
 *
 * What a caller does not fix is drawn: shards, lanes, slots, configuration, backend, faults, and how clients arrive.
 */
import type { PopulationName } from '../../loadgen/populations.ts';
import { Prng } from '../../src/base/prng.ts';
import type { Config } from '../../src/config/config.ts';
import { drawBackendKind, drawConfig, drawFaults, NO_FAULTS } from './swarm.ts';
import type { BackendKind, FaultName, Faults } from './swarm.ts';

/** What a caller may fix. */
export interface Wish {
  readonly seed: number;
  readonly sessions: number;
  /** Honest senders beside the sessions; absent: one for each ten. */
  readonly honest?: number;
  readonly population?: PopulationName;
  readonly shards?: number;
  readonly hasFaults?: boolean;
  /** These faults and no others. */
  readonly faults?: readonly FaultName[];
  readonly config?: Config;
  /** Whether the backend takes mail for every name; with a configuration that is fixed. */
  readonly takesAll?: boolean;
  readonly lanesMax?: number;
  /** Time within which all come; absent: a minute. */
  readonly arrivalsMs?: number;
  /** Addresses that zombies share; absent: one for each three. */
  readonly zombieAddresses?: number;
  /** The serial number of the session to be written down. */
  readonly follow?: number;
  /** Write it down from its start, not only its end. */
  readonly followsWhole?: boolean;
  /** Look at the shards after every so many turns; absent: 1. */
  readonly checkEvery?: number;
}

export interface Plan {
  readonly seed: number;
  readonly sessions: number;
  readonly honest: number;
  readonly population: PopulationName;
  readonly shards: number;
  readonly faults: Faults;
  readonly config: Config;
  readonly backend: BackendKind;
  /** Connections to the backend, all shards together. */
  readonly lanesMax: number;
  readonly slotsPerShard: number;
  readonly splitBytes: number;
  /** Most that one read of a spool file gives. */
  readonly readBytesMax: number;
  readonly arrivalsMs: number;
  readonly zombieAddresses: number;
  readonly follow: number;
  readonly followsWhole: boolean;
  readonly checkEvery: number;
}

/** Draws what the wish leaves open. */
export function planFor(wish: Wish): Plan {
  const random = new Prng(wish.seed).fork('plan');
  const faults = drawFaults(random.fork('faults'));
  const kind = drawBackendKind(random.fork('backend'));
  const config = drawConfig(random.fork('config'), kind);
  const shards = 1 + random.below(3);
  const lanesMax = 1 + random.below(6);
  const splitBytes = [1, 2, 7, 60, 500][random.below(5)] as number;
  const inFaults =
    (wish.hasFaults ?? true) ? (wish.faults === undefined ? faults : new Set(wish.faults)) : NO_FAULTS;
  const honest = wish.honest ?? Math.max(4, Math.floor(wish.sessions / 10));
  const all = wish.sessions + honest;
  const shardCount = wish.shards ?? shards;
  const share = Math.ceil(all / shardCount);
  return {
    seed: wish.seed,
    sessions: wish.sessions,
    honest,
    population: wish.population ?? 'mixed',
    shards: shardCount,
    faults: inFaults,
    config: wish.config ?? config,
    backend:
      wish.config === undefined
        ? kind
        : { repeatsXclient: true, pipelining: true, takesAll: wish.takesAll ?? false },
    lanesMax: wish.lanesMax ?? lanesMax,
    slotsPerShard: inFaults.has('fullTable') ? Math.max(8, share >> 2) : all + 64,
    splitBytes: inFaults.has('splitReads') ? splitBytes : Number.MAX_SAFE_INTEGER,
    readBytesMax: inFaults.has('slowDisk') ? 1_500 : Number.MAX_SAFE_INTEGER,
    arrivalsMs: inFaults.has('acceptStorm') ? 1_000 : (wish.arrivalsMs ?? 60_000),
    zombieAddresses: wish.zombieAddresses ?? Math.max(8, Math.floor(wish.sessions / 3)),
    follow: wish.follow ?? -1,
    followsWhole: wish.followsWhole ?? false,
    checkEvery: wish.checkEvery ?? 1,
  };
}
