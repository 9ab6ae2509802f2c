/**
 * populations — what Sluice as shipped, with one DNS list, makes of zombies as they were published, on the virtual clock
 *
 * The promise of the product as a test: nearly all zombies go before anything is delivered, all honest mail comes through, and
 * only strangers wait. Larger runs of the same are in results/.
 */
import { describe, expect, test } from 'vitest';
import type { PopulationName } from '../../loadgen/populations.ts';
import { figuresOf } from '../../loadgen/virtual/figures.ts';
import type { Figures } from '../../loadgen/virtual/figures.ts';
import { Town } from '../../loadgen/virtual/town.ts';
import { parseConfig } from '../../src/config/load.ts';

const config = parseConfig(
  'hostname = "mx.example.net"\n[[dnsxl]]\nzone = "list.example.org"\nweight = 3\n[reputation]\nentries = 100000\n',
  'sluice.toml',
);

function runOf(population: PopulationName, sessions: number, seed: number): Figures {
  const town = new Town({
    config,
    population,
    sessions,
    honest: sessions / 20,
    durationMs: sessions * 36,
    seed,
  });
  return figuresOf(town.run(), town.bots);
}

function expectHonestServed({ honest }: Figures): void {
  expect(honest.all.delivered).toBe(honest.all.sessions);
  expect([honest.known.delayMs.p50, honest.known.delayMs.p99]).toEqual([0, 0]);
  expect(honest.unknown.delayMs.p50).toBe(config.screen.greetWaitMs);
}

describe.each([1, 2])('the zombies of 2009, seed %d', (seed) => {
  const figures = runOf('2009', 20_000, seed);

  test('end before delivery, 996 of 1,000 of their connections at least', () => {
    expect(figures.zombies.goneShare).toBeGreaterThanOrEqual(0.996);
  });

  test('cost no honest sender more than the wait of the greeting, and a known one nothing', () => {
    expectHonestServed(figures);
    expect(figures.honest.unknown.delayMs.p99).toBe(config.screen.greetWaitMs);
  });

  test('leave in spikes at 21 s and 100 s', () => {
    for (const [kind, second] of [
      ['rustock', 21],
      ['climbot', 100],
    ] as const) {
      const seconds = figures.leaving[figures.kinds.findIndex((one) => one.kind === kind)]!;
      expect(seconds.indexOf(Math.max(...seconds)), kind).toBe(second);
    }
  });
});

test.each(['2009-unlisted', 'perfect', 'rotating', 'patient-5min', 'patient-10min'] as const)(
  'population %s costs no honest mail, and no honest sender more than the wait of the greeting',
  (population) => {
    expectHonestServed(runOf(population, 4_000, 1));
  },
);
