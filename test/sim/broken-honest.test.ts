/**
 * broken-honest — senders whose mail is wanted although they do not keep the timers of RFC 5321
 *
 * On the virtual clock, with their timers and Sluice's settings as they are. A stranger of each kind delivers. Under the plan
 * of a suspicious client some do not, and which is said here: a plan is made to outlast patience, and theirs is short.
 */
import { expect, test } from 'vitest';
import type { HonestName } from '../../loadgen/honest.ts';
import type { PartialConfig } from '../../src/config/load.ts';
import { PORT_BASE } from '../../loadgen/virtual/client.ts';
import { runSeed } from './run.ts';
import { simConfig } from './swarm.ts';
import type { World } from './world.ts';

const SEEDS = [1, 2, 3];
const SENDERS = 200;
const KINDS: readonly HonestName[] = ['polite', 'total-timeout', 'short-block', 'mailing-list'];
const HONEST_NETWORK = '127.32.0.0/11';

/** Plans by percent of the one shipped, and the kinds of which not everybody outlasts them. */
const plans: readonly { readonly percent: number; readonly tooLongFor: readonly HonestName[] }[] = [
  { percent: 25, tooLongFor: [] },
  // Held for a minute behind the final dot, it gives up after half of that.
  { percent: 100, tooLongFor: ['mailing-list'] },
  // Ten minutes in all, and its own timer over everything is five.
  { percent: 400, tooLongFor: ['total-timeout', 'mailing-list'] },
];

const worldOf = (seed: number, config: PartialConfig): World =>
  runSeed({
    seed,
    sessions: 0,
    honest: SENDERS,
    hasFaults: false,
    lanesMax: 20,
    arrivalsMs: 10_000,
    population: 'broken-honest',
    config: simConfig(config),
  });

/** How the senders of each kind ended; `pace`: those only that were spoken to so. */
function endsOf(world: World, pace = ''): Record<string, Record<string, number>> {
  const paces = new Map(world.reports.map((report) => [report.port, report.pace]));
  const ends: Record<string, Record<string, number>> = {};
  for (const { bot, serial, endedAs } of world.crowd.clients.slice(0, SENDERS)) {
    if (pace !== '' && paces.get(PORT_BASE + serial) !== pace) continue;
    const own = (ends[bot.name] ??= {});
    own[endedAs] = (own[endedAs] ?? 0) + 1;
  }
  return ends;
}

test.each(SEEDS)('a stranger of each kind delivers as Sluice is shipped: seed %i', (seed) => {
  const ends = endsOf(worldOf(seed, {}), 'screened');
  expect(Object.keys(ends).toSorted()).toEqual(KINDS.toSorted());
  for (const kind of KINDS) {
    expect(Object.keys(ends[kind]!), kind).toEqual(['finished']);
    expect(ends[kind]!['finished'], kind).toBeGreaterThan(5);
  }
});

test.each(plans)(
  'under $percent % of the plan all deliver but some of: $tooLongFor',
  ({ percent, tooLongFor }) => {
    const world = worldOf(1, {
      lists: { slow: [HONEST_NETWORK] },
      shape: {
        replyDelayMs: 150 * percent,
        holdMs: Math.min(300_000, 600 * percent),
        bodyRateBytes: Math.ceil(100_000 / percent),
      },
    });
    const ends = endsOf(world);
    const failing = KINDS.filter((kind) => (ends[kind]!['gaveUp'] ?? 0) > 0);
    expect(failing).toEqual(tooLongFor);
    for (const kind of KINDS) {
      const { finished = 0, gaveUp = 0, ...others } = ends[kind]!;
      expect([finished + gaveUp > 0, others], kind).toEqual([true, {}]);
    }
    // Who gave up has delivered nothing: its next try is the first copy.
    const gone = world.crowd.clients.filter((client) => client.endedAs === 'gaveUp');
    const stored = new Set(world.backend.stored.map(({ port }) => port - PORT_BASE));
    expect(gone.filter(({ serial }) => stored.has(serial))).toEqual([]);
  },
);
