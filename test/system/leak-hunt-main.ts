/**
 * leak-hunt-main — `node test/system/leak-hunt-main.ts [SESSIONS [SEED [POSTFIX-SESSIONS]]]` writes results/leak-hunt.md
 *
 * Short sessions over 20 reused lanes, most of which leave somewhere in the middle: into the sink, at which something goes wrong all the
 * time, then into a real Postfix. Ends with 1 when anything is not as it has to be. Fewer than the usual sessions: printed only.
 */
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';

import { madeOn } from '../../native-bench/made-on.ts';
import { runHunt } from './hunt.ts';
import type { HuntOptions, HuntResult } from './hunt.ts';
import { abortPoints, leavingWays } from './hunt-plan.ts';

const many = (value: number): string => value.toLocaleString('en');
const loadNow = (): string => loadavg()[0]!.toFixed(1);
const usual = { sessions: 200_000, seed: 1, postfixSessions: 5_000 };
const sessions = Number(process.argv[2] ?? usual.sessions);
const seed = Number(process.argv[3] ?? usual.seed);
const postfixSessions = Number(process.argv[4] ?? usual.postfixSessions);
const common = { seed, lanes: 20, processes: 2, concurrency: 64, msMax: 3_600_000 } as const;
const plans: readonly (HuntOptions & { readonly title: string })[] = [
  { ...common, title: 'sink', sessions, backend: 'sink', reuse: 'always', mishaps: 20 },
  { ...common, title: 'Postfix', sessions: postfixSessions, backend: 'postfix', reuse: 'auto', mishaps: 0 },
];

const results: { readonly title: string; readonly load: string; readonly result: HuntResult }[] = [];
for (const { title, ...options } of plans) {
  const load = loadNow();
  results.push({ title, load, result: await runHunt(options) });
}

const row = (cells: readonly (string | number)[]): string =>
  `| ${cells.map((cell) => (typeof cell === 'number' ? many(cell) : cell)).join(' | ')} |`;
const columns = (title: string): string =>
  `${row([title, ...results.map((one) => one.title)])}\n| --- |${' ---: |'.repeat(results.length)}`;
const rows = (names: Readonly<Record<string, (result: HuntResult) => number | string>>): string =>
  Object.entries(names)
    .map(([name, of]) => row([name, ...results.map(({ result }) => of(result))]))
    .join('\n');
const keysOf = (of: (result: HuntResult) => object): string[] =>
  [...new Set(results.flatMap(({ result }) => Object.keys(of(result))))].sort();

const ways = Object.keys(leavingWays);
const left = Object.entries({ ...abortPoints, 'turned away': 'ended by Sluice before that' }).map(
  ([point, what]) => {
    const countOf = (way: string): number =>
      results.reduce((sum, { result }) => sum + (result.left[`${point}/${way}`] ?? 0), 0);
    // Whose plan was to leave where it never came to goes to its end.
    const isWhole = point === 'never' || point === 'turned away';
    const counts = ways.map(countOf);
    const total = counts.reduce((sum, count) => sum + count, 0);
    return row([what, ...(isWhole ? ways.map(() => '') : counts), total]);
  },
);

const text = `# The hunt for leaks: ${many(sessions)} sessions over ${common.lanes} reused lanes

    node test/system/leak-hunt-main.ts ${sessions} ${seed} ${postfixSessions}

${madeOn()} · seed ${seed}.

Two processes of clients with ${common.concurrency} sessions each at once, Sluice (two shards in one process, \`max_connections = ${common.lanes}\`, enforcing, no silence in the greeting,
nobody slowed), behind it the sink with \`reuse = "always"\`, at which something goes wrong at 20 of 1,000 commands and messages (451, 421, RST, an answer some milliseconds late, a
421 to a lane at rest, a message that is stored and never answered), then a real Postfix with \`reuse = "auto"\`, whose listener takes any number of XCLIENTs. The load average
was ${results.map(({ title, load }) => `${load} before the ${title}`).join(' and ')}.

Each session has an address, HELO, sender, recipients and a body of its own, all of it known from the seed: one in eight comes with a PROXY header (versions 1 and 2, IPv4 and IPv6), one in
forty does STARTTLS; HELO or EHLO, commands one by one or together, DATA or BDAT, one to three messages, RSET in between, a new HELO in between, recipients that do not exist.

**What is asserted** of every stored message, by the marker in its body: address, port, protocol and HELO in XCLIENT, the destination, LOGIN, NAME and REVERSE_NAME (unavailable,
whoever spoke before), HELO or EHLO itself, MAIL with its parameters, exactly the recipients that this client was told 250 for, the body by its SHA-256. (Postfix keeps neither the HELO of XCLIENT
beside that of EHLO, nor parameters of MAIL.) Told 250: stored once, under the id that the client was told. Told 451 because the backend's answer was lost, or left without an answer: at most once. Told anything else, or left before the
end of the message was sent: not at all. No reply names an address of another session. No session lasts a minute. The sink never has more than ${common.lanes} connections (counted 20 ms after one has come), hears no MAIL before XCLIENT, and
nothing sent ahead of EHLO, XCLIENT or DATA.

**What was found wrong: ${results.map(({ title, result }) => `${result.wrong.length} (${title})`).join(', ')}.**
${results.flatMap(({ result }) => result.wrong.slice(0, 50).map((line) => `\n    ${line}`)).join('')}

${columns('what')}
${rows({
  sessions: ({ sessions: count }) => count,
  'seconds, from the first session to the last and a drained Sluice': ({ durationMs }) =>
    (durationMs / 1000).toFixed(1),
  'sessions a second': ({ sessions: count, durationMs }) => Math.round((count * 1000) / durationMs),
  'messages told 250': ({ finding }) => finding.toldYes,
  'told another answer of the backend': ({ finding }) => finding.toldNo,
  'told 451, since the answer was lost': ({ finding }) => finding.uncertain,
  'left without an answer': ({ finding }) => finding.unanswered,
  'of these two kinds: stored': ({ finding }) => finding.storedUntold,
  stored: ({ finding }) => finding.stored,
})}

## Where sessions left, and how (both runs)

${row(['it left …', ...ways.map((way) => leavingWays[way as keyof typeof leavingWays]), 'all'])}
| --- |${' ---: |'.repeat(ways.length + 1)}
${left.join('\n')}

## How they ended, by the log of Sluice

${columns('ending')}
${rows(Object.fromEntries(keysOf(({ endings }) => endings).map((name) => [`\`${name}\``, ({ endings }: HuntResult) => endings[name] ?? 0])))}

A client that leaves by RST while it still waits in the kernel's queue never becomes a session.

## What the sink counted

${columns('counter')}
${rows(Object.fromEntries(keysOf(({ sink }) => sink ?? {}).map((name) => [`\`${name}\``, ({ sink }: HuntResult) => (sink as Record<string, number> | null)?.[name] ?? ''])))}
`;
process.stdout.write(text);
if (sessions >= usual.sessions) writeFileSync(new URL('../../results/leak-hunt.md', import.meta.url), text);
process.exitCode = results.some(({ result }) => result.wrong.length > 0) ? 1 : 0;
