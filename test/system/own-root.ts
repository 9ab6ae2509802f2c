/**
 * own-root — a mail server that believes it is alone on the machine
 *
 * Exim and OpenSMTPD have paths compiled in: users of /etc/passwd, /var/spool, /run, /usr/libexec. Each runs in a mount namespace
 * of its own, in which these are directories of the test; the machine's own are not touched, and no user is made. It costs a
 * few milliseconds a start. A container or chroot would need all of the system's libraries in it; this needs none.
 *
 * Everything else, the network above all, is the machine's.
 */
import { chmod, chown, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { unpackedRoot } from '../unpacked.ts';

/** The users that the packages would make. */
export const ownUsers = { opensmtpd: 64_101, opensmtpq: 64_102, 'Debian-exim': 64_103 } as const;

/** What stands in place of what: a file or directory of the test, and the path at which it is seen. */
const places = [
  ['etc/passwd', '/etc/passwd'],
  ['etc/group', '/etc/group'],
  ['etc/hosts', '/etc/hosts'],
  ['etc/resolv.conf', '/etc/resolv.conf'],
  ['run', '/run'],
  ['spool', '/var/spool'],
  ['lib', '/var/lib'],
] as const;

export interface OwnRoot {
  /** Holds all that the server writes. */
  readonly directory: string;
  /** Words in front of the program's own path and arguments. The process of the program is the one that is started. */
  readonly within: readonly string[];
}

/** Makes the directories of one server; `name` is the package whose programs are seen in /usr/sbin. */
export async function makeOwnRoot(name: string): Promise<OwnRoot> {
  const directory = await mkdtemp(join(tmpdir(), `sluice-${name}-`));
  await chmod(directory, 0o755);
  for (const below of ['etc', 'run', 'spool', 'lib']) await mkdir(join(directory, below), { mode: 0o755 });
  const users = Object.entries(ownUsers);
  const files: Readonly<Record<string, string>> = {
    passwd: [
      'root:x:0:0:root:/root:/bin/sh\n',
      ...users.map(([user, id]) => `${user}:x:${id}:${id}::/var/lib/empty:/usr/sbin/nologin\n`),
      'nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n',
    ].join(''),
    group: [
      'root:x:0:\nmail:x:8:\n',
      ...users.map(([group, id]) => `${group}:x:${id}:\n`),
      'nogroup:x:65534:\n',
    ].join(''),
    hosts: '127.0.0.1 localhost\n::1 localhost\n',
    // Nobody answers there, and at once: no name is looked up outside.
    'resolv.conf': 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n',
  };
  for (const [file, text] of Object.entries(files)) await writeFile(join(directory, 'etc', file), text);
  const mounts = [
    ...places.map(([from, at]) => [join(directory, from), at]),
    ...['/usr/sbin', '/usr/libexec'].map((at) => [join(unpackedRoot(name), at), at]),
  ];
  // The first word of each pair may be missing: Exim has nothing in /usr/libexec.
  const script = `${mounts.map(([from, at]) => `[ ! -e '${from}' ] || mount --bind '${from}' ${at} || exit 1`).join('\n')}\nexec "$@"`;
  const within = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh'];
  return { directory, within };
}

/** Makes a directory below that of the server, for one of its users. */
export async function giveDirectory(root: OwnRoot, path: string, owner: number, mode: number): Promise<void> {
  const whole = join(root.directory, path);
  await mkdir(whole, { recursive: true });
  await chmod(whole, mode);
  await chown(whole, owner, owner);
}
