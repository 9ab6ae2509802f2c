/**
 * hunt-client — plays sessions of a hunt, and writes down what each message was told
 *
 * A session follows its plan (hunt-plan.ts) to its end or to the point at which it leaves. For each message whose end was sent it
 * tells one `Told`; whoever finds no `Told` for a message knows that its end was never sent. Every reply that names an address has to
 * name one of this session.
 */
import { setTimeout as pause } from 'node:timers/promises';

import { replyTable } from '../../src/smtp/replies.ts';
import { proxyHeader } from '../../src/transport/proxy-writer.ts';
import { Client } from './client.ts';
import type { Reply } from './client.ts';
import { idOf } from './hunt-plan.ts';
import type { AbortPoint, Letter, SessionPlan } from './hunt-plan.ts';

/** What became of a message whose final dot (or last chunk) was sent. */
export interface Told {
  readonly id: string;
  /** The port that the client spoke from, as the backend should hear it. */
  readonly port: number;
  /** The HELO that held. */
  readonly helo: string;
  /** Recipients that were told 250. */
  readonly recipients: readonly string[];
  /** The answer to the message; 0: none was heard. */
  readonly code: number;
  /** Told 451 because the backend's own answer was lost: it may have the message. */
  readonly isUncertain: boolean;
  /** The id by which the backend called it, '' when none was told. */
  readonly queueId: string;
}

/** The same before an answer. */
type Untold = Omit<Told, 'code' | 'isUncertain' | 'queueId'> & { readonly recipients: string[] };

/** What a session came to. */
export interface Played {
  /** Where it left; `never`, or the point of its plan if it came so far. */
  leftAt: AbortPoint | 'turned away';
  readonly told: Told[];
  /** Replies that cannot have been meant for this session. */
  readonly strange: string[];
}

export interface HuntPorts {
  readonly plain: number;
  readonly proxied: number;
}

const SESSION_MS_MAX = 60_000;
const uncertain = replyTable.backendLost.text;
/** Thrown where the session is over. */
const over = Symbol('over');

/** Plays one session to its end. Never throws for what the server does. */
export async function playSession(plan: SessionPlan, ports: HuntPorts): Promise<Played> {
  const session = new Session(
    plan,
    new Client(plan.header === null ? ports.plain : ports.proxied, plan.source),
  );
  return session.play();
}

class Session {
  readonly #plan: SessionPlan;
  readonly #client: Client;
  readonly #played: Played = { leftAt: 'turned away', told: [], strange: [] };
  readonly #own: ReadonlySet<string>;
  #letter = 0;
  #port = 0;
  #helo = '';
  /** The message whose end was sent and not answered yet. */
  #open: Untold | null = null;

  constructor(plan: SessionPlan, client: Client) {
    this.#plan = plan;
    this.#client = client;
    this.#own = new Set(plan.letters.flatMap(({ sender, recipients }) => [sender, ...recipients]));
  }

  async play(): Promise<Played> {
    const deadline = setTimeout(() => {
      this.#played.strange.push(`session ${this.#plan.number} was not over after ${SESSION_MS_MAX} ms`);
      this.#client.close();
    }, SESSION_MS_MAX);
    try {
      await this.#converse();
    } catch (reason) {
      if (reason !== over) throw reason;
    } finally {
      clearTimeout(deadline);
      this.#tell(null);
      this.#client.close();
    }
    return this.#played;
  }

