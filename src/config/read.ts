/**
 * read — a parsed file against the table of settings
 *
 * Walks the table, not the file: what the file does not say gets its default, what the table does not know is
 * a problem. A wrong value is replaced by its default and remembered as bad, so that the walk goes on and all
 * problems come out at once.
 *
 * In: the plain objects of the TOML parser, keys such as __proto__ included (only own keys are looked at).
 * Out: an object in the shape of Config, and problems with their paths.
 */
import { fieldOf } from './config.ts';
import type { Setting } from './kinds.ts';
import type { Path } from './positions.ts';
import { settings } from './settings.ts';
import type { Rows } from './sections.ts';
import type { Entry } from './settings.ts';
import { nearest, quote, wanted } from './wording.ts';

/** One thing wrong in the file. */
export interface Problem {
  readonly path: Path;
  /** Other settings that have a part in it; one of them is pointed at when `path` is not in the file. */
  readonly others?: readonly Path[];
  readonly aim: 'key' | 'value';
  readonly says: string;
}

/** Takes a problem. */
export type Note = (problem: Problem) => void;

type Table = Readonly<Record<string, unknown>>;

const entries: Readonly<Record<string, Entry>> = settings;

/** Reads a whole file; the result has the shape of Config, with a default wherever a problem was noted. */
export function readSettings(file: Table, note: Note): Record<string, unknown> {
  noteUnknown(file, Object.keys(entries), [], note);
  const config: Record<string, unknown> = {};
  for (const [key, entry] of Object.entries(entries)) {
    const value = Object.hasOwn(file, key) ? file[key] : undefined;
    if (!('rows' in entry)) {
      readSetting(entry, key, value, [key], config, note);
    } else if (entry.kind === 'section') {
      const fields = readRows(entry.rows, tableOf(value, [key], note), [key], note);
      if (Object.keys(fields).length > 0) config[fieldOf(key, entry.kind)] = fields;
    } else {
      config[fieldOf(key, entry.kind)] = blocksOf(value, key, entry.least, note).map((block, index) =>
        readRows(entry.rows, tableOf(block, [key, index], note), [key, index], note),
      );
    }
  }
  return config;
}

function readRows(rows: Rows, table: Table, path: Path, note: Note): Record<string, unknown> {
  noteUnknown(table, Object.keys(rows), path, note);
  const fields: Record<string, unknown> = {};
  for (const [key, row] of Object.entries(rows)) {
    readSetting(row, key, Object.hasOwn(table, key) ? table[key] : undefined, [...path, key], fields, note);
  }
  return fields;
}

function readSetting(
  row: Setting,
  key: string,
  given: unknown,
  path: Path,
  into: Record<string, unknown>,
  note: Note,
): void {
  const report = (wrong: string, index?: number): void =>
    note(problemAt(index === undefined ? path : [...path, index], wrong));
  const value = given === undefined ? undefined : row.read(given, report);
  if (row.reserved !== undefined) return;
  into[fieldOf(key, row.kind)] = value ?? row.read(row.fallback, report);
}

function tableOf(value: unknown, path: Path, note: Note): Table {
  if (value === undefined) return {};
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date))
    return value as Table;
  const section = String(path[0]);
  note({ path, aim: 'value', says: `${section}: ${wanted(value, `a table ${headerOf(section)}`)}` });
  return {};
}

function blocksOf(value: unknown, key: string, least: 0 | 1, note: Note): readonly unknown[] {
  const none = least === 1 ? [{}] : [];
  if (value === undefined) return none;
  if (Array.isArray(value) && value.length >= least) return value;
  note(problemAt([key], wanted(value, least === 1 ? `at least one block [[${key}]]` : `blocks [[${key}]]`)));
  return none;
}

/** A problem with a value. It is named without the number of its block, which the position tells. */
export function problemAt(path: Path, wrong: string): Problem {
  const name = path.filter((step) => typeof step === 'string').join('.');
  const last = path.at(-1);
  return { path, aim: 'value', says: `${name}${typeof last === 'number' ? `[${last}]` : ''}: ${wrong}` };
}

function noteUnknown(table: Table, known: readonly string[], path: Path, note: Note): void {
  for (const key of Object.keys(table)) {
    if (known.includes(key)) continue;
    const header = path.length === 0 && typeof table[key] === 'object' && table[key] !== null;
    const where = path.length === 0 ? '' : ` in ${headerOf(String(path[0]))}`;
    const says =
      header && !(table[key] instanceof Date)
        ? `unknown section ${quoteSection(key)}`
        : `unknown key ${quote(key)}${where}`;
    note({ path: [...path, key], aim: 'key', says: says + hintFor(key, known, path) });
  }
}

function headerOf(section: string): string {
  return entries[section]?.kind === 'tables' ? `[[${section}]]` : `[${section}]`;
}

function quoteSection(key: string): string {
  return /^[A-Za-z0-9_-]{1,40}$/.test(key) ? `[${key}]` : quote(key);
}

/** A near name in the same table; else a table in which exactly this name is known. */
function hintFor(key: string, known: readonly string[], path: Path): string {
  const elsewhere =
    path.length > 0 && Object.hasOwn(entries, key) && !isTable(key) ? ['the top of the file'] : [];
  for (const [name, entry] of Object.entries(entries)) {
    if ('rows' in entry && name !== path[0] && Object.hasOwn(entry.rows, key)) elsewhere.push(headerOf(name));
  }
  const near = nearest(key, known);
  if (elsewhere.length > 0)
    return ` (did you mean ${quote(key)} in ${elsewhere.join(' or ')}?)`.replace(
      ' in the top',
      ' at the top',
    );
  if (near === undefined) return '';
  return path.length === 0 && isTable(near)
    ? ` (did you mean ${headerOf(near)}?)`
    : ` (did you mean ${quote(near)}?)`;
}

function isTable(key: string): boolean {
  const kind = entries[key]?.kind;
  return kind === 'section' || kind === 'tables';
}
