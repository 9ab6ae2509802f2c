/**
 * opening — from a new connection to a lane that can be used
 *
 * Hears the greeting, says EHLO, puts the connection into TLS where that is required, greets again (what was offered
 * in plaintext is forgotten: anybody on the way may have said it), learns what the backend can do, and, the first time, tries out whether two
 * XCLIENTs in a row are accepted, which tells whether lanes can be reused. No client's affair yet: the address in
 * the trial is nobody's (RFC 5737).
 */
import { latin1 } from '../base/ascii.ts';
import { nobody, xclientCommand } from '../smtp/xclient.ts';
import type { Capabilities } from './capabilities.ts';
import { NO_CAPABILITIES, readCapabilities } from './capabilities.ts';
import type { LaneHost, Step } from './lane-host.ts';
import { Fault } from './lane-host.ts';
import type { Talk } from './talk.ts';

/** How far the opening is. `why` is a sentence about the backend. */
export type Progress = 'goes on' | 'open' | 'spent' | { readonly fault: Fault; readonly why: string };

export class Opening {
  capabilities: Capabilities = NO_CAPABILITIES;
  readonly #host: LaneHost;
  readonly #talk: Talk;
  #wasRepeated = false;
  #isSecure = false;

  constructor(host: LaneHost, talk: Talk) {
    this.#host = host;
    this.#talk = talk;
  }

  /** A connection is being made. */
  begin(): void {
    this.#wasRepeated = false;
    this.#isSecure = false;
    this.capabilities = NO_CAPABILITIES;
    this.#talk.expect('greeting');
  }

  /** Obeys a reply to one of the opening's steps. */
  hear(step: Step, code: number, reply: Uint8Array): Progress {
    switch (step) {
      case 'greeting':
        if (code !== 220) return { fault: Fault.Backend, why: `greeted with ${code}` };
        return this.#greet();
      case 'ehlo':
        return this.#hearEhlo(code, reply);
      case 'startTls':
        if (code !== 220) return { fault: Fault.Tls, why: `answered STARTTLS with ${code}` };
        this.#talk.startTls();
        return 'goes on';
      case 'testXclient':
        if (code !== 220)
          return this.#wasRepeated
            ? this.#tested(false)
            : { fault: Fault.Identity, why: `answered XCLIENT with ${code}` };
        this.#talk.say('testEhlo', `EHLO ${this.#host.hostname}`);
        return 'goes on';
      default:
        return this.#hearTestEhlo(code, reply);
    }
  }

  /** TLS is up. */
  secured(): Progress {
    this.#isSecure = true;
    return this.#greet();
  }

  #greet(): Progress {
    this.#talk.say('ehlo', `EHLO ${this.#host.hostname}`);
    return 'goes on';
  }

  #hearEhlo(code: number, reply: Uint8Array): Progress {
    if (code !== 250) return { fault: Fault.Backend, why: `answered EHLO with ${code}` };
    const capabilities = readCapabilities(latin1(reply, 0, reply.length));
    if (this.#host.needsTls && !this.#isSecure) {
      if (!capabilities.startTls) return { fault: Fault.Tls, why: 'does not offer STARTTLS' };
      this.#talk.say('startTls', 'STARTTLS');
      return 'goes on';
    }
    this.capabilities = capabilities;
    this.#host.capabilitiesLearnt(this.capabilities);
    if (!this.capabilities.xclient.includes('ADDR'))
      return { fault: Fault.Identity, why: 'does not offer XCLIENT to Sluice' };
    return this.#host.wantsReuseTest() ? this.#sayTestXclient() : 'open';
  }

  #sayTestXclient(): Progress {
    this.#talk.say('testXclient', xclientCommand(this.capabilities.xclient, nobody));
    return 'goes on';
  }

  #hearTestEhlo(code: number, reply: Uint8Array): Progress {
    const isOfferedAgain =
      code === 250 && readCapabilities(latin1(reply, 0, reply.length)).xclient.includes('ADDR');
    if (!isOfferedAgain) return this.#tested(false);
    if (this.#wasRepeated) return this.#tested(true);
    this.#wasRepeated = true;
    return this.#sayTestXclient();
  }

  /** A connection whose one XCLIENT went to the trial is spent. */
  #tested(isReusable: boolean): Progress {
    this.#host.reuseTested(isReusable);
    return isReusable ? 'open' : 'spent';
  }
}
