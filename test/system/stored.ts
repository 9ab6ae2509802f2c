/**
 * stored — what a mail server behind Sluice has taken, in the same words for every kind of mail server
 *
 * The servers of the tests keep what they take in their queues and deliver nothing, so that envelope, parameters and bytes can be
 * read as they came. Each reads its own format (queue.ts, exim.ts, opensmtpd.ts) and hands out these.
 */

export interface StoredRecipient {
  readonly address: string;
  /** NOTIFY as it was asked for, in this order: NEVER, SUCCESS, FAILURE, DELAY. Empty when it was not. */
  readonly notify: string;
  /** ORCPT, in xtext decoded or not as the server keeps it; some write the recipient when nothing was said. */
  readonly orcpt: string;
}

export interface StoredMessage {
  readonly sender: string;
  readonly recipients: readonly StoredRecipient[];
  /** Who the client was, in the eyes of the server. */
  readonly clientAddress: string;
  /** RET: FULL, HDRS or empty. */
  readonly ret: string;
  readonly envid: string;
  /** Header and body as they are kept: LF for CR LF, trace fields of the server in front. */
  readonly content: Buffer;
}

/** A mail server that has been started for a test. */
export interface MailStore {
  /** Where Sluice connects to. */
  readonly port: number;
  /** All that is stored at this moment, whole messages only. */
  messages(): Promise<readonly StoredMessage[]>;
  /** Throws away what is stored. Only while no client is connected. */
  empty(): Promise<void>;
  /** Waits until nobody is connected any more. */
  settled(): Promise<void>;
  /** Stops it and removes its directory. */
  stop(): Promise<void>;
}

/** The words of NOTIFY for bits, given the bit of each. */
export function notifyWords(
  flags: number,
  bits: Readonly<Record<'NEVER' | 'SUCCESS' | 'FAILURE' | 'DELAY', number>>,
): string {
  return Object.entries(bits)
    .filter(([, bit]) => (flags & bit) !== 0)
    .map(([word]) => word)
    .join();
}

/** UTF-8 that was read as Latin-1. */
export const utf8 = (latin1: string): string => Buffer.from(latin1, 'latin1').toString('utf8');
