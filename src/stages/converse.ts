/**
 * converse — commands in, replies out, and what the manner of speaking tells
 *
 * Takes one command line at a time from what has arrived, asks the law (smtp/dialogue) what it means, and does
 * it or says why not. On the way it notices what no patient client does: commands sent ahead of replies
 * before PIPELINING was offered, lines that end in a bare LF, another protocol altogether.
 *
 * In: phase Listening.   Out: Listening, Owing (a reply is due later), Verifying (stages/recipient), Receiving
 * (stages/receive, stages/chunk), Handshaking (stages/starttls) or Closing.
 * Cost: one look for LF, one table look-up, one prepared reply. A command that names something (HELO, MAIL,
 * RCPT) makes one string of it.
 */
import { latin1 } from '../base/ascii.ts';
import { heard, Trait } from '../families/dialect.ts';
import type { TestName } from '../policy/pace.ts';
import { Action } from '../policy/pace.ts';
import { Timer } from '../policy/patience.ts';
import { Count } from '../session/counters.ts';
import { Phase } from '../session/phase.ts';
import { Flag } from '../session/sessions.ts';
import { lawFor, Standing } from '../smtp/dialogue.ts';
import type { Cell } from '../smtp/dialogue.ts';
import { Oddity } from '../smtp/line-reader.ts';
import { Argument } from '../smtp/mailbox.ts';
import type { ReplyName } from '../smtp/replies.ts';
import { withSizeGrown } from '../smtp/tls-trace.ts';
import { argumentStart, Verb, verbOf, verbTable } from '../smtp/verbs.ts';
import { startChunk } from './chunk.ts';
import { cut, dismiss, leavingOf } from './end.ts';
import { forgetEnvelope } from './forget.ts';
import { failTest } from './learn.ts';
import { mayMail, mayRcpt } from './limit.ts';
import { startReceiving } from './receive.ts';
import { recognise } from './recognise.ts';
import { judgeRecipient } from './recipient.ts';
import { refuse } from './refuse.ts';
import { say } from './speak.ts';
import { offersTls, startTls } from './starttls.ts';
import type { Works } from './works.ts';

const HELO_BYTES_MAX = 255;

/** Takes the next command of a session; true when there may be another at once. */
export function converse(works: Works, slot: number): boolean {
  const { sessions, front, lines, config } = works;
  const handle = sessions.handleOf(slot);
  const bytes = front.peek(handle);
  const skipped = sessions.has(slot, Flag.SkippingLine) ? sessions.scanned[slot]! : 0;
  const looked = skipped > 0 ? 0 : sessions.scanned[slot]!;
  if (bytes.length === 0 || !lines.find(bytes, 0, looked))
    return waitForMore(works, slot, bytes.length, skipped);
  sessions.scanned[slot] = 0;
  sessions.clear(slot, Flag.SkippingLine);
  const lineBytes = skipped + lines.next;
  if (lineBytes > config.smtp.commandLineBytes) {
    sessions.bytesIn[slot]! += lines.next;
    front.consume(handle, lines.next);
    if (lineBytes > config.smtp.commandLineBytes * 2)
      dismiss(works, slot, 'lineTooLong', works.replies.lineTooLong);
    else refuse(works, slot, 'lineTooLong');
    return sessions.phaseOf(slot) === Phase.Listening;
  }
  sessions.bytesIn[slot]! += lines.next;
  works.counters.add(Count.commands);
  obey(works, slot, bytes);
  front.consume(handle, lines.next);
  // The octets of a chunk may be there already, and so may the end of a client that says nothing behind DATA.
  const phase = sessions.phaseOf(slot);
  return phase === Phase.Listening || phase === Phase.Receiving || sessions.has(slot, Flag.InChunk);
}

/**
 * No whole line is there: remembers what was looked at, bounds an endless line, notices the end. A line that is
 * too long is thrown away as it comes; `skipped` bytes of it are gone already. Its end is answered once; twice
 * the limit without an end is enough.
 */
function waitForMore(works: Works, slot: number, length: number, skipped: number): boolean {
  const { sessions, front, config } = works;
  if (sessions.has(slot, Flag.PeerEnded)) {
    cut(works, slot, leavingOf(works, slot));
    return false;
  }
  const lengthMax = config.smtp.commandLineBytes;
  const lineBytes = skipped + length;
  sessions.scanned[slot] = lineBytes;
  if (lineBytes < lengthMax) return false;
  if (lineBytes >= lengthMax * 2) {
    dismiss(works, slot, 'lineTooLong', works.replies.lineTooLong);
    return false;
  }
  sessions.set(slot, Flag.SkippingLine);
  sessions.bytesIn[slot]! += length;
  front.consume(sessions.handleOf(slot), length);
  return false;
}

