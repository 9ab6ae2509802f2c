/**
 * matrix — one message by one client through Sluice to one mail server, and what is wrong with what arrived
 *
 * A house has a mail server and two Sluices in front of it, each on IPv4 and IPv6: one that knows no TLS on either side, one that offers
 * STARTTLS and speaks TLS with the mail server, if that can. The message is compared as bytes: what is stored ends in exactly what
 * was sent, and in front of that stand fields of trace alone.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { selfSigned } from '../self-signed.ts';
import { greeted } from './client.ts';
import { startExim } from './exim.ts';
import { backendFacts, clientFacts, dsnOf, expectedOf, writeLetter } from './matrix-facts.ts';
import type { BackendName, ClientName, Kind, Letter } from './matrix-facts.ts';
import { eximSender, opensmtpdSender, postfixSender } from './matrix-mtas.ts';
import { msmtpSender, nodemailerSender, smtplibSender, swaksSender, sourceOf } from './matrix-programs.ts';
import type { Road, Sender } from './matrix-programs.ts';
import { startOpenSmtpd } from './opensmtpd.ts';
import { startPostfix } from './postfix.ts';
import { freePort, until } from './process.ts';
import { startSluice } from './sluice.ts';
import type { Sluice } from './sluice.ts';
import type { MailStore, StoredMessage } from './stored.ts';

const backendHost = 'backend.example.test';

/** Opens the way of a client to a road. */
export const senders: Readonly<Record<ClientName, (road: Road) => Sender | Promise<Sender>>> = {
  Postfix: postfixSender,
  Exim: eximSender,
  OpenSMTPD: opensmtpdSender,
  msmtp: msmtpSender,
  swaks: swaksSender,
  nodemailer: nodemailerSender,
  smtplib: smtplibSender,
};

type Pair = ReturnType<typeof selfSigned>;

async function postfixStore(files: { certificate: string; key: string }): Promise<MailStore> {
  const postfix = await startPostfix({
    mainCf: {
      message_size_limit: '50000000',
      smtpd_tls_security_level: 'may',
      smtpd_tls_cert_file: files.certificate,
      smtpd_tls_key_file: files.key,
    },
  });
  return {
    port: postfix.reusedPort,
    messages: async (): Promise<readonly StoredMessage[]> =>
      (await postfix.messages()).map((message) => ({
        ...message,
        recipients: message.recipients.map((address, at) => ({ address, ...message.asked[at]! })),
        content: Buffer.concat([message.trace, message.content]),
      })),
    empty: () => postfix.empty(),
    settled: () => postfix.settled(),
    stop: () => postfix.stop(),
  };
}

/** What a road is for. */
export interface House {
  readonly backend: BackendName;
  readonly store: MailStore;
  /** The Sluice without TLS, and the one with it. */
  readonly plain: Sluice;
  readonly tls: Sluice;
  close(): Promise<void>;
}

/** Starts a mail server and its two Sluices, and waits until they offer all that it has. */
export async function openHouse(backend: BackendName): Promise<House> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-matrix-'));
  const closing: (() => unknown)[] = [() => rmSync(directory, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (const act of closing.splice(0).reverse()) await act();
  };
  try {
    const write = (name: string): Pair & { files: { certificate: string; key: string } } => {
      const pair = selfSigned(name);
      const files = { certificate: join(directory, `${name}.crt`), key: join(directory, `${name}.key`) };
      writeFileSync(files.certificate, pair.certificate);
      writeFileSync(files.key, pair.key, { mode: 0o600 });
      return { ...pair, files };
    };
    const inner = write(backendHost);
    const outer = write('mx.example.test');
    const store = await {
      Postfix: () => postfixStore(inner.files),
      Exim: () => startExim({ tls: inner }),
      OpenSMTPD: startOpenSmtpd,
    }[backend]();
    closing.push(() => store.stop());
    const facts = backendFacts[backend];
    const start = async (isTls: boolean): Promise<Sluice> => {
      const port = await freePort();
      const listener = ['127.0.0.1', '[::1]'].map((host) => ({
        address: `${host}:${port}`,
        ...(isTls ? { tls: outer.files } : {}),
      }));
      const tls =
        isTls && facts.tls
          ? { tls: 'required', tls_ca: inner.files.certificate, tls_name: backendHost }
          : { tls: 'off' };
      const sluice = await startSluice({
        backendPort: store.port,
        port,
        config: { listener, backend: { identity: facts.identity, reuse: facts.reuse, ...tls } },
      });
      closing.push(async () => {
        await sluice.stop();
        expectTls(sluice, isTls);
      });
      await until(`Sluice has heard ${backend}`, async () => (await offersOf(sluice)).includes('DSN'));
      return sluice;
    };
    return { backend, store, plain: await start(false), tls: await start(true), close };
  } catch (failure) {
    await close();
    throw failure;
  }
}

/** Throws when a session that brought a message was inside TLS and should not have been, or the other way round. */
function expectTls({ sessions }: Sluice, isTls: boolean): void {
  const wrong = sessions.filter(
    (session) => Number(session['messages']) > 0 && Boolean(session['tls']) !== isTls,
  );
  if (wrong.length > 0) throw new Error(`TLS is to be ${isTls} in ${JSON.stringify(wrong[0])}`);
}

