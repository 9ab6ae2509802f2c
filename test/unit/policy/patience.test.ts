import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultConfig } from '../../../src/config/load.ts';
import {
  allowedDelayMs,
  bodyRateFor,
  HANDOVER_MS_MAX,
  patienceProblems,
  patienceTable,
  plannedDelayMs,
  Timer,
  timerTable,
} from '../../../src/policy/patience.ts';

const timers = Object.values(Timer);
const configs = fc
  .record({
    greetWaitMs: fc.integer({ min: 0, max: 600_000 }),
    replyDelayMs: fc.integer({ min: 0, max: 3_600_000 }),
    holdMs: fc.integer({ min: 0, max: 3_600_000 }),
    bodyRateBytes: fc.integer({ min: 1, max: 1_000_000 }),
    timerShare: fc.integer({ min: 1, max: 90 }),
    totalMaxMs: fc.integer({ min: 0, max: 3_600_000 }),
  })
  .map(({ greetWaitMs, ...shape }) => defaultConfig({ screen: { greetWaitMs }, shape }));
const scales = fc.integer({ min: 0, max: 1_000 });

describe('the patience budget', () => {
  it('never uses more of a timer than its share, nor more than is left in all', () => {
    fc.assert(
      fc.property(
        configs,
        fc.constantFrom(...timers),
        scales,
        fc.integer({ min: 0, max: 4_000_000 }),
        (config, timer, scale, spentMs) => {
          const delayMs = allowedDelayMs(config, timer, plannedDelayMs(config, timer, scale), spentMs);
          const limitMs = timerTable[timer]?.limitMs ?? 0;
          expect(delayMs).toBeGreaterThanOrEqual(0);
          expect(delayMs).toBeLessThanOrEqual((limitMs * config.shape.timerShare) / 100);
          if (delayMs > 0) expect(delayMs + spentMs).toBeLessThanOrEqual(config.shape.totalMaxMs);
        },
      ),
    );
  });

  it('delays a session by no more than its total, whatever is asked of it and however its plan changes', () => {
    fc.assert(
      fc.property(
        configs,
        fc.array(fc.tuple(fc.constantFrom(...timers), scales), { maxLength: 300 }),
        (config, asked) => {
          let spentMs = 0;
          for (const [timer, scale] of asked)
            spentMs += allowedDelayMs(config, timer, plannedDelayMs(config, timer, scale), spentMs);
          expect(spentMs).toBeLessThanOrEqual(config.shape.totalMaxMs);
        },
      ),
    );
  });

  it('reads a body never so slowly that one large write outlasts the share of its timer', () => {
    fc.assert(
      fc.property(configs, scales, (config, scale) => {
        const blockMs = (65_536 * 1_000) / bodyRateFor(config, scale);
        expect(blockMs).toBeLessThanOrEqual((180_000 * config.shape.timerShare) / 100);
      }),
    );
  });

  it('keeps half of the time behind the final dot for the way to the backend', () => {
    fc.assert(
      fc.property(configs, scales, (config, scale) => {
        const holdMs = allowedDelayMs(config, Timer.Dot, plannedDelayMs(config, Timer.Dot, scale), 0);
        expect(holdMs + HANDOVER_MS_MAX).toBeLessThan(600_000);
      }),
    );
  });

  it('says of no configuration that a plan breaks a timer', () => {
    fc.assert(
      fc.property(configs, (config) => {
        const broken = patienceTable(config).filter(({ worstMs, limitMs }) => worstMs > limitMs);
        // A greeting longer than its share, and a backend as slow as the client: these are refused by name.
        const refused = ['greeting (220)', 'RCPT'];
        expect(broken.filter(({ timer }) => !refused.includes(timer))).toEqual([]);
        expect(patienceProblems(config).length).toBeGreaterThanOrEqual(broken.length);
      }),
    );
  });

  it('leaves replies without a timer undelayed', () => {
    expect(allowedDelayMs(defaultConfig(), Timer.None, 10_000, 0)).toBe(0);
  });

  it('finds nothing wrong with the defaults', () => {
    expect(patienceProblems(defaultConfig())).toEqual([]);
  });

  it('names the timer that a backend with long timeouts would break', () => {
    const config = defaultConfig({ backend: { waitMaxMs: 200_000, replyTimeoutMs: 200_000 } });
    expect(patienceProblems(config).join('\n')).toContain('RCPT: a client may wait');
  });

  it('refuses a greeting wait beyond the share of its timer', () => {
    const config = defaultConfig({ screen: { greetWaitMs: 200_000 }, shape: { timerShare: 50 } });
    expect(patienceProblems(config).join('\n')).toContain('screen.greet_wait');
  });

  it('has a row for every timer, each with its source', () => {
    const rows = patienceTable(defaultConfig());
    expect(rows.map(({ timer }) => timer)).toEqual([
      ...timerTable.map(({ name }) => name),
      'a short message, in all',
    ]);
    for (const row of rows) expect(row.source).not.toBe('');
  });
});
