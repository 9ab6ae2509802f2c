/**
 * matrix-main — the whole matrix of clients, mail servers, TLS and kinds of messages, written to results/matrix.md
 *
 *     node_modules/.bin/node test/system/matrix-main.ts [--out FILE] [--seed N] [--clients a,b] [--backends a,b]
 *
 * With the Node of the packages, as root on Debian, after `node test/prepare.ts`; some minutes. Exit code 1: something is wrong in a
 * cell. The page is written in any case, as it came out.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { describeMachine, table } from '../../native-bench/report.ts';
import { unpackedRoot } from '../unpacked.ts';
import { openHouse, runCells } from './matrix.ts';
import type { CellResult } from './matrix.ts';
import { backendFacts, clientFacts, clientNames, kinds, wholeMatrix } from './matrix-facts.ts';
import type { BackendName, ClientName, Row } from './matrix-facts.ts';
import { makeEximRoot } from './exim.ts';
import { OwnServer } from './own-server.ts';
import { run } from './process.ts';

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: 'results/matrix.md' },
    seed: { type: 'string', default: '1' },
    clients: { type: 'string', default: '' },
    backends: { type: 'string', default: '' },
  },
});
const seed = Number(values.seed);
const isWanted = (list: string, name: string): boolean => list === '' || list.split(',').includes(name);

/** The first words of what a program says of its version. */
async function versionOf(program: string, args: readonly string[], pattern: RegExp): Promise<string> {
  const { stdout, stderr } = await run(program, args);
  return pattern.exec(stdout.toString() + stderr)?.[1] ?? 'unknown';
}

async function eximVersion(): Promise<string> {
  const root = await makeEximRoot(() => '');
  try {
    const [unshare = '', ...within] = root.within;
    return await versionOf(unshare, [...within, '/usr/sbin/exim4', '-bV'], /Exim version (\S+)/);
  } finally {
    await new OwnServer(root, 0, []).stop();
  }
}

async function versions(): Promise<Readonly<Record<string, string>>> {
  const nodemailer = new URL('../../node_modules/nodemailer/package.json', import.meta.url);
  const { default: shipped } = (await import(nodemailer.href, { with: { type: 'json' } })) as {
    default: { version: string };
  };
  const smtpd = `${unpackedRoot('opensmtpd')}/usr/sbin/smtpd`;
  return {
    Postfix: await versionOf('postconf', ['-d', '-h', 'mail_version'], /(\S+)/),
    Exim: await eximVersion(),
    OpenSMTPD: await versionOf(smtpd, ['-h'], /OpenSMTPD (\S+)/),
    msmtp: await versionOf('msmtp', ['--version'], /msmtp version (\S+)/),
    swaks: await versionOf('swaks', ['--version'], /version (\S+)/),
    nodemailer: shipped.version,
    'smtplib of Python': await versionOf('python3', ['--version'], /Python (\S+)/),
  };
}

/** Reasons and problems that cells point to, each once. */
const notes: string[] = [];

function noteOf(text: string): string {
  if (!notes.includes(text)) notes.push(text);
  return `[${notes.indexOf(text) + 1}]`;
}

function cellText(row: Row, kind: (typeof kinds)[number], result: CellResult): string {
  switch (result.is) {
    case 'delivered':
      return kind === '8-bit' && !clientFacts[row.client].eightBitMime
        ? `identical ${noteOf('The octets arrive unchanged; this client does not say BODY=8BITMIME.')}`
        : kind === 'DSN' && clientFacts[row.client].dsn.length < 4
          ? `identical ${noteOf(`${row.client} can say ${clientFacts[row.client].dsn.join(' and ')} of the four parameters, and these arrive.`)}`
          : 'identical';
    case 'returned':
      return `returned ${noteOf(`${row.backend} has no SMTPUTF8: the client has it back at once with a plain word, and nothing is stored.`)}`;
    case 'cannot be':
      return `— ${noteOf(`${result.because}.`)}`;
    case 'wrong':
      return `**wrong** ${noteOf(result.problems.join('; ').replaceAll('\n', ' ').slice(0, 600))}`;
  }
}

