/** Each row of the table of faults is what its dialogue shows; the dialogues themselves are played by dialogues.test. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { replyTable } from '../../src/smtp/replies.ts';
import { faultTable } from './fault-table.ts';
import type { FaultRow } from './fault-table.ts';
import { readDialogues } from './transcript.ts';

/** The lines of the dialogue that a row names; throws when there is none with this heading. */
function blockOf({ dialogue: [file, heading] }: FaultRow): readonly string[] {
  const text = readFileSync(new URL(file, import.meta.url), 'utf8');
  const found = readDialogues(text).find(({ title }) => title === heading);
  if (found === undefined) throw new Error(`${file} has no dialogue "${heading}"`);
  return found.block;
}

/** What the clients heard, without times and marks. */
const heard = (block: readonly string[]): string[] =>
  block.flatMap((line) => /^ *\d+\.\d{3} {2}S\d* {2}(.*)$/.exec(line)?.[1] ?? []);

describe.each(faultTable)('a backend that $fault', (row) => {
  const block = blockOf(row);
  const replies = heard(block);
  const refusals = replies.filter((reply) => /^[45]/.test(reply));

  test('is answered as the table says', () => {
    if (row.hears === 'none') expect(refusals).toEqual([]);
    if (row.hears === 'none' || row.hears === 'own')
      expect(replies.some((reply) => /^(?:250 2\.[01]|5)/.test(reply))).toBe(true);
    else expect(new Set(refusals)).toEqual(new Set([replyTable[row.hears].text]));
  });

  test('is never answered by Sluice with 5xx, nor by a 250 for a message that nobody has', () => {
    if (row.hears !== 'own') expect(refusals.filter((reply) => reply.startsWith('5'))).toEqual([]);
    const stored = block.filter((line) => line.startsWith('backend got: ')).length;
    expect(replies.filter((reply) => /^250 2\.0\.0 .*queued/.test(reply)).length).toBeLessThanOrEqual(stored);
  });

  test('is counted and told as the table says', () => {
    const counters = block.find((line) => line.startsWith('counters:')) ?? '';
    for (const name of row.counters) expect(counters).toMatch(new RegExp(`\\b${name}=[1-9]`));
    if (row.notice !== '')
      expect(block.some((line) => line.startsWith('notice: ') && line.includes(row.notice))).toBe(true);
  });
});
