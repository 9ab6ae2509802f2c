/**
 * list-kinds — settings that hold a list of texts
 *
 * Each element is judged by itself and a fault is reported at its own place in the file.
 *
 * In: a sentence, and what makes an element wrong.   Out: a Setting (kinds).
 */
import { isAddress, isHostName, networkFault, splitEndpoint } from './addresses.ts';
import type { Setting } from './kinds.ts';
import { codesFault } from './reply-codes.ts';
import { wanted } from './wording.ts';

/** What keeps an element from being taken: what is wanted instead, and what was perhaps meant. */
interface Fault {
  readonly want: string;
  readonly meant?: string;
}

function list<Kind extends string>(
  kind: Kind,
  doc: string,
  noun: string,
  accepts: string,
  example: string,
  faultOf: (text: string) => Fault | undefined,
  fallback: readonly string[] = [],
): Setting<Kind, readonly string[]> {
  return {
    kind,
    fallback,
    doc,
    accepts,
    schema: { type: 'array', items: { type: 'string' } },
    read(value, report) {
      if (!Array.isArray(value)) return void report(wanted(value, `${accepts} such as ${example}`));
      let faults = 0;
      value.forEach((element: unknown, index) => {
        const fault = typeof element === 'string' ? faultOf(element) : { want: `${noun} in quotes` };
        if (fault === undefined) return;
        faults += 1;
        report(wanted(element, fault.want, fault.meant), index);
      });
      return faults === 0 ? (value as string[]) : undefined;
    },
    write: (value) => value,
  };
}

/** Addresses and CIDR ranges. */
export function networks(doc: string): Setting<'networks', readonly string[]> {
  return list(
    'networks',
    doc,
    'an address or network',
    'a list of addresses and networks',
    '["192.0.2.0/24"]',
    networkFault,
  );
}

/** Absolute paths of files. */
export function paths(doc: string): Setting<'paths', readonly string[]> {
  return list(
    'paths',
    doc,
    'an absolute path',
    'a list of absolute paths',
    '["/etc/sluice/allow.cidr"]',
    (text) => (/^\/[^\0]*$/.test(text) ? undefined : { want: 'an absolute path' }),
  );
}

/** Name servers: an address, with a port when it is not 53. */
export function resolvers(doc: string): Setting<'resolvers', readonly string[]> {
  return list(
    'resolvers',
    doc,
    'a name server',
    'a list of addresses, with or without a port',
    '["127.0.0.1:5353"]',
    (text) => {
      const endpoint = splitEndpoint(text);
      const isGood =
        isAddress(text) || (endpoint !== undefined && isAddress(endpoint.host) && endpoint.port > 0);
      return isGood ? undefined : { want: 'a name server such as "127.0.0.1" or "[2001:db8::53]:5353"' };
    },
  );
}

/** Answers of a DNS list: 127.0.0.2, 127.0.0.2-127.0.0.11, or octets such as 127.0.[0..255].[2;4..7]. */
export function codes(doc: string): Setting<'codes', readonly string[]> {
  return list('codes', doc, 'an answer', 'a list of answers', '["127.0.0.2-127.0.0.11"]', codesFault);
}

/** Mail addresses without angle brackets. */
export function mailboxes(doc: string): Setting<'mailboxes', readonly string[]> {
  return list(
    'mailboxes',
    doc,
    'a mail address',
    'a list of mail addresses',
    '["bait@example.net"]',
    (text) => {
      const at = text.lastIndexOf('@');
      const isGood =
        at > 0 && at <= 64 && /^[!-~]+$/.test(text.slice(0, at)) && isHostName(text.slice(at + 1));
      return isGood ? undefined : { want: 'a mail address such as "bait@example.net"' };
    },
  );
}

/** What stands before the @ of a mail address. */
export function localParts(
  fallback: readonly string[],
  doc: string,
): Setting<'localParts', readonly string[]> {
  return list(
    'localParts',
    doc,
    'a local part',
    'a list of local parts',
    '["postmaster"]',
    (text) =>
      /^[!#-'*+./-9=?A-Z^-~-]{1,64}$/.test(text)
        ? undefined
        : { want: 'what stands before the @, such as "postmaster"' },
    fallback,
  );
}

/** Domains of mail addresses. */
export function domains(doc: string): Setting<'domains', readonly string[]> {
  return list('domains', doc, 'a domain', 'a list of domains', '["example.net"]', (text) =>
    isHostName(text) ? undefined : { want: 'a domain such as "example.net"' },
  );
}
