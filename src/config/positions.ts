/**
 * positions — where in the file a key or a value stands
 *
 * The parser that reads the file keeps no positions, so a file with a fault is parsed once more by a slower
 * parser that does. A fault in a value points at the value, a fault in a name at the name. What cannot be
 * found (a default that breaks a rule, text that only one of the two parsers takes) stands at 1:1.
 *
 * Cost: about 0.3 µs and 120 bytes a byte of the file, and only when there is something to complain about.
 */
import { parseTOML } from 'toml-eslint-parser';
import type { AST } from 'toml-eslint-parser';

/** Keys and indices from the top of the file down. */
export type Path = readonly (string | number)[];

/** A place for people: both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Deeper than any setting; what lies below is found at its parent. */
const DEPTH_MAX = 6;

interface Places {
  readonly key: Position;
  readonly value: Position;
}

/** Finds the first of `paths` that is in the file, else the nearest parent of the first one. */
export type Locate = (paths: readonly Path[], aim: 'key' | 'value') => Position;

/** A locator for one file; it parses the text at once. */
export function locator(text: string): Locate {
  const places = new Map<string, Places>();
  try {
    collect(parseTOML(text, { tomlVersion: '1.1' }), places);
  } catch {
    places.clear();
  }
  return (paths, aim) => {
    const [first = []] = paths;
    const parents = first.map((_, index) => first.slice(0, first.length - index - 1));
    for (const path of [...paths, ...parents]) {
      const found = places.get(JSON.stringify(path));
      if (found !== undefined) return found[aim];
    }
    return { line: 1, column: 1 };
  };
}

function collect(program: AST.TOMLProgram, places: Map<string, Places>): void {
  for (const node of program.body[0].body) {
    if (node.type === 'TOMLKeyValue') {
      collectPair(node, [], places);
      continue;
    }
    const path = node.resolvedKey;
    collectHeader(node, places);
    if (path.length < DEPTH_MAX) for (const pair of node.body) collectPair(pair, path, places);
  }
}

/** [a.b] and [[a]]: each step of the path stands where the header names it. */
function collectHeader(table: AST.TOMLTable, places: Map<string, Places>): void {
  const names = table.key.keys;
  let taken = 0;
  table.resolvedKey.slice(0, DEPTH_MAX).forEach((step, index) => {
    if (typeof step === 'string') taken += 1;
    const place = positionOf(names[taken - 1] ?? table);
    const id = JSON.stringify(table.resolvedKey.slice(0, index + 1));
    if (!places.has(id)) places.set(id, { key: place, value: place });
  });
}

function collectPair(pair: AST.TOMLKeyValue, parent: Path, places: Map<string, Places>): void {
  if (parent.length + pair.key.keys.length > DEPTH_MAX) {
    collectKeys(pair.key.keys.slice(0, DEPTH_MAX - parent.length), parent, places);
    return;
  }
  const path = collectKeys(pair.key.keys, parent, places);
  const name = pair.key.keys.at(-1) ?? pair.key;
  places.set(JSON.stringify(path), { key: positionOf(name), value: positionOf(pair.value) });
  collectValue(pair.value, path, places);
}

function collectKeys(
  names: readonly (AST.TOMLBare | AST.TOMLQuoted)[],
  parent: Path,
  places: Map<string, Places>,
): Path {
  let path = parent;
  for (const name of names) {
    path = [...path, name.type === 'TOMLBare' ? name.name : name.value];
    const id = JSON.stringify(path);
    const place = positionOf(name);
    if (!places.has(id)) places.set(id, { key: place, value: place });
  }
  return path;
}

function collectValue(value: AST.TOMLContentNode, path: Path, places: Map<string, Places>): void {
  if (path.length >= DEPTH_MAX) return;
  if (value.type === 'TOMLInlineTable') for (const pair of value.body) collectPair(pair, path, places);
  if (value.type !== 'TOMLArray') return;
  value.elements.forEach((element, index) => {
    const place = positionOf(element);
    places.set(JSON.stringify([...path, index]), { key: place, value: place });
    collectValue(element, [...path, index], places);
  });
}

function positionOf(node: {
  readonly loc: { readonly start: { readonly line: number; readonly column: number } };
}): Position {
  return { line: node.loc.start.line, column: node.loc.start.column + 1 };
}
