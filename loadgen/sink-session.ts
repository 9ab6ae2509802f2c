/**
 * sink-session — one connection of the sink: a small ESMTP server that believes XCLIENT
 *
 * It answers the way a Postfix listener does where it matters to a front end: the greeting again after
 * XCLIENT, 503 for an XCLIENT inside a transaction, 550 when XCLIENT is not allowed (any more), and 554 with
 * a close for anything sent together with EHLO, XCLIENT or DATA before its reply was read.
 *
 * Written for tests and load, not for mail: strings and objects per command, no time-out of its own.
 */
import type { Socket } from 'node:net';
import { SinkBody } from './sink-body.ts';
import { readMail, readRcpt } from './sink-envelope.ts';
import type { Envelope } from './sink-envelope.ts';
import type { Mishaps } from './sink-mishaps.ts';
import { applyXclient, ehloReply, nobody } from './sink-xclient.ts';
import type { Impersonated } from './sink-xclient.ts';
import type { Faults, SinkOptions } from './sink-options.ts';
import { SinkWriter } from './sink-writer.ts';
import type { SinkStats, StoredMessage } from './sink.ts';

/** What a session asks of the sink it belongs to. */
export interface SinkHouse {
  readonly options: SinkOptions;
  readonly faults: Faults;
  readonly stats: SinkStats;
  readonly mishaps: Mishaps | null;
  /** Stores (and journals) a message before it returns. */
  store(message: StoredMessage): void;
  /** A MAIL, RCPT or DATA came before any XCLIENT was obeyed. */
  relayAttempt(line: string): void;
}

const LF = 10;
const LINE_BYTES_MAX = 2_048;
const RCPT_MAX = 1_000;

export class SinkSession {
  readonly #writer: SinkWriter;
  readonly #house: SinkHouse;
  readonly #connection: number;
  #input: Buffer = Buffer.alloc(0);
  #client: Impersonated = nobody();
  #xclientsObeyed = 0;
  #helo = '';
  #isEsmtp = false;
  #mail: Envelope | null = null;
  #recipients: Envelope[] = [];
  #body: SinkBody | null = null;
  #bodyBytes = 0;
  #isTurnedAway = false;
  #lateMs = 0;

  constructor(socket: Socket, house: SinkHouse, connection: number) {
    this.#writer = new SinkWriter(socket, house.faults);
    this.#house = house;
    this.#connection = connection;
    this.#greet();
  }

