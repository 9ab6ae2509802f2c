/**
 * load — a file in, a frozen Config or every problem at once out
 *
 * The order: bytes within bounds, UTF-8, TOML, the table of settings, the rules between settings. The first
 * three stop at their first problem, because nothing behind them can be trusted; the last two run to the end.
 * Each problem is one line, file:line:column: what is wrong, with a suggestion where there is one.
 *
 * In: a path or text.   Out: Config, or ConfigError and nothing else.
 * Cost: some milliseconds; positions are looked up only when something is wrong.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import { parse, TomlError } from 'smol-toml';
import { isHostName } from './addresses.ts';
import { ConfigError } from './config-error.ts';
import type { Config } from './config.ts';
import { readAuthorities, readKeyPair } from './key-pairs.ts';
import { locator } from './positions.ts';
import type { Path } from './positions.ts';
import { problemAt, readSettings } from './read.ts';
import type { Problem } from './read.ts';
import { checkRules } from './rules.ts';
import type { Host } from './rules.ts';
import { quote } from './wording.ts';

/** Largest file that is read: room for some 200,000 networks. */
const FILE_BYTES_MAX = 4_000_000;

/** Problems shown of one file; the rest is only counted. */
const PROBLEMS_MAX = 50;

/** A Config with any part left out; a list replaces the whole list. */
export type PartialConfig<Part = Config> = {
  readonly [Key in keyof Part]?: Part[Key] extends readonly unknown[]
    ? Part[Key]
    : Part[Key] extends object
      ? PartialConfig<Part[Key]>
      : Part[Key];
};

/** Reads and checks the file at `path`. Throws ConfigError with every problem. */
export function loadConfig(path: string): Config {
  const bytes = readBounded(path);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ConfigError([`${path}:1:1: the file is not UTF-8`]);
  }
  return parseConfig(text, path);
}

/** Checks `text`; `fileName` stands in front of each problem. Throws ConfigError with every problem. */
export function parseConfig(text: string, fileName: string): Config {
  if (text.length > FILE_BYTES_MAX) throw tooLarge(fileName);
  const problems: Problem[] = [];
  const file = parseToml(text, fileName);
  const config = readSettings(file, (problem) => problems.push(problem)) as unknown as Config;
  const named = nameHost(config, (problem) => problems.push(problem));
  const bad = problems.map((problem) => problem.path);
  const isBad = (path: Path): boolean => bad.some((one) => startsWith(one, path) || startsWith(path, one));
  const isSet = (path: Path): boolean => isInFile(file, path);
  checkRules(named, host, { isBad, isSet }, (path, wrong, others) => {
    problems.push({ ...problemAt(path, wrong), others });
  });
  if (problems.length > 0) throw new ConfigError(report(problems, text, fileName));
  return deepFreeze(named);
}

/** The defaults, changed by `overrides` (in the units of Config, unchecked); for tests and the demo. */
export function defaultConfig(overrides: PartialConfig = {}): Config {
  const config = readSettings({}, () => {}) as unknown as Config;
  return deepFreeze(merge({ ...config, hostname: hostname() }, overrides));
}

function readBounded(path: string): Uint8Array {
  const bytes = new Uint8Array(FILE_BYTES_MAX + 1);
  let filled = 0;
  try {
    const file = openSync(path, 'r');
    try {
      while (filled < bytes.length) {
        const count = readSync(file, bytes, filled, bytes.length - filled, null);
        if (count === 0) break;
        filled += count;
      }
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw new ConfigError([`${path}: cannot be read: ${systemReason(error)}`]);
  }
  if (filled > FILE_BYTES_MAX) throw tooLarge(path);
  return bytes.subarray(0, filled);
}

/** A refusal of the system in words. */
export function systemReason(error: unknown): string {
  const errno = error instanceof Error && 'errno' in error ? Number(error.errno) : Number.NaN;
  return getSystemErrorMap().get(errno)?.[1] ?? String(error instanceof Error ? error.message : error);
}

function tooLarge(fileName: string): ConfigError {
  return new ConfigError([`${fileName}:1:1: the file is larger than 4MB`]);
}

function parseToml(text: string, fileName: string): Record<string, unknown> {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) {
      if (error instanceof RangeError)
        throw new ConfigError([`${fileName}:1:1: the file is nested too deeply`]);
      throw error;
    }
    const [first = ''] = error.message.split('\n');
    throw new ConfigError([
      `${fileName}:${error.line}:${error.column}: not TOML: ${first.replace('Invalid TOML document: ', '')}`,
    ]);
  }
}

/** Fills in the name of the system where the file gives none. */
function nameHost(config: Config, note: (problem: Problem) => void): Config {
  if (config.hostname !== '') return config;
  const name = hostname();
  if (!isHostName(name)) {
    note(
      problemAt(
        ['hostname'],
        `the name of this system, ${quote(name)}, cannot stand in a greeting; set hostname`,
      ),
    );
  }
  return { ...config, hostname: name };
}

const host: Host = {
  addresses: ownAddresses,
  keyPairFault(paths) {
    const read = readKeyPair(paths);
    return 'says' in read ? read : undefined;
  },
  authoritiesFault(path) {
    const read = readAuthorities(path);
    return typeof read === 'string' ? read : undefined;
  },
};

function ownAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((one) => one.address));
}

function isInFile(file: Record<string, unknown>, path: Path): boolean {
  let value: unknown = file;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return false;
    value = (value as Record<string | number, unknown>)[step];
  }
  return true;
}

function startsWith(path: Path, head: Path): boolean {
  return head.every((step, index) => path[index] === step);
}

function report(problems: readonly Problem[], text: string, fileName: string): readonly string[] {
  const locate = locator(text);
  const placed = problems
    .map((problem) => ({
      ...locate([problem.path, ...(problem.others ?? [])], problem.aim),
      says: problem.says,
    }))
    .sort((a, b) => a.line - b.line || a.column - b.column);
  const lines = placed
    .slice(0, PROBLEMS_MAX)
    .map((one) => `${fileName}:${one.line}:${one.column}: ${one.says}`);
  return placed.length <= PROBLEMS_MAX
    ? lines
    : [...lines, `${fileName}: and ${placed.length - PROBLEMS_MAX} more problems`];
}

function merge<Whole>(whole: Whole, part: unknown): Whole {
  if (part === undefined) return whole;
  if (!isPlain(whole) || !isPlain(part)) return part as Whole;
  const merged: Record<string, unknown> = { ...whole };
  for (const [key, value] of Object.entries(part)) merged[key] = merge(merged[key], value);
  return merged as Whole;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach((part) => deepFreeze(part));
  }
  return value;
}
