/**
 * wording — how a wrong value is said
 *
 * One form for all: what was got, what is wanted, and what was perhaps meant. Values are shown as they would
 * be written in the file and cut short, so that a pasted certificate does not fill the screen.
 */
import { distance } from 'fastest-levenshtein';

const SHOWN_CHARACTERS_MAX = 60;

/** Words longer than this are not compared with anything. */
const COMPARED_CHARACTERS_MAX = 64;

/** A value as the file would spell it, cut to a readable length. */
export function quote(value: unknown): string {
  const whole = spell(value);
  return whole.length <= SHOWN_CHARACTERS_MAX ? whole : `${whole.slice(0, SHOWN_CHARACTERS_MAX)}…`;
}

function spell(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, SHOWN_CHARACTERS_MAX + 1));
  if (typeof value === 'number')
    return Object.is(value, -0) ? '-0' : String(value).replace('Infinity', 'inf').replace('NaN', 'nan');
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (value instanceof Date) return 'a date';
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    return value.every((element) => typeof element === 'string')
      ? `[${value.slice(0, SHOWN_CHARACTERS_MAX).map(spell).join(', ')}]`
      : 'a list';
  }
  if (typeof value !== 'object' || value === null) return 'nothing';
  const parts = Object.entries(value);
  if (parts.length === 0) return '{}';
  if (parts.some(([, part]) => typeof part !== 'string')) return 'a table';
  return `{ ${parts.map(([key, part]) => `${key} = ${spell(part)}`).join(', ')} }`;
}

/** "got …, want …", with a suggestion: `meant` itself, or the word of `words` that is nearest to it. */
export function wanted(value: unknown, want: string, meant?: unknown, words?: readonly string[]): string {
  const better = words === undefined ? meant : nearest(meant, words);
  const hint = typeof better === 'string' ? ` (did you mean ${quote(better)}?)` : '';
  return `got ${quote(value)}, want ${want}${hint}`;
}

/** The word that differs from `word` in at most a third of its letters (one or two for short ones), or undefined. */
export function nearest(word: unknown, words: readonly string[]): string | undefined {
  if (typeof word !== 'string' || word.length > COMPARED_CHARACTERS_MAX) return undefined;
  const bound = Math.max(2, Math.floor(word.length / 3));
  let best: string | undefined;
  let bestDistance = bound + 1;
  for (const candidate of words) {
    const far = distance(word.toLowerCase(), candidate);
    if (far < bestDistance && far < candidate.length) {
      best = candidate;
      bestDistance = far;
    }
  }
  return best;
}
