import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOf } from '../../../src/base/ascii.ts';
import { argumentStart, foreignWords, Verb, verbOf, verbTable } from '../../../src/smtp/verbs.ts';

const of = (line: string): number => {
  const bytes = bytesOf(`QUIT${line}MAIL`);
  return verbOf(bytes, 4, 4 + line.length);
};

describe('the first word', () => {
  test.each(verbTable.map((row, verb) => [row.word, verb] as const))(
    '%s is read in any case, alone and with text behind it',
    (word, verb) => {
      for (const line of [
        word,
        word.toLowerCase(),
        `${word} x`,
        `${word}\tx`,
        `${word[0]}${word.slice(1).toLowerCase()} `,
      ])
        expect(of(line)).toBe(verb);
    },
  );

  test.each(verbTable.map((row) => row.word))('%s with a letter more or less is another word', (word) => {
    expect(of(`${word}x`)).toBe(Verb.Unknown);
    expect(of(word.slice(0, -1))).toBe(Verb.Unknown);
  });

  test.each(foreignWords.map((word) => [word]))('%s belongs to another protocol', (word) => {
    expect(of(`${word} / HTTP/1.1`)).toBe(Verb.NonSmtp);
    expect(of(word.toLowerCase())).toBe(Verb.NonSmtp);
  });

  test.each(['Subject: x', 'Host:', 'x:', ' EHLO', '\x16\x03\x01', '.', '-', '220 x', '\xff'])(
    '%j is no SMTP',
    (line) => {
      expect(of(line)).toBe(Verb.NonSmtp);
    },
  );

  test('the table and the numbers agree', () => {
    for (const [name, verb] of Object.entries(Verb)) {
      if (verb < verbTable.length) expect(verbTable[verb]!.word).toBe(name.toUpperCase());
    }
    expect(Object.keys(Verb)).toHaveLength(verbTable.length + 2);
  });
});

test('agrees with a look into the table for any line without NUL', () => {
  const words = [...verbTable.map((row) => row.word), ...foreignWords];
  const line = fc.oneof(
    fc.string({
      unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
      maxLength: 14,
    }),
    fc
      .tuple(fc.constantFrom(...words), fc.constantFrom('', ' ', ':', 'x', '\t y', ' : z'))
      .map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(line, (text) => {
      const word = (/^[^ \t]*/.exec(text) ?? [''])[0].replaceAll(/[a-z]/g, (letter) => letter.toUpperCase());
      const place = verbTable.findIndex((row) => row.word === word);
      let wanted: number = Verb.Unknown;
      if (text !== '' && !/^[a-z]/i.test(text)) wanted = Verb.NonSmtp;
      else if (word.endsWith(':')) wanted = Verb.NonSmtp;
      else if (place >= 0) wanted = place;
      else if (foreignWords.includes(word)) wanted = Verb.NonSmtp;
      expect(of(text)).toBe(wanted);
    }),
    { numRuns: 5_000 },
  );
});

test.each([
  ['MAIL FROM:<a>', 5],
  ['MAIL \t FROM:', 7],
  ['MAIL', 4],
  ['MAIL  ', 6],
  ['', 0],
])('the text behind the verb of %j begins at %i', (line, at) => {
  expect(argumentStart(bytesOf(line), 0, line.length)).toBe(at);
});
