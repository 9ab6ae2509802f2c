/**
 * sections — how rows of the settings table make tables of the file
 */
import type { Setting } from './kinds.ts';

/** Keys and their settings. */
export type Rows = Readonly<Record<string, Setting>>;

/** A table of the file, such as [engine]. */
export interface Section<R extends Rows = Rows> {
  readonly kind: 'section';
  readonly doc: string;
  readonly rows: R;
}

/** A table that may come several times, such as [[listener]]. */
export interface Tables<R extends Rows = Rows> {
  readonly kind: 'tables';
  /** When it is missing: it comes once with its defaults (1), or not at all (0). */
  readonly least: 0 | 1;
  readonly doc: string;
  readonly rows: R;
}

/** A row for a table of the file. */
export function section<R extends Rows>(doc: string, rows: R): Section<R> {
  return { kind: 'section', doc, rows };
}

/** A row for a table that may come several times; when it is missing, `least` times with its defaults. */
export function tables<R extends Rows>(doc: string, rows: R, least: 0 | 1 = 1): Tables<R> {
  return { kind: 'tables', least, doc, rows };
}
