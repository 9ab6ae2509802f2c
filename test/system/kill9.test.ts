/**
 * kill -9 at any moment of a delivery, of Sluice, of what is behind it, of both: what a client was told 250 for is stored exactly once;
 * what was refused is not; what was left unanswered, or told 451 because the backend's answer was lost, is there at most once, and
 * only when its final dot had been sent.
 */
import { expect, test } from 'vitest';

import { backends, runKill9 } from './kill9.ts';

const seed = Number(process.env['SLUICE_SEED'] ?? 20_260_722);
const rounds = 12;

test.each(backends)(
  `kill -9, ${rounds} times (seed ${seed}), %s: told 250 means stored once`,
  async (backend) => {
    const { wrong, figures } = await runKill9({ backend, rounds, seed, msMax: Infinity });
    process.stdout.write(`kill -9 ${backend}: ${JSON.stringify(figures)}\n`);
    expect(wrong).toEqual([]);
    const all = Object.values(figures);
    const sum = (name: keyof (typeof all)[number]): number =>
      all.reduce((total, one) => total + one[name], 0);
    // The kills did cut deliveries short, before their end and behind it.
    expect(sum('unansweredBefore')).toBeGreaterThan(0);
    expect(sum('unansweredBehind') + sum('uncertain')).toBeGreaterThan(0);
  },
);
