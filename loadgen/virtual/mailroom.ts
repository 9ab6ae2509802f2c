/**
 * mailroom — the mail server behind simulated shards: always well, always there, and it keeps nothing but counts
 *
 * It answers each command in the tick in which it comes, refuses recipients whose name begins with "unknown" (550 5.1.1), and
 * takes every message. What a backend may do to Sluice is played elsewhere (test/sim/backend).
 */
import { bytesOf } from '../../src/base/ascii.ts';
import type { PeerHandle } from '../../src/transport/memory-transport.ts';
import { xclientNames } from '../sink-xclient.ts';
import { PORT_BASE } from './client.ts';
import type { SimTransport } from './sim-transport.ts';

const GREETING = '220 backend.example ESMTP\r\n';
const END_OF_BODY = '\r\n.\r\n';

export class Mailroom {
  /** Messages taken, by the serial number of the client. */
  readonly taken: Uint32Array;
  readonly #open = new Map<PeerHandle, Clerk>();

  /** `clients`: serial numbers that there are. */
  constructor(clients: number) {
    this.taken = new Uint32Array(clients);
  }

  /** Somebody calls; for the transport's `onDial`. */
  dialled(net: SimTransport, peer: PeerHandle): 'accept' {
    this.#open.set(peer, new Clerk(net, peer, this.taken));
    return 'accept';
  }

  /** What has come over one shard's wires, after an advance. */
  hear(net: SimTransport): void {
    for (const peer of net.moved) {
      const clerk = this.#open.get(peer);
      if (clerk === undefined) continue;
      clerk.hear();
      if (net.peerClosed(peer)) this.#open.delete(peer);
    }
  }
}

/** One connection. */
class Clerk {
  readonly #net: SimTransport;
  readonly #peer: PeerHandle;
  readonly #taken: Uint32Array;
  #input = '';
  #isBody = false;
  #serial = -1;
  #recipients = 0;

  constructor(net: SimTransport, peer: PeerHandle, taken: Uint32Array) {
    this.#net = net;
    this.#peer = peer;
    this.#taken = taken;
    net.peerSend(peer, bytesOf(GREETING));
  }

  /** Takes what has come and answers it. */
  hear(): void {
    const bytes = this.#net.peerReceived(this.#peer);
    if (bytes.length > 0) {
      this.#input += Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
      const said = this.#answers();
      if (said !== '' && !this.#peer.finished) this.#net.peerSend(this.#peer, bytesOf(said));
    }
    if (this.#net.peerSawEnd(this.#peer) && !this.#peer.finished) this.#net.peerFinish(this.#peer);
  }

  #answers(): string {
    let said = '';
    for (;;) {
      const answer = this.#isBody ? this.#body() : this.#line();
      if (answer === '') return said;
      said += answer;
    }
  }

  #line(): string {
    const end = this.#input.indexOf('\r\n');
    if (end < 0) return '';
    const line = this.#input.slice(0, end);
    this.#input = this.#input.slice(end + 2);
    switch (line.slice(0, 4)) {
      case 'EHLO':
        return EHLO_REPLY;
      case 'XCLI':
        this.#serial = Number(/ PORT=(\d+)/.exec(line)?.[1] ?? 0) - PORT_BASE;
        this.#recipients = 0;
        return GREETING;
      case 'RCPT':
        if (/^RCPT TO:<unknown/i.test(line)) return '550 5.1.1 No such user\r\n';
        this.#recipients += 1;
        return '250 2.1.5 Ok\r\n';
      case 'DATA':
        if (this.#recipients === 0) return '554 5.5.1 No valid recipients\r\n';
        this.#isBody = true;
        // The line before the body's first, so that a lone dot is its end.
        this.#input = `\r\n${this.#input}`;
        return '354 Go on\r\n';
      case 'QUIT':
        return '221 2.0.0 Bye\r\n';
      default:
        if (line.startsWith('RSET') || line.startsWith('MAIL')) this.#recipients = 0;
        return '250 2.0.0 Ok\r\n';
    }
  }

  #body(): string {
    const end = this.#input.indexOf(END_OF_BODY);
    if (end < 0) {
      // Of a body only its end is looked for.
      this.#input = this.#input.slice(1 - END_OF_BODY.length);
      return '';
    }
    this.#input = this.#input.slice(end + END_OF_BODY.length);
    this.#isBody = false;
    this.#recipients = 0;
    if (this.#serial >= 0) this.#taken[this.#serial]! += 1;
    return '250 2.0.0 Ok: queued\r\n';
  }
}

const EHLO_REPLY = [
  '250-backend.example',
  '250-SIZE 10000000',
  '250-8BITMIME',
  '250-DSN',
  '250-PIPELINING',
  `250 XCLIENT ${xclientNames.join(' ')}`,
  '',
].join('\r\n');
