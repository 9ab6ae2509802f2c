/**
 * reply-codes — which answers of a DNS list count, as an operator writes them
 *
 * An answer is an address of 127.0.0.0/8 (RFC 5782 §2.1). Three spellings: one address, a range
 * "127.0.0.2-127.0.0.11", and that of postscreen_dnsbl_sites, in which each part is a number or a set
 * "[1;3..7]". Answers that never are a listing (127.0.0.1, 127.255.255.0/24, all outside 127.0.0.0/8) cannot be
 * named: whoever counts an error of the list as a listing refuses all mail.
 *
 * In: text of the file.   Out: a sorted set of ranges, or what is wanted instead.   Cost: at load only.
 */

/** An answer set: the four parts, each a sorted list of inclusive ranges. */
export type CodePattern = readonly (readonly (readonly [number, number])[])[];

/** A range of answers as 32-bit numbers, or a pattern by parts. */
export type Codes = { readonly first: number; readonly last: number } | { readonly parts: CodePattern };

const WANT =
  'an answer inside 127.0.0.0/8 such as "127.0.0.2", "127.0.0.2-127.0.0.11" or "127.0.[0..255].[2;4..7]"';

function part(text: string): readonly (readonly [number, number])[] | undefined {
  const inner = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  if (inner === text && !/^[0-9]{1,3}$/.test(text)) return undefined;
  const ranges: [number, number][] = [];
  for (const piece of inner.split(';')) {
    const found = /^([0-9]{1,3})(?:\.\.([0-9]{1,3}))?$/.exec(piece);
    if (found === null) return undefined;
    const low = Number(found[1]);
    const high = Number(found[2] ?? found[1]);
    if (low > high || high > 255) return undefined;
    ranges.push([low, high]);
  }
  return ranges.sort((a, b) => a[0] - b[0]);
}

function splitParts(text: string): readonly string[] {
  return text.match(/\[[^\]]*\]|[^.]+/g) ?? [];
}

function word(text: string): number {
  const parts = /^([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})$/.exec(text)?.slice(1).map(Number);
  if (parts === undefined || parts.some((one) => one > 255)) return -1;
  return parts.reduce((whole, one) => whole * 256 + one, 0);
}

/** Reads one element of `codes`; undefined when it is none. */
export function readCodes(text: string): Codes | undefined {
  if (text.includes('[')) {
    const texts = splitParts(text);
    const parts = texts.map(part);
    if (parts.length !== 4 || parts.some((one) => one === undefined) || texts.join('.') !== text)
      return undefined;
    const [first] = parts as CodePattern;
    return first!.length === 1 && first![0]![0] === 127 && first![0]![1] === 127
      ? { parts: parts as CodePattern }
      : undefined;
  }
  const dash = text.indexOf('-');
  const first = word(dash < 0 ? text : text.slice(0, dash));
  const last = dash < 0 ? first : word(text.slice(dash + 1));
  if (first < 0 || last < first || first >>> 24 !== 127 || last >>> 24 !== 127) return undefined;
  return { first, last };
}

/** True when an answer, as a 32-bit number, is in the set. */
export function hasCode(codes: Codes, answer: number): boolean {
  if ('first' in codes) return answer >= codes.first && answer <= codes.last;
  return codes.parts.every((ranges, place) => {
    const value = (answer >>> (24 - 8 * place)) & 255;
    return ranges.some(([low, high]) => value >= low && value <= high);
  });
}

/** What keeps a text from being an answer set, or undefined when nothing does. */
export function codesFault(text: string): { readonly want: string } | undefined {
  const codes = readCodes(text);
  if (codes === undefined) return { want: WANT };
  if (hasCode(codes, 0x7f00_0001))
    return { want: 'answers without 127.0.0.1, which says that the list is closed' };
  const errors = 'answers without 127.255.255.0/24, by which a list reports an error';
  for (let code = 0; code < 256; code++) if (hasCode(codes, 0x7fff_ff00 + code)) return { want: errors };
  return undefined;
}