/** Obeys the line that the reader found in `bytes`. */
function obey(works: Works, slot: number, bytes: Uint8Array): void {
  const { sessions, lines, config } = works;
  const { start, end, oddities } = lines;
  if (sessions.bump(sessions.commands, slot) > config.smtp.commandsMax) {
    return dismiss(works, slot, 'commandCountLimit', works.replies.commandCountLimit);
  }
  if ((oddities & Oddity.BareLf) !== 0 && failed(works, slot, 'bareNewline', 'bareNewline')) return undefined;
  if ((oddities & (Oddity.BareCr | Oddity.Nul)) !== 0) return refuse(works, slot, 'badLine');
  const verb = verbOf(bytes, start, end);
  const argument = argumentStart(bytes, start, end);
  sessions.dialects[slot] = heard(sessions.dialects[slot]!, verb, bytes, start, argument, end, oddities);
  if (
    bytes.length > lines.next &&
    !mayPipeline(works, slot, verb) &&
    failed(works, slot, 'pipelining', 'pipelining')
  )
    return undefined;
  if (verb === Verb.Bdat) return startChunk(works, slot, bytes, argument, end);
  const cell = lawFor(sessions.standings[slot] as Standing, verb);
  if (cell.deed === null) {
    if (cell.reply === 'helloFirst' || cell.reply === 'nestedMail') sessions.dialects[slot] |= Trait.Disorder;
    return refuse(works, slot, cell.reply!);
  }
  if (argument < end && verbTable[verb]?.bare === true) return refuse(works, slot, 'badArgument');
  return act(works, slot, verb, cell, bytes, argument, end);
}

function act(
  works: Works,
  slot: number,
  verb: Verb,
  cell: Cell,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  const { replies } = works;
  switch (cell.deed) {
    case 'hello':
      return hello(works, slot, verb === Verb.Ehlo, bytes, start, end);
    case 'mail':
      return mail(works, slot, bytes, start, end);
    case 'rcpt':
      return rcpt(works, slot, bytes, start, end);
    case 'data':
      return startReceiving(works, slot, bytes.length > works.lines.next);
    case 'reset':
      forgetEnvelope(works, slot);
      return say(works, slot, replies.ok, Timer.None, Phase.Listening);
    case 'noop':
      return say(works, slot, replies.ok, Timer.None, Phase.Listening);
    case 'help':
      return say(works, slot, helpFor(works, slot), Timer.None, Phase.Listening);
    case 'vrfy':
      return say(works, slot, replies.vrfy, Timer.None, Phase.Listening);
    case 'quit':
      return dismiss(works, slot, 'quit', replies.bye);
    case 'starttls':
      return starttls(works, slot, bytes.length > works.lines.next);
    case 'foreign':
      if (failed(works, slot, 'nonSmtpCommand', 'nonSmtp')) return undefined;
      return refuse(works, slot, 'unknownCommand');
    default:
      return undefined;
  }
}

function helpFor(works: Works, slot: number): Uint8Array {
  return offersTls(works, slot) ? works.greetings.helpTls : works.greetings.help;
}

/** True when more input may stand behind this command: RFC 2920 §3.1. */
function mayPipeline(works: Works, slot: number, verb: Verb): boolean {
  if (verb === Verb.Quit) return true;
  // BDAT carries its octets behind it; what follows them is looked at when they are through.
  if (verb === Verb.Bdat || verb === Verb.Data) return true;
  // Bytes behind it end the session, where it is offered: it has a worse name than pipelining.
  if (verb === Verb.Starttls && offersTls(works, slot)) return true;
  if (!works.sessions.has(slot, Flag.PipeliningOffered)) return false;
  works.sessions.dialects[slot]! |= Trait.Pipelines;
  return verb !== Verb.Ehlo && verb !== Verb.Helo;
}

/** A test was failed; true when the session is over. */
function failed(
  works: Works,
  slot: number,
  test: TestName,
  ending: 'bareNewline' | 'pipelining' | 'nonSmtp',
): boolean {
  if (failTest(works, slot, test) !== Action.Drop) return false;
  dismiss(works, slot, ending, ending === 'nonSmtp' ? works.replies.notSmtp : works.replies.protocolDrop);
  return true;
}

