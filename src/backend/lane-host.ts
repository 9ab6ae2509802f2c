/**
 * lane-host — the words a lane and its pool share
 *
 * States, jobs and steps of a lane (backend/lane), and what it needs from the pool it belongs to
 * (backend/lanes). A lane never knows other lanes, and never decides what becomes of a step that failed.
 */
import type { Envelope } from '../session/envelope.ts';
import type { Config } from '../config/config.ts';
import type { ClientIdentity } from '../smtp/xclient.ts';
import type { Transport } from '../transport/transport.ts';
import type { Lane } from './lane.ts';
import type { ReplyReader } from './reply-reader.ts';
import type { Spool } from './spool.ts';

/** What a lane is doing. */
export const LaneState = {
  Down: 'down',
  /** Connecting, waiting for the greeting, learning what the backend can do. */
  Opening: 'opening',
  /** Clean: may speak for anybody. */
  Idle: 'idle',
  /** A step is under way for its owner. */
  Busy: 'busy',
  /** Nothing is under way, but it still speaks for its owner. */
  Held: 'held',
  /** RSET is under way, for nobody. */
  Clearing: 'clearing',
  /** On its way out. */
  Closing: 'closing',
} as const;
export type LaneState = (typeof LaneState)[keyof typeof LaneState];

/** What an owner wants: to ask about a recipient, to hand over a message, or one that is not whole yet. */
export const Job = { None: 0, Verify: 1, Deliver: 2, Stream: 3 } as const;
export type Job = (typeof Job)[keyof typeof Job];

/** Who is to blame when a lane closes. */
export const Fault = {
  /** Nobody: the pool or the client had its reasons. */
  None: 0,
  /** The backend or the way to it. */
  Backend: 1,
  /** The backend took no identity from Sluice. */
  Identity: 2,
  /** TLS is required and did not come about: not one client was named, and no mail was sent. */
  Tls: 3,
  /** The backend, and what it did says that it has too much to do, or is gone: 421, a greeting of 4xx, no connection, no answer in time. */
  Busy: 4,
} as const;
export type Fault = (typeof Fault)[keyof typeof Fault];

/** What a command was for, and so what its reply is about. */
export type Step =
  | 'greeting'
  | 'ehlo'
  | 'startTls'
  /** No command: TLS is being agreed on. */
  | 'handshake'
  | 'testXclient'
  | 'testEhlo'
  | 'xclient'
  | 'hello'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'final'
  | 'restart'
  | 'clear'
  | 'quit';

/** What a lane needs from the pool it belongs to. */
export interface LaneHost {
  readonly back: Transport;
  readonly spool: Spool;
  readonly reader: ReplyReader;
  readonly hostname: string;
  /** Nothing but EHLO and STARTTLS is said before TLS is up. */
  readonly needsTls: boolean;
  /** How the backend learns who a client is. */
  readonly identity: Config['backend']['identity'];
  identityOf(slot: number): ClientIdentity;
  envelopeOf(slot: number): Envelope;
  /** Whether a field goes in front of each message, and which (smtp/tls-trace). */
  readonly hasTrace: boolean;
  traceOf(slot: number): Uint8Array;
  /** The lane is clean, or has just come up. */
  ready(lane: Lane): void;
  /** A step ended with this reply of the backend. */
  answered(lane: Lane, slot: number, code: number, reply: Uint8Array): void;
  /** A message was not handed over because a recipient was answered otherwise than before. */
  envelopeChanged(lane: Lane, slot: number, code: number, reply: Uint8Array): void;
  /** The lane failed; `slot` is its owner or -1, `committed` whether the backend may have the message. */
  failed(lane: Lane, slot: number, job: Job, committed: boolean, fault: Fault, why: string): void;
  /** The message of a slot was refused before it was whole; the lane closes, and nothing was handed over. */
  refusedEarly(slot: number, code: number, reply: Uint8Array): void;
  /** The message of the owner cannot be read back; the lane closes, and nothing was handed over. */
  unreadable(slot: number): void;
  /** The lane is of no use to its owner, through no fault of anybody: the step is for another lane. */
  again(slot: number, job: Job): void;
  /** The lane is down and may be opened again. */
  down(lane: Lane): void;
  /** A reply is awaited anew: arm the lane's timer. */
  waits(lane: Lane, step: Step): void;
}
