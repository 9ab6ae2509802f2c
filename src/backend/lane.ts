/**
 * lane — one conversation with the backend, speaking for one client at a time
 *
 * A lane is opened when it is needed, says XCLIENT with every attribute, the client's own EHLO, and then either
 * asks about one recipient (Verify), hands over a whole message (Deliver), or one that still comes in (Stream), whose end the
 * spool holds back until it is whole and accepted (Deliver from then on). Between two steps of the same client it may stay with it for a moment (Held); then it is cleared and, if the backend allows it, serves the next.
 *
 * The rules that keep one client from becoming another, and each message from becoming two:
 * - Nothing but EHLO is said before an XCLIENT was answered 220; any other answer closes the lane. Until then
 *   the backend takes the lane for a trusted neighbour, so a lane that cannot be identified carries no mail.
 * - Where TLS is required, nothing but EHLO and STARTTLS is said before it is up; whatever goes wrong closes the lane.
 * - Where a PROXY header names the client, it is the first thing on a connection that serves this client alone, from its
 *   opening on: nobody else is given it, and when the client is gone it ends.
 * - XCLIENT and EHLO are said alone (introduction). MAIL and RCPT go together when the backend offers PIPELINING, and DATA
 *   behind them for a whole message.
 * - Replies are matched to commands one to one. A reply that nobody waits for (surplus), a malformed one, a 421 or an early
 *   end closes the lane. The step is done again elsewhere as long as `committed` is false.
 * - `committed` becomes true right before the last piece of a message is written. From then on the backend may
 *   have it: the step is never repeated, and a client that leaves does not stop it. Before that point an aborted
 *   lane leaves no message behind, since no final dot was sent.
 *
 * There are a few dozen lanes in a shard and a step costs a round trip, so plain fields and strings will do.
 */
import { assert } from '../base/assert.ts';
import { latin1 } from '../base/ascii.ts';
import { NO_HANDLE } from '../base/handle.ts';
import type { Handle } from '../base/handle.ts';
import { tlsFaultText } from '../transport/tls-fault.ts';
import { Noted } from '../transport/transport.ts';
import type { LaneHost, Step } from './lane-host.ts';
import { Fault, Job, LaneState } from './lane-host.ts';
import { Handover } from './handover.ts';
import { Introduction } from './introduction.ts';
import { Opening } from './opening.ts';
import type { Progress } from './opening.ts';
import type { Server } from './server.ts';
import { complaintOf } from './surplus.ts';
import { Talk } from './talk.ts';
import { Transaction } from './transaction.ts';

export class Lane {
  readonly number: number;
  server!: Server;
  state: LaneState = LaneState.Down;
  owner = -1;
  job: Job = Job.None;
  /** Clients this connection has spoken for. */
  uses = 0;
  /** Commands for clients that this connection refused. */
  refusals = 0;
  /** Since when it rests, with its owner or idle, on the shard's clock; kept by the pool's master. */
  heldSinceMs = 0;
  /** When it last began to wait for an answer, likewise. */
  askedMs = 0;
  /** True when this connection was usable once. */
  cameUp = false;

  readonly #host: LaneHost;
  readonly #talk: Talk;
  readonly #opening: Opening;
  readonly #introduction: Introduction;
  readonly #transaction = new Transaction();
  readonly #handover = new Handover();
  /** Its client left in the middle: what is still to come is heard and thrown away, then the lane is cleared. */
  #abandoned = false;

  constructor(number: number, host: LaneHost) {
    this.number = number;
    this.#host = host;
    this.#talk = new Talk(host, (step) => host.waits(this, step));
    this.#opening = new Opening(host, this.#talk);
    this.#introduction = new Introduction(host, this.#talk);
  }

  get handle(): Handle {
    return this.#talk.handle;
  }

  /** True when the backend may have the message of the owner. */
  get committed(): boolean {
    return this.#handover.committed;
  }

  /** Takes over a stream that is being connected to a server. */
  open(handle: Handle, server: Server): void {
    assert(this.state === LaneState.Down, 'only a lane that is down is opened');
    this.server = server;
    this.state = LaneState.Opening;
    this.#talk.open(handle);
    this.uses = 0;
    this.refusals = 0;
    this.cameUp = false;
    this.#abandoned = false;
    this.#forgetOwner();
    this.#opening.begin(server);
  }

