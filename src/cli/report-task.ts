/**
 * report-task — what a thread of `sluice report` does: reads one log and sums it up
 *
 * Runs in a thread of piscina when there are several files (report). A file that cannot be read, or not to its end, is an answer
 * beside the sums, not an error.
 */
import { eachLineOf } from './log-lines.ts';
import { readLine } from './report-line.ts';
import { LogCount } from './report-sums.ts';
import type { LogSums } from './report-sums.ts';

/** What one file comes to, and why it was not read to its end, if so. */
export interface FileSums {
  readonly sums: LogSums;
  readonly fault: string | null;
}

/** Reads a file; lines from before `sinceMs` are left out. */
export default async function sumUp({ path, sinceMs }: { path: string; sinceMs: number }): Promise<FileSums> {
  const count = new LogCount(sinceMs);
  let fault: string | null = null;
  try {
    await eachLineOf(path, (line) => count.add(line === null ? null : readLine(line)));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    fault =
      code === 'ENOENT' ? `${path}: there is no such file` : `${path} was not read to its end: ${message}`;
  }
  return { sums: count.done(), fault };
}
