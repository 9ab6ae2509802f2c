/**
 * capabilities — what the backend said it can do
 *
 * Read from each EHLO reply of the backend before any XCLIENT. A client is offered only what stands here and
 * Sluice can read itself; until the backend has been heard once, nothing that depends on it.
 */
import { Extension } from '../smtp/mailbox.ts';

export interface Capabilities {
  /** `Extension` bits. */
  readonly extensions: number;
  /** The number behind SIZE; 0 when none was given. */
  readonly sizeMaxBytes: number;
  readonly pipelining: boolean;
  readonly startTls: boolean;
  /** Attributes listed behind XCLIENT, upper case; empty when XCLIENT is not offered. */
  readonly xclient: readonly string[];
}

/** A backend that was never heard. */
export const NO_CAPABILITIES: Capabilities = {
  extensions: 0,
  sizeMaxBytes: 0,
  pipelining: false,
  startTls: false,
  xclient: [],
};

/** Reads a whole EHLO reply, given as latin-1 text. Unknown lines are passed over. */
export function readCapabilities(reply: string): Capabilities {
  let extensions = 0;
  let sizeMaxBytes = 0;
  let pipelining = false;
  let startTls = false;
  let xclient: string[] = [];
  for (const line of reply.split('\r\n').slice(1)) {
    const words = line.slice(4).trim().toUpperCase().split(/ +/);
    switch (words[0]) {
      case 'SIZE': {
        extensions |= Extension.Size;
        const size = Number(words[1] ?? '0');
        sizeMaxBytes = Number.isSafeInteger(size) && size > 0 ? size : 0;
        break;
      }
      case '8BITMIME':
        extensions |= Extension.EightBitMime;
        break;
      case 'SMTPUTF8':
        extensions |= Extension.SmtpUtf8;
        break;
      case 'DSN':
        extensions |= Extension.Dsn;
        break;
      case 'PIPELINING':
        pipelining = true;
        break;
      case 'STARTTLS':
        startTls = true;
        break;
      case 'XCLIENT':
        xclient = words.slice(1);
        break;
      default:
        break;
    }
  }
  return { extensions, sizeMaxBytes, pipelining, startTls, xclient };
}
