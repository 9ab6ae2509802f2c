/**
 * backend — a mail server behind Sluice, as small as one can be that speaks XCLIENT and keeps what it is given
 *
 * It knows recipients by how their local part begins: `unknown…` 550 5.1.1, `blocked…` 554 5.7.1, `later…` 450,
 * everybody else 250. Each step can be told to fail instead (`fault`), some times or always, and to take time.
 * With `header: 'yes'` it greets nobody before a PROXY header; 'no' answers one as the command that it is none.
 * It is strict on purpose: a command that Sluice must never send (mail before XCLIENT, a second command in the
 * breath of an XCLIENT, a bare CR, LF or NUL) is written into `crimes`, and a test that finds one fails.
 */
import { latin1, bytesOf } from '../../src/base/ascii.ts';
import type { MemoryTransport, PeerHandle } from '../../src/transport/memory-transport.ts';
import { tlsFault } from '../../src/transport/tls-fault.ts';
import type { TlsFaultKind } from '../../src/transport/tls-fault.ts';
import type { Endpoint } from '../../src/transport/transport.ts';
import { WireTls } from '../../src/transport/wire.ts';

export type StepName =
  | 'greeting'
  | 'ehlo'
  | 'startTls'
  | 'handshake'
  | 'hello'
  | 'xclient'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'final'
  | 'rset'
  | 'quit';

/** A message that the backend took, and for whom. */
export interface Stored {
  readonly lane: number;
  readonly attributes: ReadonlyMap<string, string>;
  readonly hello: string;
  readonly sender: string;
  readonly recipients: readonly string[];
  /** As it came, dot-stuffed, without the final dot. */
  readonly content: string;
  /** Answered 2xx, and the answer went out. */
  readonly answered: boolean;
}

interface Fault {
  readonly does: string;
  left: number;
}

interface Line {
  readonly number: number;
  readonly peer: PeerHandle;
  buffer: string;
  attributes: Map<string, string>;
  headerDue: boolean;
  identified: number;
  hello: string;
  sender: string | null;
  recipients: string[];
  /** A recipient was named in this transaction, accepted or not. */
  asked: boolean;
  inData: boolean;
  content: string;
  over: boolean;
  /** TLS is up. */
  secure: boolean;
  /** Answers that are still to be given; one that is never given stays here. */
  owed: number;
}

interface Due {
  readonly atMs: number;
  readonly line: Line;
  readonly bytes: string;
  readonly next: 'go on' | 'close' | 'reset';
}

const ATTRIBUTES = 'NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT';

const texts: Readonly<Record<number, string>> = {
  220: '220 backend.example ESMTP',
  250: '250 2.0.0 Ok',
  354: '354 Go on',
  421: '421 4.3.2 backend.example going down',
  450: '450 4.2.0 Try later',
  451: '451 4.3.0 Local error',
  452: '452 4.3.1 No room',
  /** Not a code of its own: 550 with the enhanced code that speaks of the mailbox alone. */
  511: '550 5.1.1 No such user here',
  503: '503 5.5.1 Bad sequence',
  550: '550 5.7.1 Not taken',
  552: '552 5.3.4 Too big',
  554: '554 5.7.1 Refused',
};

/** Whom version 1 names for a connection of our own. */
const NOBODY = '192.0.2.1';
const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n';

/** A whole PROXY header at the start of what came, and the client that it names; '' for none. */
function headerOf(text: string): { readonly length: number; readonly address: string } | null {
  const line = /^PROXY TCP[46] (\S+) \S+ \d+ \d+\r\n/.exec(text);
  if (line !== null) return { length: line[0].length, address: line[1]! };
  const byteAt = (at: number): number => text.charCodeAt(at);
  if (!text.startsWith(SIGNATURE) || text.length < 16) return null;
  const length = 16 + byteAt(14) * 256 + byteAt(15);
  if (text.length < length) return null;
  if (byteAt(12) === 0x20) return { length, address: '' };
  return { length, address: byteAt(13) === 0x11 ? [16, 17, 18, 19].map(byteAt).join('.') : 'IPv6' };
}

