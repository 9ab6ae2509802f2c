import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { LineWriter } from '../../../src/io/line-writer.ts';
import { LogJournal, quoted, verdictOf } from '../../../src/io/log-journal.ts';
import { endingNames, endingTable } from '../../../src/session/endings.ts';
import type { EndingName } from '../../../src/session/endings.ts';
import { emptyReport } from '../../../src/session/journal.ts';
import type { SessionReport } from '../../../src/session/journal.ts';

function rig() {
  const lines: string[] = [];
  const notices: string[] = [];
  const writer = { add: (line: string) => void lines.push(line) } as LineWriter;
  return { lines, notices, journal: new LogJournal(writer, (text) => notices.push(text)) };
}

const report: SessionReport = {
  ...emptyReport(),
  id: 'abc01-7',
  epochMs: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
  client: '192.0.2.1',
  port: 40_000,
  listener: '127.0.0.1:25',
  helo: 'client.example.org',
  ending: 'quit',
  reasons: 'passed,delivered',
  score: -20,
  stage: 'converse',
  pace: 'screened',
  bytesIn: 1,
  bytesOut: 2,
  delayMs: 3,
  durationMs: 4,
  recipientsOk: 5,
  recipientsBad: 6,
  messages: 7,
  backendMs: 8,
  dnsxl: ['zen.example.net', 'other.example.net'],
  dnsxlReason: 'https://example.net/"?\r\n{',
};

it.each([
  ['instant', '', '', 0, null],
  ['screened', 'unknown', '', 6_000, { pace: 'screened', reason: 'unknown', delay_ms: 6_000 }],
  ['slow', 'score', '', 75_000, { pace: 'slow', reason: 'score', delay_ms: 75_000 }],
  ['refused', '', 'denied', 0, { pace: 'refused', ending: 'denied', delay_ms: 0 }],
  ['refused', 'score', 'dnsxl', 9, { pace: 'refused', reason: 'score', ending: 'dnsxl', delay_ms: 9 }],
])(
  'says in observe mode what enforce mode would have done: %s %s %s',
  (wouldPace, wouldReason, wouldEnding, wouldDelayMs, would) => {
    const { lines, journal } = rig();
    journal.ended({ ...report, isObserved: true, wouldPace, wouldReason, wouldEnding, wouldDelayMs });
    expect((JSON.parse(lines[0]!) as Record<string, unknown>)['would']).toEqual(would);
  },
);

it('writes one line for each session, with every field', () => {
  const { lines, journal } = rig();
  journal.ended(report);
  expect(lines).toHaveLength(1);
  expect(Object.entries(JSON.parse(lines[0]!) as object)).toEqual([
    ['id', 'abc01-7'],
    ['time', '2026-01-02T03:04:05.006Z'],
    ['client', '192.0.2.1'],
    ['port', 40_000],
    ['listener', '127.0.0.1:25'],
    ['helo', 'client.example.org'],
    ['tls', null],
    ['verdict', 'pass'],
    ['ending', 'quit'],
    ['reasons', ['passed', 'delivered']],
    ['score', -20],
    ['stage', 'converse'],
    ['pace', 'screened'],
    ['bytes_in', 1],
    ['bytes_out', 2],
    ['delay_ms', 3],
    ['duration_ms', 4],
    ['rcpt_ok', 5],
    ['rcpt_bad', 6],
    ['messages', 7],
    ['backend_ms', 8],
    ['family', null],
    ['limit', null],
    ['dnsxl', ['zen.example.net', 'other.example.net']],
    ['dnsxl_reason', 'https://example.net/"?\r\n{'],
  ]);
});

it('says protocol and cipher of a session inside TLS', () => {
  const { lines, journal } = rig();
  journal.ended({ ...report, tls: 'TLSv1.3 TLS_AES_256_GCM_SHA384' });
  expect(JSON.parse(lines[0]!)).toMatchObject({ tls: 'TLSv1.3 TLS_AES_256_GCM_SHA384' });
});

it('names the limit that was exceeded', () => {
  const { lines, journal } = rig();
  journal.ended({ ...report, limit: 'message_rate' });
  expect(JSON.parse(lines[0]!)).toMatchObject({ limit: 'message_rate' });
});

it('writes an empty list when nothing was noticed', () => {
  const { lines, journal } = rig();
  journal.ended({ ...report, reasons: '', dnsxl: [] });
  expect(JSON.parse(lines[0]!)).toMatchObject({ reasons: [], dnsxl: [] });
});

it('tells the time as Date does, whatever the order of the moments', () => {
  const { lines, journal } = rig();
  fc.assert(
    fc.property(fc.double({ min: 0, max: Date.UTC(9_999, 0), noNaN: true }), (epochMs) => {
      journal.ended({ ...report, epochMs });
      const { time } = JSON.parse(lines.pop()!) as { time: string };
      expect(time).toBe(new Date(Math.floor(epochMs)).toISOString());
    }),
  );
});

it('keeps any latin-1 text whole inside its quotes, in printable ASCII', () => {
  const text = fc.array(fc.integer({ min: 0, max: 255 })).map((codes) => String.fromCharCode(...codes));
  fc.assert(
    fc.property(text, (helo) => {
      expect(JSON.parse(quoted(helo))).toBe(helo);
      expect(quoted(helo)).toMatch(/^"[ -~]*"$/);
      const { lines, journal } = rig();
      journal.ended({ ...report, helo });
      expect(JSON.parse(lines[0]!)).toMatchObject({ id: 'abc01-7', helo, verdict: 'pass' });
    }),
  );
});

it.each(endingNames)(
  'says the verdict of the table for %s, and abandoned for a hang-up without a message',
  (ending: EndingName) => {
    const { verdict } = endingTable[ending];
    expect(verdictOf(ending, 1)).toBe(verdict);
    expect(verdictOf(ending, 0)).toBe(ending === 'hangup' ? 'abandoned' : verdict);
  },
);

it('passes notices on', () => {
  const { notices, lines, journal } = rig();
  journal.notice('the backend is gone');
  expect(notices).toEqual(['the backend is gone']);
  expect(lines).toEqual([]);
});
