/**
 * tidy-rules — what the tidy test knows: the order of folders, the banned words, and how a complaint reads
 *
 * Pure: a rule takes a file's path and text and returns complaints, each saying where, what was got, what is
 * wanted and the remedy. There is no parser: comments and strings are blanked out first, which is enough for
 * code that is written one statement a line.
 */
import { basename, dirname, posix } from 'node:path';

/** The order of dependence: a folder may import from itself and from the folders before it. */
// prettier-ignore
export const layers = [
  'base', 'config', 'timing', 'smtp', 'session', 'reputation', 'families', 'policy', 'transport', 'backend',
  'stages', 'shard', 'io', 'worker', 'primary', 'admin', 'loadgen', 'cli',
];

/** The engine: it runs on a virtual clock as readily as on sockets. */
const engineLayers = layers.slice(0, layers.indexOf('io')).filter((layer) => layer !== 'config');

/** Who may import `node:`. The bots are pure: they serve the simulation too. */
// prettier-ignore
const nodePlaces = [
  'src/io/', 'src/worker/', 'src/primary/', 'src/admin/', 'src/cli/', 'src/config/load.ts',
  'src/config/key-pairs.ts', 'loadgen/', 'native-bench/',
];
const purePlaces = ['loadgen/bots/'];

/** Files that may be longer than 300 lines, each with its reason. */
const longFiles: Readonly<Record<string, string>> = {
  'src/backend/lane.ts': 'the rules that keep one client from becoming another are to be read on one page',
};
const linesMax = 300;

/** A word that may not be said, what to do instead, and an example that must be caught. */
interface Ban {
  readonly word: RegExp;
  readonly instead: string;
  readonly example: string;
}

