/**
 * log-lines — the lines of a log, from a file, a file that was packed by gzip, or standard input
 *
 * Read in pieces; of a line that never ends nothing is kept but that it was too long. A last line without its end counts: the log
 * may just be written.
 */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';

/** Far more than the longest line of a session. */
const LINE_CHARS_MAX = 65_536;

/** Calls `take` with each line of `path`; null for one that is too long. Rejects as the system does. */
export async function eachLineOf(path: string, take: (line: string | null) => void): Promise<void> {
  const file = createReadStream(path, { highWaterMark: 1 << 18 });
  if (!path.endsWith('.gz')) return eachLine(file, take);
  const plain = createGunzip({ chunkSize: 1 << 18 });
  await pipeline(file, plain, (bytes) => eachLine(bytes as unknown as Readable, take));
  return undefined;
}

/** The same for a stream of bytes. */
export async function eachLine(bytes: Readable, take: (line: string | null) => void): Promise<void> {
  let partial = '';
  let isTooLong = false;
  for await (const chunk of bytes) {
    const lines = (chunk as Buffer).toString('latin1').split('\n');
    const rest = lines.pop()!;
    for (const line of lines) {
      const whole = partial + line;
      if (isTooLong || whole.length > LINE_CHARS_MAX) take(null);
      else if (whole !== '') take(whole);
      partial = '';
      isTooLong = false;
    }
    if (isTooLong) continue;
    partial += rest;
    if (partial.length <= LINE_CHARS_MAX) continue;
    isTooLong = true;
    partial = '';
  }
  if (isTooLong) take(null);
  else if (partial !== '') take(partial);
}
