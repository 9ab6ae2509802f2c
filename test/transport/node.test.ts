/**
 * The node transport keeps the contract on real sockets, under a hammer too; and what its listeners promise
 * beyond it.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ShardBug } from '../../src/base/assert.ts';
import { slotOf } from '../../src/base/handle.ts';
import type { Handle } from '../../src/base/handle.ts';
import { NodeTransport } from '../../src/io/node-transport.ts';
import { noSocketOptions } from '../../src/io/socket-options.ts';
import { Noted } from '../../src/transport/transport.ts';
import { transportContract } from './contract.ts';
import { connectOne, openOne, untilClosed, withBack, withFront } from './conversation.ts';
import type { Stream } from './conversation.ts';
import { runHammer } from './hammer.ts';
import { bytesOf, Engine, followsPattern, pattern, textOf, usual } from './harness.ts';
import type { BackRig } from './harness.ts';
import { nodeHarness, nodeHarnessOf } from './node-rig.ts';

const secureHarness = nodeHarnessOf('node inside TLS', true);

const plainHarness = nodeHarnessOf('node without koffi', false, noSocketOptions('not wanted'));

transportContract(nodeHarness);
transportContract(secureHarness);
transportContract(plainHarness);

/** Bytes that the kernel holds unread for our end of a connection. */
function unread(localPort: number, remotePort: number): number {
  const hex = (port: number): string => `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  for (const line of readFileSync('/proc/net/tcp', 'latin1').split('\n')) {
    const [, local, remote, , queues] = line.trim().split(/\s+/);
    if (local?.endsWith(hex(localPort)) === true && remote?.endsWith(hex(remotePort)) === true)
      return Number.parseInt(queues!.split(':')[1]!, 16);
  }
  throw new Error('no such connection');
}

/**
 * More than the kernel holds of a narrowed stream (28 to 43 kB), less than it holds of others, and of one that is wide again (62
 * to 130 kB).
 */
const NARROW_UNREAD_MAX = 54_000;

/** Greets each client with where it came in. */
const heirProgram = `
  import { NodeTransport } from ${JSON.stringify(new URL('../../src/io/node-transport.ts', import.meta.url).href)};
  const transport = new NodeTransport({ capacity: 1, inputBytesMax: 1, outputBytesMax: 1 });
  transport.onNoted = () => setImmediate(() => {
    const handle = transport.next();
    if ((transport.take(handle) & 1) === 0) return;
    const words = [transport.localAddress(handle), transport.localPort(handle), transport.listenerOf(handle)];
    transport.write(handle, Buffer.from(words.join(' ')));
  });
  await transport.listen({ fd: 3, host: '', port: 0, listener: 5, reusePort: false, backlog: 64 });
`;

/** Puts a stream to the backend into TLS: the engine speaks first. */
async function secureBack(rig: BackRig, { peer, handle }: Stream): Promise<void> {
  rig.transport.startTls(handle);
  await rig.until(() => peer.received().length > 0);
  peer.handshake();
  await rig.until(() => (rig.engine.seen(handle) & Noted.Secured) !== 0);
}

const place = { host: '127.0.0.1', port: 0, listener: 0, reusePort: false, backlog: 64 };

describe('the node transport', () => {
  for (const seed of [1, 2, 20_261_122])
    it(`holds under random operations (seed ${seed})`, () => runHammer(nodeHarness, seed, 1500));

  for (const seed of [3, 4])
    it(`holds under random operations inside TLS (seed ${seed})`, () => runHammer(secureHarness, seed, 1000));

  it('does not wait for the goodbye of a peer that is done', () =>
    withFront(nodeHarness, {}, async (rig) => {
      const { peer, handle } = await openOne(rig);
      rig.transport.write(handle, bytesOf('221 bye\r\n'));
      rig.transport.end(handle, true);
      await untilClosed(rig, handle);
      await rig.until(() => peer.sawEnd());
      expect(textOf(peer.received())).toBe('221 bye\r\n');
    }));

  it('waits for it all the same when bytes of the peer were left unread', () =>
    withFront(nodeHarness, {}, async (rig) => {
      const { peer, handle } = await openOne(rig);
      peer.send(pattern(400_000));
      await rig.until(() => rig.transport.peek(handle).length >= usual.inputBytesMax);
      rig.transport.write(handle, bytesOf('221 bye\r\n'));
      rig.transport.end(handle, true);
      await rig.until(() => peer.sawEnd());
      expect(textOf(peer.received())).toBe('221 bye\r\n');
      expect(rig.engine.seen(handle) & Noted.Closed).toBe(0);
      peer.finish();
      await untilClosed(rig, handle);
    }));

  it('leaves nothing but one byte in the buffer of a socket that stopped reading', () =>
    withFront(nodeHarness, {}, async (rig) => {
      const { peer, handle } = await openOne(rig);
      peer.send(pattern(400_000));
      await rig.until(() => rig.transport.peek(handle).length >= usual.inputBytesMax);
      await rig.quiet();
      const { streams } = rig.transport as unknown as { streams: { sockets: (Socket | undefined)[] } };
      const socket = streams.sockets[slotOf(handle)];
      expect(socket?.readableLength).toBe(1);
      expect(socket?.bytesRead).toBe(rig.transport.peek(handle).length + 1);
    }));

  for (const harness of [nodeHarness, secureHarness])
    it(`${harness.name}: lets the kernel hold little for a narrowed stream, until it is wide again`, () =>
      withFront(harness, {}, async (rig) => {
        const narrow = await openOne(rig);
        const wide = await openOne(rig);
        const unreadOf = ({ peer }: Stream): number => unread(rig.localPort, peer.port);
        rig.transport.narrow(narrow.handle, true);
        for (const { peer } of [narrow, wide]) peer.send(pattern(1_000_000));
        await rig.until(() => unreadOf(wide) > NARROW_UNREAD_MAX && unreadOf(narrow) > 0);
        await rig.quiet();
        expect(unreadOf(narrow)).toBeLessThan(NARROW_UNREAD_MAX);
        // Whatever the kernel does while the window opens a little at a time.
        let read = 0;
        const consume = (): void => {
          const view = rig.transport.peek(narrow.handle);
          expect(followsPattern(view, read)).toBe(true);
          rig.transport.consume(narrow.handle, view.length);
          read += view.length;
        };
        await rig.until(() => {
          expect(unreadOf(narrow)).toBeLessThan(NARROW_UNREAD_MAX);
          consume();
          return read > 100_000;
        });
        rig.transport.narrow(narrow.handle, false);
        await rig.until(() => unreadOf(narrow) > NARROW_UNREAD_MAX);
        await rig.until(() => {
          consume();
          return read === 1_000_000;
        });
      }));

  it('counts a client that is gone before it can be looked at, and keeps no slot for it', () =>
    withFront(nodeHarness, { capacity: 1 }, async (rig) => {
      const program = `
        const socket = require('node:net').connect(${rig.localPort}, '127.0.0.1', () => socket.resetAndDestroy());
      `;
      // Synchronously, so that the reset is there before this process accepts.
      execFileSync(process.execPath, ['-e', program]);
      await rig.until(() => (rig.transport as NodeTransport).acceptsFailed === 1);
      expect(rig.transport.streamsOpen).toBe(0);
      const { handle } = await openOne(rig);
      expect(slotOf(handle)).toBe(0);
      expect(rig.transport.refusedFull).toBe(0);
    }));

  it('rejects when the address is taken', async () => {
    const first = new NodeTransport(usual);
    const second = new NodeTransport(usual);
    const { port } = await first.listen(place);
    await expect(second.listen({ ...place, port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await first.stopListening();
    await expect(second.listen({ ...place, port })).resolves.toEqual({ address: '127.0.0.1', port });
    await second.stopListening();
  });

  it('shares a port with another transport when both say so', async () => {
    const first = new NodeTransport(usual);
    const second = new NodeTransport(usual);
    const { port } = await first.listen({ ...place, reusePort: true });
    await expect(second.listen({ ...place, port, reusePort: true })).resolves.toMatchObject({ port });
    await first.stopListening();
    await second.stopListening();
  });

  it('takes over a listening socket that it inherited', async () => {
    const giver = createServer();
    await new Promise<void>((resolve) => giver.listen(0, '127.0.0.1', resolve));
    const { port } = giver.address() as AddressInfo;
    // oxlint-disable-next-line no-underscore-dangle -- node has no other way to name the descriptor
    const { fd } = (giver as unknown as { _handle: { fd: number } })._handle;
    const heir = spawn(process.execPath, ['--input-type=module', '-e', heirProgram], {
      stdio: ['ignore', 'ignore', 'inherit', fd],
    });
    try {
      giver.close();
      const client = connect({ host: '127.0.0.1', port });
      const [greeting] = (await once(client, 'data')) as [Buffer];
      expect(greeting.toString()).toBe(`127.0.0.1 ${port} 5`);
      client.destroy();
    } finally {
      heir.kill();
    }
  });

  it('goes on with its streams when it stops listening', () =>
    withFront(nodeHarness, {}, async (rig) => {
      const { peer, handle } = await openOne(rig);
      await (rig.transport as NodeTransport).stopListening();
      peer.send(Uint8Array.of(1, 2, 3));
      await rig.until(() => rig.transport.peek(handle).length === 3);
      const late = rig.dial();
      await rig.until(() => late.closed());
      expect(rig.engine.opened).toHaveLength(1);
    }));

  it('tells its listeners apart, and its own address when bound to all', async () => {
    const transport = new NodeTransport(usual);
    const opened: Handle[] = [];
    const both = new Promise<void>((resolve) => {
      const engine = new Engine(transport, () =>
        setImmediate(() => {
          engine.turn();
          opened.splice(0, opened.length, ...engine.opened);
          if (opened.length === 2) resolve();
        }),
      );
    });
    const narrow = await transport.listen({ ...place, listener: 1 });
    const wide = await transport.listen({ ...place, host: '0.0.0.0', listener: 2 });
    const clients: Socket[] = [narrow, wide].map(({ port }) => connect({ host: '127.0.0.1', port }));
    await both;
    const seen = opened.map((handle) => ({
      listener: transport.listenerOf(handle),
      local: transport.localAddress(handle),
      port: transport.localPort(handle),
    }));
    expect(seen).toContainEqual({ listener: 1, local: '127.0.0.1', port: narrow.port });
    expect(seen).toContainEqual({ listener: 2, local: '127.0.0.1', port: wide.port });
    for (const client of clients) client.destroy();
    await transport.stopListening();
  });

  it('resumes the TLS session of the connection before, which helps nobody with other papers', () =>
    withBack(nodeHarness, {}, async (rig) => {
      const first = await connectOne(rig);
      await secureBack(rig, first);
      expect(rig.transport.isTlsResumed(first.handle)).toBe(false);
      // What comes behind it was sent after the ticket.
      first.peer.send(bytesOf('250 ok\r\n'));
      await rig.until(() => rig.transport.peek(first.handle).length === 8);
      const second = await connectOne(rig);
      await secureBack(rig, second);
      expect(rig.transport.isTlsResumed(second.handle)).toBe(true);
      const third = await connectOne(rig);
      rig.transport.startTls(third.handle);
      await rig.until(() => third.peer.received().length > 0);
      third.peer.failHandshake('untrusted');
      await untilClosed(rig, third.handle);
      expect(rig.transport.tlsFaultOf(third.handle)).toMatchObject({ kind: 'untrusted' });
    }));

  it('connects to literal addresses only', () => {
    const transport = new NodeTransport(usual);
    expect(() => transport.connect({ host: 'mx.example.net', port: 25 })).toThrow(ShardBug);
    expect(transport.streamsOpen).toBe(0);
  });
});
