/**
 * main — `npm run sim`: one seed on the virtual clock, and what came of it
 *
 * With --follow the whole dialogue of one session is printed, in the form of test/dialogues.
 */
import { parseArgs } from 'node:util';
import { populations } from '../../loadgen/populations.ts';
import type { PopulationName } from '../../loadgen/populations.ts';
import { runSeed } from './run.ts';
import type { Wish } from './seed-plan.ts';

const usage =
  'npm run sim -- [--seed N] [--sessions N] [--honest N] [--population NAME] [--shards N] [--faults on|off] [--seeds COUNT] [--follow SERIAL]\n';

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function wishOf(): { wish: Wish; seeds: number } {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      seeds: { type: 'string', default: '1' },
      sessions: { type: 'string', default: '300' },
      honest: { type: 'string' },
      population: { type: 'string', default: 'mixed' },
      shards: { type: 'string' },
      faults: { type: 'string', default: 'on' },
      follow: { type: 'string', default: '-1' },
    },
  });
  if (!(values.population in populations))
    throw new Error(`no population ${values.population}; there are ${Object.keys(populations).join(', ')}`);
  const number = (text: string): number => {
    if (!/^-?\d+$/.test(text)) throw new Error(`${text} is no whole number`);
    return Number(text);
  };
  return {
    seeds: number(values.seeds),
    wish: {
      seed: number(values.seed),
      sessions: number(values.sessions),
      population: values.population as PopulationName,
      hasFaults: values.faults !== 'off',
      follow: number(values.follow),
      followsWhole: true,
      ...(values.honest === undefined ? {} : { honest: number(values.honest) }),
      ...(values.shards === undefined ? {} : { shards: number(values.shards) }),
    },
  };
}

function play(wish: Wish): void {
  const startedMs = performance.now();
  const world = runSeed(wish);
  const tookMs = Math.round(performance.now() - startedMs);
  const { plan, mail, counts } = world;
  if (wish.follow !== undefined && wish.follow >= 0) say(world.trace.lines.join('\n'));
  say(
    `seed ${plan.seed}: ${world.crowd.clients.length} clients, ${plan.shards} shards of ${plan.slotsPerShard} slots and ${plan.lanesMax} lanes, ` +
      `${Math.round(world.nowMs / 1_000)} s in ${tookMs} ms; ${counts['commands']} commands; ${mail.told250} told 250, ${mail.stored} stored, ` +
      `${mail.uncertain} uncertain, ${mail.unanswered} unanswered; hash ${(world.trace.hash >>> 0).toString(16).padStart(8, '0')}; ` +
      `faults: ${[...plan.faults].join(' ') || 'none'}`,
  );
}

let failed = 0;
try {
  const { wish, seeds } = wishOf();
  for (let count = 0; count < seeds; count += 1) {
    try {
      play({ ...wish, seed: wish.seed + count });
    } catch (error) {
      failed += 1;
      say(error instanceof Error ? error.message : String(error));
    }
  }
  process.exitCode = failed > 0 ? 1 : 0;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
  process.exitCode = 2;
}
