import { describe, expect, it } from 'vitest';
import { Arrivals, curves } from '../../../loadgen/arrivals.ts';
import type { Curve } from '../../../loadgen/arrivals.ts';
import { drawPatienceMs, hastyPatience, scaled } from '../../../loadgen/bots/patience.ts';
import { Cast } from '../../../loadgen/cast.ts';
import { honestKinds } from '../../../loadgen/honest.ts';
import { honestAddress, originsOf, triesTable, zombieAddress } from '../../../loadgen/origins.ts';
import { isListed, populations } from '../../../loadgen/populations.ts';
import type { PopulationName } from '../../../loadgen/populations.ts';
import { zombies } from '../../../loadgen/zombies.ts';
import { Prng } from '../../../src/base/prng.ts';

const names = Object.keys(populations) as PopulationName[];

describe('a population', () => {
  it.each(names)('%s has shares that add up to 100 percent, or to as many hundredths, or none', (name) => {
    const shares: number[] = Object.values(populations[name].shares);
    const sum = shares.reduce((all, share) => all + share, 0);
    expect([100, 10_000, shares.length === 0 ? 0 : 100]).toContain(sum);
    expect(shares.every((share) => Number.isInteger(share) && share > 0)).toBe(true);
  });

  it.each(names)('%s says what it is for, and its bots bear the names of the tables', (name) => {
    const { says, shares, honestKinds: honest } = populations[name];
    expect(says.length).toBeGreaterThan(10);
    const cast = new Cast(name);
    expect(cast.bots[cast.honest]).toMatchObject({ honest: true, name: 'polite' });
    expect(cast.bots.slice(1).map((bot) => [bot.name, bot.honest])).toEqual([
      ...Object.keys(shares).map((zombie) => [zombie, false]),
      ...honest.slice(1).map((kind) => [kind, true]),
    ]);
  });

  it('draws its honest senders in equal shares, and draws nothing where there is one kind', () => {
    const cast = new Cast('broken-honest');
    const random = new Prng(12);
    const drawn = Array.from({ length: 4_000 }, () => cast.bots[cast.honestSender(random)]?.name);
    for (const kind of Object.keys(honestKinds)) {
      expect(Math.abs(drawn.filter((name) => name === kind).length - 1_000), kind).toBeLessThan(150);
    }
    const [one, other] = [new Prng(3), new Prng(3)];
    expect(new Cast('2009').honestSender(one)).toBe(0);
    expect(one.below(1_000_000)).toBe(other.below(1_000_000));
  });

  it('2009 has nine of ten gone after 10 s, and one or two of a thousand there after 5 minutes of waiting', () => {
    const { shares, hasty } = populations[2009];
    const hastyShare = shares.pregreeter + shares.hasty + shares.pipeliner + shares.holder;
    const within10s = hasty
      .filter((band) => band.toMs <= 10_000)
      .reduce((sum, band) => sum + band.percent, 0);
    expect(Math.round((hastyShare * within10s) / 10_000)).toBe(90);
    expect(shares.patient).toBeGreaterThanOrEqual(10);
    expect(shares.patient).toBeLessThanOrEqual(20);
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

  it('has the same zombie at an address whenever it comes, in the same shares', () => {
    const cast = new Cast('2009');
    const counts = new Map<number, number>();
    for (let index = 0; index < 20_000; index += 1) {
      const kind = cast.zombieAt(zombieAddress(index));
      expect(cast.zombieAt(zombieAddress(index))).toBe(kind);
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
    const { shares } = populations[2009];
    for (const [at, share] of Object.values(shares).entries())
      expect((counts.get(at + 1) ?? 0) / 20_000).toBeCloseTo(share / 10_000, 2);
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

describe('the addresses of a run', () => {
  const runOf = (name: PopulationName, sessions: number): string[] => {
    const origins = originsOf(populations[name], sessions, new Prng(8));
    return Array.from({ length: sessions }, () => origins.next());
  };

  it.each([500, 20_000])('of 2009 come back as often as was published, in a run of %i', (sessions) => {
    const tries = new Map<string, number>();
    for (const address of runOf('2009', sessions)) tries.set(address, (tries.get(address) ?? 0) + 1);
    for (const { permille, from, to } of triesTable) {
      const share = [...tries.values()].filter((count) => count >= from && count <= to).length / tries.size;
      expect(Math.abs(share * 1_000 - permille), `${from} to ${to} tries`).toBeLessThan(
        sessions < 1_000 ? 100 : 20,
      );
    }
  });

  it('that rotate are new each time, in 200 networks', () => {
    const addresses = runOf('rotating', 20_000);
    expect(new Set(addresses).size).toBe(20_000);
    expect(new Set(addresses.map((address) => address.replace(/\.\d+$/, ''))).size).toBe(200);
    expect(addresses.every((address) => (Number(address.split('.')[1]) & 0xc0) === 64)).toBe(true);
  });

  it('follow from the seed alone', () => {
    expect(runOf('2009', 300)).toEqual(runOf('2009', 300));
  });

  it.each(['2009', 'rotating', 'mixed'] as const)('of %s are listed as often as it says', (name) => {
    const addresses = [...new Set(runOf(name, 20_000))];
    const listed = addresses.filter((address) => isListed(address, populations[name])).length;
    expect(Math.abs((100 * listed) / addresses.length - populations[name].listedPercent)).toBeLessThan(1.5);
  });
});

describe('a DNS list', () => {
  it.each([0, 33, 50, 95, 100])(
    'of %i percent has as many of each network, to within one host',
    (percent) => {
      for (let network = 0; network < 50; network += 1) {
        const listed = Array.from({ length: 256 }, (_, host) =>
          isListed(`127.64.${network}.${host}`, { listedPercent: percent }),
        ).filter(Boolean).length;
        expect(Math.abs(listed - 2.56 * percent)).toBeLessThanOrEqual(1);
      }
    },
  );
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
