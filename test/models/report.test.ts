/**
 * The report against a plain count of the same lines: whatever the log says, however it is cut into files, and whoever writes
 * nonsense between its lines.
 */
import { Readable } from 'node:stream';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { eachLine } from '../../src/cli/log-lines.ts';
import { RANKED_MAX } from '../../src/cli/ranking.ts';
import { reportJson } from '../../src/cli/report-json.ts';
import { readLine } from '../../src/cli/report-line.ts';
import { LogCount, mergedLogs } from '../../src/cli/report-sums.ts';
import type { LogSums } from '../../src/cli/report-sums.ts';
import { reportText } from '../../src/cli/report-text.ts';
import { LogJournal } from '../../src/io/log-journal.ts';
import type { LineWriter } from '../../src/io/line-writer.ts';
import { endingNames, endingTable } from '../../src/session/endings.ts';
import { emptyReport } from '../../src/session/journal.ts';
import type { SessionReport } from '../../src/session/journal.ts';

const START_MS = Date.UTC(2026, 0, 2);
const HOUR_MS = 3_600_000;
const SINCE_MS = START_MS + 3 * HOUR_MS;

const observed = fc.oneof(
  fc.constant({ wouldPace: 'instant', wouldReason: '', wouldEnding: '', wouldDelayMs: 0 }),
  fc.record({
    wouldPace: fc.constant('screened'),
    wouldReason: fc.constant('unknown'),
    wouldEnding: fc.constant(''),
    wouldDelayMs: fc.constant(6_000),
  }),
  fc.record({
    wouldPace: fc.constant('slow'),
    wouldReason: fc.constantFrom('score', 'slow_list', 'dnsxl'),
    wouldEnding: fc.constant(''),
    wouldDelayMs: fc.integer({ min: 0, max: 600_000 }),
  }),
  fc.record({
    wouldPace: fc.constant('refused'),
    wouldReason: fc.constantFrom('', 'score'),
    wouldEnding: fc.constantFrom('denied', 'pregreet', 'greylist', 'message_rate'),
    wouldDelayMs: fc.integer({ min: 0, max: 600_000 }),
  }),
);

const session: fc.Arbitrary<SessionReport> = fc
  .record({
    hour: fc.integer({ min: 0, max: 30 }),
    client: fc.constantFrom(
      '192.0.2.1',
      '192.0.2.2',
      '198.51.100.9',
      '2001:db8:1:2::3',
      'hmac:0123456789abcdef',
      '203.0.113.0/24',
    ),
    ending: fc.constantFrom(...endingNames),
    reasons: fc.constantFrom(
      '',
      'passed',
      'passed,delivered',
      'pregreet',
      'message_rate,badCommand',
      'listed,outlasted',
    ),
    pace: fc.constantFrom('instant', 'screened', 'slow', 'refused'),
    delayMs: fc.constantFrom(0, 6_000, 135_000),
    messages: fc.constantFrom(0, 0, 1, 3),
    would: fc.option(observed),
  })
  .map(({ hour, would, ...rest }) => ({
    ...emptyReport(),
    ...rest,
    ...would,
    isObserved: would !== null,
    epochMs: START_MS + hour * HOUR_MS,
    id: 't1',
    stage: 'converse',
  }));

const nonsense = fc.constantFrom(
  'nonsense',
  '{}',
  '[]',
  'null',
  '{"time":"2026-01-02T03:04:05.006Z","client":"192.0.2.1"}',
  'x'.repeat(70_000),
  '{"__proto__":1}',
);

/** The line that Sluice writes. */
function lineOf(report: SessionReport): string {
  let text = '';
  new LogJournal({ add: (line: string) => (text = line) } as unknown as LineWriter, () => undefined).ended(
    report,
  );
  return text;
}

/** Reads a text as a file, in pieces. */
async function sumsOf(text: string, pieceChars: number): Promise<LogSums> {
  const pieces: Buffer[] = [];
  for (let at = 0; at < text.length; at += pieceChars)
    pieces.push(Buffer.from(text.slice(at, at + pieceChars)));
  const count = new LogCount(SINCE_MS);
  await eachLine(Readable.from(pieces), (line) => count.add(line === null ? null : readLine(line)));
  return count.done();
}

const verdictOf = ({ ending, messages }: SessionReport): string =>
  ending === 'hangup' && messages === 0 ? 'abandoned' : endingTable[ending].verdict;

/** What was, or would have been, done. */
function kindOf(one: SessionReport): string {
  if (one.isObserved)
    return { instant: 'untouched', screened: 'screened', slow: 'slowed', refused: 'refused' }[one.wouldPace]!;
  if (['refused', 'limit', 'shut'].includes(verdictOf(one))) return 'refused';
  if (one.pace === 'slow' || (one.pace === 'instant' && one.delayMs > 0)) return 'slowed';
  return one.delayMs > 0 ? 'screened' : 'untouched';
}

const delayOf = (one: SessionReport): number => (one.isObserved ? one.wouldDelayMs : one.delayMs);
const total = (some: readonly SessionReport[], value: (one: SessionReport) => number): number =>
  some.reduce((sum, one) => sum + value(one), 0);

