/**
 * house — what a conversation of the simulated backend shares with the backend it belongs to
 */
import type { Fate, Step } from './fates.ts';

/** A message that the backend has taken. */
export interface Stored {
  /** The X-Load-Id of its first line. */
  readonly id: string;
  /** As it came: dots stuffed, the final dot included. */
  readonly text: string;
  readonly address: string;
  readonly port: number;
  readonly xclientHelo: string;
  readonly helo: string;
  readonly sender: string;
  readonly recipients: readonly string[];
  /** Whether its 250 was sent and the connection then left alone. */
  readonly isAnswered: boolean;
  readonly ms: number;
}

/** What a conversation needs of the backend that it belongs to. */
export interface House {
  readonly repeatsXclient: boolean;
  readonly pipelining: boolean;
  /** Whether it takes mail for every name, even one that exists nowhere. */
  readonly takesAll: boolean;
  /** Whether what is said together may arrive in pieces. */
  readonly splits: boolean;
  /** How long Sluice must wait for the answer to a whole message. */
  readonly finalTimeoutMs: number;
  fateAt(step: Step): Fate;
  restMs(): number;
  /** Wakes the conversation at a moment; replaces the moment set before. */
  wakeAt(number: number, ms: number): void;
  store(stored: Stored): void;
  /** The message `id` was refused for good. */
  refused(id: string): void;
  heard(ms: number, serial: number, who: 'B>' | 'B<', text: string): void;
}
