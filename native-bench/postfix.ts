/**
 * postfix — an unprotected Postfix with its usual hundred server processes, for comparison
 *
 * The configuration is that of the system tests (loadgen/postfix-files), in a directory of its own; it takes mail for example.com, but
 * not for names that begin with "unknown", as the sink does. Needs root, because Postfix does.
 */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { greets } from '../loadgen/greets.ts';
import { POSTFIX_PROCESSES, postfixMainCf, postfixMasterCf } from '../loadgen/postfix-files.ts';
import { freePort, killAtExit } from './server.ts';

const START_MS_MAX = 20_000;
const POLL_MS = 50;

/** What is counted as shipped is not counted for `mynetworks`, where our client comes from and the world does not. */
const publicListener = (port: number): string => `127.0.0.1:${port} inet n - n - ${POSTFIX_PROCESSES} smtpd
  -o syslog_name=postfix/public
  -o smtpd_client_connection_count_limit=50
  -o smtpd_client_event_limit_exceptions=
`;

export interface BarePostfix {
  /** One XCLIENT a connection, and whoever comes straight. */
  readonly port: number;
  /** As many XCLIENTs as come. */
  readonly reusedPort: number;
  /** For the world, as Postfix is shipped: no XCLIENT, and the connections of each client are counted (anvil). */
  readonly publicPort: number;
  readonly pid: number;
  /** Throws away what it has stored. Only while no client is connected. */
  empty(): void;
  /** Its mail log, as far as it is written. */
  log(): string;
  /** SIGTERM; resolves when its master has gone and its directory is removed. */
  stop(): Promise<void>;
}

/** Starts it and waits until it greets. Throws with what it wrote when it does not. */
export async function startPostfix(): Promise<BarePostfix> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-direct-'));
  chmodSync(directory, 0o755);
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };
  const run = (program: string, ...args: readonly string[]): string =>
    execFileSync(program, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const [daemons = '', owner = ''] = run('postconf', '-dh', 'daemon_directory', 'mail_owner').split('\n');
  const config = join(directory, 'config');
  for (const name of ['config', 'queue', 'data']) mkdirSync(join(directory, name), { mode: 0o755 });
  run('chown', owner, join(directory, 'data'));
  const port = await freePort();
  const reusedPort = await freePort();
  const publicPort = await freePort();
  const mainCf = postfixMainCf(directory, {
    relay_domains: 'example.com',
    relay_recipient_maps: 'regexp:{{/^user/ known}}',
  });
  writeFileSync(join(config, 'main.cf'), mainCf);
  writeFileSync(join(config, 'master.cf'), postfixMasterCf(port, reusedPort) + publicListener(publicPort));
  run('postfix', '-c', config, 'check');
  let said = '';
  const master = spawn(join(daemons, 'master'), ['-c', config, '-s'], {
    env: { ...env, MAIL_CONFIG: config },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  killAtExit(master);
  for (const output of [master.stdout, master.stderr])
    output.on('data', (bytes: Buffer) => (said += bytes.toString()));
  const gone = new Promise<void>((resolve) => master.once('exit', () => resolve()));
  for (const lastMs = performance.now() + START_MS_MAX; !(await greets(port)); await pause(POLL_MS)) {
    if (performance.now() > lastMs || master.exitCode !== null)
      throw new Error(`Postfix does not greet:\n${said}`);
  }
  const stop = async (): Promise<void> => {
    master.kill('SIGTERM');
    await gone;
    rmSync(directory, { recursive: true, force: true });
  };
  const empty = (): void => void run('postsuper', '-c', config, '-d', 'ALL');
  const log = (): string => readFileSync(join(directory, 'maillog'), 'utf8');
  return { port, reusedPort, publicPort, pid: master.pid ?? 0, empty, log, stop };
}
