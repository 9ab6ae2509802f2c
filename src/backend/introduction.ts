/**
 * introduction — whom a lane speaks for from now on, said to the backend
 *
 * XCLIENT with every attribute and then the client's own EHLO or HELO; without XCLIENT the EHLO alone; and on a connection whose
 * PROXY header named the client, which was greeted in its name already, nothing but a HELO that it prefers. Each is said
 * alone: nothing follows in the same breath (Postfix calls that unauthorised pipelining). Any answer to XCLIENT but 220 ends
 * the lane, since whatever it said next would be said in its own name. A name that the backend refuses is the client's affair,
 * and the client hears of it.
 */
import type { ClientIdentity } from '../smtp/xclient.ts';
import { xclientCommand } from '../smtp/xclient.ts';
import type { Capabilities } from './capabilities.ts';
import type { LaneHost } from './lane-host.ts';
import { Fault } from './lane-host.ts';
import type { Progress } from './opening.ts';
import type { Talk } from './talk.ts';

export class Introduction {
  /** The backend knows the owner, and has taken its name. */
  isDone = false;
  readonly #host: LaneHost;
  readonly #talk: Talk;

  constructor(host: LaneHost, talk: Talk) {
    this.#host = host;
    this.#talk = talk;
  }

  /** The lane speaks for somebody else from now on, or for nobody. */
  forget(): void {
    this.isDone = false;
  }

  /** Says the first of it. `wasNamed`: the connection was opened in the client's name. */
  begin(client: ClientIdentity, wasNamed: boolean, capabilities: Capabilities): Progress {
    if (this.#host.identity === 'xclient') {
      this.#talk.say('xclient', xclientCommand(capabilities.xclient, client));
      return 'goes on';
    }
    if (!wasNamed || !client.esmtp) return this.#sayHello(client);
    this.isDone = true;
    return 'open';
  }

  /** Obeys the answer to XCLIENT. */
  hearXclient(client: ClientIdentity, code: number): Progress {
    if (code !== 220) return { fault: Fault.Identity, why: `answered XCLIENT with ${code}` };
    return this.#sayHello(client);
  }

  /** Obeys the answer to EHLO or HELO. */
  hearHello(code: number): Progress {
    // OpenSMTPD is greeted once a connection and answers 503 from then on; XCLIENT begins a new one.
    const isGreetedAlready = code === 503 && this.#host.identity !== 'xclient';
    if (code >= 400 && !isGreetedAlready) return 'refused';
    // The client hears its refusal; any other answer must not pass for one to its recipient.
    if (code < 400 && code !== 250) return { fault: Fault.Backend, why: `answered EHLO with ${code}` };
    this.isDone = true;
    return 'open';
  }

  #sayHello(client: ClientIdentity): Progress {
    this.#talk.say('hello', `${client.esmtp ? 'EHLO' : 'HELO'} ${client.helo}`);
    return 'goes on';
  }
}
