/**
 * probe — talks to each server of the backend once, for `sluice check --live`
 *
 * Connects, reads the greeting, says EHLO, begins TLS where the configuration says so, and asks for XCLIENT twice with an address of nobody (RFC 5737), as a
 * shard does when it starts; or begins with a PROXY header for a connection of our own. No MAIL is said. Every line it returns tells one thing that was found, and what to
 * do when it is not as it should be; of several servers, below a line that names one. What a server says is one line of printable ASCII.
 */
import type { X509Certificate } from 'node:crypto';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { readCapabilities } from '../backend/capabilities.ts';
import { endpointOf } from '../config/addresses.ts';
import type { Config } from '../config/config.ts';
import { namesOf } from '../config/key-pairs.ts';
import { serversOf } from '../config/servers.ts';
import { ClientSide } from '../io/tls-client.ts';
import type { ClientTrust } from '../io/tls-client.ts';
import { tlsText } from '../io/tls-contexts.ts';
import { nobody, xclientCommand } from '../smtp/xclient.ts';
import { tlsFaultText } from '../transport/tls-fault.ts';
import { backendTrusts } from './backend-trust.ts';
import { Replies } from './probe-replies.ts';
import { proxyHeader } from '../transport/proxy-writer.ts';

/** Looks at every server of a configuration; `ok` is false when mail could not be delivered to one of them. */
export async function probeBackend(config: Config): Promise<{ ok: boolean; lines: string[] }> {
  const trusts = backendTrusts(config);
  const lines: string[] = [];
  let ok = true;
  const servers = serversOf(config);
  for (const [index, { address }] of servers.entries()) {
    const trust = typeof trusts === 'string' ? trusts : (trusts[index] ?? null);
    const found: string[] = [];
    if (!(await probeServer(config, address, trust, found))) ok = false;
    for (const line of found)
      lines.push(servers.length === 1 || line.startsWith('backend ') ? line : `  ${line}`);
  }
  return { ok, lines };
}

async function probeServer(
  config: Config,
  address: string,
  trust: ClientTrust | string | null,
  lines: string[],
): Promise<boolean> {
  const { host, port } = endpointOf(address);
  const socket = connect({ host, port });
  socket.setTimeout(config.backend.connectTimeoutMs, () => socket.destroy(new Error('no answer in time')));
  try {
    return await converse(config, address, trust, socket, lines);
  } catch (error) {
    lines.push(`backend ${address}: ${faultText(error)}`);
    return false;
  } finally {
    socket.destroy();
  }
}

async function converse(
  config: Config,
  address: string,
  trust: ClientTrust | string | null,
  socket: Socket,
  lines: string[],
): Promise<boolean> {
  let replies = new Replies(socket);
  let open = socket;
  const hear = (): Promise<string> => replies.next();
  const refused = (command: string, answer: string): false => {
    lines.push(`${command} was answered "${said(answer)}": no mail can be delivered`);
    return false;
  };
  const ask = async (command: string): Promise<string> => {
    open.write(`${command}\r\n`);
    return hear();
  };
  const { identity } = config.backend;
  const hasHeader = identity === 'proxy-v1' || identity === 'proxy-v2';
  if (hasHeader) socket.write(proxyHeader(identity === 'proxy-v1' ? 1 : 2, null));
  const greeting = await hear();
  lines.push(`backend ${address}: greeted with "${said(greeting)}"`);
  if (!greeting.startsWith('220')) return false;
  let hello = await ask(`EHLO ${config.hostname}`);
  if (hasHeader) lines.push(headerLine(hello));
  if (!hasHeader && !hello.startsWith('250')) return refused('EHLO', hello);
  let capabilities = readCapabilities(hello);
  if (typeof trust === 'string') throw new Error(trust);
  if (trust === null && capabilities.startTls)
    lines.push('STARTTLS is offered, and not used: backend.tls = "off"');
  if (trust !== null) {
    if (!capabilities.startTls) {
      lines.push(`STARTTLS is not offered: no mail can be delivered (backend.tls = "${config.backend.tls}")`);
      return false;
    }
    const answer = await ask('STARTTLS');
    if (!answer.startsWith('220')) return refused('STARTTLS', answer);
    if (replies.hasMore) throw new Error('sent more behind its answer to STARTTLS');
    replies.end();
    const secure = await secured(socket, trust);
    lines.push(tlsLine(secure, trust));
    open = secure;
    replies = new Replies(secure);
    hello = await ask(`EHLO ${config.hostname}`);
    capabilities = readCapabilities(hello);
  }
  if (identity !== 'xclient') return hello.startsWith('250');
  if (!capabilities.xclient.includes('ADDR')) {
    lines.push(
      'XCLIENT is not offered: list the address of Sluice in smtpd_authorized_xclient_hosts of that listener',
    );
    return false;
  }
  lines.push(`XCLIENT is offered with ${capabilities.xclient.join(' ')}`);
  const first = await ask(xclientCommand(capabilities.xclient, nobody));
  if (!first.startsWith('220')) return refused('XCLIENT', first);
  await ask(`EHLO ${config.hostname}`);
  const second = await ask(xclientCommand(capabilities.xclient, nobody));
  lines.push(
    second.startsWith('220')
      ? 'a second XCLIENT is accepted: connections are reused'
      : 'a second XCLIENT is not accepted: one connection for each client (see the listener in the guide to reuse them)',
  );
  return true;
}

/** A reply as one line. */
function said(reply: string): string {
  return reply
    .trimEnd()
    .split(/\r?\n/)
    .join(' | ')
    .replaceAll(/[^ -~]/g, '?');
}

/** Why there was no conversation, or an end to it. A name with several addresses has a fault for each, and no words for all. */
function faultText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, syscall } = error as NodeJS.ErrnoException;
  const isUnreached = error instanceof AggregateError || syscall === 'connect' || syscall === 'getaddrinfo';
  return isUnreached && code !== undefined ? `cannot be reached (${code})` : error.message;
}

/** The handshake, as a lane does it. Throws the fault in words. */
async function secured(socket: Socket, trust: ClientTrust): Promise<TLSSocket> {
  const side = new ClientSide(trust);
  const secure = side.around(socket);
  return new Promise((resolve, reject) => {
    secure.once('secureConnect', () => resolve(secure));
    secure.on('error', (error) => reject(new Error(`TLS: ${tlsFaultText(side.faultOf(secure, error))}`)));
    secure.once('close', () => reject(new Error('ended the connection in the TLS handshake')));
  });
}

/** Protocol and cipher, whom the certificate names and until when. */
function tlsLine(secure: TLSSocket, { isVerified }: ClientTrust): string {
  const certificate = secure.getPeerX509Certificate();
  const about = certificate === undefined ? 'no certificate' : certificateText(certificate);
  return `TLS: ${tlsText(secure)}; ${about}${isVerified ? '' : ', which was NOT verified (backend.tls = "unverified")'}`;
}

function certificateText(certificate: X509Certificate): string {
  const day = new Date(certificate.validTo).toISOString().slice(0, 10);
  return `certificate of ${namesOf(certificate)}, until ${day}`.replaceAll(/[^ -~]+/g, '?');
}

/** What the answer to the EHLO behind a PROXY header says. */
function headerLine(hello: string): string {
  return hello.startsWith('250')
    ? 'a PROXY header is taken: one connection for each client'
    : `the PROXY header was taken for a command ("${said(hello)}"): set smtpd_upstream_proxy_protocol = haproxy for that listener`;
}
