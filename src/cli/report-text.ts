/**
 * report-text — the report for people: a heading, tables, and what a false positive means
 */
import { endingTable } from '../session/endings.ts';
import { signals } from '../reputation/signals.ts';
import { wouldTable } from '../policy/would-reasons.ts';
import { aligned, printable } from './output.ts';
import type { Ranked, RankingSums } from './ranking.ts';
import { EARLIER } from './report-line.ts';
import { delaysOf } from './report-sums.ts';
import type { LogSums, ModeSums, Sum } from './report-sums.ts';

/** How a mode speaks of what it did, or would have done. */
interface Wording {
  readonly head: string;
  readonly slowed: string;
  readonly refused: string;
  readonly screened: string;
  readonly untouched: string;
  readonly delay: string;
  readonly falseHead: string;
  readonly falseMeans: string;
  readonly trueSays: string;
}

const wordings: Readonly<Record<'enforce' | 'observe', Wording>> = {
  enforce: {
    head: 'enforce mode',
    slowed: 'slowed',
    refused: 'refused',
    screened: 'waited for the greeting',
    untouched: 'served at once',
    delay: 'delay',
    falseHead: 'slowed or refused, and mail accepted',
    falseMeans:
      'These sessions lost the time below, and the backend accepted mail of theirs all the same: clients that may deserve a\n' +
      'place on lists.allow. An accepted message may still be spam.',
    trueSays: 'were slowed or refused and delivered nothing',
  },
  observe: {
    head: 'observe mode: nothing was delayed or refused; this is what enforce mode would have done',
    slowed: 'would be slowed',
    refused: 'would be refused',
    screened: 'would wait for the greeting',
    untouched: 'would be served at once',
    delay: 'would lose',
    falseHead: 'false positives',
    falseMeans:
      'A false positive is a session that would have been slowed or refused although the backend accepted mail of it. An accepted\n' +
      'message may still be spam: look at who it is before you make an exception.',
    trueSays: 'would have been slowed or refused and delivered nothing',
  },
};

/** The report as text, lists cut at `top`. */
export function reportText(sums: LogSums, top: number): string {
  const parts = [headText(sums)];
  for (const mode of ['enforce', 'observe'] as const)
    if (sums[mode].all.sessions > 0) parts.push(modeText(sums[mode], wordings[mode], top));
  return parts.join('\n');
}

function headText({ lines, badLines, oldLines, firstMs, lastMs }: LogSums): string {
  const span = lines === 0 ? '' : `, from ${timeText(firstMs)} to ${timeText(lastMs)}`;
  return [
    `${many(lines, 'session')}${span}`,
    ...(oldLines > 0 ? [`${many(oldLines, 'older line')} left out`] : []),
    ...(badLines > 0 ? [`${many(badLines, 'line')} could not be read and left out`] : []),
  ]
    .map((line) => `${line}\n`)
    .join('');
}

function modeText(sums: ModeSums, words: Wording, top: number): string {
  const isReal = words === wordings.enforce;
  const parts = [`== ${words.head}\n`, kindsText(sums, words)];
  if (isReal) parts.push(verdictsText(sums));
  for (const kind of ['slowed', 'refused'] as const)
    if (sums.kinds[kind].sessions > 0) parts.push(reasonsText(sums[kind], words[kind], words.delay));
  if (sums.networks.rows.length > 0) parts.push(networksText(sums.networks, words, top));
  parts.push(hoursText(sums, words), falseText(sums, words, top));
  return parts.join('\n');
}

function kindsText(sums: ModeSums, words: Wording): string {
  const row = (name: string, sum: Sum): readonly string[] => [
    name,
    String(sum.sessions),
    percent(sum.sessions, sums.all.sessions),
    String(sum.delivered),
    String(sum.messages),
    timeSum(sum.delayMs),
  ];
  return aligned([
    ['sessions that', 'sessions', 'share', 'delivered', 'messages', words.delay],
    row(words.untouched, sums.kinds.untouched),
    row(words.screened, sums.kinds.screened),
    row(words.slowed, sums.kinds.slowed),
    row(words.refused, sums.kinds.refused),
    row('all', sums.all),
  ]);
}

function verdictsText({ verdicts }: ModeSums): string {
  const rows = Object.entries(verdicts).sort(([, one], [, other]) => other - one);
  return aligned([['verdict', 'sessions'], ...rows.map(([verdict, count]) => [verdict, String(count)])]);
}

