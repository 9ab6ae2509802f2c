/**
 * config — the shape that the rest of the program reads
 *
 * Derived from the table of settings and frozen once a file was read. Names end in their unit: a duration in
 * Ms, a size in Bytes; all else is plain. Reserved settings are not here, nor are sections that hold nothing
 * but reserved ones.
 */
import type { Setting } from './kinds.ts';
import type { Rows, Section, Tables } from './sections.ts';
import type { settings } from './settings.ts';

type Camel<Key> = Key extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Key & string;

type Suffix<Kind> = Kind extends 'duration' ? 'Ms' : Kind extends 'size' ? 'Bytes' : '';

type FieldName<Key, Row> =
  Row extends Setting<infer Kind> ? (Kind extends 'later' ? never : `${Camel<Key>}${Suffix<Kind>}`) : never;

type FieldValue<Row> = Row extends Setting<string, infer Value> ? Value : never;

type Fields<R extends Rows> = { readonly [Key in keyof R as FieldName<Key, R[Key]>]: FieldValue<R[Key]> };

type IsEmpty<Type> = keyof Type extends never ? true : false;

type EntryName<Key, Item> =
  Item extends Section<infer R>
    ? IsEmpty<Fields<R>> extends true
      ? never
      : Camel<Key>
    : Item extends Tables
      ? Camel<Key>
      : FieldName<Key, Item>;

type EntryValue<Item> =
  Item extends Section<infer R>
    ? Fields<R>
    : Item extends Tables<infer R>
      ? readonly Fields<R>[]
      : FieldValue<Item>;

type Table = typeof settings;

/** Every setting in effect, deeply frozen. */
export type Config = { readonly [Key in keyof Table as EntryName<Key, Table[Key]>]: EntryValue<Table[Key]> };

/** The name in the Config of a key of the file; the same rule as in the type. */
export function fieldOf(key: string, kind: string): string {
  const camel = key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  if (kind === 'duration') return `${camel}Ms`;
  return kind === 'size' ? `${camel}Bytes` : camel;
}
