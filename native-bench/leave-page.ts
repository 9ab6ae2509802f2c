/**
 * leave-page — what a run of leave.ts came to, as Markdown and as a picture
 */
import type { ClientEnd } from '../loadgen/drivers/socket-driver.ts';
import type { LoadResult } from '../loadgen/load.ts';
import { agePicture } from '../loadgen/pictures/age-picture.ts';
import type { Plan } from '../loadgen/plan.ts';
import { isListed, populations } from '../loadgen/populations.ts';
import type { Machine } from '../loadgen/report.ts';
import { binOf, BINS, binStartMs } from '../src/families/leaving.ts';

/** What is read of a line of Sluice's log. */
export interface SessionLine {
  readonly client: string;
  readonly pace: string;
  readonly messages: number;
  readonly delay_ms: number;
}

/** One crowd against one server. */
export interface Run {
  readonly plan: Plan;
  readonly result: LoadResult;
  readonly ends: readonly ClientEnd[];
  /** Of zombies, by serial number. */
  readonly addresses: readonly string[];
  /** The server's log; empty for a Postfix. */
  readonly lines: readonly SessionLine[];
  readonly storedOfZombies: number;
  readonly cpuSec: number;
  readonly said: readonly string[];
}

const HONEST_NETWORK = /^127\.(?:3[2-9]|[45]\d|6[0-3])\./;
const HOUR_MS = 3_600_000;

const many = (value: number): string => value.toLocaleString('en');
const row = (...cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
const sec = (ms: number | undefined): string => (ms === undefined ? '' : (ms / 1_000).toFixed(1));
const percent = (part: number, whole: number): string =>
  whole === 0 ? '' : `${((100 * part) / whole).toFixed(2)} %`;

/** The value below which `share` of a hundred lie; undefined for none. */
function quantile(values: readonly number[], share: number): number | undefined {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * share) / 100))];
}

const zombiesOf = ({ ends }: Run): readonly ClientEnd[] => ends.filter(({ bot }) => !bot.honest);
const hoursOf = (ends: readonly ClientEnd[]): number =>
  ends.reduce((sum, { ageMs }) => sum + ageMs, 0) / HOUR_MS;

/** A row of the table of zombies. */
function zombieRow(name: string, all: readonly ClientEnd[]): string {
  const gone = all.filter(({ hasDelivered }) => !hasDelivered);
  const ages = gone.map(({ ageMs }) => ageMs);
  const within10s = ages.filter((ageMs) => ageMs <= 10_000).length;
  const thrownOut = gone.filter(
    ({ ending }) => ending === 'closedByServer' || ending === 'resetByServer',
  ).length;
  return row(
    name,
    many(all.length),
    many(all.length - gone.length),
    percent(gone.length, all.length),
    percent(within10s, all.length),
    many(thrownOut),
    ...[10, 50, 90, 99, 100].map((share) => sec(quantile(ages, share))),
  );
}

const ZOMBIE_HEAD = `${row('zombies', 'sessions', 'delivered', 'gone before delivery', 'gone within 10 s', 'sent away', '10 %', '50 %', '90 %', '99 %', 'last')}
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |`;

function zombieTable(run: Run): string {
  const zombies = zombiesOf(run);
  const kinds = run.result.kinds.filter((kind) => !kind.honest && kind.started > 0);
  const listed = (end: ClientEnd): boolean =>
    isListed(run.addresses[end.serial] ?? '', populations[run.plan.population]);
  return [
    ZOMBIE_HEAD,
    ...kinds.map(({ name }) =>
      zombieRow(
        name,
        zombies.filter(({ bot }) => bot.name === name),
      ),
    ),
    zombieRow('**all**', zombies),
    zombieRow('on the list', zombies.filter(listed)),
    zombieRow(
      'not on the list',
      zombies.filter((end) => !listed(end)),
    ),
  ].join('\n');
}

function honestRow(name: string, lines: readonly SessionLine[]): string {
  const delays = lines.map((line) => line.delay_ms);
  const delivered = lines.filter((line) => line.messages > 0).length;
  return row(
    name,
    many(lines.length),
    many(delivered),
    ...[50, 90, 99, 100].map((share) => sec(quantile(delays, share))),
  );
}

function honestTable({ lines }: Run): string {
  const honest = lines.filter((line) => HONEST_NETWORK.test(line.client));
  const paced = (pace: string): readonly SessionLine[] => honest.filter((line) => line.pace === pace);
  return [
    row('honest senders', 'sessions', 'delivered', 'delay 50 %', '90 %', '99 %', 'most'),
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    honestRow('known (pace instant)', paced('instant')),
    honestRow('unknown (pace screened)', paced('screened')),
    honestRow('suspicious (pace slow)', paced('slow')),
  ].join('\n');
}