  /** Begins a step for a client. The lane is opening, idle, or held by the same client. */
  begin(slot: number, job: Job): void {
    assert(this.owner < 0 || this.owner === slot, 'a lane belongs to one client at a time');
    this.owner = slot;
    this.job = job;
    this.#handover.forget();
    this.#transaction.beginStep();
    if (this.state === LaneState.Opening) return;
    assert(this.state === LaneState.Idle || this.state === LaneState.Held, 'a step begins on a lane at rest');
    this.state = LaneState.Busy;
    this.#proceed();
  }

  /** Lets go of the owner, whatever is under way; the lane is cleared for the next. */
  release(): void {
    switch (this.state) {
      case LaneState.Busy:
        // Behind DATA there is no way back but to close; no final dot was sent, so nothing was handed over.
        if (this.#talk.awaits('data') || this.#talk.awaits('final')) return this.close('', Fault.None);
        this.#abandoned = true;
        this.#talk.dropUnsent();
        this.owner = -1;
        this.job = Job.None;
        this.state = LaneState.Clearing;
        return undefined;
      case LaneState.Held:
        return this.#clear();
      default:
        return this.#forgetOwner();
    }
  }

  #clear(): void {
    const wasOpen = this.#transaction.isOpen || this.#abandoned;
    this.#abandoned = false;
    this.#forgetOwner();
    if (wasOpen) {
      this.state = LaneState.Clearing;
      this.#say('clear', 'RSET');
    } else {
      this.state = LaneState.Idle;
      this.#host.ready(this);
    }
  }

  /** Says goodbye; used for idle lanes that are not to be used again. */
  quit(): void {
    assert(this.state === LaneState.Idle, 'only an idle lane says QUIT');
    this.state = LaneState.Closing;
    this.#say('quit', 'QUIT');
    this.#host.back.end(this.handle);
  }

  /** Closes at once; `why` is for the operator. */
  close(why: string, fault: Fault = Fault.Backend): void {
    if (this.state === LaneState.Down || this.state === LaneState.Closing) return;
    const { owner, job, committed } = this;
    this.state = LaneState.Closing;
    this.#forgetOwner();
    this.#host.back.abort(this.handle);
    this.#host.failed(this, owner, job, committed, fault, why);
  }

