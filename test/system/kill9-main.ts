/**
 * kill9-main — `node test/system/kill9-main.ts [ROUNDS [SEED [MINUTES]]]` writes results/kill9.md
 *
 * The plug is pulled ROUNDS times on each kind of backend, all three side by side, since most of the time goes to starting
 * again. No round begins later than MINUTES. Ends with 1 when anything is not as it has to be. Fewer than the usual rounds: printed only.
 */
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';

import { madeOn } from '../../native-bench/made-on.ts';
import { backends, runKill9 } from './kill9.ts';
import type { Kill9Result, VictimFigures } from './kill9.ts';

const many = (value: number): string => value.toLocaleString('en');
const loadNow = (): string => loadavg()[0]!.toFixed(1);
const usual = { rounds: 200, seed: 1, minutes: 60 };
const rounds = Number(process.argv[2] ?? usual.rounds);
const seed = Number(process.argv[3] ?? usual.seed);
const minutes = Number(process.argv[4] ?? usual.minutes);

const loadBefore = loadNow();
const ended = await Promise.allSettled(
  backends.map((backend) => runKill9({ backend, rounds, seed, msMax: minutes * 60_000 })),
);
const results = ended.map((one) => {
  if (one.status === 'rejected') throw one.reason;
  return one.value;
});

const columns: Readonly<Record<keyof VictimFigures, string>> = {
  rounds: 'rounds',
  attempts: 'attempts',
  told: 'told 250',
  refused: 'told 4xx',
  uncertain: 'told 451, the answer was lost',
  unansweredBefore: 'no answer, final dot not sent',
  unansweredBehind: 'no answer behind the final dot',
  storedUntold: 'of the two kinds in doubt: stored',
};
const keys = Object.keys(columns) as (keyof VictimFigures)[];
const sumOf = (result: Kill9Result, key: keyof VictimFigures): number =>
  Object.values(result.figures).reduce((sum, of) => sum + of[key], 0);

function table(result: Kill9Result): string {
  const rows = Object.entries(result.figures)
    .sort(([one], [other]) => one.localeCompare(other))
    .map(([victim, of]) => `| ${victim} | ${keys.map((key) => many(of[key])).join(' | ')} |`);
  const head = `| victim | ${keys.map((key) => columns[key]).join(' | ')} |\n| --- |${' ---: |'.repeat(keys.length)}`;
  return `${head}\n${rows.join('\n')}\n| **all** | ${keys.map((key) => many(sumOf(result, key) - (key === 'rounds' ? 1 : 0))).join(' | ')} |`;
}

const text = `# kill -9 of Sluice, of the backend, of both: ${results.map((result, at) => `${sumOf(result, 'rounds') - 1} times (${backends[at]})`).join(', ')}

    node test/system/kill9-main.ts ${rounds} ${seed}${minutes === usual.minutes ? '' : ` ${minutes}`}

${madeOn()} · seed ${seed}.

In each round eight clients deliver, each attempt with a number of its own, bodies of a line to 200 kB, until a victim drawn from the seed is killed with SIGKILL at a moment drawn from the
seed (so many pieces sent and replies heard, of all clients together). What was killed is started again, with what it had stored; the next round begins when a message goes through. At the end everything that is still
open is delivered, and each attempt is held against the store. The sink appends a message to its file with write(2) before it says 250, which a kill of the process cannot take back; Postfix does what it always does.
A Postfix is killed as a whole (master and all children), or all its \`smtpd\`, or all its \`cleanup\`. The three backends ran side by side; the load average was ${loadBefore} at the start and ${loadNow()} at the end.

**What is asserted** of every attempt: told 250: stored exactly once, byte for byte. No answer behind the final dot, or told 451 because the answer to it was lost (to Sluice; or, within Postfix, that of its cleanup to
its smtpd: "queue file write error"): stored at most once. Told anything else, or gone before the final dot: not stored. Nothing else is stored. Mail flows again after every kill without a start of what
was not killed; no shard dies; after the last kill every message goes through.

**What was found wrong: ${results.map(({ wrong }, at) => `${wrong.length} (${backends[at]})`).join(', ')}.**
${results.flatMap(({ wrong }) => wrong.slice(0, 50).map((line) => `\n    ${line}`)).join('')}
${results.map((result, at) => `## ${backends[at]}\n\n${table(result)}\n`).join('\n')}
A message that is stored although its sender was not told so is the gap that SMTP itself leaves (RFC 1047): its sender will send it again, as an attempt of its own here. "nobody" is the delivery of the rest at the end.
`;
process.stdout.write(text);
if (rounds >= usual.rounds) writeFileSync(new URL('../../results/kill9.md', import.meta.url), text);
process.exitCode = results.some(({ wrong }) => wrong.length > 0) ? 1 : 0;
