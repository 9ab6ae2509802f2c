/**
 * config-error — the operator's mistake
 *
 * Thrown before the first accept, with every problem of the file at once. A client can never cause one.
 */

/** A configuration that cannot be used. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** One line each: file:line:column: what is wrong. Never empty. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}