  /** Obeys what the transport noted. */
  obey(noted: number): void {
    if ((noted & Noted.Secured) !== 0 && this.state !== LaneState.Closing) this.#secured();
    if ((noted & Noted.Opened) !== 0 && this.state === LaneState.Opening && this.server.isForOneClient)
      this.#opening.announce(this.owner < 0 ? null : this.#host.identityOf(this.owner));
    if ((noted & Noted.Readable) !== 0 && this.state !== LaneState.Closing) this.#read();
    if ((noted & Noted.Drained) !== 0 && this.state === LaneState.Busy) this.pump();
    if ((noted & Noted.Ended) !== 0) this.close('closed by the backend');
    if ((noted & Noted.Closed) !== 0) {
      if (this.#talk.isHandshaking) this.#tlsFailed();
      else if (this.#talk.awaits('greeting')) this.close('cannot be reached', Fault.Busy);
      else this.close('connection lost');
      this.#host.back.release(this.handle);
      this.#talk.open(NO_HANDLE);
      this.state = LaneState.Down;
      this.#host.down(this);
    }
  }

  /** Nothing was heard for too long. */
  late(): void {
    if (this.#talk.isHandshaking) this.close('did not finish the TLS handshake in time', Fault.Tls);
    else this.close('did not answer in time', Fault.Busy);
  }

  #secured(): void {
    this.#talk.isHandshaking = false;
    this.#obeyOpening(this.#opening.secured());
  }

  #tlsFailed(): void {
    const fault = this.#host.back.tlsFaultOf(this.handle);
    this.close(
      fault === null ? 'ended the connection in the TLS handshake' : `TLS: ${tlsFaultText(fault)}`,
      Fault.Tls,
    );
  }

  /** Writes as much of the message as the backend takes now. */
  pump(): void {
    if (!this.#talk.awaits('final') || this.committed) return;
    const { spool, back } = this.#host;
    if (this.#handover.pump(spool, this.owner, back, this.handle) !== 'failed')
      return this.#host.waits(this, 'final');
    const { owner } = this;
    this.close('', Fault.None);
    return this.#host.unreadable(owner);
  }

  /** The message of the owner, which was being given to the backend as it came, is whole and accepted. */
  complete(): void {
    assert(this.job === Job.Stream, 'only a message that still came in becomes whole');
    this.job = Job.Deliver;
    this.pump();
  }

  #read(): void {
    const { reader } = this.#host;
    for (;;) {
      const step = this.#talk.hear();
      if (step === null) return this.#closeAtFault();
      if (step === 'quit') return undefined;
      if (reader.code === 421) return this.#hear421(step, reader.reply);
      const isMore = this.#talk.isQuiet && this.#host.back.peek(this.handle).length > 0;
      const complaint = complaintOf(step, reader.code, isMore, this.server.isForOneClient);
      if (complaint !== null) return this.close(complaint.why, complaint.fault);
      if (this.#abandoned) this.#overhear(step, reader.code);
      else this.#hear(step, reader.code, reader.reply);
      // What was heard may have closed the lane.
      if (this.state === LaneState.Closing || this.state === LaneState.Down) return undefined;
    }
  }

  /** The backend ends the conversation. Behind the final dot that is an answer: the message was not taken. */
  #hear421(step: Step, reply: Uint8Array): void {
    if (step === 'final' && this.committed) this.#answer(421, reply);
    // Said to a client that a header has named, or for a reason of policy (4.7.X), it says nothing of the backend.
    const isNamed = this.owner >= 0 && this.server.isForOneClient && this.server.takesHeaders;
    if (isNamed) this.cameUp = true;
    const isHis = isNamed || (this.cameUp && this.owner >= 0 && reply[6] === 0x37);
    const why = `said ${latin1(reply, 0, Math.min(reply.length - 2, 120))}`;
    this.close(why, isHis ? Fault.Backend : Fault.Busy);
  }

  #closeAtFault(): void {
    if (this.#talk.fault !== '') this.close(this.#talk.fault);
  }

  #overhear(step: Step, code: number): void {
    if (step === 'xclient' && code !== 220) this.close(`answered XCLIENT with ${code}`, Fault.Identity);
    else if (this.#talk.isQuiet) this.#clear();
  }

  #hear(step: Exclude<Step, 'quit'>, code: number, reply: Uint8Array): void {
    switch (step) {
      case 'greeting':
      case 'ehlo':
      case 'startTls':
      case 'handshake':
      case 'testXclient':
      case 'testEhlo':
        return this.#hearOpening(step, code, reply);
      case 'xclient':
        return this.#introduced(this.#introduction.hearXclient(this.#host.identityOf(this.owner), code));
      case 'hello': {
        const progress = this.#introduction.hearHello(code);
        return progress === 'refused' ? this.#answer(code, reply) : this.#introduced(progress);
      }
      case 'mail':
        this.#transaction.hearMail(code, reply);
        return this.#next();
      case 'rcpt':
        this.#transaction.hearRcpt(this.job, code, reply);
        return this.#next();
      case 'restart':
        if (code !== 250) return this.close(`answered RSET with ${code}`);
        return this.#proceed();
      case 'clear':
        if (code !== 250) return this.close(`answered RSET with ${code}`);
        this.state = LaneState.Idle;
        return this.#host.ready(this);
      case 'data':
        if (code < 400 && code !== 354) return this.close(`answered DATA with ${code}`);
        if (this.#transaction.verdict !== null) return this.#takeNothing(code);
        if (code !== 354) return this.#answer(code, reply);
        this.#host.spool.rewind(this.owner);
        this.#handover.begin(this.#host.hasTrace ? this.#host.traceOf(this.owner) : null);
        this.#talk.expect('final');
        return this.pump();
      case 'final':
        if (!this.committed) return this.#hearEarly(code, reply);
        this.#transaction.forget();
        return this.#answer(code, reply);
      default:
        return step satisfies never;
    }
  }

  /** An answer to a message of which the backend has no end. While it still comes in, that can be a refusal. */
  #hearEarly(code: number, reply: Uint8Array): void {
    if (this.job !== Job.Stream || code < 400)
      return this.close(`answered ${code} before the message was whole`);
    const { owner } = this;
    this.close('', Fault.None);
    return this.#host.refusedEarly(owner, code, reply);
  }

  #hearOpening(step: Step, code: number, reply: Uint8Array): void {
    const progress = this.#opening.hear(step, code, reply);
    if (progress !== 'refused') return this.#obeyOpening(progress);
    // The client's own name is refused, or its address: that is for the client to hear.
    if (this.owner >= 0) this.#answer(code, reply);
    return this.close('', Fault.None);
  }

