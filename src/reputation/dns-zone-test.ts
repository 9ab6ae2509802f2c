/**
 * dns-zone-test — the test entries of RFC 5782 §5, and what their answers say about a list
 *
 * Every list has to have 127.0.0.2 and must not have 127.0.0.1; one with IPv6 clients likewise ::FFFF:7F00:2 and
 * ::FFFF:7F00:1. A list without the first is not there (any more), one with the second lists everybody. Which
 * code the entry is listed with does not matter here: a list that says 127.0.0.2 may be asked for 127.0.0.10 only.
 *
 * A list that has only the IPv6 entries is one for IPv6 clients; one that has only those for IPv4 is not asked
 * about IPv6 clients. The same judgement serves the supervisor (dns-supervisor) and `sluice dnsxl test`.
 */
import { nibbleName, octetName } from './dns-names.ts';
import type { DnsReply } from './dns-queries.ts';
import type { Zone } from './dns-zones.ts';
import { answerFault } from './dns-zones.ts';

/** The entries by their place in a test. */
export const Entry = { Listed4: 0, Clean4: 1, Listed6: 2, Clean6: 3 } as const;

/** How the entries are called. */
export const entryNames = ['127.0.0.2', '127.0.0.1', '::FFFF:7F00:2', '::FFFF:7F00:1'] as const;

const mapped = (word: number): readonly number[] => [0, 0, 0xffff, word];

/** The names of a zone's test entries, by their place. */
export function entryQueries(zone: Zone): readonly string[] {
  const [listed, clean] = [0x7f00_0002, 0x7f00_0001];
  const names = [octetName(listed, zone.name), octetName(clean, zone.name)];
  if (!zone.asksIpv6) return names;
  return [...names, nibbleName(mapped(listed), 0, zone.name), nibbleName(mapped(clean), 0, zone.name)];
}

/** What an answer to a test entry says. `why` is empty unless it is an error or a failure. */
export interface EntryAnswer {
  readonly kind: 'listed' | 'clean' | 'error' | 'failed' | 'timeout';
  readonly why: string;
}

/** Reads the reply to a test entry, or to any question that is not about a weight. */
export function readEntry(reply: DnsReply): EntryAnswer {
  switch (reply.kind) {
    case 'addresses': {
      const why = answerFault(reply.addresses);
      return why === null ? { kind: 'listed', why: '' } : { kind: 'error', why };
    }
    case 'nothing':
      return { kind: 'clean', why: '' };
    case 'timeout':
      return { kind: 'timeout', why: 'it does not answer' };
    case 'failed':
      return { kind: 'failed', why: reply.why };
    default:
      return { kind: 'failed', why: 'an answer of another kind than was asked for' };
  }
}

/** What a whole test says about a zone. */
export interface TestResult {
  /** Clients of these families may be looked up. */
  readonly asks4: boolean;
  readonly asks6: boolean;
  /** What is wrong; null when the zone is good for at least one family and lists nobody falsely. */
  readonly fault: string | null;
  /** What is wrong with its IPv6 part alone; the rest may be good. */
  readonly fault6: string | null;
}

/** Judges the answers to the entries, by their place. */
export function judgeTest(zone: Zone, answers: readonly EntryAnswer[]): TestResult {
  const fault4 = faultOf(answers, Entry.Listed4, Entry.Clean4);
  if (!zone.asksIpv6) return { asks4: fault4 === null, asks6: false, fault: fault4, fault6: null };
  const fault6 = faultOf(answers, Entry.Listed6, Entry.Clean6);
  const isAbsent4 = answers[Entry.Listed4]!.kind === 'clean' && answers[Entry.Clean4]!.kind === 'clean';
  // No IPv6 entry at all: the zone is for IPv4 clients, which is no fault.
  const isAbsent6 = answers[Entry.Listed6]!.kind === 'clean' && answers[Entry.Clean6]!.kind === 'clean';
  return {
    asks4: fault4 === null,
    asks6: fault6 === null,
    fault: isAbsent4 && fault6 === null ? null : fault4,
    fault6: isAbsent6 ? null : fault6,
  };
}

function faultOf(answers: readonly EntryAnswer[], listed: number, clean: number): string | null {
  const must = answers[listed]!;
  const mustNot = answers[clean]!;
  if (mustNot.kind === 'listed') return `it lists ${entryNames[clean]}, so it lists everybody`;
  if (must.kind === 'error') return must.why;
  if (mustNot.kind === 'error') return mustNot.why;
  if (must.kind === 'clean')
    return `it does not list ${entryNames[listed]}: it is closed, misspelt, or wants a key`;
  if (must.kind !== 'listed') return must.why;
  return mustNot.kind === 'clean' ? null : mustNot.why;
}
