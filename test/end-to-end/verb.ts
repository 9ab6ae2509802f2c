/**
 * verb — `sluice explain` and `sluice ip`, run as an operator runs them, against a Sluice that runs
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../system/process.ts';
import type { Running } from './program.ts';
import { startRunning } from './program.ts';

const entry = fileURLToPath(new URL('../system/start-sluice.ts', import.meta.url));

/** What a verb said, and how it ended. */
export interface Said {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Asked extends Running {
  /** Runs a verb against this Sluice. `input`: its standard input. */
  sluice(args: readonly string[], input?: string): Promise<Said>;
  /** Runs a verb with --json that must go well; its answer. */
  json<Value>(...args: string[]): Promise<Value>;
}

/** Starts Sluice with an admin.socket in its directory. */
export async function startAsked(
  backendPort: number,
  more: Readonly<Record<string, unknown>> = {},
): Promise<Asked> {
  // Short: a path of a socket has 107 bytes.
  const directory = mkdtempSync(join(tmpdir(), 'sluice-ask-'));
  const socket = join(directory, 'a.sock');
  const running = await startRunning(backendPort, { ...more, admin: { socket } }, { directory });
  const sluice: Asked['sluice'] = async (args, input) => {
    const done = await run(
      process.execPath,
      [entry, ...args, '-c', join(directory, 'sluice.toml')],
      input === undefined ? {} : { input: Buffer.from(input) },
    );
    return { code: done.code, out: done.stdout.toString(), err: done.stderr };
  };
  return {
    ...running,
    sluice,
    async json<Value>(...args: string[]): Promise<Value> {
      const { code, out, err } = await sluice([...args, '--json']);
      if (code !== 0) throw new Error(`sluice ${args.join(' ')}: ${code}\n${err}`);
      return JSON.parse(out) as Value;
    },
  };
}
