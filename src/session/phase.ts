/**
 * phase — what a session is doing, as one small integer
 *
 * The chart of a session's life. Each phase has at most one reason to wait: a timer (T), the client (C),
 * the backend (B) or the spool (S), and the shard's turn dispatches on it.
 */
export const Phase = {
  /** The slot is nobody's; its other columns mean nothing. */
  Free: 0,
  /** T: the first half of the greeting is out or dripping; a byte from the client now is a pregreet. */
  Greeting: 1,
  /** C: the client may speak. */
  Listening: 2,
  /** T: a reply is owed and waits for its time; what arrives is kept, not obeyed. */
  Owing: 3,
  /** B: a recipient is at the backend. */
  Verifying: 4,
  /** C or S: the message is coming in. */
  Receiving: 5,
  /** B: the message is whole and on its way to the backend. */
  Delivering: 6,
  /** C: the last reply is out; only the end of the stream is awaited. */
  Closing: 7,
  /** C: 220 was said to STARTTLS; what comes is the handshake, and the transport's to read. */
  Handshaking: 8,
  /** T: the message of a slow client is whole and held; the backend has nothing of it. */
  Holding: 9,
  /** C: the header of the proxy in front of the client is awaited; nothing was said yet. */
  Announcing: 10,
} as const;
export type Phase = (typeof Phase)[keyof typeof Phase];

/** Phases in which a message is in hand. */
export function isWithMessage(phase: Phase): boolean {
  return phase === Phase.Receiving || phase === Phase.Holding || phase === Phase.Delivering;
}

/** The stage that a phase belongs to, as the log says it; a session that was never let in ended in `admit`. */
export const stageNames = [
  'admit',
  'banner',
  'converse',
  'converse',
  'converse',
  'deliver',
  'deliver',
  'end',
  'starttls',
  'deliver',
  'arrive',
] as const;
