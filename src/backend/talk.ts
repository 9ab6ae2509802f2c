/**
 * talk — commands to the backend, and which reply belongs to which
 *
 * The lower half of a lane: writes command lines, remembers what each was for, and hands out replies together
 * with the step they answer, strictly in order. What it cannot match (a reply nobody waits for, garbage) it names;
 * the lane then closes, since a conversation that is out of step would answer one client with another's reply.
 */
import { bytesOf } from '../base/ascii.ts';
import { assert } from '../base/assert.ts';
import type { Handle } from '../base/handle.ts';
import { NO_HANDLE } from '../base/handle.ts';
import type { LaneHost, Step } from './lane-host.ts';
import { Found } from './reply-reader.ts';

export class Talk {
  handle: Handle = NO_HANDLE;
  /** Why the conversation cannot go on; '' while it can. */
  fault = '';
  /** TLS is being agreed on: nothing can be said or heard. */
  isHandshaking = false;
  readonly #host: LaneHost;
  /** What the replies to come are about, oldest first. */
  readonly #awaited: Step[] = [];
  /** Commands that wait for the reply before them (a backend without PIPELINING). */
  readonly #unsent: { step: Step; line: string }[] = [];
  readonly #onAwait: (step: Step) => void;

  /** `onAwait` is called for each reply that is awaited. */
  constructor(host: LaneHost, onAwait: (step: Step) => void) {
    this.#host = host;
    this.#onAwait = onAwait;
  }

  /** Begins anew on a stream. */
  open(handle: Handle): void {
    this.handle = handle;
    this.fault = '';
    this.isHandshaking = false;
    this.#awaited.length = 0;
    this.#unsent.length = 0;
  }

  /** True when a reply to `step` is still to come. */
  awaits(step: Step): boolean {
    return this.#awaited.includes(step);
  }

  get isQuiet(): boolean {
    return this.#awaited.length === 0;
  }

  get hasUnsent(): boolean {
    return this.#unsent.length > 0;
  }

  /** Writes what stands in front of the conversation. */
  announce(header: Uint8Array): void {
    if (!this.#host.back.write(this.handle, header)) this.fault = 'does not read what it is sent';
  }

  /** Says one command. */
  say(step: Step, line: string): void {
    if (this.#isSpokenTo()) return;
    this.expect(step);
    this.#write(`${line}\r\n`);
  }

  /** Awaits a reply without a command: the greeting, the answer to a message. */
  expect(step: Step): void {
    this.#awaited.push(step);
    this.#onAwait(step);
  }

  /** Begins TLS behind the backend's 220. */
  startTls(): void {
    assert(this.isQuiet, 'TLS begins when every command was answered');
    this.isHandshaking = true;
    this.#host.back.startTls(this.handle);
    this.#onAwait('handshake');
  }

  /** Lines up a command for `send`. */
  prepare(step: Step, line: string): void {
    this.#unsent.push({ step, line });
  }

  /** Sends what is lined up: everything together, or one command when the backend cannot pipeline. */
  send(together: boolean): void {
    if (this.#isSpokenTo()) return;
    const count = together ? this.#unsent.length : Math.min(1, this.#unsent.length);
    let lines = '';
    for (const command of this.#unsent.splice(0, count)) {
      this.expect(command.step);
      lines += `${command.line}\r\n`;
    }
    this.#write(lines);
  }

  /** Forgets what is lined up. */
  dropUnsent(): void {
    this.#unsent.length = 0;
  }

  /** The step that the next whole reply answers, null when there is none; the reply is in the host's reader. */
  hear(): Step | null {
    const { back, reader } = this.#host;
    const found = reader.find(back.peek(this.handle));
    if (found === Found.Nothing) return null;
    if (found === Found.Garbage) {
      this.fault = 'sent something that is no reply';
      return null;
    }
    back.consume(this.handle, reader.used);
    const step = this.#awaited.shift();
    if (step === undefined) {
      this.fault = 'sent a reply that nobody asked for';
      return null;
    }
    return step;
  }

  /** True when the backend has spoken out of turn: the next command would take that for its answer. */
  #isSpokenTo(): boolean {
    if (!this.isQuiet || this.#host.back.peek(this.handle).length === 0) return false;
    this.fault = 'sent a reply that nobody asked for';
    return true;
  }

  #write(lines: string): void {
    if (!this.#host.back.write(this.handle, bytesOf(lines))) this.fault = 'does not read what it is sent';
  }
}
