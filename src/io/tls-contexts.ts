/**
 * tls-contexts — what each listener shows of itself in a TLS handshake
 *
 * One context of OpenSSL for each listener with a certificate, made when the shard starts and again when the
 * certificates were read anew: handshakes under way and sessions that are up keep the one they began with.
 *
 * Renegotiation is off (CVE-2009-3555, and its cost); TLS 1.0 and 1.1 are never spoken. The keys of session tickets come
 * with the certificate, one set a listener, the same in all shards: a client that comes back to another shard
 * resumes, and a ticket of one listener is worth nothing at another.
 */
import { constants } from 'node:crypto';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { CipherNameAndProtocol, SecureContext } from 'node:tls';
import type { Socket } from 'node:net';
import { assert } from '../base/assert.ts';
import type { TlsFault } from '../transport/tls-fault.ts';

/** One of the two parts in a handshake. */
export interface TlsSide {
  /** What its socket says when the handshake is done and the other side was found good. */
  readonly securedEvent: 'secure' | 'secureConnect';
  /** Puts TLS around a socket; what goes wrong is told as its 'error', and 'close' follows. */
  around(socket: Socket): TLSSocket;
  /** What an error in the handshake means. */
  faultOf(socket: TLSSocket, error: NodeJS.ErrnoException): TlsFault | null;
}

/** The oldest protocol that is spoken, as the configuration writes it. */
export type TlsVersion = '1.2' | '1.3';

/** Certificate chain and key of a listener in PEM, and the 48 bytes that its session tickets are sealed with. */
export interface TlsIdentity {
  readonly certificate: string;
  readonly key: string;
  readonly ticketKeys: Uint8Array;
}

export class TlsContexts {
  readonly #minVersion: TlsVersion;
  #sides: readonly (ServerSide | null)[] = [];

  constructor(minVersion: TlsVersion) {
    this.#minVersion = minVersion;
  }

  /** Takes the identities by number of the listener, null for one without TLS. Throws when OpenSSL does not like one. */
  use(identities: readonly (TlsIdentity | null)[]): void {
    this.#sides = identities.map((identity, listener) =>
      identity === null ? null : new ServerSide(this.#contextFor(identity, listener)),
    );
  }

  /** Our part in new handshakes at a listener; one that has none offers no TLS. */
  sideOf(listener: number): TlsSide {
    const side = this.#sides[listener];
    assert(side !== null && side !== undefined, 'a listener without a certificate began TLS');
    return side;
  }

  #contextFor({ certificate, key, ticketKeys }: TlsIdentity, listener: number): SecureContext {
    return createSecureContext({
      cert: certificate,
      key,
      minVersion: `TLSv${this.#minVersion}`,
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_CIPHER_SERVER_PREFERENCE,
      sessionIdContext: `listener ${listener}`,
      ticketKeys: Buffer.from(ticketKeys),
    });
  }
}

/**
 * The server's side of TLS on a socket. What the socket had read and nobody took is read by TLS as part of the
 * handshake, never as plaintext.
 */
class ServerSide implements TlsSide {
  readonly securedEvent = 'secure';
  readonly #context: SecureContext;

  constructor(context: SecureContext) {
    this.#context = context;
  }

  around(socket: Socket): TLSSocket {
    // The small buffer is the one of node-streams: pausing has to take effect at once.
    const options = { isServer: true, secureContext: this.#context, highWaterMark: 1 };
    return new TLSSocket(socket, options);
  }

  /** A client's fault is its own affair. */
  faultOf(): null {
    return null;
  }
}

/** Protocol and cipher of a handshake that is done, by their registered names. */
export function tlsText(socket: TLSSocket): string {
  // The types know nothing of a socket that is gone; node has no answer for it.
  const cipher = socket.getCipher() as CipherNameAndProtocol | null | undefined;
  return `${socket.getProtocol() ?? '?'} ${cipher?.standardName ?? '?'}`;
}
