/**
 * reload-task — what the thread of a reload does: reads the configuration and its list files, compiles the lists
 *
 * Runs in a thread of piscina (reload). A mistake of the operator is an answer, not an error, since an error
 * loses its class on the way between threads.
 */
import { ConfigError } from '../config/config-error.ts';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import type { ListsMemory } from '../policy/lists.ts';
import { compileLists } from './list-files.ts';

/** What came of it. */
export type Reloaded =
  | { readonly lists: ListsMemory; readonly others: string }
  | { readonly problems: readonly string[] };

/** Reads and compiles; called by piscina with the name of the configuration file. */
export default function reload(fileName: string): Reloaded {
  try {
    const config = loadConfig(fileName);
    return { lists: compileLists(config), others: otherSettings(config) };
  } catch (error) {
    if (error instanceof ConfigError) return { problems: error.problems };
    throw error;
  }
}

/** Everything that a reload does not take over, as one text to compare. */
export function otherSettings(config: Config): string {
  const { lists: _, limits, ...others } = config;
  return JSON.stringify({ ...others, limits: { ...limits, exceptions: [] } });
}
