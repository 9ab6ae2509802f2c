/**
 * seeds — which seeds the suite plays
 *
 * Pinned ones, each of which once failed; a fixed list, so that a change is judged by the same worlds as the one
 * before; and a few that follow from the commit, so that every change sees some that nobody has seen.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Seeds that found something, and what it was. */
export const pinned = [
  { seed: 4, found: 'a greeting that dripped was broken off in the middle of a line: "2521 Protocol error"' },
  { seed: 16, found: 'a message whose lane hung stood in line again without a timer' },
] as const;

const FIXED = 30;
const FIXED_FROM = 1_000;
const FRESH = 10;

/** The seeds of the fixed list. */
export const fixed: readonly number[] = Array.from({ length: FIXED }, (_, at) => FIXED_FROM + at);

/** Seeds that follow from the commit; the fixed ones go on where there is no repository. */
export function fresh(): { readonly commit: string; readonly seeds: readonly number[] } {
  let commit = '';
  try {
    const cwd = fileURLToPath(new URL('.', import.meta.url));
    commit = execFileSync('git', ['rev-parse', 'HEAD'], {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    // A copy without a repository.
  }
  const from = commit === '' ? FIXED_FROM + FIXED : Number.parseInt(commit.slice(0, 7), 16) * 16;
  return {
    commit: commit === '' ? 'none' : commit,
    seeds: Array.from({ length: FRESH }, (_, at) => from + at),
  };
}
