/**
 * conversation — one connection to the simulated backend
 *
 * An MTA that speaks XCLIENT, answers one command after the other, and is strict where Postfix is: nothing may
 * follow EHLO, XCLIENT and DATA before their answer, and no MAIL is taken before a client was named. What Sluice
 * must never do is a failure on the spot; what a backend may do to Sluice is drawn (fates).
 */
import { bytesOf } from '../../src/base/ascii.ts';
import type { PeerHandle } from '../../src/transport/memory-transport.ts';
import { must } from './failure.ts';
import type { Deed, Fate, Step } from './fates.ts';
import { PORT_BASE } from '../../loadgen/virtual/client.ts';
import type { House } from './house.ts';
import { ehloText, missingIn, readXclient, wordsOf } from './words.ts';
import type { SimTransport } from '../../loadgen/virtual/sim-transport.ts';

const QUEUED = '250 2.0.0 Ok: queued\r\n';
const END_OF_BODY = '\r\n.\r\n';

/** Deeds with which the usual answer is given. */
const answers: ReadonlySet<Deed> = new Set(['usual', 'extra', 'replyThenClose', 'replyThenReset']);
/** Deeds that end a conversation in the middle of a message. */
const endsBody: ReadonlySet<Deed> = new Set(['close', 'reset', 'halfReply', 'say421', 'say451']);

export class Conversation {
  readonly number: number;
  readonly peer: PeerHandle;
  readonly net: SimTransport;
  readonly #house: House;
  #input = '';
  /** An answer is due, or never comes; nothing is read until then. */
  #isBusy = false;
  #isGone = false;
  /** It said a reply too many: Sluice cannot know at once which reply is which. */
  #isOutOfStep = false;
  #pending: { text: string; deed: Deed; isSync: boolean } | null = null;
  #named: Readonly<Record<string, string>> = {};
  #xclients = 0;
  #helo = '';
  #mail: string | null = null;
  #recipients: string[] = [];
  #isBody = false;
  #bodyFate: Fate | null = null;
  /** When 354 was said to the message whose answer is still due; 0 for none. */
  #bodySinceMs = 0;

  constructor(number: number, net: SimTransport, peer: PeerHandle, house: House, nowMs: number) {
    this.number = number;
    this.net = net;
    this.peer = peer;
    this.#house = house;
    this.#answer(nowMs, 'greeting', '220 backend.example ESMTP\r\n');
  }

  get #serial(): number {
    return Number(this.#named['PORT'] ?? PORT_BASE - 1) - PORT_BASE;
  }

  /** Takes what has come. */
  hear(nowMs: number): void {
    this.#input += Buffer.from(this.net.peerReceived(this.peer)).toString('latin1');
    this.#work(nowMs);
    if (this.net.peerSawEnd(this.peer)) this.#finish();
  }

