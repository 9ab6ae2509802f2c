/**
 * unpacked — mail servers of Debian that stand beside the one that is installed
 *
 * Debian lets a machine have one mail server: postfix, exim4 and opensmtpd conflict. The tests want all three. So Postfix is
 * installed and the other two are fetched as packages and laid out in `.parts/` of the project, which git does not see. What
 * they need of libraries is installed; libraries do not conflict. No script of theirs runs, no user is made, no daemon is
 * started: test/system/own-root.ts gives them the files that they look for in /etc, /run and /var.
 *
 * Once laid out they are used from there; a second run asks nobody for anything. Delete `.parts/` to have newer ones.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface UnpackedPart {
  readonly name: string;
  readonly package: string;
  /** Programs that are wanted from it, as paths below its directory. */
  readonly programs: readonly string[];
}

export const unpackedParts: readonly UnpackedPart[] = [
  { name: 'Exim', package: 'exim4-daemon-heavy', programs: ['usr/sbin/exim4'] },
  {
    name: 'OpenSMTPD',
    package: 'opensmtpd',
    programs: ['usr/sbin/smtpd', 'usr/sbin/smtpctl', 'usr/libexec/opensmtpd/mail.maildir'],
  },
];

const cache = fileURLToPath(new URL('../.parts', import.meta.url));

/** Where the files of a package are: this directory stands for /. */
export function unpackedRoot(packageName: string): string {
  return join(cache, packageName);
}

/** Whether all its programs are there, with all libraries that they want. */
export function isUnpacked({ package: packageName, programs }: UnpackedPart): boolean {
  return programs.every((program) => {
    const path = join(unpackedRoot(packageName), program);
    if (!existsSync(path)) return false;
    const { status, stdout } = spawnSync('ldd', [path], { encoding: 'utf8' });
    return status === 0 && !stdout.includes('not found');
  });
}

/** The libraries among what a package depends on, as apt knows it; the first of alternatives. */
export function librariesOf({ package: packageName }: UnpackedPart): string[] {
  const { stdout } = spawnSync('apt-cache', ['show', '--no-all-versions', packageName], {
    encoding: 'utf8',
  });
  const line = stdout.split('\n').find((one) => one.startsWith('Depends: ')) ?? '';
  const names = line
    .slice('Depends: '.length)
    .split(',')
    .map((word) => /^\s*([\w.+-]+)/.exec(word)?.[1] ?? '');
  return names.filter((name) => /^(?:lib|zlib)/.test(name));
}

/** Fetches a package with apt-get and lays it out. Says nothing: `isUnpacked` tells whether it went well. */
export function unpack({ package: packageName }: UnpackedPart): void {
  const part = join(cache, `${packageName}.new`);
  const quiet = { stdio: 'ignore' } as const;
  rmSync(part, { recursive: true, force: true });
  mkdirSync(join(part, 'root'), { recursive: true });
  try {
    spawnSync('apt-get', ['-q', 'download', packageName], { ...quiet, cwd: part });
    const file = readdirSync(part).find((name) => name.endsWith('.deb'));
    if (file === undefined) return;
    if (spawnSync('dpkg', ['-x', join(part, file), join(part, 'root')], quiet).status !== 0) return;
    const root = unpackedRoot(packageName);
    rmSync(root, { recursive: true, force: true });
    renameSync(join(part, 'root'), root);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
}
