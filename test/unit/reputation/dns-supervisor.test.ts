import { describe, expect, it } from 'vitest';
import type { DnsReply } from '../../../src/reputation/dns-queries.ts';
import {
  absent,
  blocksOf,
  CLEAN_4,
  CLEAN_6,
  DnsWorld,
  honestZone,
  LISTED_4,
  LISTED_6,
  listedAs,
} from './dns-world.ts';
import type { ZoneScript } from './dns-world.ts';

const CODE = 0x7f00_0002;
const nameOf = (at: number): string => `${at % 250}.${Math.floor(at / 250)}.2.10`;
const addressOf = (at: number): string => `10.2.${Math.floor(at / 250)}.${at % 250}`;
const crowd = (count: number): Record<string, number> =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [nameOf(at), CODE]));

function worldOf(zone: ZoneScript, policy = ''): DnsWorld {
  return new DnsWorld(`[dnsxl_policy]\n${policy}\n${blocksOf('a.test')}`, { 'a.test': zone });
}

/** Asks about `count` clients, `everyMs` apart, and says how many were told of a listing. */
function listedOf(world: DnsWorld, count: number, everyMs = 10, isGood = false, from = 0): number {
  const askers = Array.from({ length: count }, (_, at) => {
    const asker = world.ask(addressOf(from + at), isGood);
    world.run(everyMs);
    return asker;
  });
  world.run(20_000);
  return askers.filter((asker) => (world.lastTold(asker)?.weight ?? 0) !== 0).length;
}

