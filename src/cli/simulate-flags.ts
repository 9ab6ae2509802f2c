/**
 * simulate-flags — the options of `sluice simulate` that name populations and settings
 *
 * What cannot be read is told in a sentence that says what could have been meant.
 */
import { populations } from '../../loadgen/populations.ts';
import type { Population, PopulationName } from '../../loadgen/populations.ts';
import type { Setting } from '../config/kinds.ts';
import { settings } from '../config/settings.ts';
import type { Entry } from '../config/settings.ts';
import { nearest, quote } from '../config/wording.ts';

/** Something that cannot be read, in a sentence. */
export interface Wrong {
  readonly wrong: string;
}

/** A value in the spelling of the file; lists cannot be swept. */
export type SweptValue = string | number | boolean;

/** One setting and the values that it takes in turn. */
export interface Sweep {
  readonly section: string;
  readonly key: string;
  readonly values: readonly SweptValue[];
}

const entries: Readonly<Record<string, Entry>> = settings;

/** The population of that name. */
export function readPopulation(name: string): Wrong | { readonly name: PopulationName } {
  if (Object.hasOwn(populations, name)) return { name: name as PopulationName };
  const all: Readonly<Record<string, Population>> = populations;
  const meant = nearest(name, Object.keys(all));
  const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`;
  const list = Object.entries(all).map(([one, { says }]) => `  ${one.padEnd(10)}${says}\n`);
  return { wrong: `there is no population ${quote(name)}${hint}; there are\n${list.join('')}` };
}

/** Reads sweeps such as "shape.reply_delay=5s,15s,30s"; a setting may come once. */
export function readSweeps(texts: readonly string[]): Wrong | { readonly sweeps: readonly Sweep[] } {
  const sweeps: Sweep[] = [];
  for (const text of texts) {
    const read = readSweep(text);
    if ('wrong' in read) return read;
    const isTwice = sweeps.some(({ section, key }) => section === read.section && key === read.key);
    if (isTwice)
      return { wrong: `${read.section}.${read.key} is swept twice: name all its values in one --sweep` };
    sweeps.push(read);
  }
  return { sweeps };
}

function readSweep(text: string): Wrong | Sweep {
  const [, section = '', key = '', words = ''] = /^([^.=]+)\.([^=]+)=(.*)$/.exec(text) ?? [];
  const name = `${section}.${key}`;
  if (key === '')
    return {
      wrong: `--sweep ${quote(text)}: want a setting and values, such as shape.reply_delay=5s,15s,30s`,
    };
  const row = rowOf(section, key);
  if (row === null) return { wrong: `there is no setting ${quote(name)} to sweep${hintFor(section, key)}` };
  const values: SweptValue[] = [];
  for (const word of words.split(',')) {
    const value = valueOf(row, word);
    let wrong = '';
    row.read(value, (says) => (wrong = says));
    if (wrong !== '') return { wrong: `--sweep ${name}: ${wrong}` };
    if (!values.includes(value)) values.push(value);
  }
  return { section, key, values };
}

/** Settings that can be swept: those of a section that are no list and mean something in this version. */
function rowOf(section: string, key: string): Setting | null {
  const entry = Object.hasOwn(entries, section) ? entries[section]! : undefined;
  if (entry === undefined || !('rows' in entry) || entry.kind !== 'section') return null;
  const row = Object.hasOwn(entry.rows, key) ? entry.rows[key]! : undefined;
  if (row === undefined || row.reserved !== undefined || typeof row.fallback === 'object') return null;
  return row;
}

/** A word of the command line as the file would have it. */
function valueOf(row: Setting, word: string): SweptValue {
  if (typeof row.fallback === 'number' && /^-?[0-9]{1,15}$/.test(word)) return Number(word);
  if (typeof row.fallback === 'boolean' && (word === 'true' || word === 'false')) return word === 'true';
  return word;
}

function hintFor(section: string, key: string): string {
  const names = Object.entries(entries).flatMap(([one, entry]) =>
    'rows' in entry
      ? Object.keys(entry.rows)
          .filter((row) => rowOf(one, row) !== null)
          .map((row) => `${one}.${row}`)
      : [],
  );
  const meant = names.find((name) => name.endsWith(`.${key}`)) ?? nearest(`${section}.${key}`, names);
  return meant === undefined
    ? '; "sluice config example" prints all settings, of which lists cannot be swept'
    : ` (did you mean ${meant}?)`;
}
