/**
 * sink-envelope — reads the arguments of MAIL and RCPT as strictly as the sink wants them
 *
 * A path in angle brackets, then ESMTP parameters of which every one must be known (RFC 5321 section 4.1.1.11).
 * Strict on purpose: a front end that garbles an envelope must hear it here.
 */

/** What was read: an address and its parameters as they came, or the reply that refuses them. */
export interface Envelope {
  readonly address: string;
  readonly parameters: string;
  /** Empty when all is well. */
  readonly refusal: string;
}

const MAIL_PARAMETERS = ['SIZE', 'BODY', 'SMTPUTF8', 'RET', 'ENVID'];
const RCPT_PARAMETERS = ['NOTIFY', 'ORCPT'];
const MAIL_PATH = /^FROM:\s*<([^<>]*)>((?:\s+\S+)*)$/i;
const RCPT_PATH = /^TO:\s*<([^<>]+)>((?:\s+\S+)*)$/i;

/** Reads what follows "MAIL"; a SIZE above `messageBytesMax` is refused with 552 (RFC 1870 section 6.1). */
export function readMail(rest: string, messageBytesMax: number): Envelope {
  const read = readPath(rest, MAIL_PATH, MAIL_PARAMETERS, '501 5.5.4 Syntax: MAIL FROM:<address>');
  const size = /(?:^|\s)SIZE=(\d+)/i.exec(read.parameters);
  if (read.refusal !== '' || size === null || Number(size[1]) <= messageBytesMax) return read;
  return { ...read, refusal: '552 5.3.4 Message size exceeds fixed limit' };
}

/** Reads what follows "RCPT"; who is unknown is refused with 550 5.1.1. */
export function readRcpt(rest: string, unknownRecipients: readonly string[]): Envelope {
  const read = readPath(rest, RCPT_PATH, RCPT_PARAMETERS, '501 5.5.4 Syntax: RCPT TO:<address>');
  if (read.refusal !== '' || !isUnknown(read.address, unknownRecipients)) return read;
  return { ...read, refusal: `550 5.1.1 <${read.address}>: Recipient address rejected: User unknown` };
}

function readPath(rest: string, path: RegExp, known: readonly string[], syntax: string): Envelope {
  const parts = path.exec(rest);
  if (parts === null) return { address: '', parameters: '', refusal: syntax };
  const parameters = (parts[2] as string).trim();
  const stranger =
    parameters === '' ? undefined : parameters.split(/\s+/).find((one) => !isKnown(one, known));
  const refusal = stranger === undefined ? '' : `555 5.5.4 Unsupported option: ${stranger}`;
  return { address: parts[1] as string, parameters, refusal };
}

function isKnown(parameter: string, known: readonly string[]): boolean {
  return known.includes((parameter.split('=', 1)[0] as string).toUpperCase());
}

function isUnknown(address: string, listed: readonly string[]): boolean {
  const folded = address.toLowerCase();
  return folded.startsWith('unknown') || listed.some((one) => one.toLowerCase() === folded);
}
