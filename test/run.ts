/**
 * run — `npm test`: brings the system parts where it may, then runs every test there is
 *
 * test/prepare installs the missing parts of the system tests (a real Postfix and its tools) when it is root
 * on Debian. Elsewhere it names what is missing and the command that brings it; then everything but the
 * system tests runs, and this page says so. Where CI is set nothing may be left out: missing parts fail.
 *
 * Arguments are handed to vitest: `npm test -- test/unit/timing`, `npm test -- --project 'system*'`.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));
const inCi = Boolean(process.env['CI']);

/** Runs a script on this same Node, with our own streams; returns its exit code (1 when killed). */
function run(script: string, args: readonly string[]): number {
  const { status, error } = spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' });
  if (error) throw error;
  return status ?? 1;
}

const wanted = process.argv.slice(2);
const touchesSystem = wanted.length === 0 || wanted.some((argument) => argument.includes('system'));
const prepared = !touchesSystem || run('test/prepare.ts', []) === 0;
if (!prepared) {
  process.stderr.write('left out: the tests in test/system, for the reason above\n');
  if (inCi) process.exit(1);
}
process.exit(run(vitest, ['run', ...(prepared ? [] : ['--project', '!system*']), ...wanted]));
