/**
 * needs — what a server must be able to do to take the message of an envelope
 *
 * Read from the arguments of MAIL and RCPT, which were checked when they were said. An address in quotes may hold the
 * words of a parameter: then more is asked for than is needed, and a server is passed over that would have done.
 */
import type { Envelope } from '../session/envelope.ts';
import { Extension } from '../smtp/mailbox.ts';
import type { Capabilities } from './capabilities.ts';

/** `Extension` bits that the parameters of an envelope belong to. */
export function needsOf({ sender, recipients, candidate }: Envelope): number {
  let needs = 0;
  if (/ SIZE=/i.test(sender)) needs |= Extension.Size;
  if (/ BODY=8BITMIME/i.test(sender)) needs |= Extension.EightBitMime;
  if (/ SMTPUTF8(?: |$)/i.test(sender)) needs |= Extension.SmtpUtf8;
  if (/ (?:RET|ENVID)=/i.test(sender)) needs |= Extension.Dsn;
  const asksDsn = (argument: string): boolean => / (?:NOTIFY|ORCPT)=/i.test(argument);
  if (asksDsn(candidate) || recipients.some(asksDsn)) needs |= Extension.Dsn;
  return needs;
}

/** True when a server can do what is needed for a message of so many bytes. */
export function suits({ extensions, sizeMaxBytes }: Capabilities, needs: number, bytes: number): boolean {
  return (extensions & needs) === needs && (sizeMaxBytes === 0 || bytes <= sizeMaxBytes);
}
