/**
 * kinds — the sorts of setting that there are
 *
 * A row of the settings table is made by one of the functions below. It carries everything that the rest of
 * the program derives from it: the default as it would stand in the file, the sentence, what is accepted in
 * words and as JSON Schema, a reader into the unit of the Config and a writer back.
 *
 * In: a default in the file's spelling, bounds, a sentence.   Out: a Setting.
 * Not here: the settings themselves (settings), positions and suggestions for keys (load).
 */
import { isHostName, splitEndpoint } from './addresses.ts';
import { durationPattern, guessDuration, guessSize, readDuration, readSize, sizePattern } from './units.ts';
import { writeDuration, writeSize } from './units.ts';
import { quote, wanted } from './wording.ts';

/** A value in the spelling of the file. */
export type FileValue = string | number | boolean | readonly string[] | Readonly<Record<string, string>>;

/** A piece of JSON Schema (draft 4, the one that TOML editors check with). */
export type Schema = Readonly<Record<string, unknown>>;

/** Takes what is wrong with a value, or with its element `index`. */
export type Report = (wrong: string, index?: number) => void;

/** One row of the settings table. `Kind` decides the suffix of the name in the Config, `Value` its type there. */
export interface Setting<Kind extends string = string, Value = unknown> {
  readonly kind: Kind;
  /** The default, in the spelling of the file. */
  readonly fallback: FileValue;
  /** One sentence, or a few: what it is for. */
  readonly doc: string;
  /** What is accepted, in words. */
  readonly accepts: string;
  readonly schema: Schema;
  /** What the setting will be, when this version takes nothing but its default. */
  readonly reserved?: string;
  /** The value in the Config's unit; undefined after at least one report. */
  read(value: unknown, report: Report): Value | undefined;
  /** The value of a Config back in the spelling of the file. */
  write(value: Value): FileValue;
}

interface Span {
  readonly min: string;
  readonly max: string;
}

function amount<Kind extends string>(
  kind: Kind,
  noun: string,
  fallback: string,
  span: Span,
  doc: string,
  pattern: string,
  units: {
    readonly read: (text: string) => number | undefined;
    readonly write: (value: number) => string;
    readonly guess: (text: string) => string | undefined;
  },
): Setting<Kind, number> {
  const min = units.read(span.min) ?? Number.NaN;
  const max = units.read(span.max) ?? Number.NaN;
  return {
    kind,
    fallback,
    doc,
    accepts: `${span.min} to ${span.max}`,
    schema: { type: 'string', pattern },
    read(value, report) {
      const want = `${noun} such as "${fallback}"`;
      if (typeof value !== 'string') return void report(wanted(value, want));
      const number = units.read(value);
      if (number === undefined) return void report(wanted(value, want, units.guess(value)));
      if (number < min || number > max) return void report(wanted(value, `"${span.min}" to "${span.max}"`));
      return number;
    },
    write: units.write,
  };
}

/** A length of time; milliseconds in the Config, under a name that ends in Ms. */
export function duration(fallback: string, span: Span, doc: string): Setting<'duration', number> {
  const units = { read: readDuration, write: writeDuration, guess: guessDuration };
  return amount('duration', 'a duration', fallback, span, doc, durationPattern, units);
}

/** A number of bytes; under a name that ends in Bytes in the Config. */
export function size(fallback: string, span: Span, doc: string): Setting<'size', number> {
  const units = { read: readSize, write: writeSize, guess: guessSize };
  return amount('size', 'a size', fallback, span, doc, sizePattern, units);
}

/** A whole number without a unit. */
export function integer(
  fallback: number,
  span: { readonly min: number; readonly max: number },
  doc: string,
): Setting<'integer', number> {
  const accepts = `${span.min} to ${span.max}`;
  return {
    kind: 'integer',
    fallback,
    doc,
    accepts,
    schema: { type: 'integer', minimum: span.min, maximum: span.max },
    read(value, report) {
      if (typeof value !== 'number' || !Number.isInteger(value)) {
        return void report(wanted(value, `a whole number, ${accepts}`));
      }
      if (value < span.min || value > span.max) return void report(wanted(value, accepts));
      return value === 0 ? 0 : value; // no -0
    },
    write: (value) => value,
  };
}

