/**
 * client-text — what is known of a client, for somebody who has to decide at three in the morning
 *
 * First what would be done and why, then the score as a sum, then everything else. Whatever comes from the other side is
 * made printable here, so that nothing a client or a zone has said can dress up as a line of ours.
 */
import type { EntryText } from '../admin/entry.ts';
import type { Explanation, ScoreRow } from '../admin/explain.ts';
import { secOfText } from '../admin/moment.ts';
import { aligned, printable } from './output.ts';

const paceWords: Readonly<Record<string, string>> = {
  instant: 'greeted at once, served at full speed',
  screened: 'made to wait for the greeting, then served at full speed',
  slow: 'served slowly: the greeting drips, replies and messages wait',
  refused: 'sent away with one line',
};

/** The explanation as text. `nowSec`: the clock of the reader, for ages. */
export function explanationText(one: Explanation, nowSec: number): string {
  const is = one.kind === 'network' ? 'a new client of it' : 'it';
  const lines = [
    printable(one.client),
    `  now, ${is} would be ${printable(one.pace)}: ${paceWords[one.pace] ?? ''}`,
    `  because ${printable(one.because)}`,
    one.known
      ? `  seen first ${dated(one.first_seen, nowSec)}, last ${dated(one.seen, nowSec)}`
      : '  nothing is remembered of it',
    '',
    'score',
    scoreText(
      one.rows,
      one.score,
      `slow above ${one.slow_from} (shape.slow_from), in full at ${one.slow_at} (shape.slow_at)`,
    ),
    'lists and marks',
    indented(one.held_by.length === 0 ? [['none']] : one.held_by.map((held) => [held])),
    'tests passed',
    indented(one.passes.map((pass) => passRow(pass, one.kind === 'network', nowSec))),
    ...networkLines(one),
    'sessions open now',
    indented([[one.open_max === 0 ? `${one.open}, no limit` : `${one.open} of at most ${one.open_max}`]]),
    ...one.sources.flatMap(({ name, trouble, rows }) => [
      printable(name),
      indented(
        trouble !== ''
          ? [[trouble]]
          : rows.length === 0
            ? [['nothing']]
            : rows.map(({ says, evidence, worth }) => [worth, says, evidence]),
      ),
    ]),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

function networkLines({ network, kind }: Explanation): string[] {
  if (network === null) return ['its network', indented([['not known: only its hash was given']])];
  const says = [
    [`${network.bad_members} bad and ${network.good_members} good members, as far as is remembered`],
    [network.is_good ? 'its passes count for its members' : 'its passes do not count for its members'],
    ...(kind === 'network' ? [] : [[`${network.open} sessions open in it now`]]),
  ];
  const heading = kind === 'network' ? 'members' : `its network ${printable(network.name)}`;
  return [heading, indented(network.known ? says : [['nothing is remembered of it']])];
}

function passRow(pass: Explanation['passes'][number], isNetwork: boolean, nowSec: number): string[] {
  const own = isNetwork ? null : pass.own_until;
  const says = [
    ...(own === null ? [] : [`until ${dated(own, nowSec)}`]),
    ...(pass.network_until === null
      ? []
      : [`${own === null ? '' : 'and '}by the network until ${dated(pass.network_until, nowSec)}`]),
  ];
  const missing = pass.needed ? 'no' : 'not asked for';
  return [pass.test, says.length === 0 ? missing : says.join(', ')];
}

/** The rows of a score and their sum. */
function scoreText(rows: readonly Omit<ScoreRow, 'says'>[], score: number, note: string): string {
  const cells = rows.map((row) => {
    const says = 'says' in row ? String(row.says) : '';
    return [signed(row.points), String(row.observations), sinceText(row), row.signal, says];
  });
  const head = [
    ['points', 'observed', 'last', 'signal', ...(cells.some((row) => row[4] !== '') ? ['the client'] : [])],
  ];
  const table = [
    ...(rows.length === 0 ? [] : [...head, ...cells]),
    [signed(score), rows.length === 0 ? 'nothing was noted' : 'the sum', '', '', note],
  ];
  const width = Math.max(...table.map((row) => row[0]!.length));
  return indented(table.map(([points, ...others]) => [points!.padStart(width), ...others]));
}

/** How long ago the last observation was; within the first step of its date no more is known than that. */
function sinceText({ age_s: ageSec, age_step_s: stepSec }: Omit<ScoreRow, 'says'>): string {
  return ageSec === 0 && stepSec > 0 ? `under ${ageText(stepSec)}` : ageText(ageSec);
}

/** One entry of the table as text. */
export function entryTextFor(
  one: EntryText & { rows: readonly Omit<ScoreRow, 'says'>[] },
  nowSec: number,
): string {
  const passes = Object.entries(one.passes).map(([test, until]) => [test, `until ${dated(until, nowSec)}`]);
  const lines = [
    `${printable(one.kind)} ${printable(one.name)}`,
    `  seen first ${dated(one.first_seen, nowSec)}, last ${dated(one.seen, nowSec)}; ${one.open} sessions open now`,
    `  mark: ${markText(one)}`,
    'score',
    scoreText(one.rows, one.score, ''),
    'tests passed',
    indented(passes.length === 0 ? [['none']] : passes),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

/** A page of entries as a table. */
export function listText(
  rows: readonly EntryText[],
  matched: number,
  offset: number,
  nowSec: number,
): string {
  const table = rows.map((row) => [
    row.name,
    row.kind,
    String(row.score),
    row.mark === 'none' ? '-' : markText(row),
    Object.keys(row.passes).length === 0 ? '-' : Object.keys(row.passes).join(','),
    `${ageText(nowSec - (secOfText(row.seen) ?? nowSec))} ago`,
    String(row.open),
  ]);
  const head = ['name', 'kind', 'score', 'mark', 'passed', 'seen', 'open'];
  const shown = rows.length === 0 ? 'none' : `${offset + 1} to ${offset + rows.length}`;
  return `${aligned([head, ...table].map((row) => row.map(printable)))}${shown} of ${matched}\n`;
}

/** "allow, for ever". */
export function markText({ mark, mark_until: until }: Pick<EntryText, 'mark' | 'mark_until'>): string {
  if (mark === 'none') return 'none';
  return `${printable(mark)}, ${until === null ? 'for ever' : `until ${printable(until)}`}`;
}

function indented(rows: readonly (readonly string[])[]): string {
  return aligned(rows.map((row) => row.map(printable))).replace(/^(?=.)/gm, '  ');
}

function signed(points: number): string {
  return points > 0 ? `+${points}` : String(points);
}

function dated(moment: string | null, nowSec: number): string {
  if (moment === null) return 'never';
  const sec = secOfText(moment);
  if (sec === undefined) return printable(moment);
  const distance = sec > nowSec ? `in ${ageText(sec - nowSec)}` : `${ageText(nowSec - sec)} ago`;
  return `${printable(moment)} (${distance})`;
}

const ageUnits = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
] as const;

/** A length of time in one unit, rounded down: "3 h". */
export function ageText(sec: number): string {
  for (const [worth, unit] of ageUnits) if (sec >= worth) return `${Math.floor(sec / worth)} ${unit}`;
  return `${Math.max(0, Math.floor(sec))} s`;
}
