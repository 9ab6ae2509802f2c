/**
 * plan — how many processes and shards, and what each of them gets
 *
 * A pure computation from the configuration, the cores and the limit on file descriptors. RLIMIT_NOFILE counts
 * per process: under a limit of 20,000 one process cannot hold 25,000 sessions, so there are as many processes
 * as `max_sessions` needs. The kernel spreads connections over shards by a hash, not evenly, so with several
 * shards each has an eighth more slots than its share. Each also has a lobby, slots for clients that are sent away at once
 * (policy/stress), and these need open files as well. Processes lend each other connections to the backend (connection-desk):
 * each has room for all but one for each of the others. The spool is divided among them; the shards of a process share its
 * part (backend/allowance).
 */
import type { AllowanceLimits } from '../backend/allowance.ts';
import type { Config } from '../config/config.ts';
import { writeSize } from '../config/units.ts';
import { seatsIn } from '../policy/stress.ts';

/** What the machine gives. */
export interface Machine {
  readonly cores: number;
  /** Open files that one process may have. */
  readonly filesMax: number;
}

export interface Plan {
  readonly processes: number;
  readonly shardsPerProcess: number;
  readonly sessionsPerShard: number;
}

/** Files that a process needs beside sessions: libraries, pipes, event loops, the log. */
const OWN_FILES = 128;
/** Files for each shard: its event loop, its wake-up pipe, its listeners. */
const SHARD_FILES = 16;
/** One file in so many is left for messages that spill. */
const SPILL_SHARE = 20;

/** Sessions that one process can hold with `shards` shards and `lanes` lanes, beside the lobbies. */
function sessionsThatFit(machine: Machine, shards: number, lanes: number): number {
  const files = machine.filesMax - OWN_FILES - shards * SHARD_FILES - lanes;
  return seatsIn(Math.floor(files - files / SPILL_SHARE), shards);
}

/** The plan for a configuration on a machine, or a sentence that says why there is none. */
export function planFor(config: Config, machine: Machine): Plan | string {
  const { maxSessions } = config.engine;
  const lanesMax = config.backend.maxConnections;
  const shardsWanted = config.engine.shards > 0 ? config.engine.shards : machine.cores;
  const fitAlone = sessionsThatFit(machine, shardsWanted, lanesMax);
  if (fitAlone < 1)
    return `the limit of ${machine.filesMax} open files is too small; raise it (ulimit -n, LimitNOFILE)`;

  if (config.engine.processes > 0) return planWith(config, machine, shardsWanted, config.engine.processes);
  const processes = Math.ceil(maxSessions / fitAlone);
  const plan = planWith(config, machine, shardsWanted, processes);
  // The slots of each shard are rounded: at the edge one process more is needed than sessions alone ask for.
  return typeof plan === 'string' ? planWith(config, machine, shardsWanted, processes + 1) : plan;
}

function planWith(config: Config, machine: Machine, shardsWanted: number, processes: number): Plan | string {
  const { maxSessions } = config.engine;
  const lanesMax = config.backend.maxConnections;
  const shardsPerProcess = Math.max(1, Math.ceil(shardsWanted / processes));
  const shards = processes * shardsPerProcess;
  if (lanesMax < processes) {
    return `backend.max_connections = ${lanesMax} is less than one for each of ${processes} processes; raise it, or lower engine.processes or engine.max_sessions`;
  }
  const share = Math.ceil(maxSessions / shards);
  const wanted = shards > 1 ? share + Math.ceil(share / 8) : share;
  const lanes = lanesOfOne(lanesMax, processes);
  const fits = Math.floor(sessionsThatFit(machine, shardsPerProcess, lanes) / shardsPerProcess);
  if (fits < share) {
    return `${processes} processes with ${machine.filesMax} open files each cannot hold ${maxSessions} sessions; raise engine.processes or the limit`;
  }
  return (
    messageTooLarge(config, processes) ?? {
      processes,
      shardsPerProcess,
      sessionsPerShard: Math.min(wanted, fits),
    }
  );
}

/** A sentence that says that one message of the largest size does not fit the part of one process; undefined when it does. */
function messageTooLarge(config: Config, processes: number): string | undefined {
  const { messageMemoryBytes, memoryMaxBytes, diskMaxBytes } = config.spool;
  const { messageSizeMaxBytes } = config.smtp;
  const disk = Math.floor(diskMaxBytes / processes);
  const memory = Math.min(messageMemoryBytes, Math.floor(memoryMaxBytes / processes));
  if (messageSizeMaxBytes <= Math.max(disk, memory)) return undefined;
  return `smtp.message_size_max = "${writeSize(messageSizeMaxBytes)}" does not fit "${writeSize(disk)}", the part of spool.disk_max that each of ${processes} processes has; raise spool.disk_max, or lower engine.processes or engine.max_sessions`;
}

/** What the shards of one process (0 …) may have together, at most. Of the spool, the parts of all processes are what is configured. */
export function allowanceOf(plan: Plan, config: Config, process: number): AllowanceLimits {
  const part = (whole: number): number => partOf(whole, plan.processes, process);
  return {
    lanesMax: lanesOfOne(config.backend.maxConnections, plan.processes),
    memoryMaxBytes: part(config.spool.memoryMaxBytes),
    diskMaxBytes: part(config.spool.diskMaxBytes),
  };
}

/** Connections to the backend that one process may have when the others need only what they always keep. */
function lanesOfOne(lanesMax: number, processes: number): number {
  return lanesMax - (processes - 1);
}

/** The part of one of `count`, as equal as may be; the first have the larger ones. */
function partOf(whole: number, count: number, number: number): number {
  return Math.floor(whole / count) + (number < whole % count ? 1 : 0);
}

/** The plan as the line that is printed at start. */
export function planText(plan: Plan, config: Config, machine: Machine): string {
  const shards = plan.processes * plan.shardsPerProcess;
  const processes =
    plan.processes === 1
      ? 'one process'
      : `${plan.processes} processes (${machine.filesMax} open files each)`;
  return `${shards} ${shards === 1 ? 'shard' : 'shards'} in ${processes}, ${config.engine.maxSessions} sessions, ${config.backend.maxConnections} backend connections`;
}
