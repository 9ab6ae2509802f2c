import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesOf, latin1 } from '../../../src/base/ascii.ts';
import { LineReader, Oddity } from '../../../src/smtp/line-reader.ts';

const stream = fc
  .array(fc.constantFrom('\r', '\n', '\0', 'a', 'Z', ' ', '\xff', '\r\n'), { maxLength: 40 })
  .map((parts) => parts.join(''));

/** Reads lines out of a stream that arrives with one border at `border`, as the engine does it. */
function linesOf(text: string, border: number): readonly { text: string; oddities: number }[] {
  const reader = new LineReader();
  const lines: { text: string; oddities: number }[] = [];
  let at = 0;
  let scanned = 0;
  for (const end of [border, text.length]) {
    const bytes = bytesOf(text.slice(0, end));
    while (reader.find(bytes, at, scanned)) {
      lines.push({ text: latin1(bytes, reader.start, reader.end), oddities: reader.oddities });
      at = reader.next;
      scanned = 0;
    }
    scanned = end - at;
  }
  return lines;
}

test('finds the lines that a split at LF finds, wherever the stream is cut', () => {
  fc.assert(
    fc.property(stream, fc.nat({ max: 40 }), (text, border) => {
      const whole = text.split('\n').slice(0, -1);
      const wanted = whole.map((line) => {
        const body = line.endsWith('\r') ? line.slice(0, -1) : line;
        const oddities =
          (line.endsWith('\r') ? 0 : Oddity.BareLf) |
          (body.includes('\r') ? Oddity.BareCr : 0) |
          (body.includes('\0') ? Oddity.Nul : 0);
        return { text: body, oddities };
      });
      expect(linesOf(text, Math.min(border, text.length))).toEqual(wanted);
    }),
    { numRuns: 3_000 },
  );
});

test('an unfinished line is no line', () => {
  const reader = new LineReader();
  expect(reader.find(bytesOf('NOOP\r'), 0, 0)).toBe(false);
  expect(reader.find(bytesOf('NOOP\r\n'), 0, 5)).toBe(true);
});
