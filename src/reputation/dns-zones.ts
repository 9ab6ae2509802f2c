/**
 * dns-zones — the configured lists, and what an answer of one of them says
 *
 * Blocks of the configuration that name the same zone make one zone, which is asked once. A block's weight counts
 * once, however many of the answer's addresses it names, as in postscreen.
 *
 * Some answers are no listing but an error of the list, and counting one refuses everybody's mail: addresses
 * outside 127.0.0.0/8 (the domain was sold, or a resolver invents answers), 127.255.255.0/24 (the list refuses to
 * answer us), 127.0.0.1 (the list is closed). No configuration can make them count (config/reply-codes).
 */
import type { Config } from '../config/config.ts';
import type { Codes } from '../config/reply-codes.ts';
import { hasCode, readCodes } from '../config/reply-codes.ts';
import type { DnsReply } from './dns-queries.ts';

/** One block: which answers, and what they weigh. */
export interface ZoneBlock {
  readonly codes: readonly Codes[];
  readonly weight: number;
}

/** One list. */
export interface Zone {
  /** The name to ask under. It may hold a key: it is shown to nobody. */
  readonly name: string;
  /** The name in replies, logs and reports. */
  readonly shown: string;
  /** IPv6 clients are looked up when the zone has its IPv6 test entry. */
  readonly asksIpv6: boolean;
  readonly blocks: readonly ZoneBlock[];
  /** Some block of it speaks against a client. */
  readonly isBlocking: boolean;
}

/** What a reply to a look-up means. A look-up that has failed is no evidence. */
export type Verdict =
  | { readonly kind: 'listed'; readonly weight: number; readonly ttlMs: number }
  | { readonly kind: 'clean'; readonly ttlMs: number }
  /** The list itself says that it is not usable, or answers what no list may. */
  | { readonly kind: 'error'; readonly why: string }
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'timeout' };

const TEXT_READ_MAX = 2_000;
const TEXT_SHOWN_MAX = 250;
/** A label this long may be a key; a shorter one is a word. */
const KEY_LETTERS_MIN = 8;

const everyCode: readonly Codes[] = [{ first: 0x7f00_0002, last: 0x7f00_00ff }];

/** What the errors of 127.255.255.0/24 mean, by their last octet, as the lists that use them say. */
const errorMeanings: Readonly<Record<number, string>> = {
  252: 'the zone is misspelt',
  254: 'it was asked through a public or unnamed resolver',
  255: 'it is asked too often',
};

/** The zones of a configuration, each once, in the order of their first blocks. */
export function zonesOf(config: Config): readonly Zone[] {
  const names = [...new Set(config.dnsxl.map((block) => block.zone))];
  return names.map((name) => {
    const rows = config.dnsxl.filter((block) => block.zone === name);
    const [first] = rows;
    return {
      name,
      shown: first!.shownAs === '' ? name : first!.shownAs,
      asksIpv6: rows.some((block) => block.ipv6 === 'auto'),
      blocks: rows.map((block) => ({ codes: codesOf(block.codes), weight: block.weight })),
      isBlocking: rows.some((block) => block.weight > 0),
    };
  });
}

function codesOf(texts: readonly string[]): readonly Codes[] {
  return texts.length === 0 ? everyCode : texts.map((text) => readCodes(text)!);
}

/** The weights of all blocks that name one of the addresses, each block once; null when none does. */
export function weightOf(zone: Zone, addresses: readonly number[]): number | null {
  let weight: number | null = null;
  for (const block of zone.blocks) {
    if (addresses.some((address) => block.codes.some((codes) => hasCode(codes, address))))
      weight = (weight ?? 0) + block.weight;
  }
  return weight;
}

/** What keeps an answer from being a listing, or null when nothing does. */
export function answerFault(addresses: readonly number[]): string | null {
  for (const address of addresses) {
    const text = dotted(address);
    if (address >>> 24 !== 127) return `it answers ${text}, which is outside 127.0.0.0/8`;
    if (address >>> 8 === 0x7f_ff_ff) {
      const meaning = errorMeanings[address & 255];
      return `it answers ${text}, an error${meaning === undefined ? '' : `: ${meaning}`}`;
    }
    if (address === 0x7f00_0001) return 'it answers 127.0.0.1, as a list that is closed does';
  }
  return null;
}

/** What a reply to an A question says about a client. */
export function judge(zone: Zone, reply: DnsReply): Verdict {
  switch (reply.kind) {
    case 'addresses': {
      const why = answerFault(reply.addresses);
      if (why !== null) return { kind: 'error', why };
      const weight = weightOf(zone, reply.addresses);
      if (weight === null) return { kind: 'clean', ttlMs: reply.ttlMs };
      return { kind: 'listed', weight, ttlMs: reply.ttlMs };
    }
    case 'nothing':
      return { kind: 'clean', ttlMs: reply.ttlMs };
    case 'text':
      return { kind: 'failed', why: 'an answer of another kind than was asked for' };
    default:
      return reply;
  }
}

/**
 * A text of the list as it may be shown: without the zone's name or a part of it that the shown name does not have
 * (a key), without bytes that are no text, and of bounded length.
 */
export function shownText(zone: Zone, text: string): string {
  let plain = text.slice(0, TEXT_READ_MAX).replaceAll(/[^\x20-\x7e]/g, '?');
  if (zone.shown !== zone.name) {
    const known = zone.shown.split('.');
    plain = replaced(plain, zone.name, zone.shown);
    for (const label of zone.name.split('.'))
      if (label.length >= KEY_LETTERS_MIN && !known.includes(label)) plain = replaced(plain, label, '...');
  }
  return plain.slice(0, TEXT_SHOWN_MAX);
}

/** `text` with `instead` at every place where it spells `word`, in whatever case. */
function replaced(text: string, word: string, instead: string): string {
  const small = text.toLowerCase();
  let said = '';
  let from = 0;
  for (let at = small.indexOf(word); at >= 0; at = small.indexOf(word, from)) {
    said += text.slice(from, at) + instead;
    from = at + word.length;
  }
  return said + text.slice(from);
}

function dotted(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}