function comparison(run: Run, bare: Run): string {
  const cells = (name: string, one: Run): string => {
    const hours = hoursOf(zombiesOf(one));
    const honest = one.result.kinds.filter((kind) => kind.honest);
    const [came, told] = [
      honest.reduce((sum, kind) => sum + kind.started, 0),
      honest.reduce((sum, kind) => sum + kind.messages.told2xx, 0),
    ];
    return row(
      name,
      many(one.storedOfZombies),
      hours.toFixed(1),
      hours === 0 ? '' : (one.storedOfZombies / hours).toFixed(1),
      `${many(told)} of ${many(came)}`,
      sec(honest[0]?.deliverMs.p50),
      sec(honest[0]?.deliverMs.p99),
    );
  };
  return [
    '## The same zombies against an unprotected Postfix',
    '',
    "A Postfix with its usual 100 server processes and no block list. A zombie-hour is an hour of one zombie's connection: what an hour of its time brings its owner.",
    '',
    row(
      'server',
      'messages of zombies',
      'zombie-hours',
      'messages per zombie-hour',
      'honest delivered',
      'connect to 250, 50 %',
      '99 %',
    ),
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    cells('Postfix alone', bare),
    cells('Sluice', run),
    '',
    zombieTable(bare),
    '',
  ].join('\n');
}

/** The page. */
export function leavePage(made: {
  readonly run: Run;
  readonly bare: Run | null;
  readonly command: string;
  readonly made: Machine;
  readonly loadAverage: number;
  readonly picture: string;
}): string {
  const { run, bare, command, loadAverage, picture } = made;
  const { plan } = run;
  const population = populations[plan.population];
  const zombies = zombiesOf(run);
  const told = run.result.kinds
    .filter((kind) => !kind.honest)
    .reduce((sum, kind) => sum + kind.messages.told2xx, 0);
  const gone = zombies.filter(({ hasDelivered }) => !hasDelivered).length;
  const machine = `${made.made.os} · ${made.made.cpu}, shared · ${made.made.memoryGb} GB`;
  return `# When zombies leave: population "${plan.population}", over real sockets

    ${command}

${new Date().toISOString().slice(0, 10)} · project ${made.made.project} · Node ${made.made.node} · ${machine} · seed ${plan.seed} · load average ${loadAverage.toFixed(1)} at the end.

Sluice as shipped, with one DNS list of weight 3 from an rbldnsd that has exactly the listed addresses of the run (${population.listedPercent} % of them), and a sink as backend. ${many(plan.sessions)} zombies
(${population.says}; \`loadgen/populations.ts\`), ${plan.rate} new ones a second, from ${many(new Set(run.addresses.slice(1)).size)} addresses; ${plan.honestSessions} honest messages from ${plan.honestAddresses} addresses beside them. Zombies, list, sink and
Sluice share the cores; Sluice used ${run.cpuSec.toFixed(1)} s of CPU in ${(run.result.elapsedMs / 1_000).toFixed(0)} s. ${many(run.result.connectionsOpenMax)} connections were open at the most, ${run.result.withheld} clients were withheld.

**${percent(gone, zombies.length)} of zombies' connections ended before a delivery.** ${many(told)} of their messages were told 250; the backend has ${many(run.storedOfZombies)}.

## Zombies

Ages in seconds from the connection to its end, of those that delivered nothing. *Sent away*: it was Sluice that closed.

${zombieTable(run)}

![When zombies left](${picture})

## Honest senders

Seconds that Sluice added, by its own log (\`delay_ms\`): the greeting that an unknown client waits for, and nothing for one that is known.

${honestTable(run)}

${bare === null ? '' : `${comparison(run, bare)}\n`}What Sluice said at its start:

${run.said.map((line) => `    ${line}`).join('\n')}
`;
}

/** The histogram of ages at the end, by kind. */
export function leavePicture(run: Run): string {
  const zombies = zombiesOf(run);
  const countsOf = (ends: readonly ClientEnd[]): Float64Array => {
    const counts = new Float64Array(BINS);
    for (const { ageMs } of ends) counts[binOf(ageMs)]! += 1;
    return counts;
  };
  const kinds = run.result.kinds.filter((kind) => !kind.honest && kind.started > 0);
  const delivered = zombies.filter(({ hasDelivered }) => hasDelivered);
  return agePicture({
    groups: [
      { words: `delivered: ${delivered.length}`, counts: countsOf(delivered), isRest: true },
      ...kinds.map(({ name }) => {
        const gone = zombies.filter(({ bot, hasDelivered }) => bot.name === name && !hasDelivered);
        return { words: `${name}: ${gone.length}`, counts: countsOf(gone) };
      }),
    ],
    edgesMs: Array.from({ length: BINS + 1 }, (_, bin) => binStartMs(bin)),
    title: `When ${many(zombies.length)} zombies left`,
    under: `population "${run.plan.population}", ${run.plan.rate} a second, over real sockets, seed ${run.plan.seed}`,
    axis: 'age at the end, logarithmic; sessions in each bin of 3 %',
  });
}
