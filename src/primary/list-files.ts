/**
 * list-files — the permanent lists of a configuration, inline and from files, compiled
 *
 * Used at start and by `sluice check` where they are, and on SIGHUP in a thread of its own (reload). A file is read
 * whole, as bytes. Bounds: FILE_BYTES_MAX for a file, NETWORKS_MAX for a list, PROBLEMS_MAX for what is told; only
 * regular files are opened, since a pipe would keep the reader waiting for ever.
 *
 * A file should be replaced by renaming another onto it: one that is read while it is written may end in the middle of a
 * line. One that grows under the reader is refused.
 *
 * In: a Config.   Out: the memory of all lists, or ConfigError with every problem.   Cost: results/lists.md.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { ConfigError } from '../config/config-error.ts';
import type { Config } from '../config/config.ts';
import { systemReason } from '../config/load.ts';
import type { ListsMemory } from '../policy/lists.ts';
import { forEachList, inlineBuilders } from '../policy/lists.ts';
import { readListText } from '../policy/list-text.ts';

/** Room for a million networks of the longest kind. */
const FILE_BYTES_MAX = 64_000_000;
const NETWORKS_MAX = 4_000_000;
const PROBLEMS_MAX = 50;

const fileSettings = [
  ['allow', 'allowFiles'],
  ['slow', 'slowFiles'],
  ['deny', 'denyFiles'],
] as const;

/** Reads the files of all lists and compiles each list. Throws ConfigError with every problem. */
export function compileLists(config: Config): ListsMemory {
  const builders = inlineBuilders(config);
  const problems: string[] = [];
  let more = 0;
  const note = (says: () => string): void => {
    if (problems.length < PROBLEMS_MAX) problems.push(says());
    else more += 1;
  };
  for (const [list, setting] of fileSettings) {
    for (const path of config.lists[setting]) {
      const bytes = readList(path);
      if (typeof bytes === 'string') {
        note(() => `${path}: ${bytes}`);
        continue;
      }
      readListText(bytes, list, builders[list], (line, column, says) =>
        note(() => `${path}:${line}:${column}: ${says()}`),
      );
      if (builders[list].count <= NETWORKS_MAX) continue;
      note(() => `${path}: lists.${list} has more than ${NETWORKS_MAX} networks with this file`);
      break;
    }
  }
  if (more > 0) problems.push(`and ${more} more problems in list files`);
  if (problems.length > 0) throw new ConfigError(problems);
  return forEachList((name) => builders[name].build());
}

/** The bytes of a file, or what keeps it from being read. */
function readList(path: string): Uint8Array | string {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    return `cannot be read: ${systemReason(error)}`;
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) return 'cannot be read: not a regular file';
    if (stat.size > FILE_BYTES_MAX) return `the file is larger than ${FILE_BYTES_MAX / 1_000_000}MB`;
    // One byte more than there is: when it is filled, somebody is still writing.
    const bytes = new Uint8Array(stat.size + 1);
    let filled = 0;
    while (filled < bytes.length) {
      const count = readSync(file, bytes, filled, bytes.length - filled, null);
      if (count === 0) return bytes.subarray(0, filled);
      filled += count;
    }
    return 'the file grew while it was read: write another and rename it onto this one';
  } catch (error) {
    return `cannot be read: ${systemReason(error)}`;
  } finally {
    closeSync(file);
  }
}
