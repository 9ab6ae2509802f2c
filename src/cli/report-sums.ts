/**
 * report-sums — what a log adds up to
 *
 * One set of sums for each mode that the lines were written in. Bounded whatever the log says: 24 hours, 64 reasons, 512 clients and
 * networks (ranking), a histogram of delays. Sums of several files are merged.
 */
import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64 } from 'hdr-histogram-js';
import type { Histogram } from 'hdr-histogram-js';
import { mergedRankings, Ranking } from './ranking.ts';
import type { RankingSums } from './ranking.ts';
import { kinds } from './report-line.ts';
import type { ReportLine, SessionKind } from './report-line.ts';

const REASONS_MAX = 64;
const OTHERS = 'others';
const DAY_MS = 86_400_000;

/** Sessions of one sort. */
export interface Sum {
  sessions: number;
  /** Of these, those that delivered. */
  delivered: number;
  messages: number;
  delayMs: number;
}

export interface Hour {
  sessions: number;
  slowed: number;
  refused: number;
}

/** All sums of one mode; can go between threads. */
export interface ModeSums {
  readonly all: Sum;
  readonly kinds: Readonly<Record<SessionKind, Sum>>;
  readonly verdicts: Record<string, number>;
  readonly slowed: Record<string, Sum>;
  readonly refused: Record<string, Sum>;
  readonly hours: readonly Hour[];
  /** Networks of sessions that were slowed or refused. */
  networks: RankingSums;
  /** Sessions that delivered although they were slowed or refused. */
  readonly falseSum: Sum;
  /** Of these, those that were to come again. */
  falseForNow: number;
  falseClients: RankingSums;
  falseNetworks: RankingSums;
  /** The delays of these, as an HDR histogram. */
  falseDelays: string;
}

/** What a log comes to. */
export interface LogSums {
  lines: number;
  badLines: number;
  /** Lines from before the time that was asked for. */
  oldLines: number;
  firstMs: number;
  lastMs: number;
  enforce: ModeSums;
  observe: ModeSums;
}

/** A mode that is being counted. */
class ModeCount {
  readonly sums: ModeSums = emptyMode();
  readonly #networks = new Ranking();
  readonly #falseClients = new Ranking();
  readonly #falseNetworks = new Ranking();
  readonly #falseDelays = newHistogram();

  add(line: ReportLine): void {
    const { sums } = this;
    addTo(sums.all, line);
    addTo(sums.kinds[line.kind], line);
    const verdict = line.verdict in sums.verdicts || roomIn(sums.verdicts) ? line.verdict : OTHERS;
    sums.verdicts[verdict] = (sums.verdicts[verdict] ?? 0) + 1;
    const hour = sums.hours[line.hour]!;
    hour.sessions += 1;
    if (line.kind !== 'slowed' && line.kind !== 'refused') return;
    hour[line.kind] += 1;
    for (const reason of line.why) addTo(sumOf(sums[line.kind], reason), line);
    if (line.network !== '') this.#networks.note(line.network, line);
    if (line.messages > 0) this.#addFalse(line);
  }

  done(): ModeSums {
    this.sums.networks = this.#networks.sums();
    this.sums.falseClients = this.#falseClients.sums();
    this.sums.falseNetworks = this.#falseNetworks.sums();
    this.sums.falseDelays = encodeIntoCompressedBase64(this.#falseDelays);
    return this.sums;
  }

  #addFalse(line: ReportLine): void {
    addTo(this.sums.falseSum, line);
    if (line.isForNow) this.sums.falseForNow += 1;
    this.#falseClients.note(line.client, line);
    if (line.network !== '') this.#falseNetworks.note(line.network, line);
    this.#falseDelays.recordValue(Math.min(DAY_MS, line.delayMs));
  }
}

export class LogCount {
  readonly #sinceMs: number;
  readonly #enforce = new ModeCount();
  readonly #observe = new ModeCount();
  readonly #sums: LogSums = emptyLog();

  /** Counts the lines of one log, from `sinceMs` on. */
  constructor(sinceMs: number) {
    this.#sinceMs = sinceMs;
  }

