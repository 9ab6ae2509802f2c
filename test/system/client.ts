/**
 * client — an SMTP client that does exactly what it is told, byte for byte
 *
 * For what no honest library would send: two commands in one write, a NUL in an address, half an end of data. It
 * knows the form of replies and nothing else of the protocol. A connection that goes away is not an error
 * here but an answer: `reply()` gives null.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';

export interface Reply {
  readonly code: number;
  /** All lines, code included, without line ends. */
  readonly lines: readonly string[];
}

export class Client {
  private socket: Socket;
  private readonly plain: Socket;
  private readonly replies: Reply[] = [];
  private readonly waiting: ((reply: Reply | null) => void)[] = [];
  private lines: string[] = [];
  private partial = '';
  private gone = false;

  /** Connects from `localAddress` (any of 127.0.0.0/8, or ::1), which is who the server believes we are. */
  constructor(port: number, localAddress: string) {
    const host = localAddress.includes(':') ? '::1' : '127.0.0.1';
    this.plain = connect({ port, host, localAddress });
    this.socket = this.plain;
    this.socket.setNoDelay(true);
    this.listen(this.socket);
  }

  /** Says STARTTLS and does the handshake; rejects when either goes wrong. What is said from now on is inside TLS. */
  async startTls(options: ConnectionOptions = {}): Promise<TLSSocket> {
    await this.expect('STARTTLS', 220);
    return this.handshake(options);
  }

  /** Does the handshake. */
  async handshake(options: ConnectionOptions = {}): Promise<TLSSocket> {
    this.socket.removeAllListeners('data');
    const secure = connectTls({ socket: this.socket, rejectUnauthorized: false, ...options });
    this.socket = secure;
    this.listen(secure);
    const closed = once(secure, 'close').then(() => {
      throw new Error('the connection ended in the handshake');
    });
    await Promise.race([once(secure, 'secureConnect'), closed]);
    return secure;
  }

  private listen(socket: Socket): void {
    socket.on('data', (bytes: Buffer) => this.take(bytes.toString('utf8')));
    socket.on('error', () => this.lose());
    socket.on('close', () => this.lose());
  }

  /** The next reply, or null when the connection ended before a whole one came. */
  reply(): Promise<Reply | null> {
    const ready = this.replies.shift();
    if (ready) return Promise.resolve(ready);
    if (this.gone) return Promise.resolve(null);
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** All replies until the connection ends. */
  async repliesToTheEnd(): Promise<Reply[]> {
    const all: Reply[] = [];
    for (;;) {
      const reply = await this.reply();
      if (!reply) return all;
      all.push(reply);
    }
  }

  /** Sends bytes as they are; text is sent as UTF-8. */
  send(bytes: Uint8Array | string): void {
    this.socket.write(bytes);
  }

  /** Sends one command line and waits for its reply. */
  ask(command: string): Promise<Reply | null> {
    this.send(`${command}\r\n`);
    return this.reply();
  }

  /** `ask`, for the commands of a test that must go well: throws unless the reply has this code. */
  async expect(command: string, code: number): Promise<Reply> {
    const reply = await this.ask(command);
    if (reply?.code !== code) {
      throw new Error(
        `${command}: expected ${code}, got ${reply?.lines.join(' | ') ?? 'a closed connection'}`,
      );
    }
    return reply;
  }

  close(): void {
    this.socket.destroy();
  }

  /** True when the connection stands; false when it could not be made. */
  connected(): Promise<boolean> {
    if (!this.plain.connecting) return Promise.resolve(!this.gone);
    return new Promise((resolve) => {
      this.plain.once('connect', () => resolve(true));
      this.plain.once('close', () => resolve(false));
    });
  }

  /** Its own port; 0 when it is not connected (any more). */
  get port(): number {
    return this.plain.localPort ?? 0;
  }

  /** Goes away by RST; inside TLS as `close` does, since Node 26 breaks down when both sockets are destroyed, the lower one first. */
  reset(): void {
    if (this.socket === this.plain) this.plain.resetAndDestroy();
    else this.close();
  }

  /** Closes its own side; replies can still come. */
  finish(): void {
    this.socket.end();
  }

  private take(text: string): void {
    const lines = (this.partial + text).split('\r\n');
    this.partial = lines.pop() ?? '';
    for (const line of lines) {
      this.lines.push(line);
      if (line[3] === '-') continue;
      const reply = { code: Number(line.slice(0, 3)), lines: this.lines };
      this.lines = [];
      const waiter = this.waiting.shift();
      if (waiter) waiter(reply);
      else this.replies.push(reply);
    }
  }

  private lose(): void {
    this.gone = true;
    for (const waiter of this.waiting.splice(0)) waiter(null);
  }
}

/** Connects, reads the greeting and says EHLO; throws when either goes wrong. Gives back the EHLO's lines too. */
export async function greeted(
  port: number,
  localAddress: string,
): Promise<{ client: Client; offers: readonly string[] }> {
  const client = new Client(port, localAddress);
  const greeting = await client.reply();
  if (greeting?.code !== 220) throw new Error(`greeting: ${greeting?.lines.join(' | ') ?? 'none'}`);
  const ehlo = await client.expect('EHLO client.example.org', 250);
  return { client, offers: ehlo.lines.slice(1).map((line) => line.slice(4)) };
}

/** Content as it travels: CR LF for each LF, dots doubled at line starts, the end of data behind it. */
export function onTheWire(content: string | Buffer): Buffer {
  const text = Buffer.from(content).toString('latin1');
  const stuffed = text.replace(/^\./gm, '..').replaceAll('\n', '\r\n');
  return Buffer.from(`${stuffed}${stuffed === '' || stuffed.endsWith('\r\n') ? '' : '\r\n'}.\r\n`, 'latin1');
}

/** One transaction behind EHLO; the code of each reply up to the first that is not good. */
export async function transaction(client: Client, recipient: string, content: string): Promise<number[]> {
  const codes: number[] = [];
  for (const command of ['MAIL FROM:<sender@honest.test>', `RCPT TO:<${recipient}>`, 'DATA']) {
    const code = (await client.ask(command))?.code ?? 0;
    codes.push(code);
    if (code >= 400 || code === 0) return codes;
  }
  client.send(onTheWire(content));
  codes.push((await client.reply())?.code ?? 0);
  return codes;
}
