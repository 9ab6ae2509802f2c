/**
 * proc — what the kernel counts about a process and its children, read from /proc
 *
 * A server may be one process or a primary with workers, so every figure is a sum over the process and all of its
 * living descendants. CPU is utime + stime of all threads. The kernel keeps that sum in nanoseconds and prints it
 * in ticks of 10 ms; a round long enough to use a second of CPU is therefore exact to one per cent.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import process from 'node:process';

interface Entry {
  readonly pid: number;
  readonly parent: number;
  readonly ticks: number;
  /** Of children that have ended and were waited for. */
  readonly reapedTicks: number;
}

let ticksPerSec = 0;

function clockTicksPerSec(): number {
  if (ticksPerSec === 0) ticksPerSec = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  return ticksPerSec;
}

/** One process, undefined when it has gone. */
function readEntry(pid: number): Entry | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in brackets and may hold spaces. Field 4 is the parent, 14 utime, 15 stime,
    // 16 and 17 the same of children that were waited for.
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
    const sum = (at: number): number => Number(fields[at]) + Number(fields[at + 1]);
    return { pid, parent: Number(fields[1]), ticks: sum(11), reapedTicks: sum(13) };
  } catch {
    return undefined;
  }
}

/** `pid` and its living descendants; throws when `pid` itself has gone. */
function family(pid: number): readonly Entry[] {
  const everyone: Entry[] = [];
  for (const name of readdirSync('/proc')) {
    const entry = /^\d+$/.test(name) ? readEntry(Number(name)) : undefined;
    if (entry !== undefined) everyone.push(entry);
  }
  const members = everyone.filter((entry) => entry.pid === pid);
  if (members.length === 0) throw new Error(`process ${pid} has gone`);
  for (const member of members) members.push(...everyone.filter((entry) => entry.parent === member.pid));
  return members;
}

/** CPU time that `pid` and its descendants have used since they started, in microseconds. */
export function cpuUs(pid: number): number {
  const ticks = family(pid).reduce((sum, member) => sum + member.ticks, 0);
  return (ticks * 1_000_000) / clockTicksPerSec();
}

/** The same, with that of descendants that have ended: for a server whose processes come and go. */
export function cpuWithEndedUs(pid: number): number {
  const ticks = family(pid).reduce((sum, member) => sum + member.ticks + member.reapedTicks, 0);
  return (ticks * 1_000_000) / clockTicksPerSec();
}

/** CPU time of children of this process that have ended, in microseconds. */
export function endedChildrenCpuUs(): number {
  return ((readEntry(process.pid)?.reapedTicks ?? 0) * 1_000_000) / clockTicksPerSec();
}

/** Resident memory of `pid` and its descendants in bytes. */
export function rssBytes(pid: number): number {
  let kilobytes = 0;
  for (const member of family(pid)) {
    const status = readFileSync(`/proc/${member.pid}/status`, 'utf8');
    kilobytes += Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
  }
  return kilobytes * 1024;
}

/** Hard limit of open files of this process: a child can raise its own soft limit up to it. */
export function openFilesMax(): number {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return hard === 'unlimited' ? Infinity : Number(hard);
}

/** The first "model name" of /proc/cpuinfo. */
export function cpuModel(): string {
  return /^model name\s*:\s*(.+)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown';
}
