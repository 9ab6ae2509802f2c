import { expect, it } from 'vitest';
import { NO_PEAKS, peakLines } from '../../../src/primary/peak-lines.ts';
import { fullNames } from '../../../src/reputation/names.ts';
import { Counters, takePeaks } from '../../../src/session/counters.ts';
import { PeakKind, peakNames } from '../../../src/session/peaks.ts';

const MAPPED = 0xffff;
const at = (text: string): number => new Date(text).getTime() / 1000;
const NOW = at('2026-11-25T09:15:46');

it('have the form of those of anvil, in its order', () => {
  const peaks = [
    { kind: 0, value: 2, first: MAPPED, second: 0xc0000207 | 0, epochSec: at('2026-11-25T09:11:05') },
    { kind: 1, value: 5, first: MAPPED, second: 0xc0000207 | 0, epochSec: at('2026-11-25T09:11:06') },
    { kind: 2, value: 4, first: 0x20010db8, second: 1, epochSec: at('2026-11-05T23:59:59') },
    { kind: 3, value: 3, first: MAPPED, second: 0x7f000001, epochSec: at('2026-01-01T00:00:00') },
    { kind: 4, value: 1, first: MAPPED, second: 0x7f000001, epochSec: at('2026-01-01T00:00:00') },
  ];
  expect(peakLines([{ peaks, clients: 17 }], 60_000, NOW, fullNames)).toEqual([
    'statistics: max connection rate 5/60s for (smtp:192.0.2.7) at Nov 25 09:11:06',
    'statistics: max connection count 2 for (smtp:192.0.2.7) at Nov 25 09:11:05',
    'statistics: max message rate 4/60s for (smtp:2001:db8:0:1::/64) at Nov  5 23:59:59',
    'statistics: max recipient rate 3/60s for (smtp:127.0.0.1) at Jan  1 00:00:00',
    'statistics: max newtls rate 1/60s for (smtp:127.0.0.1) at Jan  1 00:00:00',
    'statistics: max cache size 17 at Nov 25 09:15:46',
  ]);
});

it('are none when nobody came', () => {
  expect(peakLines([NO_PEAKS, { peaks: [], clients: 3 }], 60_000, NOW, fullNames)).toEqual([]);
});

it('tell the highest of several processes, and all their clients', () => {
  const peak = (value: number): object => ({ kind: 0, value, first: MAPPED, second: value, epochSec: NOW });
  const reports = [3, 9, 4].map((value) => ({ peaks: [peak(value) as never], clients: value }));
  expect(peakLines(reports, 60_000, NOW, fullNames).map((line) => line.replace(/ at .*/, ''))).toEqual([
    'statistics: max connection count 9 for (smtp:0.0.0.9)',
    'statistics: max cache size 16',
  ]);
});

it('come from the highest that any shard has seen since the last report', () => {
  const shards = 3;
  const shared = new SharedArrayBuffer(Counters.bytesFor(shards));
  const [one, two] = [new Counters(shared, 0), new Counters(shared, 2)];
  const values = (): (number | string)[][] =>
    takePeaks(shared, shards).map(({ kind, value, second }) => [peakNames[kind]!, value, second]);
  expect(values()).toEqual([]);
  one.peaks.note(PeakKind.Count, 3, MAPPED, 1, 10);
  one.peaks.note(PeakKind.Count, 2, MAPPED, 2, 11);
  two.peaks.note(PeakKind.Count, 4, MAPPED, 3, 12);
  two.peaks.note(PeakKind.Rate + 1, 7, MAPPED, 4, 13);
  expect(values()).toEqual([
    ['connection count', 4, 3],
    ['message rate', 7, 4],
  ]);
  // A new period: what was is forgotten, and lower values are peaks again.
  expect(values()).toEqual([]);
  one.peaks.note(PeakKind.Count, 1, MAPPED, 5, 14);
  expect(values()).toEqual([['connection count', 1, 5]]);
  expect(one.valueOf('sessionsOpened')).toBe(0);
});
