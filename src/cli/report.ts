/**
 * report — `sluice report`: what the log says of a day, and of what enforce mode would have done
 *
 * Reads the lines that Sluice writes on standard output, from files or from standard input. Several files are read at once, a thread
 * of piscina each, as many as there are cores.
 *
 * Out: 0; 1 when a file could not be read to its end (what was read is reported all the same).
 */
import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import type { Readable } from 'node:stream';
import { exitCodes } from './exit.ts';
import { eachLine } from './log-lines.ts';
import { complain, jsonText, print, printable } from './output.ts';
import { reportJson } from './report-json.ts';
import { readLine } from './report-line.ts';
import { LogCount, mergedLogs } from './report-sums.ts';
import type { LogSums } from './report-sums.ts';
import type { FileSums } from './report-task.ts';
import { reportText } from './report-text.ts';

export interface ReportOptions {
  readonly json: boolean;
  /** Only lines that are not older, in milliseconds; Infinity for all. */
  readonly sinceMs: number;
  /** Rows of each list of clients and networks. */
  readonly top: number;
}

const task = new URL(`./report-task${extname(new URL(import.meta.url).pathname)}`, import.meta.url);

/** Reads `files`, standard input when there are none, and prints the report. */
export async function reportVerb(files: readonly string[], options: ReportOptions): Promise<number> {
  const sinceMs = options.sinceMs === Infinity ? -Infinity : Date.now() - options.sinceMs;
  const read = files.length === 0 ? [await sumOfInput(process.stdin, sinceMs)] : await sumsOf(files, sinceMs);
  const sums = mergedLogs(read.map((one) => one.sums));
  print(options.json ? jsonText(reportJson(sums, options.top)) : reportText(sums, options.top));
  const faults = read.flatMap(({ fault }) => (fault === null ? [] : [fault]));
  for (const fault of faults) complain(`sluice: ${printable(fault)}\n`);
  return faults.length === 0 ? exitCodes.good : exitCodes.failed;
}

async function sumOfInput(input: Readable, sinceMs: number): Promise<FileSums> {
  const count = new LogCount(sinceMs);
  await eachLine(input, (line) => count.add(line === null ? null : readLine(line)));
  return { sums: count.done() satisfies LogSums, fault: null };
}

async function sumsOf(files: readonly string[], sinceMs: number): Promise<readonly FileSums[]> {
  const jobs = files.map((path) => ({ path, sinceMs }));
  if (jobs.length === 1) return [await (await import('./report-task.ts')).default(jobs[0]!)];
  const { Piscina } = await import('piscina');
  const pool = new Piscina({
    filename: task.href,
    minThreads: 1,
    maxThreads: Math.min(jobs.length, availableParallelism()),
  });
  try {
    return await Promise.all(jobs.map((job) => pool.run(job) as Promise<FileSums>));
  } finally {
    await pool.destroy();
  }
}
