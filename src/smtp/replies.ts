/**
 * replies — every line Sluice itself can say, encoded once
 *
 * One table of code, enhanced code (RFC 2034, 3463) and text. A book of bytes is made from it when a shard
 * starts, with the host name filled in; serving a client makes no string. Replies of the backend are not
 * here: they are passed on as they came (backend/lane).
 *
 * `hangsUp` marks replies after which Sluice closes; RFC 5321 §3.8 allows that after 421, and after 521 and
 * 554 to a client that has shown that it does not follow the protocol.
 */
import type { Prepare } from '../base/prepare.ts';
import { unprepared } from '../base/prepare.ts';

interface ReplyRow {
  readonly text: string;
  readonly hangsUp?: true;
}

/** `%h` stands for the host name; `%a` for the client that a limit is about, filled in when it is said (stages/limit). */
export const replyTable = {
  bye: { text: '221 2.0.0 Bye', hangsUp: true },
  startTls: { text: '220 2.0.0 Ready to start TLS' },
  ok: { text: '250 2.0.0 Ok' },
  helo: { text: '250 %h' },
  mailOk: { text: '250 2.1.0 Ok' },
  rcptOk: { text: '250 2.1.5 Ok' },
  vrfy: { text: '252 2.0.0 Not told here; a recipient is verified at RCPT' },
  chunkOk: { text: '250 2.0.0 Ok, go on' },
  startData: { text: '354 End data with <CR><LF>.<CR><LF>' },

  shuttingDown: { text: '421 4.3.2 %h Service is shutting down, try again', hangsUp: true },
  sessionsFull: { text: '421 4.3.2 %h All sessions are in use, try again', hangsUp: true },
  tooBusy: { text: '421 4.3.2 %h Too busy for strangers now, try again', hangsUp: true },
  networkShare: {
    text: '421 4.3.2 %h Too busy for more sessions of your network now, try again',
    hangsUp: true,
  },
  tooManyConnections: { text: '421 4.7.0 %h Error: too many connections from %a', hangsUp: true },
  tooManyTlsSessions: { text: '454 4.7.0 Error: too many new TLS sessions from %a' },
  oneTlsSessionTooMany: { text: '421 4.7.0 %h Error: too many new TLS sessions from %a', hangsUp: true },
  tooMuchMail: { text: '450 4.7.1 Error: too much mail from %a' },
  tooManyRecipientsFrom: { text: '450 4.7.1 Error: too many recipients from %a' },
  commandTimeLimit: { text: '421 4.4.2 %h Error: timeout exceeded', hangsUp: true },
  commandCountLimit: { text: '421 4.7.0 %h Error: too many commands', hangsUp: true },
  errorLimit: { text: '421 4.7.0 %h Error: too many errors', hangsUp: true },
  lineTooLong: { text: '500 5.5.2 Error: line too long' },

  backendDown: { text: '451 4.3.0 The mail server behind this one cannot be reached, try again' },
  backendBusy: { text: '451 4.3.2 The mail server behind this one is busy, try again' },
  backendLost: { text: '451 4.3.0 The mail server behind this one did not answer, try again' },
  envelopeChanged: { text: '451 4.3.0 A recipient was answered otherwise than before, try again' },
  spoolFull: { text: '452 4.3.1 Not enough room for the message now, try again' },
  greylisted: { text: '450 4.7.1 Error: greylisted, try again in some minutes' },
  tooManyRecipients: { text: '452 4.5.3 Error: too many recipients' },
  oneRecipient: { text: '452 4.5.3 One recipient for each message, send the next one by itself' },

  tlsBusy: { text: '454 4.7.0 TLS not available now, try again' },

  unknownCommand: { text: '500 5.5.2 Error: command not recognized' },
  badLine: { text: '500 5.5.2 Error: bare <CR>, <LF> or NUL in a command' },
  badArgument: { text: '501 5.5.4 Error: this command takes no argument' },
  // RFC 2034 section 4 leaves out the answers to EHLO and HELO.
  badHello: { text: '501 Syntax: EHLO hostname' },
  badMail: { text: '501 5.5.4 Syntax: MAIL FROM:<address>' },
  badRcpt: { text: '501 5.5.4 Syntax: RCPT TO:<address>' },
  badSender: { text: '501 5.1.7 Bad sender address syntax' },
  badRecipient: { text: '501 5.1.3 Bad recipient address syntax' },
  notImplemented: { text: '502 5.5.1 Error: command not implemented' },
  bdat: { text: '502 5.5.1 Error: CHUNKING is not offered', hangsUp: true },
  helloFirst: { text: '503 5.5.1 Error: send EHLO first' },
  nestedMail: { text: '503 5.5.1 Error: nested MAIL command' },
  chunksFirst: { text: '503 5.5.1 Error: a message is coming by BDAT; BDAT LAST or RSET first' },
  mailFirst: { text: '503 5.5.1 Error: need MAIL command' },
  tlsActive: { text: '503 5.5.1 Error: TLS already active' },
  noAuth: { text: '503 5.5.1 Error: authentication is not offered on an MX' },
  protocolDrop: { text: '521 5.5.1 Protocol error', hangsUp: true },
  badChunk: { text: '521 5.5.4 Syntax: BDAT octets [LAST]', hangsUp: true },
  notSmtp: { text: '521 5.7.0 Error: this is a mail server', hangsUp: true },
  denied: { text: '521 5.3.2 Service not available to your network', hangsUp: true },
  protocolRefuse: { text: '550 5.5.1 Protocol error' },
  noSuchUser: { text: '550 5.1.1 Error: no such user' },
  bodyNewline: { text: '550 5.5.2 Error: bare <CR>, <LF> or NUL in the message; lines end with <CR><LF>' },
  messageTooBig: { text: '552 5.3.4 Error: message size exceeds the limit' },
  messageFarTooBig: { text: '552 5.3.4 Error: message size exceeds the limit', hangsUp: true },
  noRecipients: { text: '554 5.5.1 Error: no valid recipients' },
  dataAhead: { text: '554 5.5.0 Error: SMTP protocol synchronization', hangsUp: true },
  badParameter: { text: '555 5.5.4 Unsupported option' },
  dataTimeLimit: { text: '421 4.4.2 %h Error: timeout exceeded in the message', hangsUp: true },
} as const satisfies Record<string, ReplyRow>;

export type ReplyName = keyof typeof replyTable;

/** The replies of one host name as bytes, CR LF included. */
export type ReplyBook = { readonly [Name in ReplyName]: Uint8Array };

/** Encodes a line of latin-1 text with CR LF behind it. */
export function encodeLine(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length + 2);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  bytes[text.length] = 0x0d;
  bytes[text.length + 1] = 0x0a;
  return bytes;
}

/** Makes the book of a host name; `prepare` gives each reply the form that the transport likes best. */
export function replyBook(hostname: string, prepare: Prepare = unprepared): ReplyBook {
  const names = Object.keys(replyTable) as ReplyName[];
  const entries = names.map(
    (name) => [name, prepare(encodeLine(replyTable[name].text.replace('%h', hostname)))] as const,
  );
  return Object.fromEntries(entries) as ReplyBook;
}

/** True when Sluice closes the session after this reply. */
export function hangsUp(name: ReplyName): boolean {
  const row: ReplyRow = replyTable[name];
  return row.hangsUp === true;
}

/** The first digit of a reply: 2 good, 3 go on, 4 try again, 5 no. */
export function classOf(reply: Uint8Array): number {
  return reply[0]! - 0x30;
}