/** true or false. */
export function flag(fallback: boolean, doc: string): Setting<'flag', boolean> {
  return {
    kind: 'flag',
    fallback,
    doc,
    accepts: 'true, false',
    schema: { type: 'boolean' },
    read(value, report) {
      if (typeof value === 'boolean') return value;
      return void report(wanted(value, 'true or false'));
    },
    write: (value) => value,
  };
}

/** One word of a few. */
export function choice<const Words extends readonly string[]>(
  fallback: Words[number],
  words: Words,
  doc: string,
): Setting<'choice', Words[number]> {
  const want = words.map((word) => `"${word}"`).join(' or ');
  return {
    kind: 'choice',
    fallback,
    doc,
    accepts: words.join(', '),
    schema: { enum: words },
    read(value, report) {
      if (typeof value === 'string' && words.includes(value)) return value;
      return void report(wanted(value, want, value, words));
    },
    write: (value) => value,
  };
}

function line<Kind extends string>(
  kind: Kind,
  fallback: string,
  doc: string,
  accepts: string,
  passes: (text: string) => boolean,
): Setting<Kind, string> {
  return {
    kind,
    fallback,
    doc,
    accepts,
    schema: { type: 'string' },
    read(value, report) {
      if (typeof value === 'string' && passes(value)) return value;
      return void report(wanted(value, accepts));
    },
    write: (value) => value,
  };
}

/** Printable ASCII that goes on the wire. */
export function text(fallback: string, charactersMax: number, doc: string): Setting<'text', string> {
  const accepts = `printable ASCII, at most ${charactersMax} characters`;
  return line(
    'text',
    fallback,
    doc,
    accepts,
    (value) => value.length <= charactersMax && /^[ -~]*$/.test(value),
  );
}

/** A fully written host name, or empty. */
export function hostName(fallback: string, doc: string): Setting<'host', string> {
  const accepts = 'a host name such as "mx.example.net"';
  return line('host', fallback, doc, accepts, (value) => value === '' || isHostName(value));
}

/** An absolute path, or empty. */
export function path(fallback: string, doc: string): Setting<'path', string> {
  return line('path', fallback, doc, 'an absolute path', (value) => value === '' || /^\/[^\0]*$/.test(value));
}

/** Where to listen: an address of this host and a port; port 0 lets the system choose. */
export function listening(fallback: string, doc: string): Setting<'endpoint', string> {
  const accepts = 'an address and port such as "0.0.0.0:25" or "[::]:25"';
  return line('endpoint', fallback, doc, accepts, (value) => {
    const host = splitEndpoint(value)?.host;
    return host !== undefined && (host.includes(':') || /^[0-9.]+$/.test(host));
  });
}

/** Where to connect: an address or a name, and a port. */
export function connecting(fallback: string, doc: string): Setting<'endpoint', string> {
  const accepts = `an address and port such as "${fallback}"`;
  return line('endpoint', fallback, doc, accepts, (value) => (splitEndpoint(value)?.port ?? 0) > 0);
}

/** A key whose meaning comes with a later version: it takes its inert default and nothing else. */
export function later(fallback: FileValue, willBe: string): Setting<'later', never> {
  return {
    kind: 'later',
    fallback,
    doc: `Not in this version yet: ${willBe}.`,
    accepts: quote(fallback),
    schema: { enum: [fallback] },
    reserved: willBe,
    read(value, report) {
      if (!alike(value, fallback)) {
        report(`not in this version yet (it will be ${willBe}); want ${quote(fallback)} or no such key`);
      }
      return undefined;
    },
    write: (value) => value,
  };
}

function alike(value: unknown, fallback: FileValue): boolean {
  if (typeof value !== 'object' || value === null || typeof fallback !== 'object') return value === fallback;
  if (Array.isArray(value) || Array.isArray(fallback)) {
    return Array.isArray(value) && Array.isArray(fallback) && value.length === 0 && fallback.length === 0;
  }
  const wantedParts = Object.entries(fallback);
  const parts = new Map(Object.entries(value));
  return (
    parts.size <= wantedParts.length &&
    [...parts].every(([key, part]) => wantedParts.some(([k, w]) => k === key && w === part))
  );
}
