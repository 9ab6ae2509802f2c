/**
 * opensmtpd — a real OpenSMTPD of its own, as the mail server behind Sluice
 *
 * It learns the client from a PROXY header of version 2 (`listen on … proxy-v2`), with which every connection has to begin. What it takes
 * is for a relay that is paused from the start (`smtpd -P mta`), so it stays in the queue: a directory a message, with one file
 * for the bytes and one for each recipient.
 *
 * It takes no TLS: that of Debian 12 (6.8.0p2) does not find its own key with OpenSSL 3, and every handshake ends with an
 * alert. Mended in 7.3; see https://github.com/OpenSMTPD/OpenSMTPD/issues/1171.
 */
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { proxyHeader } from '../../src/transport/proxy-writer.ts';
import { giveDirectory, makeOwnRoot, ownUsers } from './own-root.ts';
import type { OwnRoot } from './own-root.ts';
import { OwnServer } from './own-server.ts';
import { knownRecipients } from './postfix.ts';
import { freePort, run, until } from './process.ts';
import { notifyWords } from './stored.ts';
import type { MailStore, StoredMessage } from './stored.ts';

const program = '/usr/sbin/smtpd';
const queue = 'spool/smtpd/queue';

/** Makes a root with the directories that OpenSMTPD wants, and a configuration in it; gives its command too. */
export async function makeSmtpdRoot(config: string): Promise<{ root: OwnRoot; command: readonly string[] }> {
  const root = await makeOwnRoot('opensmtpd');
  await giveDirectory(root, 'spool/smtpd', 0, 0o711);
  await giveDirectory(root, 'lib/opensmtpd/empty', 0, 0o711);
  const file = join(root.directory, 'smtpd.conf');
  await writeFile(file, config);
  return { root, command: [program, '-d', '-f', file] };
}

export class OpenSmtpd implements MailStore {
  readonly port: number;
  private readonly server: OwnServer;

  constructor(server: OwnServer) {
    this.server = server;
    this.port = server.port;
  }

  async messages(): Promise<readonly StoredMessage[]> {
    return Promise.all((await this.folders()).map(readMessage));
  }

  /** One directory a message, two levels below: queue/ab/abcdef01. */
  private async folders(): Promise<string[]> {
    const directory = join(this.server.root.directory, queue);
    const found: string[] = [];
    for (const bucket of await readdir(directory)) {
      const names = await readdir(join(directory, bucket)).catch(() => []);
      found.push(...names.map((name) => join(directory, bucket, name)));
    }
    return found.sort();
  }

  async empty(): Promise<void> {
    const [unshare, ...within] = this.server.root.within;
    // The package makes smtpctl setgid.
    const setgid = ['setpriv', `--regid=${ownUsers.opensmtpq}`, '--clear-groups'];
    // It asks the scheduler, which may not have heard of the latest message yet, and removes files when it likes.
    const isEmpty = async (): Promise<boolean> => {
      if ((await this.folders()).length === 0) return true;
      await run(unshare!, [...within, ...setgid, '/usr/sbin/smtpctl', 'remove', 'all']);
      return false;
    };
    await until('the queue of OpenSMTPD is empty', isEmpty, 30_000, 50);
  }

  async settled(): Promise<void> {
    await this.server.settled();
  }

  async stop(): Promise<void> {
    await this.server.stop();
  }
}

/** Starts an OpenSMTPD; about half a second. `isTold`: a PROXY header tells it who the client is. */
export async function startOpenSmtpd({ isTold = true } = {}): Promise<OpenSmtpd> {
  const port = await freePort();
  const known = knownRecipients.filter((address) => /^[!-~]+$/.test(address));
  const { root, command } = await makeSmtpdRoot(
    `listen on 127.0.0.1 port ${port} hostname backend.example.test${isTold ? ' proxy-v2' : ''}
table known { ${known.map((address) => `"${address}"`).join(', ')} }
action "keep" relay host "smtp+notls://127.0.0.1:9"
match from any for rcpt-to <known> action "keep"
`,
  );
  const server = new OwnServer(root, port, [...command, '-P', 'mta']);
  await server.start(isTold ? proxyHeader(2, null) : undefined);
  return new OpenSmtpd(server);
}

const notifyBits = { NEVER: 8, SUCCESS: 1, FAILURE: 2, DELAY: 4 } as const;

async function readMessage(folder: string): Promise<StoredMessage> {
  const names = (await readdir(folder)).filter((name) => name !== 'message').sort();
  const envelopes = await Promise.all(
    names.map(async (name) => fieldsOf(await readFile(join(folder, name), 'utf8'))),
  );
  const first = envelopes[0] ?? {};
  return {
    sender: first['sender'] ?? '',
    recipients: envelopes.map((envelope) => ({
      address: envelope['rcpt'] ?? '',
      notify: notifyWords(Number(envelope['dsn-notify'] ?? '0'), notifyBits),
      orcpt: envelope['dsn-orcpt'] ?? '',
    })),
    clientAddress: (first['sockaddr'] ?? '').replace(/^\[?(?:IPv6:)?(.*?)\]?$/i, '$1'),
    ret: first['dsn-ret'] ?? '',
    envid: first['dsn-envid'] ?? '',
    content: await readFile(join(folder, 'message')),
  };
}

/** Lines of "name: value". */
function fieldsOf(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    text.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
  );
}
