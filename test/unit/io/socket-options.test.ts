/**
 * Socket options on real sockets of this machine: what the kernel was asked to hold, and that nothing is ever thrown.
 */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { noSocketOptions, shapingText, socketOptions } from '../../../src/io/socket-options.ts';
import { descriptorOf, seat } from '../../../src/io/stream-socket.ts';
import type { StreamEvents, StreamSocket } from '../../../src/io/stream-socket.ts';
import { run } from '../../system/process.ts';

const nobody = {
  closed: () => undefined,
  drained: () => undefined,
  peerEnded: () => undefined,
  received: () => undefined,
} as unknown as StreamEvents;

const open: Socket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
});

/** The server's end of a connection. */
async function accepted(): Promise<StreamSocket> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push(connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' }));
  const [socket] = (await once(server, 'connection')) as [Socket];
  server.close();
  open.push(socket);
  return seat(socket, nobody, 0);
}

describe('socket options', () => {
  it('are there in a checkout, and looked for once', () => {
    expect(socketOptions()).toMatchObject({ available: true, why: '' });
    expect(socketOptions()).toBe(socketOptions());
  });

  it('are taken by the kernel, and given back', async () => {
    const socket = await accepted();
    const fd = descriptorOf(socket);
    expect(fd).toBeGreaterThan(2);
    for (let round = 0; round < 3; round += 1) {
      expect(socketOptions().narrow(fd)).toBe(true);
      expect(socketOptions().widen(fd)).toBe(true);
    }
  });

  it('are refused, and nothing is thrown, for what is no TCP socket or no descriptor', () => {
    for (const fd of [-1, 0, 1_000_000]) {
      expect(socketOptions().narrow(fd)).toBe(false);
      expect(socketOptions().widen(fd)).toBe(false);
    }
  });

  it('find no descriptor of a socket that is gone', async () => {
    const socket = await accepted();
    socket.destroy();
    expect(descriptorOf(socket)).toBe(-1);
  });

  it('say why they are not there when koffi is not, and do nothing', async () => {
    const program = `
      import { registerHooks } from 'node:module';
      registerHooks({ resolve: (name, context, next) => {
        if (name === 'koffi') throw new Error('nothing of that name\\nand a second line');
        return next(name, context);
      } });
      const { shapingText, socketOptions } = await import(${JSON.stringify(new URL('../../../src/io/socket-options.ts', import.meta.url).href)});
      const options = socketOptions();
      console.log(JSON.stringify([options.available, options.narrow(1), options.widen(1), shapingText(options)]));
    `;
    const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', program]);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout.toString())).toEqual([
      false,
      false,
      false,
      'slow bodies are read at their pace, and the receive window is the usual one: koffi is not there: nothing of that name',
    ]);
  });

  it('are told to an operator in one line', () => {
    expect(shapingText(socketOptions())).toBe(
      'slow bodies are read at their pace, behind a small receive window',
    );
    expect(shapingText(noSocketOptions('it rains'))).toContain(': it rains');
  });
});
