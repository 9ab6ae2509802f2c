import * as fc from 'fast-check';
import { stringify } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { exampleFile } from '../../../src/config/describe.ts';
import { settings } from '../../../src/config/settings.ts';
import type { Entry } from '../../../src/config/settings.ts';
import { problemsOf } from './problems-of.ts';

/** Each problem is one line with a position in the text. */
function expectPlaced(text: string): void {
  const lines = text.split('\n');
  for (const problem of problemsOf(text)) {
    const [, line, column] = /^sluice\.toml:(\d+):(\d+): \S[^\n]*$/.exec(problem) ?? [];
    if (line === undefined && /^sluice\.toml: and \d+ more problems$/.test(problem)) continue;
    expect(problem).toMatch(/^sluice\.toml:\d+:\d+: /);
    expect(Number(line)).toBeGreaterThan(0);
    expect(Number(line)).toBeLessThanOrEqual(lines.length);
    expect(Number(column)).toBeGreaterThan(0);
  }
}

const names = Object.entries(settings as Readonly<Record<string, Entry>>).flatMap(([key, entry]) => [
  key,
  ...('rows' in entry ? Object.keys(entry.rows) : []),
]);
const key = fc.oneof(
  fc.constantFrom(...names),
  fc.constantFrom('__proto__', 'constructor', 'hasOwnProperty', ''),
  fc.string(),
);
const leaf = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.double({ noNaN: true }),
  fc.boolean(),
  fc.constantFrom('6s', '64kB', 'off', '127.0.0.1:25', '192.0.2.0/24', 'enforce'),
);
const { table } = fc.letrec<{ table: object; value: unknown }>((tie) => ({
  table: fc.dictionary(key, tie('value'), { maxKeys: 6, noNullPrototype: false }),
  value: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.array(leaf, { maxLength: 4 }),
    tie('table'),
    fc.array(tie('table') as fc.Arbitrary<unknown>, { maxLength: 3 }),
  ),
}));

describe('load', () => {
  it('answers any text with a Config or a ConfigError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary', maxLength: 60 })), expectPlaced),
      { numRuns: 500 },
    );
  });

  it('answers any TOML with a Config or a ConfigError', () => {
    fc.assert(
      fc.property(table, (value) => expectPlaced(stringify(value))),
      { numRuns: 300 },
    );
  });

  it('answers any damage to a good file with a Config or a ConfigError', () => {
    const good = exampleFile();
    const damage = fc.tuple(
      fc.nat(good.length),
      fc.nat(40),
      fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom('[', ']]', '"', '=', '\n', '.', '{', '#')),
    );
    fc.assert(
      fc.property(damage, ([at, cut, put]) => expectPlaced(good.slice(0, at) + put + good.slice(at + cut))),
      { numRuns: 300 },
    );
  });

  it.each([
    ['brackets without end', '['.repeat(500_000)],
    ['lists in lists', `mode = ${'['.repeat(100_000)}`],
    ['tables in tables', `mode = ${'{a='.repeat(50_000)}`],
    ['a key of many parts', `mode${'.a'.repeat(5_000)} = 1`],
    ['a header of many parts', `[mode${'.a'.repeat(5_000)}]`],
    ['many sections', Array.from({ length: 5_000 }, (_, index) => `[s${index}]\n`).join('')],
    ['a long string', `mode = "${'x'.repeat(1_000_000)}"`],
  ])('survives %s', (_title, text) => {
    const problems = problemsOf(text);
    expect(problems.length).toBeGreaterThan(0);
    for (const problem of problems) expect(problem.length).toBeLessThan(250);
  });
});
