/**
 * assert — the word for our own mistakes
 *
 * A client's behaviour ends a session with a named ending; an operator's mistake is a ConfigError. What is
 * left is ours: the shard that finds itself in an impossible state dies, its sessions end, the primary
 * starts another. Assertions stay on in production (about a nanosecond each with a constant message; a
 * message built from a template costs several and makes garbage, so hot code uses constants).
 */

/** Thrown when the engine finds its own state impossible. Nothing catches it below the worker. */
export class ShardBug extends Error {
  override readonly name = 'ShardBug';
}

/** Throws ShardBug unless `condition` holds. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new ShardBug(message);
}

/** The default of every switch: the compiler proves it complete, this proves the data sane. */
export function unreachable(value: never): never {
  throw new ShardBug(`unreachable: ${String(value)}`);
}
