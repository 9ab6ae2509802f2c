/**
 * tidy — the style of this project, as a test
 *
 * Reads every file that is not built or installed; the rules are in tidy-rules, and each is tried here on a small
 * bad example, so that none goes blind.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, matchesGlob, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { projectTable } from '../vitest.config.ts';
import { generatedBlocks, withBlocks } from './readme-blocks.ts';
import * as rules from './tidy-rules.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const notOurs = ['.git', 'node_modules', 'dist', 'scratch', 'coverage', 'native-bench/bin'];
const notText = /\.(?:log|cpuprofile|heapsnapshot|png|gif|gz)$/;

/** Paths of every file of the project below a folder. */
function pathsBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    if (notOurs.includes(path) || notText.test(path)) return [];
    if (entry.isDirectory()) return pathsBelow(path);
    return entry.isFile() ? [path] : [];
  });
}

const files = pathsBelow('.').map((path) => ({ path, source: readFileSync(join(root, path), 'utf8') }));
const code = files.filter(({ path }) => path.endsWith('.ts'));
const product = code.filter(({ path }) => /^(?:src|loadgen|native-bench)\//.test(path));
const within = (folder: string): typeof files => files.filter(({ path }) => path.startsWith(folder));
const sourceOf = (wanted: string): string => files.find(({ path }) => path === wanted)?.source ?? '';

/** Fails with every complaint on a line of its own. */
function expectNone(complaints: readonly string[]): void {
  expect(complaints.join('\n'), `${complaints.length} complaints`).toBe('');
}

test('a folder imports only from itself and from the folders before it', () => {
  expectNone(product.flatMap(({ path, source }) => rules.wrongImports(path, source)));
  expect(rules.layers, 'a folder of src without a place in the order').toEqual(
    expect.arrayContaining(readdirSync(join(root, 'src'))),
  );
});

test('the engine takes time, chance and news only through its ports', () => {
  const engine = product.filter(({ path }) => rules.isEngine(path));
  expect(engine.length).toBeGreaterThan(0);
  expectNone(
    engine.flatMap(({ path, source }) =>
      rules.bannedWords(path, rules.withoutProse(source), rules.engineBans),
    ),
  );
});

test('the code is erasable TypeScript, and no product code writes to the console', () => {
  const words = (bans: typeof rules.codeBans) => (file: (typeof files)[number]) =>
    rules.bannedWords(file.path, rules.withoutProse(file.source), bans);
  expectNone([...code.flatMap(words(rules.codeBans)), ...product.flatMap(words(rules.productBans))]);
});

test('a file of src and loadgen has at most 300 lines', () => {
  const measured = product.filter(({ path }) => !path.startsWith('native-bench/'));
  expectNone(measured.flatMap(({ path, source }) => rules.tooLong(path, source)));
});

test('a file opens with a page for a stranger, under its own name', () => {
  expectNone(product.flatMap(({ path, source }) => rules.wrongHead(path, source)));
});

test('an exported function or class of src has a sentence above it', () => {
  const ours = product.filter(({ path }) => path.startsWith('src/'));
  expectNone(ours.flatMap(({ path, source }) => rules.missingSentences(path, source)));
});

test('no file holds leftovers, paths of one machine or names of package hosts', () => {
  expectNone(files.flatMap(({ path, source }) => rules.bannedWords(path, source, rules.textBans)));
});

test('the generated parts of README.md say what the tables say', () => {
  const readme = sourceOf('README.md');
  const isCurrent = withBlocks(readme, generatedBlocks) === readme;
  expect(isCurrent, 'got stale blocks, want those of the tables: run `node test/readme-blocks.ts`').toBe(
    true,
  );
});

test('every test file belongs to a project', () => {
  const globs = projectTable.flatMap((project) => [...project.include]);
  const tests = code.map(({ path }) => path).filter((path) => /\.(?:test|spec)\.ts$/.test(path));
  const stray = tests.filter((path) => !globs.some((glob) => matchesGlob(path, glob)));
  expectNone(stray.map((path) => `${path}: got a test that no project runs, want one of vitest.config.ts`));
});

test('every dialogue is played', () => {
  const players = within('test/dialogues/').filter(({ path }) => path.endsWith('.test.ts'));
  const said = players.map(({ source }) => source).join('\n');
  const isPlayed = (path: string): boolean =>
    /readdirSync|globSync/.test(said) || said.includes(basename(path, '.md'));
  const dialogues = within('test/dialogues/').filter(({ path }) => path.endsWith('.md'));
  expectNone(
    dialogues
      .filter(({ path }) => !isPlayed(path))
      .map(({ path }) => `${path}: got a dialogue that no test plays, want one in test/dialogues`),
  );
  expectNone(
    dialogues
      .filter(({ source }) => !/^## /m.test(source))
      .map(({ path }) => `${path}: got no heading, want \`## what happens\` above each dialogue`),
  );
});

test('the lock file names no host, so that any registry serves', () => {
  const lock = sourceOf('package-lock.json');
  expect(lock).toContain('"lockfileVersion"');
  expect(lock).not.toContain('"resolved"');
});

test('each ban catches its own example', () => {
  for (const ban of [...rules.engineBans, ...rules.codeBans, ...rules.productBans, ...rules.textBans]) {
    const caught = rules.bannedWords('x', ban.example, [ban]);
    expect(caught, ban.example).toHaveLength(1);
  }
});

test('each rule catches an example of its own, and lets a good one pass', () => {
  const { wrongImports, wrongHead, missingSentences, tooLong, withoutProse } = rules;
  expect(wrongImports('src/smtp/a.ts', "import { b } from '../io/b.ts';")).toHaveLength(1);
  expect(wrongImports('src/smtp/a.ts', "import {\n  b,\n} from '../base/b.ts';")).toEqual([]);
  expect(wrongImports('src/io/a.ts', "import { b } from '../../loadgen/b.ts';")).toHaveLength(1);
  expect(wrongImports('src/cli/a.ts', "const b = await import('../../loadgen/b.ts');")).toEqual([]);
  expect(wrongImports('src/cli/a.ts', "export { b } from '../../test/b.ts';")).toHaveLength(1);
  expect(wrongImports('loadgen/bots/a.ts', "import type { Socket } from 'node:net';")).toHaveLength(1);
  expect(wrongImports('loadgen/sink.ts', "import 'node:net'; // from '../test/x.ts'")).toEqual([]);
  expect(wrongHead('src/smtp/verbs.ts', '/**\n * verb — x\n */')).toHaveLength(1);
  expect(wrongHead('src/smtp/verbs.ts', '/**\n * verbs — x\n */')).toEqual([]);
  expect(missingSentences('x', '\nexport function f() {}')).toHaveLength(1);
  expect(missingSentences('x', '/** F. */\nexport function f() {}')).toEqual([]);
  expect(tooLong('x', 'a\n'.repeat(301))).toHaveLength(1);
  expect(tooLong('x', 'a\n'.repeat(300))).toEqual([]);
  expect(withoutProse("a 'await' // await\nb")).toBe(`a${' '.repeat(17)}\nb`);
});