describe('a zone', () => {
  it('counts for nothing until its test has passed, and then what was asked meanwhile counts', () => {
    const zone: ZoneScript = (client, type, nowMs) => {
      const answered = honestZone(crowd(10))(client, type, nowMs)!;
      return client === LISTED_4 ? { ...answered, afterMs: 2_000 } : answered;
    };
    const world = worldOf(zone);
    const asker = world.ask(addressOf(1));
    world.runUntil(1_999);
    expect(world.lastTold(asker)).toBeNull();
    world.run(500);
    expect(world.lastTold(asker)).toMatchObject({ weight: 8 });
  });

  const rotten: readonly (readonly [string, ZoneScript, RegExp])[] = [
    ['that is dead', () => null, /does not answer/],
    [
      'that lists the world',
      () => ({ afterMs: 5, reply: listedAs(CODE) }),
      /lists 127\.0\.0\.1, so it lists everybody/,
    ],
    [
      'that answers 127.255.255.254',
      () => ({ afterMs: 5, reply: listedAs(0x7fff_fffe) }),
      /answers 127\.255\.255\.254, an error: it was asked through a public/,
    ],
    [
      'that answers outside 127.0.0.0/8',
      () => ({ afterMs: 5, reply: listedAs(0xc633_6401) }),
      /answers 198\.51\.100\.1, which is outside 127\.0\.0\.0\/8/,
    ],
    [
      'that mixes listings with errors',
      () => ({ afterMs: 5, reply: { kind: 'addresses', addresses: [CODE, 0x7fff_ffff], ttlMs: 1 } }),
      /asked too often/,
    ],
    ['that answers 127.0.0.1', () => ({ afterMs: 5, reply: listedAs(0x7f00_0001) }), /list that is closed/],
    ['that has no test entry', () => ({ afterMs: 5, reply: absent() }), /does not list 127\.0\.0\.2/],
    ['that refuses', () => ({ afterMs: 5, reply: { kind: 'failed', why: 'it answers REFUSED' } }), /REFUSED/],
    [
      'that sends its answers in another kind',
      () => ({ afterMs: 5, reply: { kind: 'text', text: 'x', ttlMs: 1 } }),
      /another kind/,
    ],
  ];
  for (const [what, zone, why] of rotten) {
    it(`${what} lists nobody, from the start on, and is reported`, () => {
      const world = worldOf(zone);
      expect(listedOf(world, 50)).toBe(0);
      const [{ supervisor }] = world.inquiries.desks as [(typeof world.inquiries.desks)[0]];
      expect(supervisor.state).toBe('suspended');
      expect(supervisor.reason).toMatch(why);
      expect(world.notices.join('\n')).toMatch(why);
      expect(world.counters.valueOf('dnsSuspensions')).toBe(1);
      expect(world.inquiries.open).toBe(0);
    });

    it(`${what} from one moment on lists nobody behind it, long before its next test`, () => {
      const good = honestZone();
      let isBroken = false;
      const world = worldOf((client, type, nowMs) => (isBroken ? zone : good)(client, type, nowMs));
      expect(listedOf(world, 20)).toBe(0);
      isBroken = true;
      expect(listedOf(world, 50, 10, false, 1_000)).toBe(0);
      expect(world.inquiries.desks[0]!.supervisor.state === 'suspended').toBe(
        what !== 'that has no test entry',
      );
      isBroken = false;
      world.run(600_000);
      expect(world.inquiries.desks[0]!.supervisor.state).toBe('good');
      expect(world.inquiries.open).toBe(0);
    });
  }

  it('that begins to list the world counts not one listing, although it was just shown not to', () => {
    let listsAll = false;
    const good = honestZone(crowd(500));
    const world = worldOf((client, type, nowMs) =>
      listsAll ? { afterMs: 5, reply: listedAs(CODE) } : good(client, type, nowMs),
    );
    world.run(1_000);
    expect(listedOf(world, 5)).toBe(5);
    const before = world.counters.valueOf('dnsListed');
    world.ask(addressOf(6));
    world.run(4);
    listsAll = true;
    const honest = Array.from({ length: 300 }, (_, at) => world.ask(addressOf(1_000 + at)));
    world.run(20_000);
    for (const asker of honest) expect(world.lastTold(asker)).toBeNull();
    expect(world.counters.valueOf('dnsListed') - before).toBeLessThanOrEqual(1);
    expect(world.counters.valueOf('dnsUnproven')).toBeGreaterThan(0);
  });

  it('sends few proofs for many listings', () => {
    const world = worldOf(honestZone(crowd(2_000)));
    world.run(1_000);
    const before = world.questions(CLEAN_4);
    expect(listedOf(world, 1_000, 1)).toBe(1_000);
    expect(world.questions(CLEAN_4) - before).toBeLessThanOrEqual(12);
  });

  it('is asked for its test entries every test_interval', () => {
    const world = worldOf(honestZone(), 'test_interval = "10min"');
    world.runUntil(3_600_000 - 1);
    expect(world.questions(LISTED_4)).toBe(6);
  });

  it('that is suspended is tried again after ever longer pauses, and asked about nobody', () => {
    const world = worldOf(() => ({ afterMs: 0, reply: listedAs(CODE) }));
    world.run(1);
    world.ask(addressOf(1));
    world.runUntil(3_600_000);
    const times = world.sent.filter(({ name }) => name.startsWith(LISTED_4)).map(({ atMs }) => atMs / 1_000);
    expect(times.slice(0, 6)).toEqual([0, 1, 3, 7, 15, 31]);
    expect(times.at(-1)! - times.at(-2)!).toBe(300);
    expect(world.questions(nameOf(1))).toBe(0);
    expect(world.notices).toHaveLength(1);
  });

  it('that comes back is on trial: few look-ups at once, and the first failure suspends it for longer', () => {
    let state: 'good' | 'dead' | 'half' = 'dead';
    const zone: ZoneScript = (client, type, nowMs) => {
      if (state === 'dead') return null;
      const isTest = [LISTED_4, CLEAN_4, LISTED_6, CLEAN_6].includes(client);
      return state === 'half' && !isTest ? null : honestZone()(client, type, nowMs);
    };
    const world = worldOf(zone, 'deadline = "1s"');
    world.run(5_000);
    state = 'half';
    world.run(20_000);
    expect(world.inquiries.desks[0]!.supervisor.state).toBe('good');
    const before = world.sent.length;
    for (let at = 0; at < 100; at++) world.ask(addressOf(at));
    expect(world.sent.length - before).toBeLessThanOrEqual(4);
    world.run(1_500);
    expect(world.inquiries.desks[0]!.supervisor.state).toBe('suspended');
    expect(world.inquiries.open).toBe(0);
    state = 'good';
    world.run(300_000);
    expect(listedOf(world, 100)).toBe(0);
    expect(world.inquiries.desks[0]!.supervisor.isOnTrial).toBe(false);
    expect(world.notices.at(-1)).toMatch(/has passed its test and counts again/);
  });

  it('of which half of the look-ups fail is suspended; one that fails now and then is not', () => {
    const failing = (every: number): DnsWorld => {
      let count = 0;
      const world = worldOf(
        (client, type, nowMs) =>
          client.endsWith('2.10') && ++count % every === 0 ? null : honestZone()(client, type, nowMs),
        'deadline = "200ms"',
      );
      world.run(100);
      listedOf(world, 200, 50);
      return world;
    };
    expect(failing(5).counters.valueOf('dnsSuspensions')).toBe(0);
    expect(failing(2).counters.valueOf('dnsSuspensions')).toBeGreaterThan(0);
  });

  it('that suddenly has clients of good standing is suspended, and trusted when it has let them go', () => {
    let listsGood = false;
    const zone: ZoneScript = (client, type, nowMs) =>
      honestZone(listsGood ? crowd(100) : {})(client, type, nowMs);
    const world = worldOf(zone);
    world.run(1_000);
    expect(listedOf(world, 15, 10, true)).toBe(0);
    listsGood = true;
    // Four of nineteen are more than a fifth, but too few to be sure; with the fifth it is over.
    expect(listedOf(world, 20, 10, true, 20)).toBeLessThanOrEqual(4);
    expect(world.notices[0]).toMatch(/lists 5 of the last 20 clients of good standing/);
    world.run(600_000);
    expect(world.inquiries.desks[0]!.supervisor.reason).toMatch(
      /still lists 5 of 5 clients of good standing/,
    );
    listsGood = false;
    world.run(600_000);
    expect(world.inquiries.desks[0]!.supervisor.state).toBe('good');
  });

  it('for good clients may have them all', () => {
    const world = new DnsWorld('[[dnsxl]]\nzone = "a.test"\nweight = -3\n', {
      'a.test': honestZone(crowd(50)),
    });
    world.run(1_000);
    expect(listedOf(world, 50, 10, true)).toBe(50);
    expect(world.counters.valueOf('dnsSuspensions')).toBe(0);
  });

  it('that is slow is reported and still counts', () => {
    const world = worldOf(honestZone(crowd(10), 3_000));
    expect(listedOf(world, 3, 1_000)).toBe(3);
    expect(world.notices[0]).toMatch(/is slow: half of its answers take 3\.0 s and more/);
    expect(world.counters.valueOf('dnsSlow')).toBeGreaterThan(0);
    expect(world.counters.valueOf('dnsSuspensions')).toBe(0);
  });

  const client6 = '2001:db8::7';
  const name6 = '7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2';
  const families: readonly (readonly [string, Readonly<Record<string, DnsReply>>, number, number])[] = [
    [
      'with both pairs of entries is asked about both',
      { [LISTED_4]: listedAs(CODE), [LISTED_6]: listedAs(CODE) },
      8,
      8,
    ],
    ['without IPv6 entries is asked about IPv4', { [LISTED_4]: listedAs(CODE) }, 8, 0],
    ['with IPv6 entries alone is asked about IPv6', { [LISTED_6]: listedAs(CODE) }, 0, 8],
    [
      'that lists all of IPv6 is asked about IPv4',
      { [LISTED_4]: listedAs(CODE), [LISTED_6]: listedAs(CODE), [CLEAN_6]: listedAs(CODE) },
      8,
      0,
    ],
  ];
  for (const [what, entries, weight4, weight6] of families) {
    it(what, () => {
      const all: Readonly<Record<string, DnsReply>> = {
        ...entries,
        [nameOf(1)]: listedAs(CODE),
        [name6]: listedAs(CODE),
      };
      const world = worldOf((client) => ({ afterMs: 5, reply: all[client] ?? absent() }));
      world.run(1_000);
      const [four, six] = [world.ask(addressOf(1)), world.ask(client6)];
      world.run(1_000);
      expect([world.lastTold(four)?.weight ?? 0, world.lastTold(six)?.weight ?? 0]).toEqual([
        weight4,
        weight6,
      ]);
    });
  }

  it('is not asked about IPv6 clients when the configuration says so', () => {
    const world = new DnsWorld('[[dnsxl]]\nzone = "a.test"\nipv6 = "off"\n', {
      'a.test': honestZone({ [name6]: CODE }),
    });
    world.run(1_000);
    const asker = world.ask(client6);
    world.run(1_000);
    expect(world.lastTold(asker)).toBeNull();
    expect(world.questions(LISTED_6)).toBe(0);
  });
});