/** What Sluice offers: keywords of its EHLO. */
export async function offersOf(sluice: Sluice): Promise<readonly string[]> {
  const { client, offers } = await greeted(sluice.port, '127.0.0.79');
  client.close();
  return offers.map((line) => line.split(' ')[0]!);
}

export type CellResult =
  | { readonly is: 'delivered' | 'returned' }
  | { readonly is: 'cannot be'; readonly because: string }
  | { readonly is: 'wrong'; readonly problems: readonly string[] };

let letters = 0;

/** Sends one message of each kind, one after the other; what became of each, in their order. */
export async function runCells(
  client: ClientName,
  house: House,
  isTls: boolean,
  wanted: readonly Kind[],
  seed: number,
): Promise<CellResult[]> {
  const { port } = isTls ? house.tls : house.plain;
  const opened = new Map<Road['host'], Sender>();
  const results: CellResult[] = [];
  try {
    for (const kind of wanted) {
      const expected = expectedOf(client, house.backend, kind);
      if (expected.is === 'cannot be') {
        results.push(expected);
        continue;
      }
      const host = kind === 'IPv6' ? '::1' : '127.0.0.1';
      const road = { host, port, isTls } as const;
      const sender = opened.get(host) ?? (await senders[client](road));
      opened.set(host, sender);
      const letter = writeLetter(kind, `letter-${(letters += 1)}.${seed}`, seed);
      const outcome = await sender.send(letter);
      const all = await house.store.messages();
      const stored = all.filter(({ content }) => content.includes(`\nX-Letter: ${letter.id}\n`));
      const problems: string[] = [];
      if (expected.is === 'returned') {
        if (outcome.isSent) problems.push('the client says that it was sent');
        if (!expected.says.test(outcome.said)) problems.push(`the client says: ${outcome.said}`);
        if (stored.length > 0) problems.push('it was stored');
      } else {
        if (!outcome.isSent) problems.push(`the client says: ${outcome.said}`);
        if (stored.length !== 1) problems.push(`stored ${stored.length} times`);
        const source = sourceOf(client, road);
        for (const message of stored) problems.push(...problemsOf(letter, message, client, source));
      }
      results.push(problems.length > 0 ? { is: 'wrong', problems } : { is: expected.is });
      // The next look need not read it again.
      if (kind === '10 MB') await house.store.empty();
    }
  } finally {
    for (const sender of opened.values()) await sender.close();
  }
  await house.store.empty();
  return results;
}

/** Fields that mail servers put in front of a message that they pass on. */
const traceFields = new Set(['received', 'return-path', 'delivered-to', 'envelope-to', 'delivery-date']);

/** What is not as it was sent. */
function problemsOf(letter: Letter, stored: StoredMessage, client: ClientName, source: string): string[] {
  const problems: string[] = [];
  const same = (what: string, got: unknown, wanted: unknown): void => {
    if (got !== wanted) problems.push(`${what}: got ${JSON.stringify(got)}, want ${JSON.stringify(wanted)}`);
  };
  same('sender', stored.sender, letter.from);
  same('recipients', stored.recipients.map(({ address }) => address).join(), letter.to);
  same('client', stored.clientAddress, source);
  const front = stored.content.length - letter.content.length;
  const isSame = front >= 0 && stored.content.subarray(front).equals(letter.content);
  if (!isSame) problems.push(`content: ${difference(letter.content, stored.content)}`);
  else {
    const fields = stored.content
      .subarray(0, front)
      .toString('latin1')
      .replaceAll(/\n[ \t]+/g, ' ');
    const names = fields
      .split('\n')
      .slice(0, -1)
      .map((line) => line.split(':')[0]!.toLowerCase());
    for (const name of names) if (!traceFields.has(name)) problems.push(`a field was added: ${name}`);
  }
  const { notify, ret, envid, orcpt } = dsnOf(letter);
  const asked = new Set(letter.kind === 'DSN' ? clientFacts[client].dsn : []);
  const [recipient] = stored.recipients;
  same('NOTIFY', recipient?.notify, asked.has('NOTIFY') ? notify : '');
  same('RET', stored.ret, asked.has('RET') ? ret : '');
  same('ENVID', stored.envid, asked.has('ENVID') ? envid : '');
  if (asked.has('ORCPT')) same('ORCPT', recipient?.orcpt.replace(/^rfc822;/i, ''), orcpt);
  return problems;
}

/** The first place behind the trace fields where two messages differ. */
function difference(sent: Buffer, stored: Buffer): string {
  const from = Math.max(0, stored.indexOf(sent.subarray(0, sent.indexOf('\n'))));
  let at = 0;
  while (at < sent.length && sent[at] === stored[from + at]) at += 1;
  const near = (bytes: Buffer, place: number): string =>
    JSON.stringify(bytes.subarray(Math.max(0, place - 20), place + 40).toString('latin1'));
  return `byte ${at} of ${sent.length}: sent ${near(sent, at)}, stored ${near(stored, from + at)}`;
}