function reasonsText(table: Readonly<Record<string, Sum>>, head: string, delay: string): string {
  const rows = Object.entries(table)
    .sort(([, one], [, other]) => other.sessions - one.sessions)
    .map(([reason, sum]) => [
      reason,
      String(sum.sessions),
      String(sum.delivered),
      timeSum(sum.delayMs),
      meaningOf(reason),
    ]);
  return aligned([[head, 'sessions', 'delivered', delay, 'the client …'], ...rows]);
}

function meaningOf(reason: string): string {
  if (reason === EARLIER) return 'is on a list, or had a score from earlier sessions';
  const row = wouldTable[reason] ?? (signals as Readonly<Record<string, { says: string }>>)[reason];
  return row?.says ?? (endingTable as Readonly<Record<string, { says: string }>>)[reason]?.says ?? '';
}

function networksText(ranking: RankingSums, words: Wording, top: number): string {
  const rows = ranking.rows
    .slice(0, top)
    .map((row) => [
      printable(row.name),
      counted(row),
      String(row.slowed),
      String(row.refused),
      String(row.delivered),
      timeSum(row.delayMs),
    ]);
  return (
    aligned([['network', 'sessions', words.slowed, words.refused, 'delivered', words.delay], ...rows]) +
    restText(ranking, top, 'network')
  );
}

function hoursText(sums: ModeSums, words: Wording): string {
  const rows = sums.hours.flatMap((row, hour) =>
    row.sessions === 0
      ? []
      : [
          [
            `${String(hour).padStart(2, '0')}:00`,
            String(row.sessions),
            String(row.slowed),
            String(row.refused),
          ],
        ],
  );
  return aligned([['hour (UTC)', 'sessions', words.slowed, words.refused], ...rows]);
}

function falseText(sums: ModeSums, words: Wording, top: number): string {
  const { falseSum, falseForNow, falseClients, falseNetworks, kinds, all } = sums;
  const caught = kinds.slowed.sessions + kinds.refused.sessions - falseSum.sessions;
  const caughtText = `${many(caught, 'session')} ${words.trueSays}.\n`;
  const share = `${percent(falseSum.sessions, all.delivered)} of the ${all.delivered} sessions that delivered`;
  const head = `-- ${words.falseHead}: ${many(falseSum.sessions, 'session')}, ${share}\n`;
  if (falseSum.sessions === 0) return `${head}${caughtText}`;
  const forNow =
    falseForNow > 0 ? `${many(falseForNow, 'session')} of these would have heard "come again".\n` : '';
  const clients = falseClients.rows.slice(0, top).map((row) => falseRow(row));
  const networks = falseNetworks.rows.slice(0, top).map((row) => falseRow(row));
  const columns = ['sessions', 'messages', words.slowed, words.refused, 'longest delay', 'reasons'];
  return [
    `${head}${words.falseMeans}\n${forNow}${delaysText(sums)}${caughtText}`,
    aligned([['client', ...columns], ...clients]) + restText(falseClients, top, 'client'),
    ...(networks.length > 0
      ? [aligned([['network', ...columns], ...networks]) + restText(falseNetworks, top, 'network')]
      : []),
  ].join('\n');
}

function falseRow(row: Ranked): readonly string[] {
  return [
    printable(row.name),
    counted(row),
    String(row.messages),
    String(row.slowed),
    String(row.refused),
    timeSum(row.delayMaxMs),
    row.reasons.join(' '),
  ];
}

function delaysText(sums: ModeSums): string {
  const delays = delaysOf(sums);
  const at = (share: number): string => timeSum(delays.getValueAtPercentile(share));
  return `Their delays: half at most ${at(50)}, 90 % ${at(90)}, 99 % ${at(99)}, the longest ${timeSum(delays.maxValue)}.\n`;
}

/** Sessions of a name; with a plus when some may be lacking. */
function counted({ sessions, missed }: Ranked): string {
  return missed > 0 ? `${sessions}+` : String(sessions);
}

function restText({ rows, missedMax }: RankingSums, top: number, what: string): string {
  const more = rows.length - top;
  if (missedMax > 0) return `… and more ${what}s; rows with "+" may lack up to ${missedMax} sessions\n`;
  return more > 0 ? `… and ${many(more, `more ${what}`)} (--top)\n` : '';
}

/** A sum of milliseconds, to the second when it is long. */
function timeSum(ms: number): string {
  if (ms === 0) return '0 s';
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  if (ms < 7_200_000) return `${(ms / 60_000).toFixed(1)} min`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)} %`;
}

function many(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function timeText(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d+/, '');
}