  /** Counts a line; null for one that could not be read. */
  add(line: ReportLine | null): void {
    const sums = this.#sums;
    if (line === null) {
      sums.badLines += 1;
      return;
    }
    if (line.epochMs < this.#sinceMs) {
      sums.oldLines += 1;
      return;
    }
    sums.lines += 1;
    sums.firstMs = Math.min(sums.firstMs, line.epochMs);
    sums.lastMs = Math.max(sums.lastMs, line.epochMs);
    (line.isObserved ? this.#observe : this.#enforce).add(line);
  }

  /** The sums, when all lines are counted. */
  done(): LogSums {
    this.#sums.enforce = this.#enforce.done();
    this.#sums.observe = this.#observe.done();
    return this.#sums;
  }
}

/** The delays that stand in sums. */
export function delaysOf(sums: ModeSums): Histogram {
  return decodeFromCompressedBase64(sums.falseDelays);
}

/** The sums of several logs as one. */
export function mergedLogs(all: readonly LogSums[]): LogSums {
  const sum = emptyLog();
  for (const one of all) {
    sum.lines += one.lines;
    sum.badLines += one.badLines;
    sum.oldLines += one.oldLines;
    sum.firstMs = Math.min(sum.firstMs, one.firstMs);
    sum.lastMs = Math.max(sum.lastMs, one.lastMs);
  }
  sum.enforce = mergedModes(all.map(({ enforce }) => enforce));
  sum.observe = mergedModes(all.map(({ observe }) => observe));
  return sum;
}

function mergedModes(all: readonly ModeSums[]): ModeSums {
  const sum = emptyMode();
  const delays = newHistogram();
  for (const one of all) {
    addSum(sum.all, one.all);
    for (const kind of kinds) addSum(sum.kinds[kind], one.kinds[kind]);
    for (const [verdict, sessions] of Object.entries(one.verdicts)) {
      const name = verdict in sum.verdicts || roomIn(sum.verdicts) ? verdict : OTHERS;
      sum.verdicts[name] = (sum.verdicts[name] ?? 0) + sessions;
    }
    for (const kind of ['slowed', 'refused'] as const)
      for (const [reason, more] of Object.entries(one[kind])) addSum(sumOf(sum[kind], reason), more);
    one.hours.forEach((hour, at) => {
      for (const column of ['sessions', 'slowed', 'refused'] as const) sum.hours[at]![column] += hour[column];
    });
    addSum(sum.falseSum, one.falseSum);
    sum.falseForNow += one.falseForNow;
    delays.add(delaysOf(one));
  }
  sum.networks = mergedRankings(all.map(({ networks }) => networks));
  sum.falseClients = mergedRankings(all.map(({ falseClients }) => falseClients));
  sum.falseNetworks = mergedRankings(all.map(({ falseNetworks }) => falseNetworks));
  sum.falseDelays = encodeIntoCompressedBase64(delays);
  return sum;
}

function addTo(sum: Sum, { messages, delayMs }: ReportLine): void {
  addSum(sum, { sessions: 1, delivered: messages > 0 ? 1 : 0, messages, delayMs });
}

function addSum(sum: Sum, more: Sum): void {
  sum.sessions += more.sessions;
  sum.delivered += more.delivered;
  sum.messages += more.messages;
  sum.delayMs += more.delayMs;
}

function sumOf(table: Record<string, Sum>, reason: string): Sum {
  const name = reason in table || roomIn(table) ? reason : OTHERS;
  return (table[name] ??= emptySum());
}

function roomIn(table: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(table).length < REASONS_MAX;
}

function emptySum(): Sum {
  return { sessions: 0, delivered: 0, messages: 0, delayMs: 0 };
}

/** A table in which no name means anything but itself. */
function emptyTable<Value>(): Record<string, Value> {
  return Object.create(null) as Record<string, Value>;
}

function emptyMode(): ModeSums {
  const none: RankingSums = { rows: [], missedMax: 0 };
  return {
    all: emptySum(),
    kinds: { untouched: emptySum(), screened: emptySum(), slowed: emptySum(), refused: emptySum() },
    verdicts: emptyTable(),
    slowed: emptyTable(),
    refused: emptyTable(),
    hours: Array.from({ length: 24 }, () => ({ sessions: 0, slowed: 0, refused: 0 })),
    networks: none,
    falseSum: emptySum(),
    falseForNow: 0,
    falseClients: none,
    falseNetworks: none,
    falseDelays: '',
  };
}

function emptyLog(): LogSums {
  return {
    lines: 0,
    badLines: 0,
    oldLines: 0,
    firstMs: Infinity,
    lastMs: -Infinity,
    enforce: emptyMode(),
    observe: emptyMode(),
  };
}

function newHistogram(): Histogram {
  return build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: DAY_MS,
    numberOfSignificantValueDigits: 3,
    autoResize: false,
  });
}
