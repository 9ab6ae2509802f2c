/**
 * would-reasons — why enforce mode would have slowed or refused a client
 *
 * The words of `would` in the log of observe mode, and of the report that is made of it. Tests and limits have the names that they
 * have in the signals and in the configuration. A session remembers a reason by its number, the place in this table.
 *
 * `isForNow`: the client is told to come again, and an honest one does.
 */
import { limitNames } from './limits.ts';

interface WouldReason {
  /** The client … */
  readonly says: string;
  readonly isForNow: boolean;
}

const row = (says: string, isForNow = false): WouldReason => ({ says, isForNow });

const ownReasons = {
  none: row(''),
  unknown: row('was not known, and waits for the greeting'),
  slow_list: row('is on a list of clients to be slowed, or was in a trap'),
  score: row('had a score over shape.slow_from'),
  dnsxl: row('is on DNS lists'),
  family: row('behaves as a family of zombies'),
  rate: row('came near the limit of a rate'),
  harvest: row('named many unknown recipients'),
  trap: row('named a recipient that is a trap'),
  pregreet: row('spoke before the greeting'),
  pipelining: row('sent commands ahead of replies'),
  nonSmtpCommand: row('spoke another protocol'),
  bareNewline: row('ended lines with a bare LF'),
  dataAhead: row('sent a message before it was asked to'),
  bodyNewline: row('sent a message with bare newlines'),
  denied: row('is on a deny list'),
  greylist: row('was a stranger, and greylisting is on', true),
  shedStranger: row('came as a stranger under stress', true),
  shedNetwork: row('came under stress from a network that held its share', true),
  sessionsFull: row('found every slot taken', true),
} as const satisfies Record<string, WouldReason>;

/** A reason that is no limit. */
export type WouldName = keyof typeof ownReasons;

const limitRows = limitNames
  .filter((name) => name !== '')
  .map((name) => [name, row(`exceeded limits.${name}`, true)] as const);

/** Every reason by its name. */
export const wouldTable: Readonly<Record<string, WouldReason>> = {
  ...ownReasons,
  ...Object.fromEntries(limitRows),
};

/** Names by number; that of no reason is empty. */
export const wouldNames: readonly string[] = Object.keys(wouldTable).map((name) =>
  name === 'none' ? '' : name,
);

/** The number of no reason. */
export const NO_REASON = 0;

/** Numbers by name. */
export const Why = Object.fromEntries(
  Object.keys(ownReasons).map((name, number) => [name, number]),
) as Readonly<Record<WouldName, number>>;

const limitsFrom = Object.keys(ownReasons).length - 1;

/** The number of the reason that is a limit (policy/limits). */
export function whyLimit(limit: number): number {
  return limitsFrom + limit;
}
