/**
 * The look-ups of DNS lists beside naive twins: a list of everything that was ever kept for the memory of a zone, and
 * for the whole the script itself, which knows what everybody has to be told in the end.
 */
import { describe, expect, it } from 'vitest';
import { Prng } from '../../src/base/prng.ts';
import { DnsCache } from '../../src/reputation/dns-cache.ts';
import type { DnsReply } from '../../src/reputation/dns-queries.ts';
import { absent, DnsWorld, honestZone, listedAs } from '../unit/reputation/dns-world.ts';
import type { ZoneScript } from '../unit/reputation/dns-world.ts';

interface Kept {
  readonly key: number;
  readonly weight: number | null;
  readonly untilMs: number;
}

/** The naive twin: the last thing kept of a client that is still among the youngest `entriesMax` ones. */
class SlowCache {
  kept: Kept[] = [];
  readonly #entriesMax: number;

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  find(key: number, nowMs: number): number | null | undefined {
    const found = this.kept.find((one) => one.key === key);
    if (found === undefined || found.untilMs > nowMs) return found?.weight;
    this.kept = this.kept.filter((one) => one !== found);
    return undefined;
  }

  keep(one: Kept): void {
    this.kept = [...this.kept.filter((other) => other.key !== one.key), one].slice(-this.#entriesMax);
  }
}

describe('DnsCache', () => {
  it.each([1, 2, 3, 4, 5])('agrees with a list for 5 000 random operations (seed %i)', (seed) => {
    const random = new Prng(seed);
    const bounds = { ttlMinMs: 50, ttlMaxMs: 500, entriesMax: 1 + random.below(20) };
    const cache = new DnsCache(bounds);
    const slow = new SlowCache(bounds.entriesMax);
    let nowMs = 0;
    for (let step = 0; step < 5_000; step += 1) {
      nowMs += random.below(30);
      const key = random.below(40);
      if (random.below(3) === 0) {
        const weight = random.below(2) === 0 ? null : random.below(10) - 5;
        const ttlMs = random.below(1_000);
        cache.keep(key, weight, ttlMs, nowMs);
        slow.keep({ key, weight, untilMs: nowMs + Math.min(500, Math.max(50, ttlMs)) });
      } else {
        expect(cache.find(key, nowMs)?.weight).toBe(slow.find(key, nowMs));
      }
      expect(cache.size).toBe(slow.kept.length);
      expect(cache.size).toBeLessThanOrEqual(bounds.entriesMax);
    }
  });
});

const CLIENTS = 30;
const TTL_MS = 60_000;
const zones = ['a.test', 'b.test', 'c.test'] as const;

interface Fate {
  /** Codes by client; what a zone says when it is asked. */
  readonly codes: Readonly<Record<string, number>>;
  readonly delayMs: number;
  readonly lossPercent: number;
}

function scriptOf(fate: Fate, random: Prng): ZoneScript {
  const good = honestZone(fate.codes);
  return (client, type, nowMs) => {
    if (client.endsWith('.127') || client.includes('f.f.f.f')) return good(client, type, nowMs);
    if (random.below(100) < fate.lossPercent) return null;
    const code = fate.codes[client];
    const reply: DnsReply = code === undefined ? absent(TTL_MS) : listedAs(code, TTL_MS);
    const afterMs = 1 + random.below(fate.delayMs);
    return type === 'A' ? { afterMs, reply } : { ...good(client, type, nowMs)!, afterMs };
  };
}

const nameOf = (client: number): string => `${client}.0.0.10`;

describe('DnsInquiries', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'ask each zone once a client and time to live, tell everybody the truth, and come to an end (seed %i)',
    (seed) => {
      const random = new Prng(seed);
      const fates = zones.map(() => {
        const listed = Array.from({ length: CLIENTS }, (_, at) => at).filter(() => random.below(3) === 0);
        const codes = Object.fromEntries(listed.map((at) => [nameOf(at), 0x7f00_0002 + random.below(3)]));
        return { codes, delayMs: 1 + random.below(3_000), lossPercent: 0 };
      });
      const toml = zones
        .map((zone, at) => `[[dnsxl]]\nzone = "${zone}"\nweight = ${[5, 3, -4][at]}\n`)
        .join('');
      const world = new DnsWorld(
        toml,
        Object.fromEntries(zones.map((zone, at) => [zone, scriptOf(fates[at]!, random)])),
      );
      world.run(1_000);
      const asked: { asker: number; client: number }[] = [];
      for (let step = 0; step < 400; step += 1) {
        world.run(random.below(400));
        const client = random.below(CLIENTS);
        asked.push({ asker: world.ask(`10.0.0.${client}`), client });
      }
      world.run(30_000);
      expect(world.inquiries.open).toBe(0);
      expect(world.counters.valueOf('dnsTimeouts')).toBe(0);
      for (const { asker, client } of asked) {
        const weight = fates.reduce(
          (sum, { codes }, at) => sum + (nameOf(client) in codes ? [5, 3, -4][at]! : 0),
          0,
        );
        expect(world.lastTold(asker)?.weight ?? 0, `client ${client}`).toBe(weight);
      }
      for (const zone of zones) {
        for (let client = 0; client < CLIENTS; client += 1) {
          const times = world.sent
            .filter(({ name, type }) => name === `${nameOf(client)}.${zone}` && type === 'A')
            .map(({ atMs }) => atMs);
          for (let at = 1; at < times.length; at += 1)
            expect(times[at]! - times[at - 1]!).toBeGreaterThanOrEqual(TTL_MS);
        }
      }
    },
  );

  it.each([11, 12, 13, 14])(
    'lose every second answer, and still come to an end and list nobody that is not listed (seed %i)',
    (seed) => {
      const random = new Prng(seed);
      const fates = zones.map(() => ({
        codes: { [nameOf(1)]: 0x7f00_0002 },
        delayMs: 12_000,
        lossPercent: 30 + random.below(40),
      }));
      const toml = zones.map((zone) => `[[dnsxl]]\nzone = "${zone}"\nweight = 5\n`).join('');
      const world = new DnsWorld(
        toml,
        Object.fromEntries(zones.map((zone, at) => [zone, scriptOf(fates[at]!, random)])),
      );
      const askers = Array.from({ length: 500 }, (_, at) => {
        world.run(random.below(500));
        return { asker: world.ask(`10.0.0.${at % CLIENTS}`), client: at % CLIENTS };
      });
      world.run(60_000);
      expect(world.inquiries.open).toBe(0);
      expect(world.inFlight).toBe(0);
      expect(world.counters.valueOf('dnsTimeouts')).toBeGreaterThan(0);
      for (const { asker, client } of askers)
        if (client !== 1) expect(world.lastTold(asker)?.weight ?? 0).toBe(0);
    },
  );
});
