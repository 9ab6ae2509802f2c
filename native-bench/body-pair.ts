/**
 * body-pair — one client of a slow body, and the transport of the product that reads it
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { NO_HANDLE } from '../src/base/handle.ts';
import type { Handle } from '../src/base/handle.ts';
import { NodeTransport } from '../src/io/node-transport.ts';
import { noSocketOptions, socketOptions } from '../src/io/socket-options.ts';
import type { SocketOptions } from '../src/io/socket-options.ts';
import type { TlsIdentity } from '../src/io/tls-contexts.ts';
import { Noted } from '../src/transport/transport.ts';

/** Bytes that a stream may hold which is not narrowed. */
export const INPUT_BYTES_MAX = 16_384;
const LISTENERS = { plain: 0, tls: 1 };

/** One of the ways in which a body can come. */
export interface Way {
  readonly name: string;
  readonly isNarrow: boolean;
  readonly hasOptions: boolean;
  readonly isTls: boolean;
}

/** One client and the transport that reads it. */
export interface Pair {
  readonly transport: NodeTransport;
  readonly handle: Handle;
  readonly client: Socket;
  readonly plain: Socket;
  readonly close: () => Promise<void>;
}

const shapingOf = ({ hasOptions }: Way): SocketOptions =>
  hasOptions ? socketOptions() : noSocketOptions('not wanted');

/** Connects them, after the words that come before a body. */
export async function pairOf(way: Way, identity: TlsIdentity, shaping = shapingOf(way)): Promise<Pair> {
  const transport = new NodeTransport({
    capacity: 1,
    inputBytesMax: INPUT_BYTES_MAX,
    outputBytesMax: 65_536,
    socketOptions: shaping,
  });
  transport.useIdentities([null, identity]);
  const listener = way.isTls ? LISTENERS.tls : LISTENERS.plain;
  const { port } = await transport.listen({
    host: '127.0.0.1',
    port: 0,
    listener,
    reusePort: false,
    backlog: 8,
  });
  const noted = async (event: number): Promise<Handle> => {
    for (;;) {
      const handle = transport.next();
      if (handle !== NO_HANDLE && (transport.take(handle) & event) !== 0) return handle;
      await pause(1);
    }
  };
  const plain = connect({ port, host: '127.0.0.1', noDelay: true });
  plain.on('error', () => undefined);
  const handle = await noted(Noted.Opened);
  let client = plain;
  if (way.isTls) {
    transport.startTls(handle);
    client = connectTls({ socket: plain, rejectUnauthorized: false });
    client.on('error', () => undefined);
    await noted(Noted.Secured);
  }
  client.on('data', () => undefined);
  // The words before a body: both kernels have seen some.
  client.write(Buffer.alloc(200));
  while (transport.peek(handle).length < 200) await pause(1);
  transport.consume(handle, 200);
  if (way.isNarrow) transport.narrow(handle, true);
  transport.write(handle, Buffer.from('354 go ahead\r\n'));
  const close = async (): Promise<void> => {
    plain.resetAndDestroy();
    await transport.stopListening();
    transport.abort(handle);
  };
  return { transport, handle, client, plain, close };
}

/** Bytes that wait in a queue of the socket with these two ports: in the column `tx` or `rx` of /proc/net/tcp. */
export function queued(local: number, remote: number, column: 'tx' | 'rx'): number {
  const hex = (port: number): string => `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const line = readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .map((text) => text.trim().split(/\s+/))
    .find((words) => words[1]?.endsWith(hex(local)) === true && words[2]?.endsWith(hex(remote)) === true);
  const [tx = '0', rx = '0'] = (line?.[4] ?? '').split(':');
  return Number.parseInt(column === 'tx' ? tx : rx, 16);
}

/** A certificate for the server of a pair. */
export function identityOf(): TlsIdentity {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-body-bench-'));
  const [key, certificate] = [join(directory, 'key'), join(directory, 'certificate')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const names = ['-subj', '/CN=mx.example.net', '-keyout', key, '-out', certificate];
  execFileSync('openssl', ['req', '-x509', ...curve, ...names], { stdio: 'ignore' });
  const identity = {
    certificate: readFileSync(certificate, 'latin1'),
    key: readFileSync(key, 'latin1'),
    ticketKeys: new Uint8Array(48).fill(7),
  };
  rmSync(directory, { recursive: true });
  return identity;
}
