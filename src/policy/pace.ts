/**
 * pace — how fast a client is spoken to, and what a failed test costs it
 *
 * Pure functions from what is known to a word; the stages act on the word. Lists come first, then the score,
 * then the passes: a client that passed every enabled test within `screen.pass_ttl` is not made to wait again.
 */
import type { Config } from '../config/config.ts';
import { Pass } from '../reputation/layout.ts';
import { scaleForScore } from './plan.ts';

/** How a session is spoken to. */
export const Pace = {
  /** Known good: one greeting line at once, no delay, PIPELINING offered from the start. */
  Instant: 0,
  /** Unknown: the greeting trap, then full speed. */
  Screened: 1,
  /** Suspicious: the greeting drips, replies and the body wait, as the plan has it (plan). */
  Slow: 2,
  /** Sent away with one line. */
  Refused: 3,
} as const;
export type Pace = (typeof Pace)[keyof typeof Pace];

/** Names of the paces as the log says them. */
export const paceNames = ['instant', 'screened', 'slow', 'refused'] as const;

/** Where a permanent list puts a client. */
export type Listed = 'none' | 'allow' | 'slow' | 'deny';

/** The pace a session begins with. `passed`: every enabled test was passed and has not expired. */
export function paceFor(config: Config, listed: Listed, score: number, passed: boolean): Pace {
  return config.mode === 'observe' ? Pace.Instant : enforcedPaceFor(config, listed, score, passed);
}

/** The same, as enforce mode has it. */
export function enforcedPaceFor(config: Config, listed: Listed, score: number, passed: boolean): Pace {
  if (listed === 'allow') return Pace.Instant;
  if (listed === 'deny') return Pace.Refused;
  if (listed === 'slow' || scaleForScore(config, score) > 0) return Pace.Slow;
  return passed || config.screen.greetWaitMs === 0 ? Pace.Instant : Pace.Screened;
}

/** What is done with a client that fails a test. */
export const Action = { Ignore: 0, Refuse: 1, Drop: 2 } as const;
export type Action = (typeof Action)[keyof typeof Action];

/** The tests that are made inside a session, by their name in the configuration and in reputation/signals. */
export const testNames = ['pregreet', 'pipelining', 'nonSmtpCommand', 'bareNewline'] as const;
export type TestName = (typeof testNames)[number];

const actions = { ignore: Action.Ignore, refuse: Action.Refuse, drop: Action.Drop } as const;

/** What the configuration says about a failed test. Observe mode notes it and does nothing (stages/learn). */
export function actionOf(config: Config, test: TestName): Action {
  return actions[config.screen[test]];
}

/** Pass bits a client must have to be known: every test that is not ignored. */
export function passesNeeded(config: Config): number {
  let bits = 0;
  for (const test of testNames) if (actions[config.screen[test]] !== Action.Ignore) bits |= Pass[test];
  return bits;
}

/** How long the pass of each test holds, in seconds, by the place of its bit in Pass. */
export function passTtlsSec(config: Config): readonly number[] {
  const ttls = testNames.map((test) => [Math.log2(Pass[test]), config.screen[`${test}TtlMs`]] as const);
  const byPlace: number[] = [];
  for (const [place, ttlMs] of ttls)
    byPlace[place] = Math.floor((ttlMs === 0 ? config.screen.passTtlMs : ttlMs) / 1000);
  return byPlace;
}
