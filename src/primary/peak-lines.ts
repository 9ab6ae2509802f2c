/**
 * peak-lines — the lines about peaks that Postfix's anvil writes, for tools that read them
 *
 *     statistics: max connection rate 5/60s for (smtp:192.0.2.7) at Nov 25 09:11:05
 *     statistics: max connection count 2 for (smtp:192.0.2.7) at Nov 25 09:11:05
 *     statistics: max cache size 17 at Nov 25 09:15:46
 *
 * One line for each kind that was seen since the last report, in anvil's order. Two things differ: the rate of a kind is
 * known only while it has a limit for clients, and the cache is counted when the report is made, as the clients with an
 * open session or a visit in the last window. Times are local, as syslog's are. Several processes do not know of each
 * other's clients: the highest peak of any of them is told, and the sum of their clients.
 */
import { Kind, newKey } from '../reputation/keys.ts';
import type { Names } from '../reputation/names.ts';
import type { Peak } from '../session/peaks.ts';
import { PeakKind, peakNames } from '../session/peaks.ts';

/** What one process has seen. */
export interface PeakReport {
  readonly peaks: readonly Peak[];
  /** Clients with an open session or a visit in the last window. */
  readonly clients: number;
}

/** The report of a process that has seen nothing, or is gone. */
export const NO_PEAKS: PeakReport = { peaks: [], clients: 0 };

/** anvil reports the rate of connections before their count. */
const order = [1, 0, 2, 3, 4];

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** "Nov  5 09:11:05", local time. */
function dateOf(epochSec: number): string {
  const date = new Date(epochSec * 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${months[date.getMonth()]} ${String(date.getDate()).padStart(2)} ${time}`;
}

/** The lines of a report of several processes; none when nobody came. `windowMs`: the time that rates are counted over. `names`: what clients are called. */
export function peakLines(
  reports: readonly PeakReport[],
  windowMs: number,
  nowSec: number,
  names: Names,
): string[] {
  const key = newKey();
  const all = reports.flatMap((report) => report.peaks);
  const lines: string[] = [];
  for (const kind of order) {
    const best = all
      .filter((peak) => peak.kind === kind)
      .reduce<Peak | null>((most, peak) => (most !== null && most.value >= peak.value ? most : peak), null);
    if (best === null) continue;
    const value = kind === PeakKind.Count ? String(best.value) : `${best.value}/${windowMs / 1000}s`;
    key.set([best.first, best.second]);
    const client = names.nameOf(Kind.Host, key);
    lines.push(
      `statistics: max ${peakNames[kind]} ${value} for (smtp:${client}) at ${dateOf(best.epochSec)}`,
    );
  }
  const clients = reports.reduce((sum, report) => sum + report.clients, 0);
  if (lines.length > 0) lines.push(`statistics: max cache size ${clients} at ${dateOf(nowSec)}`);
  return lines;
}
