import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOf, latin1 } from '../../../src/base/ascii.ts';
import { BodyScanner, BodyState, normalize } from '../../../src/smtp/body-end.ts';

/** Texts made of nothing but what matters to the scanner. */
const body = fc
  .array(fc.constantFrom('\r', '\n', '.', '\0', 'a', '\r\n', '\r\n.', '.\r\n'), { maxLength: 24 })
  .map((parts) => parts.join(''));
const cuts = fc.array(fc.nat({ max: 60 }), { maxLength: 8 });

interface Seen {
  readonly done: boolean;
  /** Bytes used up to the end, or in all. */
  readonly used: number;
  readonly odd: boolean;
  readonly out: string;
}

/** What the engine does: pieces arrive, unused bytes stay in front of the next. */
function feed(text: string, places: readonly number[], mode: 'raw' | 'normalize'): Seen {
  const scanner = new BodyScanner();
  const borders = [...new Set([...places.filter((place) => place < text.length), text.length])].sort(
    (a, b) => a - b,
  );
  let state: BodyState = BodyState.LineStart;
  let used = 0;
  let odd = false;
  let out = '';
  for (const border of borders) {
    const bytes = bytesOf(text.slice(used, border));
    scanner.scan(bytes, bytes.length, state);
    const piece = bytes.subarray(0, scanner.used);
    const isAnew = mode === 'normalize' && (scanner.odd || state === BodyState.SoftStart);
    const kept = isAnew ? normalize(piece, piece.length, state) : piece;
    out += latin1(kept, 0, kept.length);
    odd ||= scanner.odd;
    used += scanner.used;
    state = scanner.state;
    if (scanner.done) return { done: true, used, odd, out };
  }
  return { done: false, used, odd, out };
}

/** The end by a regular expression over the whole: the first dot alone between two real line ends. */
function endOf(text: string): number {
  const found = /(?:^|\r\n)\.\r\n/.exec(text);
  return found === null ? -1 : found.index + found[0].length;
}

describe('where a message ends', () => {
  test('at the first CR LF . CR LF, or at . CR LF right at the start, at every split', () => {
    fc.assert(
      fc.property(body, cuts, (text, places) => {
        const { done, used } = feed(text, places, 'raw');
        const end = endOf(text);
        expect(done).toBe(end >= 0);
        if (done) expect(used).toBe(end);
        else expect(text.length - used).toBeLessThanOrEqual(1);
      }),
      { numRuns: 3_000 },
    );
  });

  test('what was used goes on byte for byte as long as nothing is odd', () => {
    fc.assert(
      fc.property(body, cuts, (text, places) => {
        const { out, used, odd } = feed(text, places, 'normalize');
        if (!odd) expect(out).toBe(text.slice(0, used));
      }),
      { numRuns: 2_000 },
    );
  });

  test('odd is a bare CR, a bare LF or a NUL among the used bytes, and nothing else', () => {
    fc.assert(
      fc.property(body, cuts, (text, places) => {
        const { odd, used } = feed(text, places, 'raw');
        expect(odd).toBe(/\r(?!\n)|(?<!\r)\n|\0/.test(text.slice(0, used)));
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('a message written anew', () => {
  test('holds no bare CR, no bare LF, no NUL, and exactly one end, at its end', () => {
    fc.assert(
      fc.property(body, cuts, (text, places) => {
        const { out, done } = feed(text, places, 'normalize');
        expect(out).not.toMatch(/\r(?!\n)|(?<!\r)\n|\0/);
        expect(endOf(out)).toBe(done ? out.length : -1);
      }),
      { numRuns: 4_000 },
    );
  });

  test('is the same at every split', () => {
    fc.assert(
      fc.property(body, cuts, (text, places) => {
        const closed = `${text}\r\n.\r\n`;
        expect(feed(closed, places, 'normalize')).toEqual(feed(closed, [], 'normalize'));
      }),
      { numRuns: 3_000 },
    );
  });

  test.each([
    ['a\nb\r\n.\r\n', 'a\r\nb\r\n.\r\n'],
    ['a\n.\r\nb\r\n.\r\n', 'a\r\n..\r\nb\r\n.\r\n'],
    ['a\n.b\r\n.\r\n', 'a\r\n..b\r\n.\r\n'],
    ['a\r\n.\nb\r\n.\r\n', 'a\r\n..\r\nb\r\n.\r\n'],
    ['a\r.\rb\0c\r\n.\r\n', 'a . b c\r\n.\r\n'],
    ['.\nQUIT\r\n.\r\n', '..\r\nQUIT\r\n.\r\n'],
  ])('%j becomes %j', (text, wanted) => {
    for (let at = 0; at < text.length; at++) expect(feed(text, [at], 'normalize').out).toBe(wanted);
  });
});