/** In the engine. */
export const engineBans: readonly Ban[] = [
  { word: /\bDate\b/, instead: 'the time from timing/clock', example: 'Date.now()' },
  { word: /\bperformance\./, instead: 'the time from timing/clock', example: 'performance.now()' },
  { word: /\bMath\.random\b/, instead: 'a Random of base/prng', example: 'Math.random()' },
  { word: /\bset(?:Timeout|Interval|Immediate)\b/, instead: 'timing/wheel', example: 'setTimeout(f, 1)' },
  { word: /\bqueueMicrotask\b/, instead: 'to note it, and obey on the turn', example: 'queueMicrotask(f)' },
  { word: /\bprocess\./, instead: 'to be told through config or a port', example: 'process.env' },
  {
    word: /(?<![.#])\b(?:async|await|Promise)\b/,
    instead: 'a turn that is one function call',
    example: 'await x',
  },
];

/** In src, loadgen and native-bench. */
export const productBans: readonly Ban[] = [
  { word: /\bconsole\./, instead: 'the journal, or process.stdout in cli', example: 'console.log(1)' },
];

/** In all code. */
export const codeBans: readonly Ban[] = [
  { word: /^\s*(?:export )?(?:const )?enum\b/, instead: 'a table `as const`', example: 'export enum A {' },
  { word: /^\s*(?:export )?namespace\b/, instead: 'a file of its own', example: 'namespace A {' },
];

/** In every file, comments and strings included. */
export const textBans: readonly Ban[] = [
  {
    word: /\b(?:T[O]DO|F[I]XME|X[X]X|H[A]CK)\b/,
    instead: 'it done, or prose that says what is missing',
    example: 'TO\x44O',
  },
  {
    word: /(?<![\w.~:@-])\/(?:work|root|home)\/[\w.]/,
    instead: 'a path relative to the project',
    example: '/ro\x6ft/x',
  },
  {
    word: /\bregistry\.\w+\.\w+|\bpypi\.\w+|\bdeb\.debian\.\w+/,
    instead: 'no name of a package host',
    example: 'registry\x2eexample.org',
  },
];

const blank = (found: string): string => found.replace(/[^\n]/g, ' ');
const quiet = /\/\*[^]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;

/** The code alone: comments and strings turned to blanks, lines kept. */
export function withoutProse(source: string): string {
  return source.replace(quiet, blank);
}

function withoutComments(source: string): string {
  return source.replace(quiet, (found) => (found.startsWith('/') ? blank(found) : found));
}

/** The folder that rules about imports speak of: io for src/io/x.ts, loadgen for loadgen/bots/x.ts. */
function layerOf(path: string): string {
  const [top, next] = path.split('/');
  return (top === 'src' ? next : top) ?? '';
}

/** Is this file part of the engine? */
export function isEngine(path: string): boolean {
  return path.startsWith('src/') && engineLayers.includes(layerOf(path));
}

/** Complaints about each line that holds a banned word. */
export function bannedWords(path: string, source: string, bans: readonly Ban[]): string[] {
  return source
    .split('\n')
    .flatMap((line, index) =>
      bans
        .filter(({ word }) => word.test(line))
        .map(
          ({ word, instead }) => `${path}:${index + 1}: got ${word.exec(line)?.[0].trim()}, want ${instead}`,
        ),
    );
}

function nodeComplaint(path: string, name: string): string[] {
  const isIn = (place: string): boolean => path.startsWith(place);
  if (nodePlaces.some(isIn) && !purePlaces.some(isIn)) return [];
  return [`${path}: got import of ${name}, want none here: a port beside the concept, an adapter in src/io`];
}

function layerComplaint(path: string, target: string): string[] {
  const [from, to] = [layerOf(path), layerOf(target)];
  const got = `${path}: got import of ${target}, want`;
  if (to === 'test') return [`${got} nothing from test`];
  if (to === from || from === 'native-bench') return [];
  if (!layers.includes(to)) return [`${got} a folder of the list: ${layers.join(' ')}`];
  if (to === 'loadgen' && from !== 'cli') return [`${got} nothing from loadgen: only src/cli may`];
  const before = layers.slice(0, layers.indexOf(from));
  return before.includes(to) ? [] : [`${got} one of: ${before.join(' ')}; turn the dependence round`];
}

/** Complaints about what a file imports, exports from, or imports later with import(). */
export function wrongImports(path: string, source: string): string[] {
  const found = withoutComments(source).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g);
  return [...found].flatMap(([, name = '']) => {
    if (name.startsWith('node:')) return nodeComplaint(path, name);
    return name.startsWith('.') ? layerComplaint(path, posix.join(dirname(path), name)) : [];
  });
}

/** A complaint about a file of more than 300 lines without a reason in `longFiles`. */
export function tooLong(path: string, source: string): string[] {
  const lines = source.trimEnd().split('\n').length;
  if (lines <= linesMax || path in longFiles) return [];
  return [`${path}: got ${lines} lines, want at most ${linesMax}: one noun a file, split it by nouns`];
}

/** A complaint about a file that does not open with its page. */
export function wrongHead(path: string, source: string): string[] {
  const want = `/**\n * ${basename(path, '.ts')} — `;
  const start = source.replace(/^#!.*\n/, '');
  if (start.startsWith(want)) return [];
  return [`${path}: got ${JSON.stringify(start.slice(0, 40))}, want ${JSON.stringify(want)} and a page`];
}

/** Complaints about exported functions and classes without a sentence above. A file's only class has its page. */
export function missingSentences(path: string, source: string): string[] {
  const lines = source.split('\n');
  const isClass = (line: string): boolean => /^export (?:abstract )?class\b/.test(line);
  const hasOneClass = lines.filter(isClass).length === 1;
  return lines.flatMap((line, index) => {
    if (!/^export (?:default )?(?:abstract )?(?:async )?(?:function|class)\b/.test(line)) return [];
    if (isClass(line) && hasOneClass) return [];
    const above = (lines[index - 1] ?? '').trim();
    const isOverload = above.startsWith('export function');
    if (above.endsWith('*/') || above.startsWith('//') || isOverload) return [];
    return [
      `${path}:${index + 1}: got no comment above ${line.trim()}, want a sentence: what, units, errors`,
    ];
  });
}
