import { describe, expect, it } from 'vitest';
import { Arrivals, curves } from '../../../loadgen/arrivals.ts';
import type { Curve } from '../../../loadgen/arrivals.ts';
import { drawPatienceMs, hastyPatience, scaled } from '../../../loadgen/bots/patience.ts';
import { Cast, honestAddress, populations, zombieAddress, zombies } from '../../../loadgen/populations.ts';
import type { PopulationName } from '../../../loadgen/populations.ts';
import { Prng } from '../../../src/base/prng.ts';

const names = Object.keys(populations) as PopulationName[];

describe('a population', () => {
  it.each(names.filter((name) => name !== 'honest'))('%s has shares that add up to 100', (name) => {
    const shares: number[] = Object.values(populations[name].shares);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBe(100);
  });

  it.each(names)('%s says what it is for, and its bots bear the names of the table', (name) => {
    expect(populations[name].says.length).toBeGreaterThan(10);
    const cast = new Cast(name);
    expect(cast.bots[cast.honest]).toMatchObject({ honest: true, name: 'polite' });
    expect(cast.bots.slice(1).map((bot) => [bot.name, bot.honest])).toEqual(
      Object.keys(populations[name].shares).map((zombie) => [zombie, false]),
    );
  });

  it('draws its zombies as its shares say', () => {
    const cast = new Cast('mixed');
    const random = new Prng(11);
    const counts = new Map<string, number>();
    for (let draw = 0; draw < 20_000; draw += 1) {
      const name = cast.bots[cast.zombie(random)]?.name ?? 'nobody';
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    for (const [name, percent] of Object.entries(populations.mixed.shares)) {
      expect(Math.abs((counts.get(name) ?? 0) / 200 - percent), name).toBeLessThan(1.5);
    }
    expect(counts.size).toBe(Object.keys(populations.mixed.shares).length);
  });

  it('honest has no zombies, and says so when asked for one', () => {
    expect(() => new Cast('honest').zombie(new Prng(1))).toThrow(/no zombies/);
  });

  it('leaves no kind of zombie unused', () => {
    const used = new Set(names.flatMap((name) => Object.keys(populations[name].shares)));
    expect([...used].sort()).toEqual(Object.keys(zombies).sort());
  });
});

describe('addresses', () => {
  it('of zombies lie in 127.64.0.0/10, of honest senders in 127.32.0.0/11, and are distinct', () => {
    const seen = new Set<string>();
    for (let index = 0; index < 10_000; index += 1) {
      const zombie = zombieAddress(index);
      const honest = honestAddress(index);
      expect(Number(zombie.split('.')[1]) & 0xc0).toBe(64);
      expect(Number(honest.split('.')[1]) & 0xe0).toBe(32);
      seen.add(zombie).add(honest);
    }
    expect(seen.size).toBe(20_000);
  });

  it('of neighbours in number are spread over networks', () => {
    const networks = new Set(
      Array.from({ length: 1_000 }, (_, index) => zombieAddress(index).split('.').slice(0, 3).join('.')),
    );
    expect(networks.size).toBeGreaterThan(900);
  });
});

describe('patience', () => {
  it('of hasty zombies is over within 15 s for nine of ten, and within 10 min for all', () => {
    const random = new Prng(5);
    const drawn = Array.from({ length: 10_000 }, () => drawPatienceMs(hastyPatience, random));
    const within15s = drawn.filter((ms) => ms <= 15_000).length / 100;
    expect(Math.abs(within15s - 90)).toBeLessThan(1.5);
    expect(Math.max(...drawn)).toBeLessThanOrEqual(600_000);
  });

  it('can be scaled', () => {
    expect(scaled(hastyPatience, 10)[0]).toEqual({ percent: 70, fromMs: 200, toMs: 1_000 });
  });
});

describe('arrivals', () => {
  const arrivedBy = (curve: Curve, perSecond: number, untilMs: number, stepMs = 7): number => {
    const arrivals = new Arrivals(perSecond, curve, 40_000, new Prng(3));
    let count = 0;
    for (let nowMs = 0; nowMs <= untilMs; nowMs += stepMs) while (arrivals.take(nowMs)) count += 1;
    return count;
  };

  it('come at the rate, and none after the end', () => {
    expect(Math.abs(arrivedBy('flat', 100, 40_000) - 4_000)).toBeLessThan(200);
    expect(arrivedBy('flat', 100, 90_000)).toBe(arrivedBy('flat', 100, 40_006));
  });

  it('do not depend on how often they are asked for', () => {
    expect(arrivedBy('flat', 50, 20_000, 1)).toBe(arrivedBy('flat', 50, 20_000, 1_000));
  });

  it('ramp up over the first half, and come in waves', () => {
    expect(arrivedBy('ramp', 100, 10_000)).toBeLessThan(600);
    expect(arrivedBy('waves', 100, 10_000)).toBeGreaterThan(900);
    expect(arrivedBy('waves', 100, 20_000) - arrivedBy('waves', 100, 10_000)).toBeLessThan(300);
  });

  it.each(Object.keys(curves) as Curve[])('of curve %s at rate 0 never come', (curve) => {
    expect(arrivedBy(curve, 0, 40_000)).toBe(0);
  });
});