  async #converse(): Promise<void> {
    const plan = this.#plan;
    if (!(await this.#client.connected())) throw over;
    this.#port = plan.header?.ends.port ?? this.#client.port;
    if (plan.header !== null) {
      const header = proxyHeader(plan.header.version, plan.header.ends);
      this.#client.send(header.subarray(0, 14));
      await this.#mayLeave('insideHeader');
      this.#client.send(header.subarray(14));
    }
    await this.#mayLeave('connected');
    if ((await this.#hear()).code !== 220) throw over;
    await this.#mayLeave('greeted');
    await this.#hello(plan.hello, true);
    if (plan.tls) await this.#startTls();
    for (const [at, letter] of plan.letters.entries()) {
      this.#letter = at;
      if (letter.hello !== null) await this.#hello(letter.hello, false);
      await this.#write(letter, at);
    }
    this.#played.leftAt = 'never';
    this.#say('QUIT');
    while ((await this.#client.reply()) !== null);
  }

  async #hello(name: string, mayLeave: boolean): Promise<void> {
    const verb = this.#plan.isEsmtp ? 'EHLO' : 'HELO';
    if (mayLeave) await this.#mayLeaveInside('insideHello', `${verb} ${name}`);
    this.#helo = name;
    if ((await this.#ask(`${verb} ${name}`)).code !== 250) throw over;
    if (mayLeave) await this.#mayLeave('hello');
  }

  async #startTls(): Promise<void> {
    this.#say('STARTTLS');
    await this.#mayLeave('tlsAsked');
    if ((await this.#hear()).code !== 220) throw over;
    const secured = this.#client.handshake().catch(() => null);
    await this.#mayLeave('insideHandshake');
    if ((await secured) === null) throw over;
    await this.#mayLeave('secured');
    await this.#hello(`tls.${this.#plan.hello.replaceAll(/[[\]]/g, '')}`, false);
  }

  async #write(letter: Letter, at: number): Promise<void> {
    const { pipelines } = this.#plan;
    const mail = `MAIL FROM:${letter.sender}${letter.parameters}`;
    const told = {
      id: idOf(this.#plan.number, at),
      port: this.#port,
      helo: this.#helo,
      recipients: [] as string[],
    };
    if (pipelines && letter.resets === 'never') return this.#writeTogether(letter, mail, told);
    await this.#mayLeaveInside('insideMail', mail);
    if ((await this.#ask(mail)).code !== 250) return this.#forget();
    await this.#mayLeave('mail');
    if (letter.resets === 'after MAIL') return this.#forget();
    for (const recipient of letter.recipients) {
      await this.#mayLeaveInside('insideRcpt', `RCPT TO:${recipient}`);
      this.#say(`RCPT TO:${recipient}`);
      await this.#mayLeave('rcptSaid');
      if ((await this.#hear(recipient)).code === 250) told.recipients.push(recipient);
      await this.#mayLeave('rcpt');
    }
    if (letter.resets === 'after RCPT' || told.recipients.length === 0) return this.#forget();
    if (letter.byChunks) return this.#sendChunks(letter, told);
    this.#say('DATA');
    await this.#mayLeave('dataSaid');
    if ((await this.#hear()).code !== 354) return this.#forget();
    return this.#sendBody(letter, told);
  }

  /** MAIL, every RCPT and DATA in one write; or MAIL and every RCPT, and the chunks behind them. */
  async #writeTogether(letter: Letter, mail: string, told: Untold): Promise<void> {
    const commands = [mail, ...letter.recipients.map((recipient) => `RCPT TO:${recipient}`)];
    if (!letter.byChunks) commands.push('DATA');
    this.#client.send(commands.map((command) => `${this.#cased(command)}\r\n`).join(''));
    await this.#mayLeave('groupSaid');
    const isMail = (await this.#hear()).code === 250;
    for (const recipient of letter.recipients)
      if ((await this.#hear(isMail ? recipient : '')).code === 250) told.recipients.push(recipient);
    const canSend = told.recipients.length > 0;
    if (letter.byChunks) return canSend ? this.#sendChunks(letter, told) : this.#forget();
    if ((await this.#hear()).code !== 354) return this.#forget();
    return this.#sendBody(letter, told);
  }

  async #sendBody(letter: Letter, told: Untold): Promise<void> {
    await this.#mayLeave('data');
    const wire = Buffer.from(letter.body.toString('latin1').replaceAll(/^\./gm, '..'), 'latin1');
    const pieceBytes = Math.ceil(wire.length / letter.pieces);
    for (let at = 0; at < wire.length; at += pieceBytes) {
      this.#client.send(wire.subarray(at, at + pieceBytes));
      await this.#mayLeave('insideBody');
    }
    await this.#mayLeaveInside('insideDot', '.\r');
    this.#open = told;
    this.#client.send('.\r\n');
    await this.#hearOfMessage();
  }

  async #sendChunks(letter: Letter, told: Untold): Promise<void> {
    const { body, pieces } = letter;
    const chunkBytes = Math.ceil(body.length / pieces);
    for (let at = 0; at < body.length; at += chunkBytes) {
      const chunk = body.subarray(at, at + chunkBytes);
      const isLast = at + chunkBytes >= body.length;
      const command = Buffer.from(`${this.#cased(`BDAT ${chunk.length}${isLast ? ' LAST' : ''}`)}\r\n`);
      if (this.#leavesAt('insideChunk')) {
        this.#client.send(Buffer.concat([command, chunk.subarray(0, chunk.length >> 1)]));
        await this.#mayLeave('insideChunk');
      }
      if (isLast) this.#open = told;
      this.#client.send(Buffer.concat([command, chunk]));
      if (isLast) return this.#hearOfMessage();
      if ((await this.#hear()).code !== 250) return this.#forget();
      await this.#mayLeave('chunk');
    }
    return undefined;
  }

  async #hearOfMessage(): Promise<void> {
    await this.#mayLeave('dot');
    this.#tell(await this.#hear());
    await this.#mayLeave('delivered');
  }

  /** Notes what the message that is under way was told; nothing when there is none. */
  #tell(reply: Reply | null): void {
    if (this.#open === null) return;
    const text = reply?.lines.join(' ') ?? '';
    this.#played.told.push({
      ...this.#open,
      code: reply?.code ?? 0,
      isUncertain: text === uncertain,
      queueId: reply?.code === 250 ? (/queued as (\w+)/.exec(text)?.[1] ?? '') : '',
    });
    this.#open = null;
  }

  async #forget(): Promise<void> {
    if ((await this.#ask('RSET')).code !== 250) throw over;
  }

  async #mayLeaveInside(point: AbortPoint, line: string): Promise<void> {
    if (!this.#leavesAt(point)) return;
    this.#client.send(this.#cased(line).slice(0, Math.max(1, line.length >> 1)));
    await this.#mayLeave(point);
  }

  #leavesAt(point: AbortPoint): boolean {
    const { abort } = this.#plan;
    return abort.at === point && (abort.letter === this.#letter || beforeLetters.includes(point));
  }

  /** Leaves when the plan says so. */
  async #mayLeave(point: AbortPoint): Promise<void> {
    if (!this.#leavesAt(point)) return;
    const { way, pauseMs } = this.#plan.abort;
    this.#played.leftAt = point;
    if (pauseMs > 0) await pause(pauseMs);
    if (way === 'close') this.#client.close();
    else if (way === 'reset') this.#client.reset();
    else {
      if (way === 'half') this.#client.finish();
      else this.#say('QUIT');
      if (this.#open !== null) this.#tell(await this.#client.reply());
      while ((await this.#client.reply()) !== null);
    }
    throw over;
  }

  #cased(command: string): string {
    if (!this.#plan.isLowerCase) return command;
    return command.replace(/^[A-Z]+( FROM| TO)?/, (verbs) => verbs.toLowerCase());
  }

  #say(command: string): void {
    this.#client.send(`${this.#cased(command)}\r\n`);
  }

  #ask(command: string): Promise<Reply> {
    this.#say(command);
    return this.#hear();
  }

  /** The next reply; to RCPT of `recipient` if one is given. Over when there is none, or the server says goodbye. */
  async #hear(recipient = ''): Promise<Reply> {
    const reply = await this.#client.reply();
    if (reply === null) throw over;
    const named = /<[^<>]*@[^<>]*>/.exec(reply.lines.join(' '))?.[0];
    // Postfix shows a local part without its quotes.
    const isNamed = (path: string): boolean => named === path || named === path.replaceAll('"', '');
    const isOwn =
      named === undefined ||
      (recipient !== '' && reply.code === 250 ? isNamed(recipient) : [...this.#own].some(isNamed));
    if (!isOwn) this.#played.strange.push(`session ${this.#plan.number} heard ${reply.lines.join(' ')}`);
    if (reply.code === 421 && this.#open === null) throw over;
    return reply;
  }
}

const beforeLetters: readonly AbortPoint[] = [
  'connected',
  'insideHeader',
  'greeted',
  'insideHello',
  'hello',
  'tlsAsked',
  'insideHandshake',
  'secured',
];
