/**
 * family-crowd — the crowd in which families are looked for: one run of the population `families` by seed
 *
 * Half of the zombies come from slow networks and half are unknown, so that the same program meets two paces.
 */
import { runSeed } from './run.ts';
import { simConfig } from './swarm.ts';
import type { World } from './world.ts';

/** What one run is made of. */
export interface FamilyCrowd {
  readonly seed: number;
  readonly sessions: number;
  readonly honest: number;
  readonly hasFaults?: boolean;
  /** Slow networks; absent: half of those that zombies come from. */
  readonly slow?: readonly string[];
  /** Every name exists, so that nothing but waiting keeps a zombie from delivering. */
  readonly takesAll?: boolean;
}

/** Everybody comes within ten minutes; Storm's first sessions are over after some six. */
export const ARRIVALS_MS = 600_000;
export const JUDGED_FROM_MS = 420_000;

/** The planted families. */
export const NAMED = ['rustock', 'climbot', 'storm'] as const;
export const NAMELESS = ['whisperer', 'clumsy', 'punctual'] as const;

/** Runs the crowd to its end. */
export function familyCrowd(crowd: FamilyCrowd): World {
  const { seed, sessions, honest, hasFaults = false, takesAll = false, slow = ['127.64.0.0/11'] } = crowd;
  return runSeed({
    seed,
    sessions,
    honest,
    shards: 2,
    lanesMax: 20,
    hasFaults,
    zombieAddresses: 1_000_000,
    checkEvery: 500,
    population: 'families',
    arrivalsMs: ARRIVALS_MS,
    takesAll,
    config: simConfig({ lists: { slow } }),
  });
}
