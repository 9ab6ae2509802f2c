/**
 * dns-wire — a question to the DNS as bytes, and bytes as an answer to it
 *
 * dns-packet writes and reads the format; here stands what is believed. A datagram is an answer when it repeats the
 * question; whatever else is wrong with it (truncated, refused, unreadable) makes it a failure, which is no
 * evidence. A negative answer lives as long as the SOA record beside it says (RFC 2308 §5).
 */
import { decode, encode, RECURSION_DESIRED } from 'dns-packet';
import type { Answer, DecodedPacket } from 'dns-packet';
import type { DnsReply, QueryType } from '../reputation/dns-queries.ts';

/** Records of an answer that are looked at. */
const RECORDS_MAX = 64;
const TEXT_MAX = 1_000;
const RESPONSE = 0x80;
const RCODE_MASK = 15;

const rcodeNames: Readonly<Record<number, string>> = {
  1: 'FORMERR',
  2: 'SERVFAIL',
  4: 'NOTIMP',
  5: 'REFUSED',
};

/** The question for the records `type` of `name`, to a server that looks further (RD). */
export function questionBytes(wireId: number, name: string, type: QueryType): Buffer {
  return encode({ type: 'query', id: wireId, flags: RECURSION_DESIRED, questions: [{ type, name }] });
}

/** The id in a datagram that may be an answer; -1 when it is none. */
export function wireIdOf(bytes: Buffer): number {
  return bytes.length >= 12 && (bytes[2]! & RESPONSE) !== 0 ? bytes.readUInt16BE(0) : -1;
}

/** What a datagram answers to a question; null when it is the answer to another one. */
export function readReply(bytes: Buffer, name: string, type: QueryType): DnsReply | null {
  let packet: DecodedPacket;
  try {
    packet = decode(bytes);
  } catch {
    return { kind: 'failed', why: 'its answer cannot be read' };
  }
  const [question] = packet.questions ?? [];
  if (packet.questions?.length !== 1 || question?.type !== type || !isSameName(question.name, name))
    return null;
  if (packet.flag_tc) return { kind: 'failed', why: 'its answer is truncated' };
  const rcode = (packet.flags ?? 0) & RCODE_MASK;
  if (rcode !== 0 && rcode !== 3)
    return { kind: 'failed', why: `it answers ${rcodeNames[rcode] ?? `code ${rcode}`}` };
  const records = (packet.answers ?? []).slice(0, RECORDS_MAX);
  return (
    (type === 'A' ? addressesOf(records) : textOf(records)) ?? {
      kind: 'nothing',
      ttlMs: negativeTtlMs(packet),
    }
  );
}

function addressesOf(records: readonly Answer[]): DnsReply | null {
  const addresses: number[] = [];
  let ttlSec = Infinity;
  for (const record of records) {
    if (record.type !== 'A') continue;
    addresses.push(record.data.split('.').reduce((word, part) => word * 256 + Number(part), 0));
    ttlSec = Math.min(ttlSec, record.ttl ?? 0);
  }
  return addresses.length === 0 ? null : { kind: 'addresses', addresses, ttlMs: ttlSec * 1000 };
}

function textOf(records: readonly Answer[]): DnsReply | null {
  for (const record of records) {
    if (record.type !== 'TXT') continue;
    const pieces = Array.isArray(record.data) ? record.data : [record.data];
    const text = pieces
      .map((piece) => (typeof piece === 'string' ? piece : piece.toString('latin1')))
      .join('');
    return { kind: 'text', text: text.slice(0, TEXT_MAX), ttlMs: (record.ttl ?? 0) * 1000 };
  }
  return null;
}

function negativeTtlMs(packet: DecodedPacket): number {
  for (const record of (packet.authorities ?? []).slice(0, RECORDS_MAX)) {
    if (record.type === 'SOA') return Math.min(record.ttl ?? 0, record.data.minimum ?? 0) * 1000;
  }
  return 0;
}

function isSameName(one: string, other: string): boolean {
  return one.length === other.length && one.toLowerCase() === other.toLowerCase();
}