const startedAt = new Date().toISOString();
const { compiler: _, ...machine } = describeMachine();
const rows = wholeMatrix().filter(
  ({ client, backend }) => isWanted(values.clients, client) && isWanted(values.backends, backend),
);
const count = { delivered: 0, returned: 0, 'cannot be': 0, wrong: 0 };

/** The rows of one mail server, as the table shows them. */
async function runHouse(backend: BackendName): Promise<string[][]> {
  const lines: string[][] = [];
  const house = await openHouse(backend);
  try {
    for (const row of rows.filter((one) => one.backend === backend)) {
      // A row that cannot be finished is wrong, and the others go on.
      const results = await runCells(row.client, house, row.isTls, row.kinds, seed).catch(
        (failure: unknown): CellResult[] =>
          row.kinds.map(() => ({
            is: 'wrong',
            problems: [`the row could not be finished: ${String(failure)}`],
          })),
      );
      for (const { is } of results) count[is] += 1;
      const cells = results.map((result, at) => cellText(row, row.kinds[at]!, result));
      lines.push([row.client, row.backend, row.isTls ? 'TLS' : 'plain', ...cells]);
      process.stdout.write(`${lines.at(-1)!.join(' | ')}\n`);
    }
  } finally {
    await house.close();
  }
  return lines;
}

// Side by side: most of the time is waiting.
const lines = (await Promise.all([...new Set(rows.map((row) => row.backend))].map(runHouse))).flat();

const pairs = (facts: Readonly<Record<string, string | number>>): string =>
  Object.entries(facts)
    .map(([name, fact]) => `${name} ${fact}`)
    .join(' · ');
const yes = (holds: boolean): string => (holds ? 'yes' : '—');
const clientTable = table(
  ['client', '8BITMIME', 'SMTPUTF8', 'DSN', 'BDAT'],
  clientNames.map((name: ClientName) => {
    const facts = clientFacts[name];
    const dsn = facts.dsn.join(', ');
    return [name, yes(facts.eightBitMime), yes(facts.smtpUtf8), dsn === '' ? '—' : dsn, yes(facts.chunking)];
  }),
);
const backendTable = table(
  ['mail server', 'identity', 'announces', 'takes TLS from Sluice'],
  Object.entries(backendFacts).map(([name, facts]) => [
    name as BackendName,
    facts.identity === 'xclient' ? 'XCLIENT, reused lanes' : facts.identity,
    facts.extensions.join(', '),
    yes(facts.tls),
  ]),
);

writeFileSync(
  values.out,
  `# Clients, mail servers, TLS, messages

${startedAt} · \`node_modules/.bin/node test/system/matrix-main.ts${values.clients === '' ? '' : ` --clients ${values.clients}`}${values.backends === '' ? '' : ` --backends ${values.backends}`} --seed ${values.seed}\`

${pairs(machine)}

${pairs(await versions())}

Each cell is a message that a client delivered through Sluice into a mail server. *identical*: it is stored once, under the client's own
address, with its envelope and parameters, and header and body are byte for byte what was sent, behind fields of trace (Received). TLS: the
client does STARTTLS with Sluice, and Sluice with the mail server if that can. IPv6: the client comes from ::1. 10 MB: 10,137,038 octets and a
header. DSN: NOTIFY=SUCCESS,FAILURE RET=HDRS ENVID ORCPT. CHUNKING: by BDAT to Sluice, which hands it on by DATA.

**${count.delivered} identical, ${count.returned} returned as they have to be, ${count['cannot be']} that cannot be, ${count.wrong} wrong.**

${table(['client', 'mail server', 'TLS', ...kinds], lines).replaceAll('---:', '---')}

${notes.map((note, at) => `${at + 1}. ${note}`).join('\n')}

## What the clients can say

${clientTable.replaceAll('---:', '---')}

smtplib has no BDAT of its own; a script says it over its connection. An Exim or Postfix that relays says what it was told itself.

## What the mail servers can

${backendTable.replaceAll('---:', '---')}

OpenSMTPD of Debian 12 announces STARTTLS when it is told to, but no handshake succeeds (6.8.0p2 with OpenSSL 3, mended in 7.3): Sluice has to do TLS for it.
`,
);
process.stdout.write(`${JSON.stringify(count)}\n`);
process.exitCode = count.wrong === 0 ? 0 : 1;
