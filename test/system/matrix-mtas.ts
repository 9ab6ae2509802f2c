/**
 * matrix-mtas — mail servers as clients: Postfix, Exim, OpenSMTPD
 *
 * Each is handed the message the way a mail program would do it, with all parameters that the message asks for, and relays it to
 * Sluice. What came of it stands in its log.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { Client, onTheWire } from './client.ts';
import { commonSettings, eximProgram, makeEximRoot } from './exim.ts';
import { dsnOf } from './matrix-facts.ts';
import type { Letter } from './matrix-facts.ts';
import { sourceOf } from './matrix-programs.ts';
import type { Outcome, Road, Sender } from './matrix-programs.ts';
import { makeSmtpdRoot } from './opensmtpd.ts';
import { OwnServer } from './own-server.ts';
import { startPostfix } from './postfix.ts';
import { freePort, run, until } from './process.ts';

/** MAIL and RCPT of a message, with what it asks for. */
function envelopeOf(letter: Letter): readonly string[] {
  const { notify, ret, envid, orcpt } = dsnOf(letter);
  const isDsn = letter.kind === 'DSN';
  const isUtf8 = letter.kind === 'UTF-8 addresses';
  const is8Bit = letter.content.some((octet) => octet > 127);
  const mail = `${is8Bit ? ' BODY=8BITMIME' : ''}${isUtf8 ? ' SMTPUTF8' : ''}${isDsn ? ` RET=${ret} ENVID=${envid}` : ''}`;
  return [
    `MAIL FROM:<${letter.from}>${mail}`,
    `RCPT TO:<${letter.to}>${isDsn ? ` NOTIFY=${notify} ORCPT=rfc822;${orcpt}` : ''}`,
  ];
}

/** Hands a message to a mail server; the words of its last reply. */
async function submit(port: number, letter: Letter): Promise<string> {
  const client = new Client(port, '127.0.0.1');
  try {
    await client.reply();
    await client.expect('EHLO user.example.org', 250);
    for (const command of envelopeOf(letter)) await client.expect(command, 250);
    await client.expect('DATA', 354);
    client.send(onTheWire(letter.content));
    const reply = await client.reply();
    if (reply?.code !== 250) throw new Error(`submission: ${reply?.lines.join(' | ') ?? 'closed'}`);
    await client.ask('QUIT');
    return reply.lines.join('\n');
  } finally {
    client.close();
  }
}

/** A Postfix whose smtp(8) delivers to Sluice. */
export async function postfixSender(road: Road): Promise<Sender> {
  const source = sourceOf('Postfix', road);
  const postfix = await startPostfix({
    mainCf: {
      myhostname: 'postfix.example.org',
      message_size_limit: '50000000',
      smtpd_recipient_restrictions: 'permit',
      relay_transport: `smtp-out:[${road.host}]:${road.port}`,
      // Reports to senders have nowhere to go.
      default_transport: 'discard',
      smtp_tls_security_level: road.isTls ? 'encrypt' : 'none',
      [road.host === '::1' ? 'smtp_bind_address6' : 'smtp_bind_address']: source,
    },
    masterCf: 'smtp-out unix - - n - - smtp\ndiscard unix - - n - - discard\n',
  });
  return {
    send: async (letter): Promise<Outcome> => {
      const [, id = ''] = /queued as (\w+)/.exec(await submit(postfix.freshPort, letter)) ?? [];
      const line = new RegExp(`smtp\\[\\d+\\]: ${id}: .*status=(\\w+).*`);
      await postfix.logged(line);
      const [said = '', status] = line.exec(await postfix.log()) ?? [];
      return { isSent: status === 'sent', said };
    },
    close: () => postfix.stop(),
  };
}

/** An Exim that is started for each message, as by a mail program (`-bs`), and delivers it before it ends (`-odi`). */
export async function eximSender(road: Road): Promise<Sender> {
  const source = sourceOf('Exim', road);
  const root = await makeEximRoot(
    (own) => `${commonSettings(own, 'exim.example.org')}
smtp_enforce_sync = false
log_selector = +smtp_confirmation
acl_smtp_rcpt = accept
acl_smtp_data = accept
begin routers
out:
  driver = accept
  domains = example.test
  transport = out
reports:
  driver = redirect
  data = :blackhole:
begin transports
out:
  driver = smtp
  hosts = <; ${road.host}
  hosts_override
  port = ${road.port}
  allow_localhost
  interface = <; ${source}
  ${road.isTls ? 'hosts_require_tls = *' : 'hosts_avoid_tls = *'}
  tls_verify_hosts =
  tls_try_verify_hosts =
  hosts_try_chunking = \${if eq{$h_X-Kind:}{CHUNKING}{*}}
`,
  );
  const server = new OwnServer(root, 0, []);
  const [program = '', ...within] = root.within;
  return {
    send: async (letter): Promise<Outcome> => {
      const head = ['EHLO user.example.org', ...envelopeOf(letter), 'DATA', ''].join('\r\n');
      const input = Buffer.concat([Buffer.from(head), onTheWire(letter.content), Buffer.from('QUIT\r\n')]);
      const done = await run(program, [...within, eximProgram, '-odi', '-bs'], { input });
      const [, id] = /250 OK id=(\S+)/.exec(done.stdout.toString()) ?? [];
      if (id === undefined) throw new Error(`submission: ${done.stdout.toString()}${done.stderr}`);
      const log = await readFile(join(root.directory, 'log/main'), 'utf8');
      const said = log.split('\n').filter((line) => line.includes(id));
      const isSent = said.some((line) => line.includes(' => '));
      // "K": by BDAT.
      if (isSent && letter.kind === 'CHUNKING' && !said.some((line) => / => .* K /.test(line)))
        throw new Error(`not by BDAT: ${said.join('\n')}`);
      return { isSent, said: said.join('\n') };
    },
    close: () => server.stop(),
  };
}

/** An OpenSMTPD that relays all it is given to Sluice. */
export async function opensmtpdSender(road: Road): Promise<Sender> {
  const port = await freePort();
  const host = road.host === '::1' ? '[::1]' : road.host;
  const url = `smtp+${road.isTls ? 'tls' : 'notls'}://${host}:${road.port}`;
  const { root, command } = await makeSmtpdRoot(
    `listen on 127.0.0.1 port ${port} hostname opensmtpd.example.org
action "out" relay host "${url}" ${road.isTls ? 'tls no-verify ' : ''}helo opensmtpd.example.org src "${sourceOf('OpenSMTPD', road)}"
match from any for any action "out"
`,
  );
  const server = new OwnServer(root, port, command);
  await server.start();
  return {
    send: async (letter): Promise<Outcome> => {
      const [, id = ''] = /250 2\.0\.0 (\w+) Message/.exec(await submit(port, letter)) ?? [];
      const line = new RegExp(`mta delivery evpid=${id}.* result="?(\\w+).*`);
      await until(`OpenSMTPD has dealt with ${id}`, () => line.test(server.said));
      const [said = '', result] = line.exec(server.said) ?? [];
      return { isSent: result === 'Ok', said };
    },
    close: () => server.stop(),
  };
}
