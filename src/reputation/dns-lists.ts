/**
 * dns-lists — what the DNS says of a client (port)
 *
 * A shard asks when a client comes and goes on at once; what is found out is noted and obeyed on a later turn, as
 * everything from outside is. Whoever answers (primary/dns-desk over the thread's port, a script in the tests)
 * coalesces, caches and gives up by itself: an answer may come at once, late, in steps, or never, and a session
 * must be right in each case.
 *
 * An answer names a session by its handle; when that session has ended meanwhile, nobody is there to hear it.
 */
import type { Handle } from '../base/handle.ts';
import { NO_HANDLE } from '../base/handle.ts';

/** What is known of one client after all answers so far. */
export interface DnsAnswer {
  /** The sum of the weights of all lists that have it. Below 0: it is on lists of good clients. */
  readonly weight: number;
  /** Names of these lists as they may be shown, the one with the largest weight first. */
  readonly zones: readonly string[];
  /** What the first of them says about it (TXT), '' when it says nothing or has not said it yet. */
  readonly reason: string;
  /** Nothing more will come. */
  readonly isLast: boolean;
}

export interface DnsLists {
  /** False when no list is configured: nobody needs to ask. */
  readonly enabled: boolean;

  /**
   * Asks about the client with the address in words[at … at + 3]. `isGood`: it is of good standing, by which the
   * lists themselves are watched. Never waits and never fails.
   */
  ask(handle: Handle, words: Uint32Array, at: number, isGood: boolean): void;

  /** The next session that something was found out for, NO_HANDLE when there is none. */
  next(): Handle;

  /** What was found out for the session that `next` named last. */
  readonly answer: DnsAnswer;
}

/** Nobody to ask. */
export const noDnsLists: DnsLists = {
  enabled: false,
  ask: () => undefined,
  next: () => NO_HANDLE,
  answer: { weight: 0, zones: [], reason: '', isLast: true },
};
