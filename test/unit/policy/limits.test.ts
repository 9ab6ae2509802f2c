import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultConfig } from '../../../src/config/load.ts';
import { settings } from '../../../src/config/settings.ts';
import {
  endingOver,
  excessDelayMs,
  Limit,
  limitNames,
  limitPlan,
  limitRow,
  limitTable,
  NO_LIMIT,
} from '../../../src/policy/limits.ts';
import {
  allowedDelayMs,
  patienceProblems,
  patienceTable,
  Timer,
  timerTable,
} from '../../../src/policy/patience.ts';
import { Rate } from '../../../src/reputation/rates.ts';
import { counterTable } from '../../../src/session/counter-table.ts';
import { endingTable } from '../../../src/session/endings.ts';
import { replyTable } from '../../../src/smtp/replies.ts';

describe('the table of limits', () => {
  it('has the names of the settings, each with a counter and a reply that names the client', () => {
    for (const [name, row] of Object.entries(limitTable)) {
      expect(Object.keys(settings.limits.rows)).toContain(name);
      expect(Object.keys(counterTable)).toContain(row.counter);
      expect(replyTable[row.reply].text).toMatch(/ from %a$/);
    }
    expect(new Set(Object.values(limitTable).map(({ counter }) => counter)).size).toBe(limitNames.length - 1);
  });

  it('has every rate for clients and for networks', () => {
    for (const rate of Object.values(Rate)) {
      const rows = Object.values(limitTable).filter((row) => row.rate === rate);
      expect(rows.map((row) => row.of)).toEqual(['client', 'network']);
    }
  });

  it('numbers limits from 1, in its own order', () => {
    expect(limitNames[NO_LIMIT]).toBe('');
    expect(Limit.connections).toBe(1);
    for (const name of limitNames.slice(1)) {
      if (name === '') continue;
      expect(limitNames[Limit[name]]).toBe(name);
      expect(limitRow(Limit[name])).toBe(limitTable[name]);
    }
  });

  it('ends a session over a limit of sessions as before, and one over a rate as connectionRate', () => {
    const endings = limitNames.slice(1).map((_, at) => endingOver(at + 1));
    expect(endings.slice(0, 4)).toEqual([
      'tooManyConnections',
      'tooManyConnections',
      'connectionRate',
      'connectionRate',
    ]);
    for (const ending of endings) expect(endingTable[ending].verdict).toBe('limit');
  });
});

describe('the plan of a configuration', () => {
  it('knows no rate by default, so that nothing is looked up for one', () => {
    const plan = limitPlan(defaultConfig());
    expect([...plan.clientRates, ...plan.networkRates]).toEqual(new Array(8).fill(NO_LIMIT));
    expect(plan.values[Limit.connections]).toBe(50);
  });

  it('has each rate that is set, and half of the window', () => {
    const plan = limitPlan(
      defaultConfig({
        limits: { messageRate: 7, networkTlsRate: 9, networkConnections: 3, windowMs: 5_000 },
      }),
    );
    expect(plan.clientRates[Rate.Messages]).toBe(Limit.message_rate);
    expect(plan.networkRates[Rate.TlsSessions]).toBe(Limit.network_tls_rate);
    expect(plan.clientRates[Rate.TlsSessions]).toBe(NO_LIMIT);
    expect([plan.values[Limit.message_rate], plan.values[Limit.network_tls_rate]]).toEqual([7, 9]);
    expect(plan.values[Limit.network_connections]).toBe(3);
    expect(plan.halfMs).toBe(2_500);
  });
});

const configs = fc
  .record({
    slowFrom: fc.integer({ min: 1, max: 100 }),
    messageRate: fc.integer({ min: 0, max: 1_000_000 }),
    connectionRate: fc.integer({ min: 0, max: 1_000_000 }),
    timerShare: fc.integer({ min: 1, max: 90 }),
    totalMaxMs: fc.integer({ min: 0, max: 3_600_000 }),
  })
  .map(({ timerShare, totalMaxMs, ...limits }) =>
    defaultConfig({ limits, shape: { timerShare, totalMaxMs } }),
  );
const rates = fc.double({ min: 0, max: 2_000_000, noNaN: true });
const limits = fc.integer({ min: 1, max: 1_000_000 });

describe('slowing', () => {
  it('asks for nothing up to slow_from, for all of total_max at the limit, and never for more', () => {
    fc.assert(
      fc.property(configs, rates, limits, (config, rate, limit) => {
        const delayMs = excessDelayMs(config, rate, limit);
        const { slowFrom } = config.limits;
        if (slowFrom === 100 || rate <= (limit * slowFrom) / 100) expect(delayMs).toBe(0);
        else if (rate >= limit) expect(delayMs).toBe(config.shape.totalMaxMs);
        expect(delayMs).toBeGreaterThanOrEqual(0);
        expect(delayMs).toBeLessThanOrEqual(config.shape.totalMaxMs);
      }),
    );
  });

  it('asks for more when the rate is higher, in proportion', () => {
    fc.assert(
      fc.property(configs, rates, rates, limits, (config, one, other, limit) => {
        const [less, more] = [Math.min(one, other), Math.max(one, other)];
        expect(excessDelayMs(config, less, limit)).toBeLessThanOrEqual(excessDelayMs(config, more, limit));
      }),
    );
    const config = defaultConfig({ limits: { slowFrom: 50 } });
    expect([50, 60, 75, 90, 100, 1_000].map((rate) => excessDelayMs(config, rate, 100) / 60_000)).toEqual([
      0, 2, 5, 8, 10, 10,
    ]);
  });

  it('spends what it asks for without breaking a timer or the total, whatever rates a session meets', () => {
    const timers = fc.constantFrom(Timer.Mail, Timer.Rcpt);
    const steps = fc.array(fc.tuple(timers, rates), { maxLength: 60 });
    fc.assert(
      fc.property(configs, limits, steps, (config, limit, met) => {
        let spentMs = 0;
        let askedMs = 0;
        for (const [timer, rate] of met) {
          askedMs = Math.max(askedMs, excessDelayMs(config, rate, limit));
          const delayMs = allowedDelayMs(config, timer, askedMs - spentMs, spentMs);
          expect(delayMs).toBeLessThanOrEqual((timerTable[timer]!.limitMs * config.shape.timerShare) / 100);
          spentMs += delayMs;
          expect(spentMs).toBeLessThanOrEqual(askedMs);
        }
        expect(spentMs).toBeLessThanOrEqual(config.shape.totalMaxMs);
      }),
    );
  });

  it('is in the table of waits beside each timer, and breaks none', () => {
    fc.assert(
      fc.property(configs, (config) => {
        expect(patienceProblems(config).filter((problem) => problem.includes('a client may wait'))).toEqual(
          [],
        );
      }),
    );
    const worst = (limitsOf: object): number[] =>
      patienceTable(defaultConfig({ limits: limitsOf }))
        .slice(0, 6)
        .map((row) => row.worstMs / 1000);
    expect(worst({})).toEqual([60, 60, 60, 220, 60, 450]);
    expect(worst({ messageRate: 1 })).toEqual([60, 60, 150, 220, 60, 450]);
    expect(worst({ networkConnectionRate: 1 })).toEqual([150, 60, 150, 220, 60, 450]);
    expect(worst({ connectionRate: 1, slowFrom: 100 })).toEqual([60, 60, 60, 220, 60, 450]);
  });
});
