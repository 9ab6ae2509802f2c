/**
 * schema — the table of settings for editors
 *
 * JSON Schema in draft 4, because the TOML language server that reads the "#:schema" line of a file checks
 * with that one. It is made straight from the table: a schema library would need the same walk to be fed.
 */
import type { Schema, Setting } from './kinds.ts';
import { settings } from './settings.ts';
import type { Rows } from './sections.ts';
import type { Entry } from './settings.ts';

/** The JSON Schema of the configuration file. */
export function configSchema(): Schema {
  const properties: Record<string, Schema> = {};
  for (const [key, entry] of Object.entries(settings as Readonly<Record<string, Entry>>))
    properties[key] = schemaOf(entry);
  return {
    $schema: 'http://json-schema.org/draft-04/schema#',
    title: 'Sluice configuration',
    ...object(properties),
  };
}

function schemaOf(entry: Entry): Schema {
  if (!('rows' in entry)) return settingSchema(entry);
  const table = object(rowSchemas(entry.rows));
  if (entry.kind === 'section') return { description: entry.doc, ...table };
  return { description: entry.doc, type: 'array', minItems: entry.least, items: table };
}

function rowSchemas(rows: Rows): Readonly<Record<string, Schema>> {
  return Object.fromEntries(Object.entries(rows).map(([key, row]) => [key, settingSchema(row)]));
}

function settingSchema(row: Setting): Schema {
  return { description: row.doc, default: row.fallback, ...row.schema };
}

function object(properties: Readonly<Record<string, Schema>>): Schema {
  return { type: 'object', additionalProperties: false, properties };
}
