/**
 * matrix-programs — clients that send one message and end: msmtp, swaks, nodemailer, smtplib
 */
import { fileURLToPath } from 'node:url';
import { createTransport } from 'nodemailer';

import { onTheWire } from './client.ts';
import { clientFacts, dsnOf } from './matrix-facts.ts';
import type { ClientName, Letter } from './matrix-facts.ts';
import { run } from './process.ts';
import type { Finished } from './process.ts';

/** Where a client is to deliver. */
export interface Road {
  readonly host: '127.0.0.1' | '::1';
  readonly port: number;
  readonly isTls: boolean;
}

/** What came of a message, as the client tells it. */
export interface Outcome {
  readonly isSent: boolean;
  readonly said: string;
}

/** A client that knows its way. */
export interface Sender {
  send(letter: Letter): Promise<Outcome>;
  close(): Promise<void>;
}

const pythonScript = fileURLToPath(new URL('./smtplib-send.py', import.meta.url));
const outcomeOf = ({ code, stdout, stderr }: Finished): Outcome => ({
  isSent: code === 0,
  said: stderr + stdout.toString('latin1').slice(-4_000),
});

/** The address that a client connects from on this road. */
export function sourceOf(client: ClientName, road: Road): string {
  return road.host === '::1' ? '::1' : clientFacts[client].address;
}

const has8Bit = (letter: Letter): boolean => letter.content.some((octet) => octet > 127);
const oneShot = (send: (letter: Letter) => Promise<Outcome>): Sender => ({ send, close: async () => {} });

/** msmtp, as sendmail of a machine without a mail server. */
export function msmtpSender(road: Road): Sender {
  return oneShot(async (letter) => {
    const { notify, ret } = dsnOf(letter);
    const args = [
      `--host=${road.host}`,
      `--port=${road.port}`,
      `--source-ip=${sourceOf('msmtp', road)}`,
      '--domain=msmtp.example.org',
      ...(road.isTls ? ['--tls=on', '--tls-starttls=on', '--tls-certcheck=off'] : ['--tls=off']),
      ...(letter.kind === 'DSN'
        ? [`--dsn-notify=${notify.toLowerCase()}`, `--dsn-return=${ret.toLowerCase()}`]
        : []),
      `--from=${letter.from}`,
      '--',
      letter.to,
    ];
    return outcomeOf(await run('msmtp', args, { input: letter.content }));
  });
}

/** swaks, with which people test their mail servers. */
export function swaksSender(road: Road): Sender {
  return oneShot(async (letter) => {
    const { host, port } = road;
    const from = ['--local-interface', sourceOf('swaks', road), '--helo', 'swaks.example.org'];
    const server = ['--server', host, '--port', String(port), ...(host === '::1' ? ['-6'] : []), ...from];
    const mail = ['--from', letter.from, '--to', letter.to, ...(road.isTls ? ['--tls'] : [])];
    // Without its fix-ups swaks sends what it is given: it would add an empty line in front of the final dot.
    const args = [...server, ...mail, '--silent', '2', '--no-data-fixup', '--data', '-'];
    return outcomeOf(await run('swaks', args, { input: onTheWire(letter.content) }));
  });
}

/** nodemailer, the client in many a web shop. */
export function nodemailerSender(road: Road): Sender {
  return oneShot(async (letter) => {
    const transport = createTransport({
      host: road.host,
      port: road.port,
      name: 'nodemailer.example.org',
      localAddress: sourceOf('nodemailer', road),
      ...(road.isTls ? { requireTLS: true, tls: { rejectUnauthorized: false } } : { ignoreTLS: true }),
    });
    const { ret, envid, notify, orcpt } = dsnOf(letter);
    const dsn = {
      id: envid,
      return: ret === 'HDRS' ? 'headers' : 'full',
      notify: notify.split(','),
      recipient: orcpt,
    };
    try {
      const { response } = await transport.sendMail({
        envelope: { from: letter.from, to: [letter.to], use8BitMime: has8Bit(letter) },
        raw: letter.content,
        ...(letter.kind === 'DSN' ? { dsn } : {}),
      });
      return { isSent: true, said: response };
    } catch (failure) {
      return { isSent: false, said: String(failure) };
    } finally {
      transport.close();
    }
  });
}

/** smtplib, which comes with Python. */
export function smtplibSender(road: Road): Sender {
  return oneShot(async (letter) => {
    const { ret, envid, notify, orcpt } = dsnOf(letter);
    const isDsn = letter.kind === 'DSN';
    const job = {
      host: road.host,
      port: road.port,
      source: sourceOf('smtplib', road),
      tls: road.isTls,
      from: letter.from,
      to: letter.to,
      chunking: letter.kind === 'CHUNKING',
      mailOptions: [
        ...(has8Bit(letter) ? ['BODY=8BITMIME'] : []),
        ...(letter.kind === 'UTF-8 addresses' ? ['SMTPUTF8'] : []),
        ...(isDsn ? [`RET=${ret}`, `ENVID=${envid}`] : []),
      ],
      rcptOptions: isDsn ? [`NOTIFY=${notify}`, `ORCPT=rfc822;${orcpt}`] : [],
    };
    const octets = Buffer.from(letter.content.toString('latin1').replaceAll('\n', '\r\n'), 'latin1');
    return outcomeOf(await run('python3', [pythonScript, JSON.stringify(job)], { input: octets }));
  });
}
