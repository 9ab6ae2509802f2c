/**
 * opening — from a new connection to a lane that can be used
 *
 * Hears the greeting, says EHLO, puts the connection into TLS where that is required, greets again (what was offered
 * in plaintext is forgotten: anybody on the way may have said it), learns what the backend can do, and, the first time, tries out whether two
 * XCLIENTs in a row are accepted, which tells whether lanes can be reused. No client's affair yet: the address in
 * the trial is nobody's (RFC 5737).
 *
 * Where a PROXY header names the client, the connection is this client's from its first byte: behind the header the client's own
 * name is said, and what the backend offers to it says nothing about others. That is learnt from a connection of our own,
 * which the header says it is. A backend that does not know the header takes it for a command, answers, and would then take
 * the client for Sluice; so nothing but EHLO is said before that was answered 250.
 */
import { latin1 } from '../base/ascii.ts';
import type { ClientIdentity } from '../smtp/xclient.ts';
import { nobody, xclientCommand } from '../smtp/xclient.ts';
import { proxyHeader } from '../transport/proxy-writer.ts';
import type { Capabilities } from './capabilities.ts';
import { NO_CAPABILITIES, readCapabilities } from './capabilities.ts';
import type { LaneHost, Step } from './lane-host.ts';
import { Fault } from './lane-host.ts';
import type { Server } from './server.ts';
import type { Talk } from './talk.ts';

/** How far the opening is. `why` is a sentence about the backend. */
export type Progress =
  | 'goes on'
  | 'open'
  | 'spent'
  | 'refused'
  | { readonly fault: Fault; readonly why: string };

/** Why a connection closes whose backend does not know the header. */
export const UNASKED_HEADER = 'took the PROXY header for a command: it does not expect one';

export class Opening {
  capabilities: Capabilities = NO_CAPABILITIES;
  readonly #host: LaneHost;
  readonly #talk: Talk;
  #server!: Server;
  #wasRepeated = false;
  #isSecure = false;
  /** The client that a header named. */
  #client: ClientIdentity | null = null;

  constructor(host: LaneHost, talk: Talk) {
    this.#host = host;
    this.#talk = talk;
  }

  /** A connection to a server is being made. */
  begin(server: Server): void {
    this.#server = server;
    this.#wasRepeated = false;
    this.#isSecure = false;
    this.capabilities = NO_CAPABILITIES;
    this.#client = null;
    this.#talk.expect('greeting');
  }

  /** The connection is made: says whose it is, null for our own. */
  announce(client: ClientIdentity | null): void {
    this.#client = client;
    this.#talk.announce(proxyHeader(this.#host.identity === 'proxy-v1' ? 1 : 2, client));
  }

  /** Obeys a reply to one of the opening's steps. */
  hear(step: Step, code: number, reply: Uint8Array): Progress {
    switch (step) {
      case 'greeting':
        if (this.#isClientsAffair(code)) return 'refused';
        if (code !== 220)
          return { fault: code < 500 ? Fault.Busy : Fault.Backend, why: `greeted with ${code}` };
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
  secured(): 'goes on' {
    this.#isSecure = true;
    return this.#greet();
  }

  #greet(): 'goes on' {
    this.#talk.say('ehlo', `EHLO ${this.#client?.helo ?? this.#host.hostname}`);
    return 'goes on';
  }

  #hearEhlo(code: number, reply: Uint8Array): Progress {
    const { identity } = this.#host;
    if (this.#isClientsAffair(code)) return 'refused';
    if (identity.startsWith('proxy-') && (code === 500 || code === 502))
      return { fault: Fault.Identity, why: UNASKED_HEADER };
    if (code !== 250) return { fault: Fault.Backend, why: `answered EHLO with ${code}` };
    this.#server.reached();
    const capabilities = readCapabilities(latin1(reply, 0, reply.length));
    if (this.#host.needsTls && !this.#isSecure) {
      if (!capabilities.startTls) return { fault: Fault.Tls, why: 'does not offer STARTTLS' };
      this.#talk.say('startTls', 'STARTTLS');
      return 'goes on';
    }
    this.capabilities = capabilities;
    if (this.#client === null) this.#server.learn(this.capabilities);
    if (identity !== 'xclient') return 'open';
    if (!this.capabilities.xclient.includes('ADDR'))
      return { fault: Fault.Identity, why: 'does not offer XCLIENT to Sluice' };
    return this.#server.reusable === null ? this.#sayTestXclient() : 'open';
  }

  /** A backend that is known to take headers refuses this client: nobody else is to suffer from it. */
  #isClientsAffair(code: number): boolean {
    return this.#client !== null && code >= 400 && this.#server.takesHeaders;
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
    this.#server.reuseTested(isReusable);
    return isReusable ? 'open' : 'spent';
  }
}
