/**
 * sink-options — what a sink can be told to be: an honest backend, an old one, a broken one
 *
 * The faults are read at the moment they matter, so a test may change `sink.faults` while clients are
 * connected: a backend that falls over in the middle of a run is the interesting one.
 */

import type { MishapOptions } from './sink-mishaps.ts';

/** How often one connection may speak for somebody else. */
export const xclientModes = {
  always: 'XCLIENT is listed and obeyed as often as it comes: a Postfix listener with static:all',
  once: 'XCLIENT is listed until it was used; the second one hears 550: the usual Postfix setting',
  never: 'XCLIENT is neither listed nor obeyed: a backend that does not know us',
} as const;
export type XclientMode = keyof typeof xclientModes;

/** What happens when a message has arrived whole. */
export const dotAnswers = {
  store: 'the message is stored, then told 250',
  silent: 'the message is not stored and never answered; the connection stays open',
  storeThenClose: 'the message is stored, then the connection dies before the 250',
  closeBeforeStore: 'the connection dies; the message is not stored',
  refuse4: 'the message is not stored and told 451',
  refuse5: 'the message is not stored and told 550 5.7.1',
} as const;
export type DotAnswer = keyof typeof dotAnswers;

export interface Faults {
  /** Silence between accept and the greeting, in milliseconds; also before the 220 after an XCLIENT. */
  greetDelayMs: number;
  /** Silence before every other reply, in milliseconds. */
  replyDelayMs: number;
  /** A greeting that turns everybody away; `none` greets with 220. */
  refuseGreeting: 'none' | '421' | '554';
  /** The connection is reset after this many replies; 0: never. */
  dieAfterReplies: number;
  /** The connection is reset after this many bytes of a body; 0: never. */
  closeInDataAfterBytes: number;
  /** How the final dot is answered. */
  dot: DotAnswer;
}

/** A backend in good health. */
export const noFaults: Readonly<Faults> = {
  greetDelayMs: 0,
  replyDelayMs: 0,
  refuseGreeting: 'none',
  dieAfterReplies: 0,
  closeInDataAfterBytes: 0,
  dot: 'store',
};

export interface SinkOptions {
  /** Where to listen. The host must be a loopback address: a sink believes every XCLIENT. */
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** The name in the greeting and in EHLO. */
  readonly hostname: string;
  readonly xclient: XclientMode;
  /** True: MAIL before an XCLIENT that heard 220 is refused and counted in `relayAttempts`. */
  readonly mustXclient: boolean;
  /** Largest message in bytes, listed as SIZE. */
  readonly messageBytesMax: number;
  /**
   * Addresses refused with 550 5.1.1, compared without case; local parts that begin with "unknown" always
   * are.
   */
  readonly unknownRecipients: readonly string[];
  /**
   * strict: only CR LF . CR LF ends a message. loose: a dot between any two newlines does, as old servers
   * had it.
   */
  readonly endOfData: 'strict' | 'loose';
  /** Keep what was stored in memory; a long run has its journal instead. */
  readonly keepMessages: boolean;
  /** Name the address in each reply to RCPT and in refusals, so that a reply that went astray can be told. */
  readonly namesAddresses: boolean;
  /** What goes wrong by chance; null: nothing. */
  readonly mishaps: MishapOptions | null;
  /** Keep the bytes of every body (tests); otherwise only length and SHA-256 are kept. */
  readonly keepBodies: boolean;
  /** A file that gets one JSON line per stored message, written before its 250; empty: none. */
  readonly journalFile: string;
  /** Push each journal line to the disk before the 250: survives a power cut, costs milliseconds. */
  readonly journalFsync: boolean;
  readonly faults: Readonly<Partial<Faults>>;
}

/** A well-behaved backend on a free loopback port. */
export const sinkDefaults: SinkOptions = {
  host: '127.0.0.1',
  port: 0,
  hostname: 'sink.example.com',
  xclient: 'always',
  mustXclient: true,
  messageBytesMax: 10_240_000,
  unknownRecipients: [],
  endOfData: 'strict',
  keepMessages: true,
  namesAddresses: false,
  mishaps: null,
  keepBodies: false,
  journalFile: '',
  journalFsync: false,
  faults: {},
};
