/**
 * tls-trace — one header field in front of a message: how its client spoke with us
 *
 * XCLIENT has no word for TLS, so what a filter behind the backend is to know of it has to travel in the message. The field
 * is written for every client, `none` for one in plaintext: whoever brings a field of that name of his own finds it
 * below ours, and the topmost is the one that counts.
 *
 * A message that begins with a space or a tab would be read as more of our line; its reader takes the first two words.
 */
import { bytesOf } from '../base/ascii.ts';

/** Longest field; so much less is promised to clients than the backend takes. */
export const TRACE_BYTES_MAX = 128;

const PREFIX = 'X-Sluice-TLS: ';

/** The field for "protocol cipher" as the transport has it; '' for plaintext. */
export function tlsTrace(tls: string): Uint8Array {
  return bytesOf(`${PREFIX}${(tls === '' ? 'none' : tls).slice(0, TRACE_BYTES_MAX - PREFIX.length - 2)}\r\n`);
}

/** Parameters of MAIL with a SIZE= (if there is one that says something) that is larger by `bytes`. */
export function withSizeGrown(parameters: string, bytes: number): string {
  return parameters.replace(
    /(?<![^ ])(SIZE=)(\d{1,15})(?![^ ])/i,
    (whole: string, name: string, size: string) =>
      Number(size) === 0 ? whole : `${name}${Number(size) + bytes}`,
  );
}
