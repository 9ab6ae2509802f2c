/**
 * prepare — brings what the system tests need, or says plainly what is missing
 *
 * The system tests run a real Postfix (which wants root), real sending programs and real DNS lists. As root on Debian the
 * missing packages are installed, without starting their daemons: a machine that had no mail server before has
 * none running afterwards. Mail servers that cannot be installed beside Postfix are unpacked (test/unpacked.ts). Anywhere
 * else one line is printed for each missing part, with the command that brings it.
 *
 * Exit code 0: all system tests can run. 1: they have to be left out.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { isUnpacked, librariesOf, unpack, unpackedParts } from './unpacked.ts';
import type { UnpackedPart } from './unpacked.ts';

export interface Part {
  readonly name: string;
  /** The Debian package that brings it. */
  readonly package: string;
  /** Programs that prove that it is there. */
  readonly programs: readonly string[];
  /** Modules of Perl that prove it. */
  readonly modules?: readonly string[];
}

/** Packages of the system tests. */
export const parts: readonly Part[] = [
  {
    name: 'Postfix',
    package: 'postfix',
    programs: ['postfix', 'postcat', 'postconf', 'postsuper', 'smtp-source', 'posttls-finger'],
  },
  { name: 'swaks', package: 'swaks', programs: ['swaks'] },
  { name: 'TLS for swaks', package: 'libnet-ssleay-perl', programs: ['perl'], modules: ['Net::SSLeay'] },
  {
    name: 'IPv6 for swaks',
    package: 'libio-socket-inet6-perl',
    programs: ['perl'],
    modules: ['IO::Socket::INET6'],
  },
  { name: 'rbldnsd', package: 'rbldnsd', programs: ['rbldnsd'] },
  { name: 'ip, for network namespaces', package: 'iproute2', programs: ['ip'] },
  { name: 'unbound', package: 'unbound', programs: ['unbound'] },
  { name: 'msmtp', package: 'msmtp', programs: ['msmtp'] },
  { name: "Python's smtplib", package: 'python3', programs: ['python3'] },
  { name: 'unshare, for mail servers of their own', package: 'util-linux', programs: ['unshare'] },
];

const searchPath = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`;
const policyFile = '/usr/sbin/policy-rc.d';
const tunDevice = '/dev/net/tun';

/** The parts that are on this machine. */
export function availableParts(): Part[] {
  return parts.filter(isThere);
}

/** The parts that are not. */
export function missingParts(): Part[] {
  return parts.filter((part) => !isThere(part));
}

/** One sentence for each reason why system tests cannot run here; empty when they can. */
export function reasonsToLeaveOut(): string[] {
  const reasons = missingParts().map(
    (part) => `${part.name} is missing: apt-get install --no-install-recommends ${part.package}`,
  );
  for (const part of unpackedParts)
    if (!isUnpacked(part)) reasons.push(`${part.name} is missing: node test/prepare.ts, as root on Debian`);
  if (process.platform !== 'linux') reasons.push('the system tests read /proc: they run on Linux only');
  else if (!isRoot())
    reasons.push('Postfix starts only as root: run the system tests with sudo, or in a container');
  else if (!existsSync(tunDevice))
    reasons.push('there is no /dev/net/tun, which the satellite link needs: load the module tun');
  return reasons;
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function isThere({ programs, modules = [] }: Part): boolean {
  return programs.every(isInstalled) && modules.every(hasModule);
}

function hasModule(name: string): boolean {
  return spawnSync('perl', [`-M${name}`, '-e', '1'], { stdio: 'ignore' }).status === 0;
}

function isInstalled(program: string): boolean {
  return searchPath.split(':').some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Installs packages with apt-get. Starts no daemon, and removes nothing: another mail server stays what it is. */
function install(packages: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', PATH: searchPath };
  const aptGet = (args: readonly string[]): boolean => {
    const all = ['-q', '-y', '--no-remove', '--no-upgrade', ...args];
    return spawnSync('apt-get', all, { env, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
  };
  // A package script that wants to start its daemon asks this file first; 101 means "not allowed".
  const isOurPolicy = !existsSync(policyFile);
  try {
    if (isOurPolicy) writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
    const wanted = ['install', '--no-install-recommends', ...packages];
    if (!aptGet(wanted) && aptGet(['update'])) aptGet(wanted);
  } finally {
    if (isOurPolicy) rmSync(policyFile, { force: true });
  }
}

function unpackAll(wanted: readonly UnpackedPart[]): void {
  install(wanted.flatMap(librariesOf));
  for (const part of wanted) unpack(part);
}

/** The device of user-space links, where the kernel has it and nobody made its name. */
function makeTun(): void {
  if (process.platform !== 'linux' || !isRoot() || existsSync(tunDevice)) return;
  mkdirSync(dirname(tunDevice), { recursive: true });
  spawnSync('mknod', ['-m', '600', tunDevice, 'c', '10', '200'], { stdio: 'ignore' });
}

function main(): number {
  makeTun();
  const missing = missingParts();
  const canInstall = isRoot() && existsSync('/etc/debian_version') && isInstalled('apt-get');
  if (missing.length > 0 && canInstall) {
    process.stdout.write(
      `installing for the system tests: ${missing.map((part) => part.package).join(', ')}\n`,
    );
    install(missing.map((part) => part.package));
  }
  const absent = unpackedParts.filter((part) => !isUnpacked(part));
  if (absent.length > 0 && canInstall) {
    process.stdout.write(
      `unpacking for the system tests: ${absent.map((part) => part.package).join(', ')}\n`,
    );
    unpackAll(absent);
    // The lists of packages may be missing or old.
    if (!absent.every(isUnpacked)) {
      spawnSync('apt-get', ['-q', 'update'], { stdio: ['ignore', 'inherit', 'inherit'] });
      unpackAll(absent);
    }
  }
  const reasons = reasonsToLeaveOut();
  for (const reason of reasons) process.stderr.write(`system tests left out: ${reason}\n`);
  return reasons.length === 0 ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.exitCode = main();
