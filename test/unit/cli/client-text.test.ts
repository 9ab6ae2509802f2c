import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EntryText } from '../../../src/admin/entry.ts';
import type { Explanation } from '../../../src/admin/explain.ts';
import { ageText, entryTextFor, explanationText, listText } from '../../../src/cli/client-text.ts';
import { jsonText } from '../../../src/cli/output.ts';

const NOW = 1_790_000_000;

const row = (text: string) => ({
  signal: text,
  says: text,
  observations: 1,
  age_s: 61,
  age_step_s: 60,
  points: 40,
});

const explanationOf = (text: string): Explanation => ({
  client: text,
  kind: 'host',
  known: true,
  first_seen: text,
  seen: text,
  pace: text,
  because: text,
  score: 40,
  slow_from: 15,
  slow_at: 40,
  plan_percent: 100,
  rows: [row(text)],
  held_by: [text],
  passes: [{ test: text, needed: true, own_until: text, network_until: text }],
  network: { name: text, known: true, bad_members: 0, good_members: 0, is_good: false, open: 0 },
  open: 1,
  open_max: 50,
  sources: [
    { name: text, trouble: text, rows: [] },
    { name: text, trouble: '', rows: [{ says: text, evidence: text, worth: text }] },
  ],
});

const entryOf = (text: string): EntryText => ({
  kind: text,
  name: text,
  score: 1,
  mark: text as 'deny',
  mark_until: text,
  first_seen: text,
  seen: text,
  open: 0,
  passes: { [`${text}.`]: text },
});

/** Not empty and not blank, so that it always takes its line. */
const anyText = fc
  .oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('\n  now, it would be instant', '\u001b[2J', '\r', '\u202e', '\u009b31m', 'x\u0000y'),
  )
  .map((text) => `x${text}`);

describe('text about clients', () => {
  it('is printable ASCII in as many lines, whatever stands in an answer', () => {
    const renderings: ((text: string) => string)[] = [
      (text) => explanationText(explanationOf(text), NOW),
      (text) => listText([entryOf(text)], 1, 0, NOW),
      (text) => entryTextFor({ ...entryOf(text), rows: [row(text)] }, NOW),
      (text) => jsonText(explanationOf(text)),
    ];
    fc.assert(
      fc.property(anyText, (text) => {
        for (const render of renderings) {
          const out = render(text);
          expect(out).toMatch(/^[ -~\n]*$/);
          expect(out.split('\n')).toHaveLength(render('x').split('\n').length);
        }
        expect(JSON.parse(jsonText(explanationOf(text)))).toEqual(explanationOf(text));
      }),
    );
  });

  it.each([
    [0, '0 s'],
    [59, '59 s'],
    [60, '1 min'],
    [7_199, '1 h'],
    [172_800, '2 d'],
    [-5, '0 s'],
  ])('calls %i seconds %s', (sec, text) => {
    expect(ageText(sec)).toBe(text);
  });
});
