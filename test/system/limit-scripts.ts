/**
 * limit-scripts — what clients do to run into a limit, as data, and what a server answers
 *
 * The same script is run against a real Postfix and against Sluice. A step is a word, the name of a session, and what it
 * says: `open a`, `say a EHLO x`, `tls a` (STARTTLS and the handshake), `quit a` (QUIT, and the end is waited for), `gone a`
 * (the server has hung up). Each step gives one reply, or "end". Host names and the two ways to write a client
 * (`unknown[127.0.0.5]` and `127.0.0.5`) are made equal; nothing else is.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface LimitScript {
  readonly name: string;
  /** Lines of main.cf. */
  readonly postfix: Readonly<Record<string, string>>;
  /** Keys of [limits]. */
  readonly limits: Readonly<Record<string, number>>;
  readonly steps: readonly string[];
  /** Which steps a limit refuses, by number from 0, so that a script that refuses nothing fails. */
  readonly refused: readonly number[];
}

const greet = (name: string): string[] => [`open ${name}`, `say ${name} EHLO client.example.org`];
const mail = (name: string): string[] => [
  `say ${name} MAIL FROM:<a@sender.example.org>`,
  `say ${name} RCPT TO:<anna@example.test>`,
  `say ${name} RSET`,
];
const rcpt = (name: string): string => `say ${name} RCPT TO:<anna@example.test>`;

export const limitScripts: readonly LimitScript[] = [
  {
    name: 'too many connections at once',
    postfix: { smtpd_client_connection_count_limit: '2' },
    limits: { connections: 2 },
    steps: [
      'open a',
      'open b',
      'open c',
      'gone c',
      'say a NOOP',
      'quit a',
      'open d',
      'open e',
      'gone e',
      'quit b',
      'quit d',
    ],
    refused: [2, 7],
  },
  {
    name: 'connections too often',
    postfix: { smtpd_client_connection_rate_limit: '3', smtpd_client_connection_count_limit: '0' },
    limits: { connection_rate: 3 },
    steps: [
      'open a',
      'quit a',
      'open b',
      'quit b',
      'open c',
      'quit c',
      'open d',
      'gone d',
      'open e',
      'gone e',
    ],
    refused: [6, 8],
  },
  {
    name: 'messages too often, in one session',
    postfix: { smtpd_client_message_rate_limit: '2' },
    limits: { message_rate: 2 },
    steps: [...greet('a'), ...mail('a'), ...mail('a'), ...mail('a'), ...mail('a'), 'quit a'],
    refused: [8, 11],
  },
  {
    name: 'messages too often, over sessions',
    postfix: { smtpd_client_message_rate_limit: '2' },
    limits: { message_rate: 2 },
    steps: [
      ...greet('a'),
      ...mail('a'),
      ...greet('b'),
      ...mail('b'),
      ...mail('a'),
      ...mail('b'),
      'quit a',
      'quit b',
    ],
    refused: [10, 13],
  },
  {
    name: 'MAIL commands that are wrong',
    postfix: { smtpd_client_message_rate_limit: '2' },
    limits: { message_rate: 2 },
    steps: [
      'open a',
      'say a EHLO client.example.org',
      'say a MAIL TO:<a@sender.example.org>',
      'say a MAIL FROM:<a@>',
      'say a MAIL FROM:<a@sender.example.org>',
      'say a MAIL FROM:<a@sender.example.org>',
      'say a RSET',
      'say a MAIL FROM:<a@sender.example.org>',
      'quit a',
    ],
    refused: [7],
  },
  {
    name: 'recipients too often',
    postfix: { smtpd_client_recipient_rate_limit: '3' },
    limits: { recipient_rate: 3 },
    steps: [
      ...greet('a'),
      'say a MAIL FROM:<a@sender.example.org>',
      rcpt('a'),
      'say a RCPT TO:<nobody@example.test>',
      rcpt('a'),
      rcpt('a'),
      'say a RSET',
      'say a MAIL FROM:<a@sender.example.org>',
      rcpt('a'),
      'quit a',
    ],
    refused: [6, 9],
  },
  {
    name: 'errors on top of a limit',
    postfix: {
      smtpd_client_message_rate_limit: '1',
      smtpd_hard_error_limit: '20',
      smtpd_error_sleep_time: '0',
    },
    limits: { message_rate: 1 },
    steps: [...greet('a'), ...mail('a'), ...Array.from({ length: 19 }, () => mail('a')[0]!), 'quit a'],
    refused: Array.from({ length: 19 }, (_, at) => at + 5),
  },
];