function sumOf(some: readonly SessionReport[]): object {
  return {
    sessions: some.length,
    delivered: some.filter(({ messages }) => messages > 0).length,
    messages: total(some, ({ messages }) => messages),
    delay_ms: total(some, delayOf),
  };
}

function grouped(
  some: readonly SessionReport[],
  name: (one: SessionReport) => string,
): Map<string, SessionReport[]> {
  const groups = new Map<string, SessionReport[]>();
  for (const one of some) groups.set(name(one), [...(groups.get(name(one)) ?? []), one]);
  return groups;
}

/** What the report must say of one mode. */
function naive(some: readonly SessionReport[]): object | null {
  if (some.length === 0) return null;
  const of = (...kinds: string[]): SessionReport[] => some.filter((one) => kinds.includes(kindOf(one)));
  const wrong = of('slowed', 'refused').filter(({ messages }) => messages > 0);
  return {
    ...sumOf(some),
    verdicts: Object.fromEntries([...grouped(some, verdictOf)].map(([name, group]) => [name, group.length])),
    untouched: sumOf(of('untouched')),
    screened: sumOf(of('screened')),
    slowed: sumOf(of('slowed')),
    refused: sumOf(of('refused')),
    hours: Array.from({ length: 24 }, (_, hour) => {
      const at = (group: readonly SessionReport[]): number =>
        group.filter(({ epochMs }) => new Date(epochMs).getUTCHours() === hour).length;
      return { hour, sessions: at(some), slowed: at(of('slowed')), refused: at(of('refused')) };
    }),
    false_positives: sumOf(wrong),
    true_positives: { sessions: of('slowed', 'refused').length - wrong.length },
  };
}

it('says what a plain count says, with whatever stands between the lines, in one file or in several', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.tuple(fc.oneof({ weight: 6, arbitrary: session }, nonsense), fc.integer({ min: 0, max: 2 })),
        {
          maxLength: 60,
        },
      ),
      fc.integer({ min: 1, max: 5_000 }),
      fc.boolean(),
      async (lines, pieceChars, isEnded) => {
        const files = [0, 1, 2].map((file) =>
          lines
            .filter(([, at]) => at === file)
            .map(([one]) => (typeof one === 'string' ? one : lineOf(one)))
            .join('\n'),
        );
        const sums = mergedLogs(
          await Promise.all(files.map((text) => sumsOf(isEnded ? `${text}\n` : text, pieceChars))),
        );
        const reports = lines.flatMap(([one]) => (typeof one === 'string' ? [] : [one]));
        const recent = reports.filter(({ epochMs }) => epochMs >= SINCE_MS);
        const said = reportJson(sums, RANKED_MAX) as Record<string, any>;
        expect(said).toMatchObject({
          lines: recent.length,
          bad_lines: lines.length - reports.length,
          old_lines: reports.length - recent.length,
          enforce: naive(recent.filter(({ isObserved }) => !isObserved)),
          observe: naive(recent.filter(({ isObserved }) => isObserved)),
        });
        for (const mode of ['enforce', 'observe']) {
          const wrong = recent.filter(
            (one) =>
              one.isObserved === (mode === 'observe') &&
              one.messages > 0 &&
              ['slowed', 'refused'].includes(kindOf(one)),
          );
          const clients = (said[mode]?.false_positives.clients ?? []) as readonly Record<string, unknown>[];
          const want = [...grouped(wrong, ({ client }) => client)].map(([client, group]) => ({
            client,
            ...sumOf(group),
            delay_max_ms: Math.max(...group.map(delayOf)),
            missed_sessions_max: 0,
          }));
          expect(clients).toHaveLength(want.length);
          for (const row of want)
            expect(clients.find(({ client }) => client === row.client)).toMatchObject(row);
        }
        expect(reportText(sums, 3)).toMatch(/^[ -~…\n]+$/);
      },
    ),
    { numRuns: 150 },
  );
});

it('with more clients than it has places, no row says too much, and what a row may lack is told', async () => {
  const clients = Array.from({ length: 3 * RANKED_MAX }, (_, at) => `10.${at >> 8}.${at & 255}.1`);
  const often = '192.0.2.1';
  const lines = clients
    .flatMap((client) => [client, often])
    .map((client) =>
      lineOf({
        ...emptyReport(),
        client,
        stage: 'converse',
        pace: 'slow',
        messages: 1,
        delayMs: 1_000,
        epochMs: SINCE_MS,
      }),
    );
  const half = lines.length / 2;
  const sums = mergedLogs([
    await sumsOf(lines.slice(0, half).join('\n'), 1_000),
    await sumsOf(lines.slice(half).join('\n'), 1_000),
  ]);
  const { rows } = sums.enforce.falseClients;
  expect(rows).toHaveLength(RANKED_MAX);
  expect(rows[0]).toMatchObject({ name: often, sessions: clients.length });
  for (const row of rows.slice(1)) {
    expect(row.sessions).toBe(1);
    expect(row.missed).toBeGreaterThan(0);
  }
  expect(sums.enforce.falseSum.sessions).toBe(lines.length);
  expect(reportText(sums, 3)).toMatch(/^… and more clients; rows with "\+" may lack up to \d+ sessions$/m);
});
