/**
 * tls-client — our own side of TLS on connections to the backend: whom it believes
 *
 * One context of OpenSSL for all connections of a shard. When the backend is to be verified its certificate has to lead
 * to one of `authorities` (those of the system when there are none) and to bear its name; anything else ends the
 * handshake before a word was said. Unverified, the handshake keeps out whoever only listens, and nobody else.
 *
 * The last session of a verified handshake is offered with the next one to the same server: a backend that resumes it spares both sides
 * the signatures. One that failed is forgotten.
 */
import { constants } from 'node:crypto';
import { isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect, createSecureContext, getCACertificates } from 'node:tls';
import type { SecureContext, TLSSocket } from 'node:tls';
import { tlsFault } from '../transport/tls-fault.ts';
import type { TlsFault, TlsFaultKind } from '../transport/tls-fault.ts';
import type { TlsSide } from './tls-contexts.ts';

/** Whom a client of TLS believes. */
export interface ClientTrust {
  readonly isVerified: boolean;
  /** Certificates in PEM that vouch for the backend; none: those of the system. */
  readonly authorities: readonly string[];
  /** The name that the backend's certificate has to bear, or its address. */
  readonly name: string;
}

/** What OpenSSL and node call the faults of a certificate that is not simply unknown. */
const kinds: Readonly<Record<string, TlsFaultKind>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: 'wrongName',
  CERT_HAS_EXPIRED: 'outOfDate',
  CERT_NOT_YET_VALID: 'outOfDate',
};

export class ClientSide implements TlsSide {
  readonly securedEvent = 'secureConnect';
  readonly #trust: ClientTrust;
  readonly #context: SecureContext;
  #session: Buffer | undefined;

  /** Throws when OpenSSL does not like an authority. `context`: one that was made of the same authorities. */
  constructor(trust: ClientTrust, context: SecureContext = contextOf(trust)) {
    this.#trust = trust;
    this.#context = context;
  }

  around(socket: Socket): TLSSocket {
    const { name, isVerified } = this.#trust;
    const options = {
      socket,
      secureContext: this.#context,
      host: name,
      // A literal address is no server name (RFC 6066).
      ...(isIP(name) === 0 ? { servername: name } : {}),
      rejectUnauthorized: isVerified,
      // The small buffer is the one of node-streams: pausing has to take effect at once.
      highWaterMark: 1,
      ...(this.#session === undefined ? {} : { session: this.#session }),
    };
    const secure = connect(options);
    secure.on('session', (session: Buffer) => (this.#session = session));
    secure.on('error', () => (this.#session = undefined));
    return secure;
  }

  faultOf(socket: TLSSocket, error: NodeJS.ErrnoException): TlsFault {
    // Set when the handshake was good and the certificate was not; the types promise an Error, node gives its code.
    const judgement = socket.authorizationError as unknown;
    const code = error.code ?? '';
    if (typeof judgement !== 'string' || judgement === '') return tlsFault('handshake', reasonOf(error));
    return tlsFault(kinds[code] ?? 'untrusted', error.message);
  }
}

/** A side for each; they share the context, which is made of the authorities that are the same for all servers. */
export function clientSides(trusts: readonly ClientTrust[]): readonly ClientSide[] {
  const [first] = trusts;
  if (first === undefined) return [];
  const context = contextOf(first);
  return trusts.map((trust) => new ClientSide(trust, context));
}

function contextOf({ authorities, isVerified }: ClientTrust): SecureContext {
  return createSecureContext({
    ca: isVerified ? authoritiesOrSystem(authorities) : [],
    minVersion: 'TLSv1.2',
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  });
}

/** OpenSSL puts the line of its own source in front of what it has to say. */
function reasonOf(error: NodeJS.ErrnoException): string {
  return (error as { reason?: string }).reason ?? error.message;
}

/** The certificates given, or those of the system, each once: most systems list theirs twice. */
export function authoritiesOrSystem(authorities: readonly string[]): string[] {
  return authorities.length > 0 ? [...authorities] : [...new Set(getCACertificates('system'))];
}
