/**
 * problems-of — what is wrong with a configuration text
 *
 * For tests: the problems of a ConfigError, or an empty list when the text is good. Any other error goes on.
 */
import { ConfigError } from '../../../src/config/config-error.ts';
import { parseConfig } from '../../../src/config/load.ts';

/** The problems of `text`, as of a file named sluice.toml. */
export function problemsOf(text: string): readonly string[] {
  try {
    parseConfig(text, 'sluice.toml');
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}
