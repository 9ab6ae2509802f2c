/**
 * What a command line adds to the word of a session, and what is manner in it.
 */
import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { bytesOf } from '../../../src/base/ascii.ts';
import {
  heard,
  Level,
  levelOf,
  mannerOf,
  oddityOf,
  reached,
  replied,
  Shape,
  shapeOf,
  shownBy,
  Trait,
} from '../../../src/families/dialect.ts';
import { argumentStart, verbOf } from '../../../src/smtp/verbs.ts';

/** The word after these lines. */
function after(lines: readonly string[], word = 0): number {
  return lines.reduce((before, line) => {
    const bytes = bytesOf(line);
    const start = argumentStart(bytes, 0, bytes.length);
    return heard(before, verbOf(bytes, 0, bytes.length), bytes, 0, start, bytes.length, 0);
  }, word);
}

/** The names of the bits that are set. */
function traitsOf(word: number): string[] {
  return Object.entries(Trait)
    .filter(([, bit]) => (word & bit) !== 0)
    .map(([name]) => name);
}

describe('a line', () => {
  it.each<[string, readonly string[]]>([
    ['EHLO mx.example.com', ['Ehlo']],
    ['HELO mx.example.com', ['Helo']],
    ['ehlo mx.example.com', ['Ehlo', 'LowerVerb']],
    ['Helo mx.example.com', ['Helo', 'MixedVerb']],
    ['EHLO  mx.example.com', ['Ehlo', 'WideGap']],
    ['EHLO\tmx.example.com', ['Ehlo', 'WideGap']],
    ['EHLO mx.example.com ', ['Ehlo', 'Trailing']],
    ['MAIL FROM:<a@example.com>', []],
    ['MAIL FROM:<a@example.com> SIZE=1000', ['Parameters']],
    ['MAIL FROM: <a@example.com>', ['BlankInPath']],
    ['MAIL FROM:a@example.com', ['BarePath']],
    ['MAIL FROM: a@example.com', ['BlankInPath', 'BarePath']],
    ['mail from:<a@example.com>', ['LowerVerb', 'SmallKeyword']],
    ['MAIL From:<a@example.com>', ['SmallKeyword']],
    ['RCPT TO:<a@example.com>', []],
    ['rcpt to:<a@example.com>', ['LowerVerb', 'SmallKeyword']],
    ['RSET', ['Resets']],
    ['NOOP', ['Asks']],
    ['VRFY a', ['Asks']],
    ['AUTH LOGIN', ['Auth']],
    ['HALLO', ['Unknown']],
    ['GET / HTTP/1.1', ['Foreign']],
    ['QUIT', ['Quits']],
    ['quit', ['LowerVerb', 'Quits']],
    ['MAIL', []],
    ['MAIL FROM:', []],
    ['MAIL FROM', []],
    ['RCPT TO: ', ['BlankInPath', 'Trailing']],
  ])('%j shows %j', (line, traits) => {
    expect(traitsOf(after([line])).sort()).toEqual([...traits].sort());
  });

  it.each<[string, number]>([
    ['EHLO', Shape.None],
    ['EHLO mx.example.com', Shape.Domain],
    ['EHLO friend', Shape.Word],
    ['EHLO [192.0.2.7]', Shape.Literal],
    ['EHLO 192.0.2.7', Shape.Address],
    ['EHLO mx_1.example.com', Shape.Odd],
    ['EHLO 7.example.com', Shape.Domain],
  ])('%j has its shape', (line, shape) => {
    expect(shapeOf(after([line]))).toBe(shape);
  });

  it('behind a refusal shows that the client goes on; QUIT does not', () => {
    const refused = replied(after(['EHLO a.example']), 0x35);
    expect(traitsOf(after(['NOOP'], refused))).toContain('Past5');
    expect(traitsOf(after(['QUIT'], refused))).not.toContain('Past5');
    expect(traitsOf(after(['NOOP'], replied(refused, 0x34)))).toEqual(expect.arrayContaining(['Past4']));
    expect(traitsOf(replied(refused, 0x32))).not.toContain('Last5');
  });

  it('of any bytes is heard without a fault, and moves the level up only', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }), (lines) => {
        let word = 0;
        for (const bytes of lines) {
          const before = levelOf(word);
          const verb = verbOf(bytes, 0, bytes.length);
          const start = argumentStart(bytes, 0, bytes.length);
          word = heard(word, verb, bytes, 0, start, bytes.length, 0);
          expect(levelOf(word)).toBeGreaterThanOrEqual(before);
        }
      }),
    );
  });
});

describe('manner', () => {
  test('is without what honest senders do differently among themselves', () => {
    const plain = mannerOf(after(['EHLO a.example', 'MAIL FROM:<a@b.example> SIZE=7', 'RSET', 'QUIT']));
    const other = mannerOf(after(['HELO b.example', 'MAIL FROM:<>']) | Trait.Tls | Trait.Pipelines);
    expect(other).toBe(plain);
    expect(oddityOf(plain)).toBe(0);
  });

  test('of one who left early is what a longer session shows by then', () => {
    const lines = ['ehlo friend', 'mail from: a@example.com', 'rcpt to: b@example.com'];
    const whole = mannerOf(after(lines));
    const early = mannerOf(after(lines.slice(0, 1)));
    expect(levelOf(early)).toBe(Level.Hello);
    expect(shownBy(whole, Level.Hello)).toBe(oddityOf(early));
    expect(shownBy(whole, Level.Silent)).toBe(0);
    expect(shownBy(whole, Level.Envelope)).toBe(oddityOf(whole));
    expect(oddityOf(whole)).not.toBe(oddityOf(early));
  });

  test('keeps the highest level', () => {
    expect(levelOf(reached(reached(0, Level.Envelope), Level.Hello))).toBe(Level.Envelope);
  });
});
