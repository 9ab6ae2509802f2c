/**
 * probe — talks to the backend once, for `sluice check --live`
 *
 * Connects, reads the greeting, says EHLO and asks for XCLIENT twice with an address of nobody (RFC 5737), as a
 * shard does when it starts; or begins with a PROXY header for a connection of our own. No MAIL is said. Every line it returns tells one thing that was found, and what to
 * do when it is not as it should be.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { readCapabilities } from '../backend/capabilities.ts';
import { endpointOf } from '../config/addresses.ts';
import type { Config } from '../config/config.ts';
import { nobody, xclientCommand } from '../smtp/xclient.ts';
import { proxyHeader } from '../transport/proxy-writer.ts';

/** Looks at the backend of a configuration; `ok` is false when mail could not be delivered to it. */
export async function probeBackend(config: Config): Promise<{ ok: boolean; lines: string[] }> {
  const { address } = config.backend;
  const lines: string[] = [];
  const { host, port } = endpointOf(address);
  const socket = connect({ host, port });
  socket.setTimeout(config.backend.connectTimeoutMs, () => socket.destroy(new Error('no answer in time')));
  try {
    const ok = await converse(config, socket, lines);
    return { ok, lines };
  } catch (error) {
    lines.push(`backend ${address}: ${error instanceof Error ? error.message : String(error)}`);
    return { ok: false, lines };
  } finally {
    socket.destroy();
  }
}

async function converse(config: Config, socket: Socket, lines: string[]): Promise<boolean> {
  const { address } = config.backend;
  const replies = readReplies(socket);
  const hear = async (): Promise<string> => {
    const next = await replies.next();
    if (next.done === true) throw new Error('closed the connection');
    return next.value;
  };
  const ask = async (command: string): Promise<string> => {
    socket.write(`${command}\r\n`);
    return hear();
  };
  const { identity } = config.backend;
  const hasHeader = identity === 'proxy-v1' || identity === 'proxy-v2';
  if (hasHeader) socket.write(proxyHeader(identity === 'proxy-v1' ? 1 : 2, null));
  const greeting = await hear();
  lines.push(`backend ${address}: greeted with "${greeting.trimEnd()}"`);
  if (!greeting.startsWith('220')) return false;
  const hello = await ask(`EHLO ${config.hostname}`);
  if (hasHeader) lines.push(headerLine(hello));
  if (identity !== 'xclient') return hello.startsWith('250');
  const capabilities = readCapabilities(hello);
  if (!capabilities.xclient.includes('ADDR')) {
    lines.push(
      'XCLIENT is not offered: list the address of Sluice in smtpd_authorized_xclient_hosts of that listener',
    );
    return false;
  }
  lines.push(`XCLIENT is offered with ${capabilities.xclient.join(' ')}`);
  const first = await ask(xclientCommand(capabilities.xclient, nobody));
  if (!first.startsWith('220')) {
    lines.push(`XCLIENT was answered "${first.trimEnd()}": no mail can be delivered`);
    return false;
  }
  await ask(`EHLO ${config.hostname}`);
  const second = await ask(xclientCommand(capabilities.xclient, nobody));
  lines.push(
    second.startsWith('220')
      ? 'a second XCLIENT is accepted: connections are reused'
      : 'a second XCLIENT is not accepted: one connection for each client (see the listener in the guide to reuse them)',
  );
  return true;
}

/** What the answer to the EHLO behind a PROXY header says. */
function headerLine(hello: string): string {
  return hello.startsWith('250')
    ? 'a PROXY header is taken: one connection for each client'
    : `the PROXY header was taken for a command ("${hello.trimEnd()}"): set smtpd_upstream_proxy_protocol = haproxy for that listener`;
}

/** Whole replies, one string each. */
async function* readReplies(socket: Socket): AsyncGenerator<string, void> {
  let reply = '';
  for await (const line of createInterface({ input: socket, crlfDelay: Infinity })) {
    reply += `${line}\r\n`;
    if (line.charAt(3) === '-') continue;
    yield reply;
    reply = '';
  }
}