function hello(
  works: Works,
  slot: number,
  isEsmtp: boolean,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  const { sessions, greetings, replies } = works;
  if (!isHelloName(bytes, start, end)) return refuse(works, slot, 'badHello');
  forgetEnvelope(works, slot);
  sessions.helos[slot] = latin1(bytes, start, end);
  sessions.standings[slot] = Standing.Greeted;
  sessions.clear(slot, Flag.Esmtp | Flag.PipeliningOffered);
  if (!isEsmtp) return say(works, slot, replies.helo, Timer.Helo, Phase.Listening);
  sessions.set(slot, Flag.Esmtp);
  // Before the tests are passed a client must show that it waits for each reply.
  const offers = sessions.has(slot, Flag.Passed) || works.passesNeeded === 0;
  if (offers) sessions.set(slot, Flag.PipeliningOffered);
  const reply = greetings.ehloFor(offers, offersTls(works, slot));
  return say(works, slot, reply, Timer.Helo, Phase.Listening);
}

function starttls(works: Works, slot: number, isAhead: boolean): void {
  if (offersTls(works, slot)) return startTls(works, slot, isAhead);
  return refuse(works, slot, works.sessions.has(slot, Flag.Secured) ? 'tlsActive' : 'notImplemented');
}

/** One word of printable bytes: it goes to the backend and into the log as it is. */
function isHelloName(bytes: Uint8Array, start: number, end: number): boolean {
  if (end === start || end - start > HELO_BYTES_MAX) return false;
  for (let at = start; at < end; at++) if (bytes[at]! <= 0x20 || bytes[at] === 0x7f) return false;
  return true;
}

const mailReplies: readonly ReplyName[] = ['mailOk', 'badMail', 'badSender', 'badParameter'];
const rcptReplies: readonly ReplyName[] = ['rcptOk', 'badRcpt', 'badRecipient', 'badParameter'];

function mail(works: Works, slot: number, bytes: Uint8Array, start: number, end: number): void {
  const { sessions, mailboxes, greetings, envelopes, lanes, replies } = works;
  const offered = sessions.has(slot, Flag.Esmtp) ? works.lanes.capabilities.extensions : 0;
  const verdict = mailboxes.readMail(bytes, start, end, offered);
  if (verdict !== Argument.Syntax && !mayMail(works, slot)) return undefined;
  if (verdict !== Argument.Good) return refuse(works, slot, mailReplies[verdict]!);
  const sizeMax = greetings.sizeMaxBytes;
  if (sizeMax > 0 && mailboxes.sizeBytes > sizeMax) return refuse(works, slot, 'messageTooBig');
  const envelope = envelopes.take();
  envelope.sender = `FROM:${argumentOf(works, bytes, lanes.hasTrace ? lanes.traceOf(slot).length : 0)}`;
  envelope.announcedBytes = mailboxes.sizeBytes;
  sessions.envelopes[slot] = envelope;
  sessions.standings[slot] = Standing.Mail;
  recognise(works, slot, Timer.Mail);
  return say(works, slot, replies.mailOk, Timer.Mail, Phase.Listening);
}

function rcpt(works: Works, slot: number, bytes: Uint8Array, start: number, end: number): void {
  const { sessions, mailboxes } = works;
  const offered = sessions.has(slot, Flag.Esmtp) ? works.lanes.capabilities.extensions : 0;
  const verdict = mailboxes.readRcpt(bytes, start, end, offered);
  if (verdict !== Argument.Syntax && !mayRcpt(works, slot)) return undefined;
  if (verdict !== Argument.Good) return refuse(works, slot, rcptReplies[verdict]!);
  recognise(works, slot, Timer.Rcpt);
  return judgeRecipient(works, slot, `TO:${argumentOf(works, bytes)}`);
}

/** The checked path and its parameters, byte for byte; with what goes in front of the message (`aheadBytes`) in its SIZE. */
function argumentOf(works: Works, bytes: Uint8Array, aheadBytes = 0): string {
  const { pathStart, pathEnd, parametersStart, parametersEnd } = works.mailboxes;
  const path = latin1(bytes, pathStart, pathEnd);
  if (parametersEnd === parametersStart) return path;
  const parameters = latin1(bytes, parametersStart, parametersEnd);
  return `${path} ${aheadBytes > 0 ? withSizeGrown(parameters, aheadBytes) : parameters}`;
}