/** New TLS sessions; `tls` in the steps wants a server with a certificate. */
export const tlsScript: LimitScript = {
  name: 'new TLS sessions too often',
  postfix: { smtpd_client_new_tls_session_rate_limit: '2' },
  limits: { tls_rate: 2 },
  steps: ['a', 'b', 'c', 'd'].flatMap((name) => [
    ...greet(name),
    `tls ${name}`,
    ...(name === 'c' ? ['hear c', 'gone c'] : [`say ${name} NOOP`, `quit ${name}`]),
  ]),
  refused: [13, 17],
};

/** A session of a script: lines in, replies out, with TLS when it is asked for. */
class Session {
  private socket: Socket;
  private text = '';
  private isOver = false;
  private onNews: () => void = () => undefined;

  constructor(port: number, localAddress: string) {
    this.socket = connect({ port, host: '127.0.0.1', localAddress });
    this.listen();
  }

  private listen(): void {
    this.socket.on('data', (bytes: Buffer) => {
      this.text += bytes.toString('latin1');
      this.onNews();
    });
    for (const event of ['error', 'close'] as const) {
      this.socket.on(event, () => {
        this.isOver = true;
        this.onNews();
      });
    }
  }

  /** The last line of the next reply; "end" when there is none. */
  async reply(): Promise<string> {
    for (;;) {
      const whole = /^(?:\d{3}-[^\r]*\r\n)*(\d{3}(?: [^\r]*)?)\r\n/.exec(this.text);
      if (whole !== null) {
        this.text = this.text.slice(whole[0].length);
        return whole[1]!;
      }
      if (this.isOver) return 'end';
      await new Promise<void>((resolve) => (this.onNews = resolve));
    }
  }

  async ask(line: string): Promise<string> {
    this.socket.write(`${line}\r\n`);
    return this.reply();
  }

  /** STARTTLS and a handshake without an earlier session to resume. */
  async startTls(): Promise<string> {
    const reply = await this.ask('STARTTLS');
    if (!reply.startsWith('220')) return reply;
    this.socket.removeAllListeners();
    const socket = connectTls({ socket: this.socket, rejectUnauthorized: false });
    this.socket = socket;
    this.listen();
    await new Promise<void>((resolve) => {
      socket.once('secureConnect', resolve);
      socket.once('close', resolve);
    });
    return reply;
  }

  async end(): Promise<string> {
    while (!this.isOver) await new Promise<void>((resolve) => (this.onNews = resolve));
    return 'end';
  }

  close(): void {
    this.socket.destroy();
  }
}

/**
 * Runs the steps of a script from an address; the reply to each. `settled(ends)` is waited for when so many sessions have
 * ended: a server counts them out at that moment or a little later.
 */
export async function runScript(
  script: LimitScript,
  port: number,
  address: string,
  host: string,
  settled: (ends: number) => Promise<void>,
): Promise<string[]> {
  const sessions = new Map<string, Session>();
  const replies: string[] = [];
  let ends = 0;
  const step = async (text: string): Promise<string> => {
    const [word = '', name = ''] = text.split(' ');
    if (word === 'open') sessions.set(name, new Session(port, address));
    const session = sessions.get(name)!;
    if (word === 'open' || word === 'hear') return session.reply();
    if (word === 'tls') return session.startTls();
    if (word === 'say') return session.ask(text.slice(word.length + name.length + 2));
    const reply = word === 'quit' ? await session.ask('QUIT') : '';
    const end = await session.end();
    ends += 1;
    await settled(ends);
    return word === 'quit' ? reply : end;
  };
  try {
    for (const text of script.steps) {
      const reply = await step(text);
      replies.push(reply.replaceAll(host, 'HOST').replace(/\S+\[(\d+\.[\d.]+)\]/, '$1'));
    }
  } finally {
    for (const session of sessions.values()) session.close();
  }
  return replies;
}