export class Backend {
  readonly stored: Stored[] = [];
  readonly crimes: string[] = [];
  /** Every command line and reply, as `L1>` and `L1<` would show them. */
  onTalk: (lane: number, mark: '>' | '<', text: string) => void = () => undefined;
  /** Connections that were taken. */
  connections = 0;
  settings = {
    connect: 'accept',
    reuse: true,
    pipelining: true,
    size: 10_240_000,
    extensions: '8BITMIME SMTPUTF8 DSN',
    /** False: it knows no enhanced codes. */
    codes: true,
    xclient: ATTRIBUTES,
    /** yes: everything but EHLO has to come inside TLS; hidden: and STARTTLS is not offered. */
    tls: 'no',
    header: '',
    /** Nobody tells it who the client is. */
    anonymous: false,
    /** False: one EHLO or HELO a connection, as OpenSMTPD has it. */
    greetsAgain: true,
  };
  readonly #faults = new Map<StepName, Fault[]>();
  readonly #delays = new Map<StepName, number>();
  readonly #lines = new Set<Line>();
  #due: Due[] = [];
  #transport: MemoryTransport | null = null;
  #nowMs = 0;
  #queued = 0;

  /** The transport whose far end this is. */
  attach(transport: MemoryTransport): void {
    this.#transport = transport;
  }

  /** Lanes that are open at this end. */
  get linesOpen(): number {
    return this.#lines.size;
  }

  /** The `onDial` of a memory transport. */
  readonly dialled = (_: Endpoint, peer: PeerHandle): 'accept' | 'refuse' | 'silent' => {
    if (this.settings.connect !== 'accept') return this.settings.connect === 'refuse' ? 'refuse' : 'silent';
    this.connections += 1;
    const line: Line = {
      number: this.connections,
      peer,
      buffer: '',
      attributes: new Map(),
      headerDue: this.settings.header === 'yes',
      identified: this.settings.anonymous ? 1 : 0,
      hello: '',
      sender: null,
      recipients: [],
      asked: false,
      inData: false,
      content: '',
      over: false,
      secure: false,
      owed: 0,
    };
    this.#lines.add(line);
    if (!line.headerDue) this.#answer(line, 'greeting', texts[220]!);
    return 'accept';
  };

  /** From now on a step does something else, `times` times: a code, silent, close, reset, garbage, huge, bareLf, twice, thenClose; a handshake: a kind of TlsFault. */
  fault(step: StepName, does: string, times = Number.MAX_SAFE_INTEGER): void {
    const faults = this.#faults.get(step) ?? [];
    if (does === 'ok') faults.length = 0;
    else faults.push({ does, left: times });
    this.#faults.set(step, faults);
  }

  /** The answer to a step takes so long. */
  delay(step: StepName, delayMs: number): void {
    this.#delays.set(step, delayMs);
  }

