/**
 * describe — the table of settings for people
 *
 * Three renderings: a commented example file that is itself valid and says nothing but the defaults, the
 * settings in effect as such a file, and a Markdown table for the README.
 *
 * In: the table, or a Config.   Out: text.   Not here: the JSON Schema (schema).
 */
import { fieldOf } from './config.ts';
import type { Config } from './config.ts';
import type { FileValue, Setting } from './kinds.ts';
import { settings } from './settings.ts';
import type { Rows } from './sections.ts';
import type { Entry } from './settings.ts';

const WIDTH = 100;

const entries = Object.entries(settings as Readonly<Record<string, Entry>>);

/** A complete configuration file with a comment for each setting; reading it gives the defaults. */
export function exampleFile(): string {
  const lines = [
    '#:schema ./sluice.schema.json',
    '# Every setting of Sluice with its default. A line that is left out means the same.',
    '# Durations are "500ms", "6s", "5min", "2h" or "30d"; sizes are "512B", "64kB", "1MB", "1GB" (or KiB, MiB, GiB).',
    '# Unknown keys are errors: "sluice check -c FILE" says where.',
  ];
  for (const [key, entry] of entries) {
    if (!('rows' in entry)) {
      lines.push('', ...exampleLines(key, entry));
      continue;
    }
    const rows = Object.entries(entry.rows).flatMap(([name, row]) => ['', ...exampleLines(name, row)]);
    const block = [headerOf(key, entry), ...rows];
    // A block that need not be there is shown, not said.
    const isOptional = entry.kind === 'tables' && entry.least === 0;
    lines.push('', '', ...wrap(entry.doc), ...(isOptional ? block.map(commented) : block));
  }
  return `${lines.join('\n')}\n`;
}

function commented(line: string): string {
  return line === '' || line.startsWith('#') ? line : `#${line}`;
}

function exampleLines(key: string, row: Setting): readonly string[] {
  const pair = `${key} = ${tomlValue(row.fallback)}`;
  return row.reserved === undefined
    ? [...wrap(row.doc), ...wrap(`Takes: ${row.accepts}.`), pair]
    : [...wrap(row.doc), `# ${pair}`];
}

/** The settings in effect as a configuration file; reading it gives the same Config. */
export function dumpFile(config: Config): string {
  const lines: string[] = [];
  for (const [key, entry] of entries) {
    const value = (config as unknown as Record<string, unknown>)[fieldOf(key, entry.kind)];
    if (value === undefined) continue;
    if (!('rows' in entry)) {
      lines.push(`${key} = ${tomlValue(entry.write(value))}`);
      continue;
    }
    for (const block of Array.isArray(value) ? value : [value]) {
      lines.push('', headerOf(key, entry), ...dumpRows(entry.rows, block as Record<string, unknown>));
    }
  }
  return `${lines.join('\n')}\n`;
}

function dumpRows(rows: Rows, fields: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(rows)
    .filter(([, row]) => row.reserved === undefined)
    .map(([key, row]) => `${key} = ${tomlValue(row.write(fields[fieldOf(key, row.kind)]))}`);
}

/** A Markdown table of every setting, in the order of the file. */
export function settingsMarkdown(): string {
  const lines = ['| setting | default | takes | what it does |', '| --- | --- | --- | --- |'];
  const add = (name: string, row: Setting): void => {
    const cells = [
      `\`${name}\``,
      `\`${tomlValue(row.fallback)}\``,
      row.reserved === undefined ? row.accepts : '',
      row.doc,
    ];
    lines.push(`| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`);
  };
  for (const [key, entry] of entries) {
    if ('rows' in entry) for (const [name, row] of Object.entries(entry.rows)) add(`${key}.${name}`, row);
    else add(key, entry);
  }
  return `${lines.join('\n')}\n`;
}

function headerOf(key: string, entry: Entry): string {
  return entry.kind === 'tables' ? `[[${key}]]` : `[${key}]`;
}

/** A value as TOML; a basic string takes every escape of JSON, and DEL needs one of its own. */
function tomlValue(value: FileValue): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return JSON.stringify(value).replaceAll('\u007f', '\\u007f');
  if (Array.isArray(value)) return `[${value.map((element: string) => tomlValue(element)).join(', ')}]`;
  const parts = Object.entries(value).map(([key, part]) => `${key} = ${tomlValue(part)}`);
  return `{ ${parts.join(', ')} }`;
}

/** Comment lines of at most WIDTH characters. */
function wrap(sentence: string): readonly string[] {
  const lines: string[] = [];
  let line = '#';
  for (const word of sentence.split(' ')) {
    if (line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = '#';
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
