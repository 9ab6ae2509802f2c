/**
 * signals — what a client can do that tells something about it, and how much
 *
 * The one table of weights: positive points are suspicion, negative ones credit. A row is remembered by itself, loses
 * half of its amount in its half-life, and counts for `cap` points at most, however often it was seen. As a
 * scale: what only a zombie does is worth the whole step to a slow client at once (40 and more; `shape.slow_at` is 40 as
 * shipped). What a clumsy but honest client may do needs repetition within its half-life: four stalls, ten bad commands.
 * Hang-ups alone, or bad neighbours alone, are never enough for the full plan of delays (policy/plan): their caps are below that step.
 *
 * `id` stands in shared memory and in the state file: a new row takes a new number, below 32, and no number comes
 * back. `passBit` is the test that a client fails by this signal; who ends the session without it has passed.
 */
import { SIGNALS_MAX, STEPS_PER_HALF_LIFE } from './decay.ts';
import { Pass } from './layout.ts';

export interface Signal {
  readonly id: number;
  /** Points of score for one observation: suspicion above 0, credit below. */
  readonly weight: number;
  /** Half of it is forgotten after this time; a multiple of 64 s. */
  readonly halfLifeSec: number;
  /** Points that all observations together are worth at most, in either direction. */
  readonly cap: number;
  /** The test (a Pass bit) that this signal fails. */
  readonly passBit?: number;
  /** What the client did, as the end of a sentence. */
  readonly says: string;
}

const DAY = 86_400;

// prettier-ignore
export const signals = {
  pregreet:         { id: 1,  weight: 40,  halfLifeSec: 2 * DAY,  cap: 120, passBit: Pass.pregreet,       says: 'spoke before the greeting was finished' },
  pipelining:       { id: 2,  weight: 40,  halfLifeSec: 2 * DAY,  cap: 120, passBit: Pass.pipelining,     says: 'sent the next command before the reply to the last one' },
  nonSmtpCommand:   { id: 3,  weight: 100, halfLifeSec: 7 * DAY,  cap: 200, passBit: Pass.nonSmtpCommand, says: 'spoke another protocol than SMTP' },
  bareNewline:      { id: 4,  weight: 30,  halfLifeSec: 2 * DAY,  cap: 60,  passBit: Pass.bareNewline,    says: 'ended a line with LF alone' },
  badCommand:       { id: 5,  weight: 4,   halfLifeSec: DAY,      cap: 60,  says: 'sent a command that is unknown, malformed or out of order' },
  stall:            { id: 6,  weight: 10,  halfLifeSec: DAY,      cap: 60,  says: 'kept silent until its time was up' },
  hangup:           { id: 7,  weight: 2,   halfLifeSec: DAY,      cap: 30,  says: 'hung up in the middle of a conversation' },
  unknownRecipient: { id: 8,  weight: 4,   halfLifeSec: DAY,      cap: 80,  says: 'named a recipient that does not exist' },
  passed:           { id: 9,  weight: -10, halfLifeSec: 7 * DAY,  cap: 20,  says: 'passed every test of a session' },
  delivered:        { id: 10, weight: -10, halfLifeSec: 14 * DAY, cap: 80,  says: 'had a message accepted' },
  contentRefused:   { id: 11, weight: 10,  halfLifeSec: 7 * DAY,  cap: 80,  says: 'had a message refused for its content' },
  trapped:          { id: 12, weight: 60,  halfLifeSec: 7 * DAY,  cap: 120, says: 'named a recipient that is a trap' },
  lowPriorityFirst: { id: 13, weight: 40,  halfLifeSec: DAY,      cap: 40,  says: 'came as a stranger to the MX of the lowest priority' },
  badMember:        { id: 14, weight: 8,   halfLifeSec: DAY,      cap: 30,  says: 'is a network or pool of which a member became bad' },
  goodMember:       { id: 15, weight: -10, halfLifeSec: 14 * DAY, cap: 80,  says: 'is a network or pool of which a known member had a message accepted' },
  listed:           { id: 17, weight: 5,   halfLifeSec: DAY,      cap: 15,  says: 'is on DNS lists, with a weight of dnsxl_policy.slow_at or more' },
  outlasted:        { id: 18, weight: -40, halfLifeSec: 14 * DAY, cap: 40,  says: 'waited through a whole plan of delays and then had a message accepted' },
  tlsInjection:     { id: 16, weight: 40,  halfLifeSec: 2 * DAY,  cap: 120, says: 'sent plaintext behind STARTTLS' },
} as const satisfies Record<string, Signal>;

export type SignalName = keyof typeof signals;

const rows: readonly (readonly [string, Signal])[] = Object.entries(signals);

/** Names by number; '' where there is no signal. */
export const signalNameOf: readonly (SignalName | '')[] = Array.from(
  { length: SIGNALS_MAX },
  (_, id) => (rows.find(([, signal]) => signal.id === id)?.[0] ?? '') as SignalName | '',
);

function column(of: (signal: Signal) => number): Int32Array {
  const values = new Int32Array(SIGNALS_MAX).fill(0);
  for (const [, signal] of rows) values[signal.id] = of(signal);
  return values;
}

/** The columns of the table by number, for the hot path. A number without a signal has weight 0. */
export const signalWeights = column((signal) => signal.weight);
export const signalCaps = column((signal) => signal.cap);
/** Seconds of a sixty-fourth of the half-life. */
export const signalStepsSec = column((signal) => signal.halfLifeSec / STEPS_PER_HALF_LIFE).map(
  (step) => step || 1,
);
