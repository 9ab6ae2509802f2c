import { describe, expect, it } from 'vitest';
import { blocksOf, CLEAN_4, DnsWorld, honestZone, LISTED_4, listedAs } from './dns-world.ts';
import type { ZoneScript } from './dns-world.ts';

const BAD = '192.0.2.7';
const BAD_NAME = '7.2.0.192';
const CODE = 0x7f00_0002;

function listing(zone: ZoneScript, toml = blocksOf('a.test')): DnsWorld {
  const world = new DnsWorld(toml, { 'a.test': zone });
  world.run(1_000);
  return world;
}

describe('inquiries', () => {
  it('tell a session the weight, the list and then the reason', () => {
    const world = listing(honestZone({ [BAD_NAME]: CODE }));
    const asker = world.ask(BAD);
    world.run(1_000);
    expect(world.told.get(asker)!.map(({ answer }) => answer)).toEqual([
      { weight: 8, zones: ['a.test'], reason: '', isLast: false },
      { weight: 8, zones: ['a.test'], reason: `because ${BAD_NAME}`, isLast: true },
    ]);
    expect(world.inquiries.open).toBe(0);
  });

  it('tell nothing of a client that no list has', () => {
    const world = listing(honestZone());
    const asker = world.ask('192.0.2.8');
    world.run(1_000);
    expect(world.lastTold(asker)).toBeNull();
    expect(world.inquiries.open).toBe(0);
    expect(world.counters.valueOf('dnsClean')).toBe(1);
  });

  it('ask once for all sessions of a client that come while it is looked up', () => {
    const world = listing(honestZone({ [BAD_NAME]: CODE }, 50));
    const first = world.ask(BAD);
    world.run(20);
    const others = Array.from({ length: 100 }, () => world.ask(BAD));
    world.run(1_000);
    expect(world.questions(BAD_NAME)).toBe(1);
    expect(world.questions(BAD_NAME, 'TXT')).toBe(1);
    for (const asker of [first, ...others])
      expect(world.lastTold(asker)).toMatchObject({ weight: 8, isLast: true });
    expect(world.counters.valueOf('dnsCoalesced')).toBe(100);
  });

  it('tell a session that joins what is known already', () => {
    const world = new DnsWorld(blocksOf('a.test', 'b.test'), {
      'a.test': honestZone({ [BAD_NAME]: CODE }),
      'b.test': (client, type, nowMs) =>
        client === BAD_NAME ? { afterMs: 3_000, reply: listedAs(CODE) } : honestZone()(client, type, nowMs),
    });
    world.run(1_000);
    world.ask(BAD);
    world.run(1_000);
    const joined = world.ask(BAD);
    expect(world.lastTold(joined)).toMatchObject({ weight: 8, zones: ['a.test'], isLast: false });
    world.run(10_000);
    expect(world.lastTold(joined)).toMatchObject({ weight: 16, isLast: true });
  });

  it('keep an answer for its time to live, within the bounds', () => {
    const zone: ZoneScript = (client, type, nowMs) => {
      if (client === BAD_NAME && type === 'A') return { afterMs: 5, reply: listedAs(CODE, 10_000) };
      if (client === '8.2.0.192') return { afterMs: 5, reply: { kind: 'nothing', ttlMs: 7_200_000 } };
      return honestZone({ [BAD_NAME]: CODE })(client, type, nowMs);
    };
    const toml = `[dnsxl_policy]\nttl_min = "1min"\nttl_max = "10min"\n${blocksOf('a.test')}`;
    const world = listing(zone, toml);
    const ask = (): void => {
      world.ask(BAD);
      world.ask('192.0.2.8');
      world.run(500);
    };
    ask();
    world.run(59_000);
    ask();
    expect([world.questions(BAD_NAME), world.questions('8.2.0.192')]).toEqual([1, 1]);
    world.run(1_000);
    ask();
    expect([world.questions(BAD_NAME), world.questions('8.2.0.192')]).toEqual([2, 1]);
    world.run(600_000);
    ask();
    expect([world.questions(BAD_NAME), world.questions('8.2.0.192')]).toEqual([3, 2]);
  });

  it('count each block of a zone once, however many answers it names, and ask the zone once', () => {
    const toml = `
      [[dnsxl]]
      zone = "a.test"
      codes = ["127.0.0.2-127.0.0.4"]
      weight = 3
      [[dnsxl]]
      zone = "a.test"
      codes = ["127.0.0.10"]
      weight = 4
      [[dnsxl]]
      zone = "a.test"
      codes = ["127.0.0.99"]
      weight = 50
    `;
    const world = listing(
      (client, type, nowMs) =>
        client === BAD_NAME && type === 'A'
          ? { afterMs: 5, reply: { kind: 'addresses', addresses: [CODE, CODE + 1, CODE + 8], ttlMs: 60_000 } }
          : honestZone()(client, type, nowMs),
      toml,
    );
    const asker = world.ask(BAD);
    world.run(1_000);
    expect(world.lastTold(asker)).toMatchObject({ weight: 7, zones: ['a.test'] });
    expect(world.questions(BAD_NAME)).toBe(1);
  });

  it('take weights of lists of good clients off, and name the heaviest list first', () => {
    const toml = `${blocksOf('bad.test')}[[dnsxl]]\nzone = "good.test"\nweight = -5\n[[dnsxl]]\nzone = "worse.test"\nweight = 9\n`;
    const zone = honestZone({ [BAD_NAME]: CODE });
    const world = new DnsWorld(toml, { 'bad.test': zone, 'good.test': zone, 'worse.test': zone });
    world.run(1_000);
    const asker = world.ask(BAD);
    world.run(1_000);
    expect(world.lastTold(asker)).toMatchObject({
      weight: 12,
      zones: ['worse.test', 'bad.test', 'good.test'],
    });
  });

  it('look up an IPv6 client by nibbles, once for its /64', () => {
    const name = '7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2';
    const world = listing(honestZone({ [name]: CODE }));
    const asker = world.ask('2001:db8::7');
    world.run(1_000);
    const neighbour = world.ask('2001:db8::8');
    const stranger = world.ask('2001:db8:0:1::7');
    world.run(1_000);
    expect(world.lastTold(asker)).toMatchObject({ weight: 8 });
    expect(world.lastTold(neighbour)).toMatchObject({ weight: 8 });
    expect(world.lastTold(stranger)).toBeNull();
    expect(world.questions(name)).toBe(1);
  });

  it('give a question up at the deadline, and believe no answer behind it', () => {
    const world = listing((client, type, nowMs) =>
      client === BAD_NAME ? { afterMs: 10_001, reply: listedAs(CODE) } : honestZone()(client, type, nowMs),
    );
    const asker = world.ask(BAD);
    world.run(10_000);
    expect(world.inquiries.open).toBe(0);
    world.run(60_000);
    expect(world.lastTold(asker)).toBeNull();
    expect(world.counters.valueOf('dnsTimeouts')).toBe(1);
  });

  it('have no more questions in flight than allowed; the others wait, and a dead zone holds up nobody but itself', () => {
    const world = new DnsWorld(`[dnsxl_policy]\nin_flight_max = 20\n${blocksOf('a.test', 'dead.test')}`, {
      'a.test': honestZone(
        Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`${at}.2.0.192`, CODE])),
      ),
      'dead.test': (client, type, nowMs) =>
        client === LISTED_4 || client === CLEAN_4 ? honestZone()(client, type, nowMs) : null,
    });
    world.run(1_000);
    const askers = Array.from({ length: 200 }, (_, at) => world.ask(`192.0.2.${at}`));
    world.run(2_000);
    for (const asker of askers) expect(world.lastTold(asker)).toMatchObject({ weight: 8 });
    // A proof of each zone goes beside the twenty.
    expect(world.inFlightMost).toBeLessThanOrEqual(22);
    world.run(60_000);
    expect(world.inquiries.open).toBe(0);
    expect(world.counters.valueOf('dnsListed')).toBe(200);
  });

  it('never show the key in a zone name, wherever it comes from', () => {
    const toml = `[[dnsxl]]\nzone = "s3cr3tk3y.dq.test"\nshown_as = "dq.test"\nweight = 8\n`;
    const world = new DnsWorld(toml, {
      's3cr3tk3y.dq.test': (client, type, nowMs) => {
        if (type === 'TXT')
          return {
            afterMs: 5,
            reply: { kind: 'text', text: 'see S3cr3tK3y.dq.test/q and s3cr3tk3y\r\n', ttlMs: 1 },
          };
        return nowMs > 20_000
          ? { afterMs: 5, reply: listedAs(0x7f_ff_ff_fe) }
          : honestZone({ [BAD_NAME]: CODE })(client, type, nowMs);
      },
    });
    world.run(1_000);
    const asker = world.ask(BAD);
    world.run(30_000);
    world.ask('192.0.2.99');
    world.run(30_000);
    expect(world.lastTold(asker)).toMatchObject({ zones: ['dq.test'], reason: 'see dq.test/q and ...??' });
    expect(world.notices.length).toBeGreaterThan(0);
    expect(`${world.notices.join()}${JSON.stringify([...world.told])}`.toLowerCase()).not.toContain('s3cr3t');
  });
});
