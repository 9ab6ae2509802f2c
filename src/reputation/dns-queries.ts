/**
 * dns-queries — one question to the DNS and what comes back (port)
 *
 * The look-ups of DNS lists (dns-inquiries) put questions and are told answers on a later turn. The adapter speaks
 * UDP (io/dns-client); tests answer from a script. Whoever answers knows nothing of deadlines: a question that
 * is no longer of interest is given up by the one who put it.
 */

/** The kinds of record that a DNS list has. */
export type QueryType = 'A' | 'TXT';

/** What came back. Times to live are those of the records; of a negative answer, that of the zone's SOA. */
export type DnsReply =
  | {
      readonly kind: 'addresses';
      /** Each as a 32-bit number; at least one. */
      readonly addresses: readonly number[];
      readonly ttlMs: number;
    }
  | { readonly kind: 'text'; readonly text: string; readonly ttlMs: number }
  | { readonly kind: 'nothing'; readonly ttlMs: number }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'failed'; readonly why: string };

export interface DnsQueries {
  /** Puts a question. Never waits and never fails: what goes wrong comes back as a reply. */
  send(id: number, name: string, type: QueryType): void;

  /** The answer to this question is no longer wanted. */
  giveUp(id: number): void;
}
