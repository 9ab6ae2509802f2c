/**
 * Reply rules over every line that Sluice says in any dialogue: RFC 5321 section 4.2 for its form, RFC 2034 for its enhanced code.
 * The dialogues themselves are played by dialogues.test; what stands in them is what was said.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

interface Said {
  readonly place: string;
  readonly text: string;
}

/** Keywords of the EHLO reply, whose lines bear no enhanced code. */
const keyword =
  /^250[ -](?:SIZE|8BITMIME|SMTPUTF8|DSN|CHUNKING|LIMITS|STARTTLS|PIPELINING|ENHANCEDSTATUSCODES)\b/;
const hostAlone = /^250[ -]mx\.example\.net$/;
const greeting = /^220[ -]mx\.example\.net\b/;
const helloRefused = /^501 Syntax: (?:EHLO|HELO) /;
const goOn = /^354 /;
/** What RFC 2034 section 4 leaves out: the greeting, answers to HELO and EHLO, and whatever is neither 2, 4 nor 5. */
const without = [keyword, hostAlone, greeting, helloRefused, goOn];

const folder = new URL('.', import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith('.md'));

/** What Sluice says in a file, line by line; a line that drips is put together from its pieces. */
function linesOf(name: string): Said[] {
  const pieces = new Map<string, string>();
  const lines: Said[] = [];
  for (const [at, line] of readFileSync(new URL(name, folder), 'utf8').split('\n').entries()) {
    if (line.startsWith('## ')) pieces.clear();
    const [, mark, client = '', text = ''] = /^ +\d+\.\d{3} {2}([Ss])(\d*)(?: {2}(.*))?$/.exec(line) ?? [];
    if (mark === undefined) continue;
    const whole = (pieces.get(client) ?? '') + text;
    pieces.set(client, mark === 's' ? whole : '');
    if (mark === 'S') lines.push({ place: `${name}:${at + 1}`, text: whole });
  }
  return lines;
}

const said = names.flatMap(linesOf);

test('there are thousands of them, of every class', () => {
  expect(said.length).toBeGreaterThan(2_000);
  expect(new Set(said.map(({ text }) => text[0]))).toEqual(new Set(['2', '3', '4', '5']));
});

test('each is three digits, a blank or a hyphen, and printable text, in a line of 512 octets', () => {
  const wrong = said.filter(({ text }) => !/^[2-5][0-5]\d[ -][\x20-\x7e]*$/.test(text) || text.length > 510);
  expect(wrong).toEqual([]);
});

test('each has an enhanced code of its own class, but for the greeting and the answers to HELO and EHLO', () => {
  const wrong = said.filter(({ text }) => {
    if (without.some((exception) => exception.test(text))) return false;
    const found = /^(\d)\d\d[ -](\d)\.\d{1,3}\.\d{1,3} \S/.exec(text);
    return found === null || found[1] !== found[2];
  });
  expect(wrong).toEqual([]);
});

test('the answers to HELO and EHLO, and the greeting, have none', () => {
  const coded = said.filter(({ text }) =>
    /^(?:220|250|501)[ -]\d\.\d\.\d .*(?:mx\.example\.net|EHLO)/.test(text),
  );
  expect(coded).toEqual([]);
});