  /**
   * Says something on every lane on which nothing is awaited: anywhere else it would be an answer. `asAnswer`: there
   * too.
   */
  blurt(text: string, asAnswer = false): void {
    for (const line of this.#lines)
      if ((line.owed === 0 || asAnswer) && !line.inData) this.#send(line, `${text}\r\n`);
  }

  /** Ends every lane. */
  hangUp(how: 'close' | 'reset'): void {
    for (const line of this.#lines) this.#leave(line, how);
  }

  /** The next moment at which this side says something by itself. */
  nextDueMs(): number {
    return this.#due.reduce((least, due) => Math.min(least, due.atMs), Infinity);
  }

  /** Reads what has arrived, says what is due. True when something happened. */
  turn(nowMs: number): boolean {
    this.#nowMs = nowMs;
    let moved = false;
    const due = this.#due.filter((one) => one.atMs <= nowMs);
    this.#due = this.#due.filter((one) => one.atMs > nowMs);
    for (const one of due) {
      moved = true;
      this.#say(one);
    }
    for (const line of this.#lines) {
      if (this.#handshake(line)) moved = true;
      const bytes = this.#wire().peerReceived(line.peer);
      if (bytes.length > 0) {
        moved = true;
        line.buffer += latin1(bytes, 0, bytes.length);
        this.#read(line);
      }
      const isLeft = this.#wire().peerClosed(line.peer) || this.#wire().peerSawEnd(line.peer);
      if (isLeft && line.inData && /(?:^|\r\n)\.\r?$/.test(line.content))
        this.#crime(line, 'a message was broken off at a dot that might be its end');
      if (this.#wire().peerClosed(line.peer)) this.#lines.delete(line);
      else if (this.#wire().peerSawEnd(line.peer)) {
        this.#leave(line, 'close');
        moved = true;
      }
    }
    return moved;
  }

  /** Does its part when the other side has begun a handshake. */
  #handshake(line: Line): boolean {
    if (line.secure || line.peer.tls !== WireTls.Handshaking) return false;
    const fault = this.#faults.get('handshake')?.find((one) => one.left > 0);
    switch (fault?.does) {
      case undefined:
        line.secure = true;
        line.hello = '';
        this.#wire().peerHandshake(line.peer, 'TLSv1.3 TLS_AES_256_GCM_SHA384');
        return true;
      case 'silent':
        return false;
      case 'close':
      case 'reset':
        fault.left -= 1;
        this.#leave(line, fault.does);
        return true;
      default:
        fault!.left -= 1;
        this.#wire().peerBadPapers(line.peer, tlsFault(fault!.does as TlsFaultKind, 'as told'));
        return true;
    }
  }

  #read(line: Line): void {
    if (line.headerDue && !this.#readHeader(line)) return;
    let commands = 0;
    while (!line.over) {
      if (line.inData) {
        if (!this.#readBody(line)) return;
        continue;
      }
      const end = line.buffer.indexOf('\n');
      if (end < 0) return;
      const text = line.buffer.slice(0, end + 1);
      line.buffer = line.buffer.slice(end + 1);
      commands += 1;
      if (this.settings.header !== 'no') this.#checkBytes(line, text);
      this.onTalk(line.number, '>', text.slice(0, -2));
      this.#obey(line, text.slice(0, -2), commands);
    }
  }

  /** The PROXY header in front of all; false while it is not whole. */
  #readHeader(line: Line): boolean {
    const header = headerOf(line.buffer);
    if (header === null) return false;
    line.headerDue = false;
    this.onTalk(line.number, '>', line.buffer.slice(0, header.length));
    line.buffer = line.buffer.slice(header.length);
    if (line.buffer !== '') this.#crime(line, 'something stood behind the header before the greeting');
    if (header.address !== '' && header.address !== NOBODY) line.identified = 1;
    line.attributes.set('ADDR', header.address);
    this.#answer(line, 'greeting', texts[220]!);
    return true;
  }

  #obey(line: Line, text: string, place: number): void {
    const verb = text.slice(0, 4).toUpperCase();
    const isLone = place === 1 && line.buffer === '';
    if (this.settings.tls !== 'no' && !line.secure && verb !== 'EHLO' && verb !== 'STAR')
      this.#crime(line, `${verb} in plaintext`);
    if (verb === 'STAR') {
      if (!isLone) this.#crime(line, 'STARTTLS did not come alone');
      this.#answer(line, 'startTls', '220 2.0.0 Ready to start TLS');
      return;
    }
    if (verb === 'EHLO' || verb === 'HELO') {
      if (!isLone) this.#crime(line, `${verb} did not come alone`);
      if (line.sender !== null) this.#crime(line, `${verb} inside an envelope`);
      if (line.hello !== '' && !this.settings.greetsAgain) {
        this.#answer(line, 'hello', '503 5.5.1 Invalid command: Already identified');
        return;
      }
      line.hello = text;
      this.#answer(
        line,
        line.identified > 0 ? 'hello' : 'ehlo',
        verb === 'HELO' ? '250 backend.example' : this.#capabilities(line),
      );
      return;
    }
    if (verb === 'XCLI') {
      if (!isLone) this.#crime(line, 'XCLIENT did not come alone');
      if (text.length + 2 > 512) this.#crime(line, 'XCLIENT is longer than 512 bytes');
      if (line.identified > 0 && !this.settings.reuse) {
        this.#answer(line, 'xclient', '550 5.7.0 Insufficient authorization');
        return;
      }
      this.#answer(line, 'xclient', texts[220]!, () => {
        line.identified += 1;
        line.sender = null;
        line.recipients = [];
        line.asked = false;
        line.hello = '';
        // What is left out keeps its value, as with Postfix.
        for (const word of text.split(' ').slice(1))
          line.attributes.set(word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1));
      });
      return;
    }
    if (verb === 'QUIT') {
      this.#answer(line, 'quit', '221 2.0.0 Bye', () => this.#leaveSoon(line));
      return;
    }
    if (this.settings.header === 'no' && !['MAIL', 'RCPT', 'DATA', 'RSET'].includes(verb)) {
      this.#answer(line, 'ehlo', '502 5.5.2 Error: command not recognized');
      return;
    }
    if (line.identified === 0) this.#crime(line, `${verb} before XCLIENT`);
    if (verb === 'RSET') {
      this.#answer(line, 'rset', texts[250]!, () => this.#forget(line));
      return;
    }
    if (line.hello === '') this.#crime(line, `${verb} before EHLO`);
    if (verb === 'MAIL') {
      if (line.sender !== null) this.#crime(line, 'MAIL inside an envelope');
      this.#answer(line, 'mail', '250 2.1.0 Sender ok', () => (line.sender = text.slice(5)));
    } else if (verb === 'RCPT') {
      this.#recipient(line, text.slice(5));
    } else if (verb === 'DATA') {
      if (line.recipients.length === 0) {
        // In one breath with MAIL and RCPT it may come before their answers; behind a transaction without any it must not.
        if (!line.asked) this.#crime(line, 'DATA without a recipient');
        this.#send(line, '554 5.5.1 No valid recipients\r\n');
      } else this.#answer(line, 'data', texts[354]!, () => (line.inData = true));
    } else this.#crime(line, `a command that Sluice must not send: ${text}`);
  }

  #recipient(line: Line, argument: string): void {
    line.asked = true;
    if (line.sender === null) {
      this.#send(line, '503 5.5.1 Need MAIL\r\n');
      return;
    }
    const local = argument.slice(argument.indexOf('<') + 1);
    if (local.startsWith('unknown')) this.#answer(line, 'rcpt', '550 5.1.1 No such user here');
    else if (local.startsWith('blocked')) this.#answer(line, 'rcpt', '554 5.7.1 Blocked by policy');
    else if (local.startsWith('later')) this.#answer(line, 'rcpt', '450 4.2.0 Mailbox busy');
    else this.#answer(line, 'rcpt', '250 2.1.5 Recipient ok', () => line.recipients.push(argument));
  }

  /** True when the message has come to its end. */
  #readBody(line: Line): boolean {
    line.content += line.buffer;
    line.buffer = '';
    if (this.#leavesEarly(line)) return false;
    const end = line.content.startsWith('.\r\n') ? 0 : line.content.indexOf('\r\n.\r\n') + 2;
    if (end === 1) return false;
    const content = line.content.slice(0, end);
    line.buffer = line.content.slice(end + 3);
    line.content = '';
    line.inData = false;
    this.#checkBytes(line, content);
    this.#queued += 1;
    const told = this.#answer(line, 'final', `250 2.0.0 Ok: queued as ${this.#queued}`);
    const isKept = told === '' || told.startsWith('2');
    if (isKept) {
      this.stored.push({
        lane: line.number,
        attributes: new Map(line.attributes),
        hello: line.hello,
        sender: line.sender!,
        recipients: [...line.recipients],
        content,
        answered: told !== '',
      });
    }
    this.#forget(line);
    return true;
  }

  /** `final=close@1000`: leaves, or says a code, when so much of the message has come, whether or not it is whole. */
  #leavesEarly(line: Line): boolean {
    const fault = this.#faults.get('final')?.find((one) => one.left > 0 && one.does.includes('@'));
    if (fault === undefined) return false;
    const [how, bytes] = fault.does.split('@');
    if (line.content.length < Number(bytes)) return false;
    fault.left -= 1;
    line.over = true;
    if (how === 'reset' || how === 'close') this.#leave(line, how);
    else this.#send(line, `${texts[Number(how)]}\r\n`);
    return true;
  }

  #forget(line: Line): void {
    line.sender = null;
    line.recipients = [];
    line.asked = false;
  }

  /** Answers a step as it should be, or as its fault says; returns what was said ('' for nothing). */
  #answer(line: Line, step: StepName, reply: string, whenGood: () => void = () => undefined): string {
    line.owed += 1;
    const fault = this.#faults.get(step)?.find((one) => one.left > 0 && !one.does.includes('@'));
    const delayMs = this.#delays.get(step) ?? 0;
    if (fault === undefined) {
      const code = Number(reply.slice(0, 3));
      if (code < 400) whenGood();
      this.#schedule(line, `${reply}\r\n`, 'go on', delayMs);
      return reply;
    }
    fault.left -= 1;
    switch (fault.does) {
      case 'silent':
        return '';
      case 'close':
      case 'reset':
        line.over = true;
        this.#schedule(line, '', fault.does, delayMs);
        return '';
      case 'garbage':
        this.#schedule(line, 'hello there\r\n', 'go on', delayMs);
        return '';
      case 'bareLf':
        this.#schedule(line, `${reply}\n`, 'go on', delayMs);
        return '';
      case 'huge':
        this.#schedule(line, `${'250-'.padEnd(900, 'x')}\r\n`.repeat(20), 'go on', delayMs);
        return '';
      case 'twice':
        whenGood();
        this.#schedule(line, `${reply}\r\n${reply}\r\n`, 'go on', delayMs);
        return reply;
      case 'thenClose':
        whenGood();
        this.#schedule(line, `${reply}\r\n`, 'close', delayMs);
        return reply;
      default: {
        const text = texts[Number(fault.does)] ?? `${fault.does} ${fault.does[0]}.0.0 As told`;
        if (text.startsWith('2') || text.startsWith('3')) whenGood();
        this.#schedule(line, `${text}\r\n`, text.startsWith('421') ? 'close' : 'go on', delayMs);
        return text;
      }
    }
  }

  #capabilities(line: Line): string {
    const { pipelining, size, extensions, reuse, xclient } = this.settings;
    const lines = ['backend.example'];
    // Whoever believes what is said in plaintext shows it.
    if (this.settings.tls !== 'no' && !line.secure) {
      const offer = this.settings.tls === 'yes' ? 'STARTTLS' : 'ETRN';
      return `250-backend.example\r\n250-SIZE 77\r\n250 ${offer}`;
    }
    if (size >= 0) lines.push(`SIZE ${size}`);
    if (pipelining) lines.push('PIPELINING');
    lines.push(
      ...extensions.split(' ').filter((word) => word !== ''),
      'ETRN',
      'ENHANCEDSTATUSCODES',
      'CHUNKING',
    );
    if (xclient !== '' && (reuse || line.identified === 0)) lines.push(`XCLIENT ${xclient}`);
    return lines.map((word, row) => `250${row === lines.length - 1 ? ' ' : '-'}${word}`).join('\r\n');
  }

  #schedule(line: Line, bytes: string, next: Due['next'], delayMs: number): void {
    const due = { atMs: this.#nowMs + delayMs, line, bytes, next };
    // Replies keep their order, and close what follows them.
    const last = this.#due
      .filter((one) => one.line === line)
      .reduce((most, one) => Math.max(most, one.atMs), 0);
    if (delayMs === 0 && last <= this.#nowMs) this.#say(due);
    else this.#due.push({ ...due, atMs: Math.max(due.atMs, last) });
  }

  #say(due: Due): void {
    due.line.owed -= 1;
    if (due.bytes !== '') this.#send(due.line, due.bytes);
    if (due.next !== 'go on') this.#leave(due.line, due.next);
  }

  #send(line: Line, coded: string): void {
    if (!this.#lines.has(line)) return;
    const text = this.settings.codes ? coded : coded.replaceAll(/^(\d{3}[ -])\d\.\d\.\d /gm, '$1');
    for (const one of text.split('\r\n').slice(0, -1)) this.onTalk(line.number, '<', one);
    this.#wire().peerSend(line.peer, bytesOf(text));
  }

  #leaveSoon(line: Line): void {
    line.over = true;
    line.owed += 1;
    this.#due.push({ atMs: this.#nowMs, line, bytes: '', next: 'close' });
  }

  #leave(line: Line, how: 'close' | 'reset'): void {
    if (!this.#lines.delete(line)) return;
    line.over = true;
    if (how === 'reset') this.#wire().peerReset(line.peer);
    else this.#wire().peerFinish(line.peer);
  }

  #checkBytes(line: Line, text: string): void {
    if (/\r(?!\n)|(?<!\r)\n|\0/.test(text))
      this.#crime(line, `a bare CR, LF or NUL: ${JSON.stringify(text)}`);
  }

  #crime(line: Line, what: string): void {
    this.crimes.push(`L${line.number}: ${what}`);
  }

  #wire(): MemoryTransport {
    if (this.#transport === null) throw new Error('the backend is attached to no transport');
    return this.#transport;
  }
}
