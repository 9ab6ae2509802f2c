/**
 * run — `sluice run`: the engine in the foreground until it is told to stop
 *
 * stdout carries the session log, stderr what the operator should read. A configuration that breaks a client's
 * timer is refused here as `check` refuses it.
 */
import { openAdmin } from '../admin/socket.ts';
import { loadConfig } from '../config/load.ts';
import { readNameKey } from '../io/client-names.ts';
import { patienceProblems } from '../policy/patience.ts';
import { Primary } from '../primary/primary.ts';
import { exitCodes } from './exit.ts';

/** Runs until drained; the exit code. */
export async function runVerb(options: { config: string }): Promise<number> {
  const config = loadConfig(options.config);
  const say = (line: string): void => void process.stderr.write(`sluice: ${line}\n`);
  const problems = patienceProblems(config);
  if (problems.length > 0) {
    for (const problem of problems) say(`${options.config}: ${problem}`);
    return exitCodes.config;
  }
  const { bytes, warning } = readNameKey(config, options.config);
  if (warning !== null) say(warning);
  return new Primary(config, options.config, say, bytes, openAdmin).run();
}