  /** Takes bytes from the peer and answers what is whole. */
  take(chunk: Buffer): void {
    if (this.#writer.isOver) return;
    this.#input = this.#input.length === 0 ? chunk : Buffer.concat([this.#input, chunk]);
    while (!this.#writer.isOver && (this.#body === null ? this.#takeLine() : this.#takeBody()));
    this.#writer.flush(this.#house.faults.replyDelayMs + this.#lateMs);
    this.#lateMs = 0;
  }

  #takeLine(): boolean {
    const lf = this.#input.indexOf(LF);
    if (lf < 0) {
      if (this.#input.length > LINE_BYTES_MAX) this.#writer.close('500 5.5.2 Error: line too long');
      return false;
    }
    const bytes = this.#input.subarray(0, lf);
    this.#input = this.#input.subarray(lf + 1);
    const hasCr = bytes[bytes.length - 1] === 13;
    if (!hasCr) this.#house.stats.bareNewlineCommands += 1;
    this.#obey((hasCr ? bytes.subarray(0, -1) : bytes).toString('utf8'));
    return true;
  }

  #takeBody(): boolean {
    const body = this.#body as SinkBody;
    const before = this.#input.length;
    const used = body.take(this.#input);
    this.#input = used < 0 ? Buffer.alloc(0) : this.#input.subarray(used);
    this.#bodyBytes += before - this.#input.length;
    const limit = this.#house.faults.closeInDataAfterBytes;
    if (limit > 0 && this.#bodyBytes >= limit) {
      this.#writer.die();
      return false;
    }
    if (used < 0) return false;
    this.#endOfData(body);
    return true;
  }

  #obey(line: string): void {
    this.#house.stats.commands += 1;
    const space = line.indexOf(' ');
    const verb = (space < 0 ? line : line.slice(0, space)).toUpperCase();
    const rest = space < 0 ? '' : line.slice(space + 1).trim();
    if (this.#isTurnedAway && verb !== 'QUIT') return this.#writer.reply('503 5.7.0 Error: access denied');
    const isSyncPoint = verb === 'EHLO' || verb === 'HELO' || verb === 'XCLIENT' || verb === 'DATA';
    if (isSyncPoint && this.#input.length > 0) {
      this.#house.stats.syncErrors += 1;
      return this.#writer.close('554 5.5.0 Error: SMTP protocol synchronization');
    }
    if (this.#goesWrong(verb, rest)) return undefined;
    switch (verb) {
      case 'EHLO':
      case 'HELO':
        return this.#hello(verb, rest);
      case 'XCLIENT':
        return this.#xclient(rest);
      case 'MAIL':
        return this.#startMail(line, rest);
      case 'RCPT':
        return this.#recipient(line, rest);
      case 'DATA':
        return this.#data(line);
      case 'RSET':
        this.#reset();
        return this.#writer.reply('250 2.0.0 Ok');
      case 'NOOP':
        return this.#writer.reply('250 2.0.0 Ok');
      case 'QUIT':
        this.#house.stats.quits += 1;
        return this.#writer.close('221 2.0.0 Bye');
      default:
        this.#house.stats.unknownCommands += 1;
        return this.#writer.reply('502 5.5.2 Error: command not recognized');
    }
  }

  /** True when chance has it that a command is not obeyed. */
  #goesWrong(verb: string, rest: string): boolean {
    const { mishaps } = this.#house;
    const mishap = mishaps?.next(verb) ?? 'none';
    if (mishaps === null || mishap === 'none') return false;
    if (mishap === 'late') this.#lateMs = mishaps.delayMs();
    if (mishap === 'byeLater')
      setTimeout(() => this.#writer.close('421 4.4.2 Error: timeout exceeded'), mishaps.delayMs()).unref();
    if (mishap === 'refuse') this.#writer.reply(`451 4.3.0 ${/<.*>/.exec(rest)?.[0] ?? ''} Try again later`);
    if (mishap === 'bye') this.#writer.close('421 4.3.2 Error: shutting down');
    if (mishap === 'die') this.#writer.die();
    return mishap !== 'late' && mishap !== 'byeLater';
  }

  #hello(verb: 'EHLO' | 'HELO', name: string): void {
    if (name === '') return this.#writer.reply(`501 Syntax: ${verb} hostname`);
    this.#reset();
    this.#helo = name;
    this.#isEsmtp = verb === 'EHLO';
    const { options } = this.#house;
    this.#writer.reply(this.#isEsmtp ? ehloReply(options, this.#mayXclient()) : `250 ${options.hostname}`);
  }

  #mayXclient(): boolean {
    const mode = this.#house.options.xclient;
    return mode === 'always' || (mode === 'once' && this.#xclientsObeyed === 0);
  }

  #xclient(attributes: string): void {
    const { stats } = this.#house;
    if (this.#mail !== null) return this.#writer.reply('503 5.5.1 Error: MAIL transaction in progress');
    if (!this.#mayXclient()) {
      stats.xclientsRefused += 1;
      return this.#writer.reply('550 5.7.0 Error: insufficient authorization');
    }
    const wrong = applyXclient(this.#client, attributes);
    if (wrong !== '') {
      stats.xclientsRefused += 1;
      return this.#writer.reply(wrong);
    }
    stats.xclients += 1;
    this.#xclientsObeyed += 1;
    this.#reset();
    this.#helo = this.#client.HELO;
    this.#isEsmtp = this.#client.PROTO.toUpperCase() === 'ESMTP';
    this.#greet();
  }

  #startMail(line: string, rest: string): void {
    if (this.#isNobody(line)) return;
    if (this.#helo === '') return this.#writer.reply('503 5.5.1 Error: send HELO/EHLO first');
    if (this.#mail !== null) return this.#writer.reply('503 5.5.1 Error: nested MAIL command');
    const mail = readMail(rest, this.#house.options.messageBytesMax);
    if (mail.refusal !== '') return this.#writer.reply(mail.refusal);
    this.#house.stats.mails += 1;
    this.#mail = mail;
    this.#writer.reply('250 2.1.0 Ok');
  }

  #recipient(line: string, rest: string): void {
    if (this.#isNobody(line)) return;
    if (this.#mail === null) return this.#writer.reply('503 5.5.1 Error: need MAIL command');
    this.#house.stats.recipients += 1;
    const recipient = readRcpt(rest, this.#house.options.unknownRecipients);
    if (recipient.refusal !== '') {
      this.#house.stats.recipientsRefused += 1;
      return this.#writer.reply(recipient.refusal);
    }
    if (this.#recipients.length >= RCPT_MAX)
      return this.#writer.reply('452 4.5.3 Error: too many recipients');
    this.#recipients.push(recipient);
    this.#writer.reply(`250 2.1.5 ${this.#house.options.namesAddresses ? `<${recipient.address}> ` : ''}Ok`);
  }

  #data(line: string): void {
    if (this.#isNobody(line)) return;
    if (this.#mail === null) return this.#writer.reply('503 5.5.1 Error: need RCPT command');
    if (this.#recipients.length === 0) return this.#writer.reply('554 5.5.1 Error: no valid recipients');
    this.#body = new SinkBody(this.#house.options.endOfData);
    this.#bodyBytes = 0;
    this.#writer.reply('354 End data with <CR><LF>.<CR><LF>');
  }

  #endOfData(body: SinkBody): void {
    this.#body = null;
    const { options, faults, stats } = this.#house;
    if (body.bytes > options.messageBytesMax) {
      this.#reset();
      return this.#writer.reply('552 5.3.4 Error: message file too big');
    }
    const dot = this.#house.mishaps?.dot() ?? faults.dot;
    if (dot === 'refuse4' || dot === 'refuse5') {
      const whose = options.namesAddresses ? `<${this.#mail?.address}> ` : '';
      stats.messagesRefused += 1;
      this.#reset();
      return this.#writer.reply(
        dot === 'refuse4'
          ? `451 4.3.0 ${whose}Error: queue file write error`
          : `550 5.7.1 ${whose}Message refused`,
      );
    }
    if (dot === 'closeBeforeStore') return this.#writer.die();
    if (dot === 'silent') return this.#reset();
    const queueId = this.#store(body);
    this.#reset();
    if (dot === 'storeThenClose') return this.#writer.die();
    this.#writer.reply(`250 2.0.0 Ok: queued as ${queueId}`);
  }

  #store(body: SinkBody): string {
    const { options, stats } = this.#house;
    const whole = body.whole();
    const queueId = `S${(stats.messages + 1).toString(36).toUpperCase().padStart(6, '0')}`;
    this.#house.store({
      queueId,
      connection: this.#connection,
      client: { ...this.#client },
      helo: this.#helo,
      protocol: this.#isEsmtp ? 'ESMTP' : 'SMTP',
      sender: this.#mail?.address ?? '',
      mailParameters: this.#mail?.parameters ?? '',
      recipients: this.#recipients.map((recipient) => recipient.address),
      recipientParameters: this.#recipients.map((recipient) => recipient.parameters),
      ...body.facts(whole),
      ...(options.keepBodies ? { body: whole } : {}),
    });
    return queueId;
  }

  /** True, with the refusal said, when nobody has been named by an XCLIENT that heard 220. */
  #isNobody(line: string): boolean {
    if (!this.#house.options.mustXclient || this.#xclientsObeyed > 0) return false;
    this.#house.relayAttempt(line);
    this.#writer.reply('554 5.7.1 Error: no client was named; this would be an open relay');
    return true;
  }

  #greet(): void {
    const { faults, options, stats } = this.#house;
    if (faults.refuseGreeting === '421') {
      stats.greetingsRefused += 1;
      this.#writer.close(`421 4.3.2 ${options.hostname} Service not available`);
    } else if (faults.refuseGreeting === '554') {
      stats.greetingsRefused += 1;
      this.#isTurnedAway = true;
      this.#writer.reply(`554 5.7.1 ${options.hostname} Service unavailable`);
    } else {
      this.#writer.reply(`220 ${options.hostname} ESMTP sink`);
    }
    this.#writer.flush(faults.greetDelayMs);
  }

  #reset(): void {
    this.#mail = null;
    this.#recipients = [];
  }
}