  /** Sluice has closed the connection. */
  closed(nowMs: number): void {
    const isAwaited = !this.#isGone && !this.#isBody && this.#bodySinceMs > 0;
    const waitedMs = nowMs - this.#bodySinceMs;
    this.#must(
      !isAwaited || waitedMs >= this.#house.finalTimeoutMs,
      'the answer to a whole message is awaited',
      () => `Sluice closed after ${waitedMs} ms`,
    );
  }

  /** The moment that was asked for. */
  wake(nowMs: number): void {
    const pending = this.#pending;
    this.#pending = null;
    if (this.#isGone) return;
    if (pending === null) return this.#finish();
    this.#isBusy = false;
    if (!this.#isBody) this.#bodySinceMs = 0;
    if (pending.isSync) this.#mustBeAlone('a command that waits for its answer');
    this.#speak(nowMs, pending.text, pending.deed);
    this.#work(nowMs);
  }

  #work(nowMs: number): void {
    while (!this.#isBusy && !this.#isGone) {
      if (this.#isBody ? !this.#takeBody(nowMs) : !this.#takeLine(nowMs)) break;
    }
    if (this.#isBusy || this.#isGone) return;
    const restMs = this.#house.restMs();
    if (restMs > 0) this.#house.wakeAt(this.number, nowMs + restMs);
  }

  #takeLine(nowMs: number): boolean {
    const end = this.#input.indexOf('\r\n');
    if (end < 0) return false;
    const line = this.#input.slice(0, end);
    this.#input = this.#input.slice(end + 2);
    this.#house.heard(nowMs, this.#serial, 'B>', line);
    this.#obey(nowMs, line);
    return true;
  }

  #takeBody(nowMs: number): boolean {
    if (this.#input === '') return false;
    this.#bodyFate ??= this.#house.fateAt('body');
    const { deed } = this.#bodyFate;
    if (endsBody.has(deed)) {
      this.#speak(nowMs, '', deed);
      this.#finish();
      return false;
    }
    if (deed === 'silent') {
      this.#isBusy = true;
      return false;
    }
    const end = `\r\n${this.#input}`.indexOf(END_OF_BODY);
    if (end < 0) return false;
    const text = this.#input.slice(0, end + 3);
    this.#input = this.#input.slice(end + 3);
    this.#endOfBody(nowMs, text);
    return true;
  }

  #obey(nowMs: number, line: string): void {
    const verb = /^[A-Z]+/.exec(line)?.[0] ?? '';
    if (verb === 'EHLO' || verb === 'HELO' || verb === 'XCLIENT' || verb === 'DATA') this.#mustBeAlone(verb);
    if (verb === 'MAIL' || verb === 'RCPT' || verb === 'DATA') {
      const isNamed = this.#xclients > 0 && this.#named['ADDR'] !== '192.0.2.1';
      this.#must(isNamed, 'no MAIL before a 220 to XCLIENT', () => `the backend heard ${line} from nobody`);
    }
    switch (verb) {
      case 'EHLO':
      case 'HELO':
        this.#reset();
        this.#helo = line.slice(5);
        return this.#answer(
          nowMs,
          'hello',
          verb === 'HELO'
            ? '250 backend.example\r\n'
            : ehloText(this.#house.pipelining, this.#xclients === 0 || this.#house.repeatsXclient),
        );
      case 'XCLIENT':
        return this.#xclient(nowMs, line);
      case 'MAIL':
        this.#must(this.#mail === null, 'one transaction at a time', () => 'the backend heard a nested MAIL');
        return this.#answer(nowMs, 'mail', '250 2.1.0 Ok\r\n', line);
      case 'RCPT':
        return this.#rcpt(nowMs, line);
      case 'DATA':
        if (this.#recipients.length === 0)
          return this.#answer(nowMs, 'data', '554 5.5.1 No valid recipients\r\n');
        return this.#answer(nowMs, 'data', '354 Go on\r\n');
      case 'RSET':
        this.#reset();
        return this.#answer(nowMs, 'rset', '250 2.0.0 Ok\r\n');
      case 'QUIT':
        this.#speak(nowMs, '221 2.0.0 Bye\r\n', 'replyThenClose');
        return undefined;
      default:
        return this.#must(
          false,
          'the backend hears only what it should',
          () => `it heard ${JSON.stringify(line)}`,
        );
    }
  }

  #must(holds: boolean, rule: string, message: () => string): void {
    must(holds, rule, this.#serial, message);
  }

  #mustBeAlone(verb: string): void {
    if (this.#isOutOfStep) return;
    this.#must(
      this.#input === '',
      'EHLO, XCLIENT and DATA are said alone',
      () => `${JSON.stringify(this.#input.slice(0, 60))} stood behind ${verb}`,
    );
  }

  #xclient(nowMs: number, line: string): void {
    this.#must(
      this.#mail === null,
      'no XCLIENT inside a transaction',
      () => 'the backend heard XCLIENT behind MAIL',
    );
    if (this.#xclients > 0 && !this.#house.repeatsXclient) {
      return this.#answer(nowMs, 'xclient', '550 5.7.0 Error: insufficient authorization\r\n');
    }
    const named = readXclient(line);
    const missing = missingIn(named);
    this.#must(
      missing.length === 0,
      'XCLIENT names every attribute',
      () => `${missing.join(' ')} missing in ${line}`,
    );
    return this.#answer(nowMs, 'xclient', '220 backend.example ESMTP\r\n', line);
  }

  #rcpt(nowMs: number, line: string): void {
    if (this.#mail === null) return this.#answer(nowMs, 'rcpt', '503 5.5.1 Need MAIL\r\n');
    if (line.includes('<unknown') && !this.#house.takesAll)
      return this.#answer(nowMs, 'rcpt', '550 5.1.1 No such user\r\n');
    return this.#answer(nowMs, 'rcpt', '250 2.1.5 Ok\r\n', line);
  }

  #endOfBody(nowMs: number, text: string): void {
    this.#isBody = false;
    const fate = this.#house.fateAt('dot');
    const { deed } = fate;
    const id = /^X-Load-Id: (\S+)\r\n/.exec(text)?.[1] ?? '';
    if (deed === 'say550') this.#house.refused(id);
    const isStored = answers.has(deed) || deed.startsWith('store');
    if (isStored) this.#store(nowMs, text, id, deed);
    this.#reset();
    this.#due(nowMs, fate, QUEUED, false);
  }

  #store(nowMs: number, text: string, id: string, deed: Deed): void {
    this.#house.store({
      id,
      text,
      address: this.#named['ADDR'] ?? '',
      port: Number(this.#named['PORT'] ?? 0),
      xclientHelo: this.#named['HELO'] ?? '',
      helo: this.#helo,
      sender: this.#mail ?? '',
      recipients: this.#recipients,
      isAnswered: deed === 'usual' || deed === 'extra' || deed === 'replyThenClose',
      ms: nowMs,
    });
  }

  /** Answers a step as its fate has it. `line`: what is obeyed if the answer is the usual one. */
  #answer(nowMs: number, step: Step, text: string, line = ''): void {
    const fate = this.#house.fateAt(step);
    // Sluice can tell what comes with the answer to the only command that it has said, and in the same piece.
    if (fate.deed === 'extra') this.#isOutOfStep ||= this.#house.splits || step === 'mail' || step === 'rcpt';
    if (answers.has(fate.deed)) this.#take(nowMs, step, text, line);
    this.#due(nowMs, fate, text, isSync(step));
  }

  #take(nowMs: number, step: Step, text: string, line: string): void {
    if (step === 'mail') this.#mail = line.slice('MAIL FROM:'.length);
    else if (step === 'rcpt' && text.startsWith('250')) this.#recipients.push(line.slice('RCPT TO:'.length));
    else if (step === 'data' && text.startsWith('354')) {
      this.#isBody = true;
      this.#bodyFate = null;
      this.#bodySinceMs = nowMs;
    } else if (step === 'xclient' && text.startsWith('220')) {
      this.#named = readXclient(line);
      this.#xclients += 1;
      this.#helo = '';
      this.#reset();
    }
  }

  #due(nowMs: number, fate: Fate, text: string, sync: boolean): void {
    this.#isBusy = true;
    if (fate.deed === 'silent' || fate.deed === 'storeThenSilent') return;
    this.#pending = { text, deed: fate.deed, isSync: sync };
    this.#house.wakeAt(this.number, nowMs + fate.delayMs);
  }

  #speak(nowMs: number, text: string, deed: Deed): void {
    const said = wordsOf(deed, text, text === QUEUED);
    if (said !== '') this.#send(nowMs, said);
    if (deed === 'reset' || deed === 'replyThenReset' || deed === 'storeThenReset') {
      this.#isGone = true;
      this.net.peerReset(this.peer);
    } else if (!answers.has(deed) || deed === 'replyThenClose') {
      if (deed !== 'say451' && deed !== 'say550' && deed !== 'garbage') this.#finish();
    }
  }

  #send(nowMs: number, text: string): void {
    if (this.#isGone) return;
    this.#house.heard(nowMs, this.#serial, 'B<', text);
    this.net.peerSend(this.peer, bytesOf(text));
  }

  #finish(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.net.peerFinish(this.peer);
  }

  #reset(): void {
    this.#mail = null;
    this.#recipients = [];
  }
}

const isSync = (step: Step): boolean => step === 'hello' || step === 'xclient' || step === 'data';
