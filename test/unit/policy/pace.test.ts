import { describe, expect, it } from 'vitest';
import { defaultConfig } from '../../../src/config/load.ts';
import { Action, actionOf, Pace, paceFor, passesNeeded, testNames } from '../../../src/policy/pace.ts';
import { Pass } from '../../../src/reputation/layout.ts';

const config = defaultConfig({ shape: { slowFrom: 15, slowAt: 40 } });

describe('the pace of a client', () => {
  it.each([
    ['unknown', 'none', 0, false, Pace.Screened],
    ['known', 'none', 0, true, Pace.Instant],
    ['at the mark', 'none', 15, true, Pace.Instant],
    ['above the mark, though it passed once', 'none', 16, true, Pace.Slow],
    ['on the slow list, though it passed once', 'slow', -100, true, Pace.Slow],
    ['on the deny list', 'deny', -100, true, Pace.Refused],
    ['on the allow list with the worst score', 'allow', 1_000, false, Pace.Instant],
  ] as const)('%s', (_what, listed, score, passed, pace) => {
    expect(paceFor(config, listed, score, passed)).toBe(pace);
  });

  it('is instant for everybody in observe mode', () => {
    const observing = defaultConfig({ mode: 'observe' });
    expect(paceFor(observing, 'deny', 1_000, false)).toBe(Pace.Instant);
  });

  it('screens nobody when there is no greeting wait', () => {
    expect(paceFor(defaultConfig({ screen: { greetWaitMs: 0 } }), 'none', 0, false)).toBe(Pace.Instant);
  });
});

describe('a failed test', () => {
  it('costs what the configuration says', () => {
    const strict = defaultConfig({
      screen: { pregreet: 'drop', pipelining: 'refuse', bareNewline: 'ignore' },
    });
    expect(actionOf(strict, 'pregreet')).toBe(Action.Drop);
    expect(actionOf(strict, 'pipelining')).toBe(Action.Refuse);
    expect(actionOf(strict, 'bareNewline')).toBe(Action.Ignore);
  });

  it('would cost the same in observe mode, which does nothing about it', () => {
    const screen = { pregreet: 'drop', bareNewline: 'ignore' } as const;
    for (const test of testNames)
      expect(actionOf(defaultConfig({ mode: 'observe', screen }), test)).toBe(
        actionOf(defaultConfig({ mode: 'enforce', screen }), test),
      );
  });

  it('has to be passed by those who want to be known, unless it is ignored', () => {
    const some = defaultConfig({
      screen: { pregreet: 'refuse', pipelining: 'ignore', nonSmtpCommand: 'drop', bareNewline: 'ignore' },
    });
    expect(passesNeeded(some)).toBe(Pass.pregreet | Pass.nonSmtpCommand);
  });
});
