import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOf, latin1 } from '../../../src/base/ascii.ts';
import { ChunkReader, ChunkState, ChunkStuffer } from '../../../src/smtp/bdat.ts';

const text = (bytes: Uint8Array): string => latin1(bytes, 0, bytes.length);

function read(argument: string): readonly [number, boolean] | null {
  const reader = new ChunkReader();
  const bytes = bytesOf(`BDAT ${argument}\r\n`);
  return reader.read(bytes, 5, bytes.length - 2) ? [reader.octets, reader.isLast] : null;
}

/** What goes into the spool when the octets come in pieces that end at these places. */
function feed(octets: string, places: readonly number[]): { readonly out: string; readonly odd: boolean } {
  const stuffer = new ChunkStuffer();
  const borders = [...new Set([0, ...places.filter((place) => place < octets.length), octets.length])].sort(
    (a, b) => a - b,
  );
  let state: ChunkState = ChunkState.LineStart;
  let odd = false;
  let out = '';
  for (let at = 1; at < borders.length; at++) {
    const bytes = bytesOf(octets.slice(borders[at - 1], borders[at]));
    out += text(stuffer.stuff(bytes, bytes.length, state));
    ({ state } = stuffer);
    odd ||= stuffer.odd;
  }
  out += text(stuffer.end(state));
  return { out, odd: odd || stuffer.odd };
}

/** The same by regular expressions over the whole. */
function twin(octets: string): string {
  const lines = octets
    .replaceAll('\0', ' ')
    .replaceAll(/\r(?!\n)/g, ' ')
    .replaceAll(/(?<!\r)\n/g, '\r\n')
    .replaceAll(/(^|\r\n)\./g, '$1..');
  return `${lines}${lines === '' || lines.endsWith('\r\n') ? '' : '\r\n'}.\r\n`;
}

/** Octets of nothing but what matters. */
const octets = fc
  .array(fc.constantFrom('\r', '\n', '.', '\0', 'a', '\r\n', '\r\n.', '.\r\n'), { maxLength: 24 })
  .map((parts) => parts.join(''));
const cuts = fc.array(fc.nat({ max: 60 }), { maxLength: 8 });

describe('the argument of BDAT', () => {
  test.each([
    ['0', [0, false]],
    ['12', [12, false]],
    ['0012', [12, false]],
    ['12 LAST', [12, true]],
    ['12 last', [12, true]],
    ['12\t LaSt \t', [12, true]],
    ['12 ', [12, false]],
    ['999999999999999', [999_999_999_999_999, false]],
  ] as const)('%j says how many octets follow, and whether they are the last', (argument, said) => {
    expect(read(argument)).toEqual(said);
  });

  test.each([
    '',
    'x',
    '-1',
    '+1',
    '1.5',
    '0x10',
    '1e3',
    '4LAST',
    '4 LAS',
    '4 LASTT',
    '4 LAST LAST',
    '4 4',
    '1'.repeat(16),
  ])('%j does not say it', (argument) => {
    expect(read(argument)).toBe(null);
  });
});

describe('octets of chunks on their way to DATA', () => {
  test('are the same wherever they are cut, dots doubled and odd ones written anew', () => {
    fc.assert(
      fc.property(octets, cuts, (all, places) => {
        const { out, odd } = feed(all, places);
        expect(out).toBe(twin(all));
        expect(odd).toBe(/\r(?!\n)|(?<!\r)\n|\0/.test(all));
      }),
      { numRuns: 5_000 },
    );
  });

  test('hold one end, at the end', () => {
    fc.assert(
      fc.property(octets, cuts, (all, places) => {
        const { out } = feed(all, places);
        expect(/(?:^|\r\n)\.\r\n/.exec(out)!.index).toBe(out === '.\r\n' ? 0 : out.length - 5);
        expect(out).not.toMatch(/\r(?!\n)|(?<!\r)\n|\0/);
      }),
      { numRuns: 3_000 },
    );
  });

  test('are not copied when they can go on as they are', () => {
    const bytes = bytesOf('a.b\r\nc\r\n');
    const piece = new ChunkStuffer().stuff(bytes, bytes.length, ChunkState.LineStart);
    expect(piece.buffer).toBe(bytes.buffer);
    expect(text(piece)).toBe('a.b\r\nc\r\n');
  });
});
