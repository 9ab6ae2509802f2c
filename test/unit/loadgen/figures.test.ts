import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { figuresOf, LEAVING_SECONDS } from '../../../loadgen/virtual/figures.ts';
import { ascending, quantileOf } from '../../../loadgen/virtual/quantiles.ts';
import { registerOf, someBots } from './some-register.ts';

describe('figures', () => {
  const register = registerOf([
    { kind: 1, leftMs: 21_000, bytesOut: 100 },
    { kind: 1, leftMs: 21_900, bytesOut: 300 },
    { kind: 1, leftMs: 60_000, bytesOut: 200, messages: 2 },
    { kind: 2, leftMs: 900_000 },
    { kind: 2 },
    { kind: 0, known: true, delayMs: 0, deliverMs: 300, messages: 1 },
    { kind: 0, delayMs: 6_000, deliverMs: 6_300, messages: 1 },
    { kind: 0, delayMs: 6_000 },
  ]);
  register.openMax = 3;
  register.families.set('rustock', 1);
  register.families.set('climbot', 2);
  const figures = figuresOf(register, someBots);

  it('tell of each kind of zombie, and of all, who went before anything was delivered', () => {
    expect(figures.kinds.map(({ kind, sessions, gone }) => [kind, sessions, gone])).toEqual([
      ['rustock', 3, 2],
      ['climbot', 2, 2],
    ]);
    expect(figures.zombies).toMatchObject({ kind: 'all', sessions: 5, gone: 4, goneShare: 0.8, messages: 2 });
  });

  it('tell when half of a kind had left, and what it cost', () => {
    const [rustock] = figures.kinds;
    expect(rustock).toMatchObject({ leftMs: 21_900, bytesPerSession: 200 });
    expect(rustock!.slotSecPerSession).toBeCloseTo(102.9 / 3, 9);
    expect(rustock!.messagesPerHour).toBeCloseTo((2 * 3_600) / 102.9, 9);
  });

  it('count who was turned away for want of a slot as gone at once', () => {
    expect(figures.kinds[1]).toMatchObject({ gone: 2, leftMs: 0 });
  });

  it('tell honest senders that are known from those that are not', () => {
    expect(figures.honest.known).toMatchObject({
      sessions: 1,
      delivered: 1,
      deliverMs: { p50: 300, p99: 300 },
    });
    expect(figures.honest.unknown).toMatchObject({ sessions: 2, delivered: 1, delayMs: { p50: 6_000 } });
  });

  it('tell honest senders by kind', () => {
    expect(figures.honest.kinds).toEqual([{ kind: 'polite', ...figures.honest.all }]);
  });

  it('let mail that was not delivered take an hour', () => {
    expect(figures.honest.all.deliverMs).toEqual({ p50: 6_300, p99: 3_600_000 });
  });

  it('put each zombie without a message into the second in which it left, late ones into the last', () => {
    const seconds = (bins: readonly number[]): object =>
      Object.fromEntries([...bins.entries()].filter(([, count]) => count > 0));
    expect(figures.leaving.map(seconds)).toEqual([{ 21: 2 }, { 0: 1, [LEAVING_SECONDS - 1]: 1 }]);
    expect(seconds(figures.leavingServed)).toEqual({ 60: 1 });
  });

  it('name families by how often the log has them', () => {
    expect(figures.families).toEqual([
      { name: 'climbot', sessions: 2 },
      { name: 'rustock', sessions: 1 },
    ]);
  });

  it('have null for a share of nobody', () => {
    const { zombies, honest } = figuresOf(registerOf([]), someBots);
    expect(zombies).toMatchObject({ goneShare: null, messagesPerHour: null, leftMs: null });
    expect(honest.all).toMatchObject({ sessions: 0, deliverMs: { p50: null, p99: null } });
  });
});

describe('a quantile', () => {
  it('is a value that so many percent do not exceed, and the smallest such', () => {
    const values = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 100 }), (all, percent) => {
        const quantile = quantileOf(ascending(all), percent)!;
        const upTo = (bound: number): number => all.filter((value) => value <= bound).length;
        expect(all).toContain(quantile);
        expect(upTo(quantile) * 100).toBeGreaterThanOrEqual(percent * all.length);
        expect(upTo(quantile - 1) * 100).toBeLessThan(percent * all.length);
      }),
    );
  });
});