  #obeyOpening(progress: Exclude<Progress, 'refused'>): void {
    if (progress === 'goes on') return this.#closeAtFault();
    if (progress === 'open') return this.#opened();
    if (progress !== 'spent') return this.close(progress.why, progress.fault);
    // The owner, if there is one, gets another lane.
    const { owner, job } = this;
    this.#forgetOwner();
    this.state = LaneState.Idle;
    this.quit();
    if (owner >= 0) this.#host.again(owner, job);
    return undefined;
  }

  #opened(): void {
    this.cameUp = true;
    this.state = LaneState.Idle;
    if (this.owner >= 0) {
      this.state = LaneState.Busy;
      this.#proceed();
    } else if (this.server.isForOneClient) {
      this.quit();
    } else {
      this.#host.ready(this);
    }
  }

  /** Says whatever the present step needs next. */
  #proceed(): void {
    if (!this.#introduction.isDone) {
      this.uses += 1;
      const client = this.#host.identityOf(this.owner);
      const { capabilities } = this.#opening;
      return this.#introduced(this.#introduction.begin(client, this.server.isForOneClient, capabilities));
    }
    const envelope = this.#host.envelopeOf(this.owner);
    const isMessage = this.job !== Job.Verify;
    if (isMessage && this.#transaction.isWholeFor(envelope)) return this.#say('data', 'DATA');
    if (isMessage && this.#transaction.isOpen) {
      this.#transaction.forget();
      return this.#say('restart', 'RSET');
    }
    this.#transaction.prepare(this.#talk, envelope, this.job);
    if (this.job === Job.Deliver && this.#canPipeline) this.#talk.prepare('data', 'DATA');
    return this.#send();
  }

  /** DATA was said together with a recipient that is refused now. Where the backend waits for the message, only the end of the connection stops it. */
  #takeNothing(code: number): void {
    const { verdict, verdictCode } = this.#transaction;
    this.#rest();
    this.#host.envelopeChanged(this, this.owner, verdictCode, verdict!);
    if (code === 354) this.close('', Fault.None);
  }

  /** What EHLO announced does not hold behind HELO: Exim ends the connection for it. */
  get #canPipeline(): boolean {
    return this.#opening.capabilities.pipelining && this.#host.identityOf(this.owner).esmtp;
  }

  #send(): void {
    this.#talk.send(this.#canPipeline);
    this.#closeAtFault();
  }

  /** Behind a reply to MAIL or RCPT: waits for the others, or ends the step. */
  #next(): void {
    if (!this.#talk.isQuiet) return undefined;
    const { verdict, verdictCode } = this.#transaction;
    if (this.#talk.hasUnsent && verdict === null) return this.#send();
    this.#talk.dropUnsent();
    if (this.job === Job.Verify) {
      assert(verdict !== null, 'a recipient was judged without a reply');
      return this.#answer(verdictCode, verdict);
    }
    if (verdict === null) return this.#proceed();
    this.#rest();
    return this.#host.envelopeChanged(this, this.owner, verdictCode, verdict);
  }

  /** The step is over: what happens to the lane from here on is no answer to it. */
  #rest(): void {
    this.state = LaneState.Held;
    this.job = Job.None;
    this.#handover.forget();
  }

  #answer(code: number, reply: Uint8Array): void {
    this.#rest();
    this.#host.answered(this, this.owner, code, reply);
  }

  #introduced(progress: Progress): void {
    if (progress === 'open') return this.#proceed();
    return typeof progress === 'string' ? this.#closeAtFault() : this.close(progress.why, progress.fault);
  }

  #say(step: Step, line: string): void {
    this.#talk.say(step, line);
    this.#closeAtFault();
  }

  #forgetOwner(): void {
    this.owner = -1;
    this.job = Job.None;
    this.#introduction.forget();
    this.#handover.forget();
    this.#transaction.forget();
    this.#talk.dropUnsent();
  }
}
