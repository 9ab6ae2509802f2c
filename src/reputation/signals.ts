/**
 * signals — what a client can do that tells something about it, and how much
 *
 * The one table of weights: positive points are suspicion, negative ones credit. The weights are for the first
 * day; decay halves them after that. As a scale: what only a zombie does is worth the whole step to a slow
 * client at once (40 and more), what a clumsy but honest client may do needs repetition (2 to 10).
 *
 * `passBit` is the test that a client fails by this signal; who ends the session without it has passed.
 */
import { Pass } from './layout.ts';

export interface Signal {
  /** Points of score: suspicion above 0, credit below. */
  readonly weight: number;
  /** The test (a Pass bit) that this signal fails. */
  readonly passBit?: number;
  /** What the client did, as the end of a sentence. */
  readonly says: string;
}

// prettier-ignore
export const signals = {
  pregreet:         { weight: 40,  passBit: Pass.pregreet,       says: 'spoke before the greeting was finished' },
  pipelining:       { weight: 40,  passBit: Pass.pipelining,     says: 'sent the next command before the reply to the last one' },
  nonSmtpCommand:   { weight: 100, passBit: Pass.nonSmtpCommand, says: 'spoke another protocol than SMTP' },
  bareNewline:      { weight: 30,  passBit: Pass.bareNewline,    says: 'ended a line with LF alone' },
  badCommand:       { weight: 4,   says: 'sent a command that is unknown, malformed or out of order' },
  listed:           { weight: 5,   says: 'is on DNS lists, with a weight of dnsxl_policy.slow_at or more' },
  stall:            { weight: 10,  says: 'kept silent until its time was up' },
  hangup:           { weight: 2,   says: 'hung up in the middle of a conversation' },
  unknownRecipient: { weight: 4,   says: 'named a recipient that does not exist' },
  passed:           { weight: -10, says: 'passed every test of a session' },
  delivered:        { weight: -10, says: 'had a message accepted' },
  contentRefused:   { weight: 10,  says: 'had a message refused for its content' },
} as const satisfies Record<string, Signal>;

export type SignalName = keyof typeof signals;
