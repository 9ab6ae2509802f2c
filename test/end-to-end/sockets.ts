/**
 * sockets — which process has a connection, and how many of them, by what /proc tells
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** TCP over IPv4 connections of a process whose other end is at a port. */
export function socketsTo(pid: number, remotePort: number): number {
  const inodes = new Set<string>();
  for (const line of readFileSync('/proc/net/tcp', 'latin1').split('\n').slice(1)) {
    const words = line.trim().split(/\s+/);
    if (Number.parseInt(words[2]?.split(':')[1] ?? '', 16) === remotePort) inodes.add(`socket:[${words[9]}]`);
  }
  return filesOf(pid).filter((file) => inodes.has(file)).length;
}

function filesOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`);
      } catch {
        return '';
      }
    });
  } catch {
    return [];
  }
}
