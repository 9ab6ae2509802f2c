/**
 * List files: what is read, its bounds, and how the operator is told.
 */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/config/config-error.ts';
import type { Config } from '../../../src/config/config.ts';
import { defaultConfig } from '../../../src/config/load.ts';
import { countsText, hasNetworks, shareLists, viewLists } from '../../../src/policy/lists.ts';
import { compileLists } from '../../../src/primary/list-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-lists-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function problemsOf(lists: Partial<Config['lists']>): readonly string[] {
  try {
    compileLists(defaultConfig({ lists }));
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('the lists of a configuration', () => {
  it('hold what stands inline and what stands in every file', () => {
    const memory = compileLists(
      defaultConfig({
        limits: { exceptions: ['192.0.2.1'] },
        lists: {
          allow: ['192.0.2.2'],
          allowFiles: [file('a1', '192.0.2.3\n'), file('a2', '192.0.2.4\n192.0.2.4\n')],
          slowFiles: [file('s', '2001:db8::/32\n')],
          denyFiles: [file('d', '')],
        },
      }),
    );
    expect(countsText(memory)).toBe('allow 4, slow 1, deny 0, exceptions 1');
    const words = new Uint32Array([0, 0, 0xffff, 0xc0000200]);
    const isAllowed = [1, 2, 3, 4, 5].map((last) => {
      words[3] = 0xc0000200 + last;
      return viewLists(memory).allow.has(words, 0);
    });
    expect(isAllowed).toEqual([false, true, true, true, false]);
    const { exceptions } = viewLists(memory);
    words[3] = 0xc0000201;
    expect(exceptions.has(words, 0)).toBe(true);
    expect(hasNetworks(memory)).toBe(true);
    expect(hasNetworks(compileLists(defaultConfig()))).toBe(false);
  });

  it('are the same after a journey as plain bytes, in memory that is shared again', () => {
    const memory = compileLists(defaultConfig({ lists: { deny: ['192.0.2.0/24', '2001:db8::/32'] } }));
    // As a channel between processes delivers them: copies, at any offset.
    const copy = new Uint8Array(memory.deny.length + 1).subarray(1);
    copy.set(memory.deny);
    const shared = shareLists({ ...memory, deny: copy });
    expect(shared.deny.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(viewLists(shared).deny.size).toBe(2);
  });

  it('tell the problems of all files at once', () => {
    const [bad, good] = [file('bad', '192.0.2.1\n\nhere\n'), file('good', '192.0.2.1\n')];
    const none = join(folder, 'none');
    expect(problemsOf({ allowFiles: [bad, good], denyFiles: [none] })).toEqual([
      `${bad}:3:1: got "here", want an address or network such as "192.0.2.1" or "2001:db8::/32"`,
      `${none}: cannot be read: no such file or directory`,
    ]);
  });

  it('tell fifty problems and count the rest', () => {
    const bad = file('bad', 'x\n'.repeat(1_000));
    const problems = problemsOf({ denyFiles: [bad] });
    expect(problems).toHaveLength(51);
    expect(problems[49]).toMatch(/bad:50:1: /);
    expect(problems[50]).toBe('and 950 more problems in list files');
  });

  it('do not take a file that is larger than any list', () => {
    const path = file('large', '');
    truncateSync(path, 64_000_001);
    expect(problemsOf({ denyFiles: [path] })).toEqual([`${path}: the file is larger than 64MB`]);
  });

  it('do not take more networks than memory is meant for', () => {
    const path = file('many', '1.1.1.1\n'.repeat(2_000_001));
    expect(problemsOf({ denyFiles: [path, path, path] })).toEqual([
      `${path}: lists.deny has more than 4000000 networks with this file`,
    ]);
  });
});
