import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultConfig } from '../../../src/config/load.ts';
import { Latch, LATCH_HOLD_MS } from '../../../src/policy/latch.ts';
import { Recent } from '../../../src/policy/recent.ts';
import { Cause, Level, lobbySlots, roomOf, seatsIn, Stress } from '../../../src/policy/stress.ts';

const loads = fc.array(
  fc.record({ load: fc.integer({ min: 0, max: 130 }), waitMs: fc.nat({ max: 9_000 }) }),
  {
    maxLength: 60,
  },
);

describe('Latch', () => {
  it('turns on at its upper mark and off at its lower one, and stays as it is between the two', () => {
    const latch = new Latch(90, 70);
    const seen = [89, 90, 71, 70, 71, 89, 90].map((load, at) => {
      latch.hear(load, at * LATCH_HOLD_MS);
      return latch.on;
    });
    expect(seen).toEqual([false, true, true, false, false, false, true]);
  });

  it('does what its whole history says, and turns on at most once in its holding time', () => {
    fc.assert(
      fc.property(loads, (steps) => {
        const latch = new Latch(90, 70);
        let nowMs = 0;
        let onSinceMs = -Infinity;
        for (const { load, waitMs } of steps) {
          nowMs += waitMs;
          const before = latch.on;
          latch.hear(load, nowMs);
          if (load >= 90) expect(latch.on).toBe(true);
          if (load > 70 && load < 90) expect(latch.on).toBe(before);
          if (load <= 70) expect(latch.on).toBe(before && nowMs - onSinceMs < LATCH_HOLD_MS);
          if (before || !latch.on) continue;
          expect(nowMs - onSinceMs).toBeGreaterThanOrEqual(LATCH_HOLD_MS);
          onSinceMs = nowMs;
        }
      }),
    );
  });
});

describe('Recent', () => {
  it('moves little by one value, is what a row of values says, and counts none for more than its bound', () => {
    const recent = new Recent(5_000, 200);
    recent.hear(1_000_000, 1 / 8);
    expect(recent.value).toBe(25);
    for (let count = 0; count < 100; count++) recent.hear(50, 1 / 8);
    expect(recent.value).toBeCloseTo(50, 3);
  });

  it('fades by half in its time while nothing is heard, and also over what is no news any more', () => {
    const recent = new Recent(5_000, 200);
    recent.hear(100, 1);
    recent.pass(100);
    expect(recent.value).toBe(100);
    recent.pass(5_000);
    expect(recent.value).toBe(50);
    recent.hear(50, 1);
    recent.pass(10_000);
    expect(recent.value).toBe(12.5);
  });
});

describe('Stress', () => {
  const config = defaultConfig({ stress: { enter: 90, leave: 70, shed: 95 } });

  it('has the level of the worst of its causes, and names the one with the highest load', () => {
    const stress = new Stress(config);
    expect(stress.hear(Cause.Memory, 91, 0)).toBe(true);
    expect([stress.level, stress.cause]).toEqual([Level.ShortWaits, Cause.Memory]);
    expect(stress.hear(Cause.Loop, 94, 0)).toBe(false);
    expect([stress.level, stress.cause]).toEqual([Level.ShortWaits, Cause.Loop]);
    expect(stress.hear(Cause.Sessions, 95, 0)).toBe(true);
    expect([stress.level, stress.cause]).toEqual([Level.Shedding, Cause.Sessions]);
  });

  it('keeps waits short as long as it sheds, and leaves at its lower mark only', () => {
    const stress = new Stress(config);
    stress.hear(Cause.Sessions, 90, 0);
    stress.hear(Cause.Sessions, 95, 1_000);
    stress.hear(Cause.Sessions, 70, LATCH_HOLD_MS);
    expect(stress.level).toBe(Level.Shedding);
    stress.hear(Cause.Sessions, 71, LATCH_HOLD_MS + 1_000);
    expect(stress.level).toBe(Level.ShortWaits);
    stress.hear(Cause.Sessions, 70, LATCH_HOLD_MS + 1_000);
    expect(stress.level).toBe(Level.Calm);
  });

  it('is overworked when anything but slots makes it shed', () => {
    const stress = new Stress(config);
    stress.hear(Cause.Sessions, 100, 0);
    expect(stress.isOverworked).toBe(false);
    stress.hear(Cause.Backend, 100, 0);
    expect(stress.isOverworked).toBe(true);
    // The latch stays on for a while; whoever comes when the load is gone is not too much.
    stress.hear(Cause.Backend, 20, 100);
    expect(stress.isOverworked).toBe(false);
    stress.hear(Cause.Backend, 100, 200);
    expect(stress.isOverworked).toBe(true);
    stress.hear(Cause.Backend, 90, 200 + LATCH_HOLD_MS);
    expect(stress.isOverworked).toBe(false);
    expect(stress.level).toBe(Level.Shedding);
  });

  it('is the maximum of what eight latches say, whatever is heard, and tells every change', () => {
    const heard = fc.array(
      fc.record({ cause: fc.nat({ max: 3 }), load: fc.nat({ max: 130 }), waitMs: fc.nat({ max: 9_000 }) }),
      { maxLength: 100 },
    );
    fc.assert(
      fc.property(heard, (steps) => {
        const stress = new Stress(config);
        const twin = [0, 1, 2, 3].map(() => ({ load: 0, short: new Latch(90, 70), shed: new Latch(95, 90) }));
        let nowMs = 0;
        for (const { cause, load, waitMs } of steps) {
          nowMs += waitMs;
          const before = stress.level;
          const changed = stress.hear(cause as Cause, load, nowMs);
          twin[cause]!.load = load;
          twin[cause]!.shed.hear(load, nowMs);
          twin[cause]!.short.hear(twin[cause]!.shed.on ? Math.max(load, 90) : load, nowMs);
          const levels = twin.map(({ short, shed }) => (shed.on ? 2 : short.on ? 1 : 0));
          const level = Math.max(...levels);
          expect(stress.level).toBe(level);
          expect(changed).toBe(stress.level !== before);
          expect(stress.isOverworked).toBe(
            twin.slice(1).some(({ shed, load: last }) => shed.on && last > 90),
          );
          if (level === 0) continue;
          const worst = Math.max(...twin.filter((_, at) => levels[at] === level).map((one) => one.load));
          expect(levels[stress.cause]).toBe(level);
          expect(twin[stress.cause]!.load).toBe(worst);
        }
      }),
    );
  });
});

describe('the room', () => {
  it.each([
    [10, 10, 100, 1, { seats: 100, strangers: 90, network: 10 }],
    [10, 10, 1, 1, { seats: 1, strangers: 1, network: 1 }],
    [90, 1, 1_000, 4, { seats: 1_000, strangers: 100, network: 40 }],
    [0, 100, 1_000, 1, { seats: 1_000, strangers: 1_000, network: Infinity }],
  ])(
    'reserve %i, network_share %i of %i seats in %i shards',
    (reserve, networkShare, seats, shards, room) => {
      expect(roomOf(defaultConfig({ stress: { reserve, networkShare } }), seats, shards)).toEqual(room);
    },
  );

  it('with its lobbies fits the slots there are', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.integer({ min: 1, max: 64 }),
        (slots, shards) => {
          const seats = Math.floor(seatsIn(slots, shards) / shards);
          if (seats < 1) return;
          expect(shards * (seats + lobbySlots(seats))).toBeLessThanOrEqual(slots);
        },
      ),
    );
  });
});
