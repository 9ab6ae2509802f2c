/**
 * run — one seed from start to end, and the report when it fails
 *
 * A failing run is made again with the session concerned written down: the same seed gives the same run, so
 * nothing has to be kept while all is well.
 */
import { SimFailure } from './failure.ts';
import { planFor } from './seed-plan.ts';
import type { Wish } from './seed-plan.ts';
import { World } from './world.ts';

/** Runs a seed; throws an Error whose message tells all that is needed to find the fault. */
export function runSeed(wish: Wish): World {
  const world = new World(planFor(wish));
  try {
    world.run();
    return world;
  } catch (error) {
    throw new Error(reportOf(wish, world, error), { cause: error });
  }
}

function reportOf(wish: Wish, world: World, error: unknown): string {
  const { plan } = world;
  const isFound = error instanceof SimFailure;
  const rule = isFound ? error.rule : 'the engine finds its own state possible';
  const text = error instanceof Error ? error.message : String(error);
  const again = `npm run sim -- --seed ${plan.seed} --sessions ${plan.sessions} --honest ${plan.honest} --population ${plan.population} --shards ${plan.shards} --faults ${plan.faults.size > 0 ? 'on' : 'off'}`;
  const lines = [
    `seed ${plan.seed}, tick ${world.nowMs / 10} (${world.nowMs / 1_000} s), faults: ${[...plan.faults].join(' ') || 'none'}`,
    `broken: ${rule}`,
    `got: ${text}`,
    `again: ${again}${isFound && error.serial >= 0 ? ` --follow ${error.serial}` : ''}`,
  ];
  if (!isFound && error instanceof Error) lines.push((error.stack ?? '').split('\n').slice(1, 9).join('\n'));
  const told = isFound && error.serial >= 0 ? followed(wish, error.serial) : [];
  lines.push('last events:', ...(told.length > 0 ? told : world.trace.lastEvents));
  return lines.join('\n');
}

function followed(wish: Wish, serial: number): readonly string[] {
  const world = new World(planFor({ ...wish, follow: serial }));
  try {
    world.run();
  } catch {
    // The failure is known already.
  }
  return world.trace.lines;
}
