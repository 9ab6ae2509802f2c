/**
 * The memory transport keeps the contract, whether input comes whole or in pieces, under a hammer too; and what it
 * promises to simulations beyond it.
 */
import { describe, expect, it } from 'vitest';
import { ShardBug } from '../../src/base/assert.ts';
import { NO_HANDLE } from '../../src/base/handle.ts';
import { MemoryTransport } from '../../src/transport/memory-transport.ts';
import type { PeerHandle } from '../../src/transport/memory-transport.ts';
import { Noted } from '../../src/transport/transport.ts';
import { transportContract } from './contract.ts';
import { runHammer } from './hammer.ts';
import { bytesOf, followsPattern, pattern, textOf, usual } from './harness.ts';
import { memoryHarness } from './memory-rig.ts';

transportContract(memoryHarness('memory'));
transportContract(memoryHarness('memory, seven bytes at a time', 7));
transportContract(memoryHarness('memory inside TLS', 7, true));

const ends = { address: '192.0.2.7', port: 4000, localAddress: '192.0.2.25', localPort: 25, listener: 0 };

describe('the memory transport', () => {
  for (const seed of [1, 2, 3, 20_261_122])
    for (const splitBytes of [1, 64, undefined])
      it(`holds under random operations (seed ${seed}, pieces of ${splitBytes ?? 'any'} bytes)`, () =>
        runHammer(memoryHarness('memory', splitBytes), seed, 2000));

  it('holds under random operations inside TLS', () => runHammer(memoryHarness('memory', 64, true), 4, 2000));

  it('delivers nothing before time passes, in either direction', () => {
    const transport = new MemoryTransport(usual);
    const peer = transport.dial(ends);
    transport.peerSend(peer, bytesOf('EHLO a\r\n'));
    expect(transport.next()).toBe(NO_HANDLE);
    transport.advance(1);
    const handle = transport.next();
    expect(transport.take(handle)).toBe(Noted.Opened | Noted.Readable);
    transport.write(handle, bytesOf('250 a\r\n'));
    expect(transport.peerReceived(peer)).toHaveLength(0);
    transport.advance(2);
    expect(textOf(transport.peerReceived(peer))).toBe('250 a\r\n');
    expect(transport.peerReceived(peer)).toHaveLength(0);
    expect(transport.busy).toBe(false);
  });

  it('delivers one piece of at most splitBytes per advance', () => {
    const transport = new MemoryTransport({ ...usual, splitBytes: 3 });
    const peer = transport.dial(ends);
    transport.peerSend(peer, bytesOf('EHLO a\r\n'));
    const lengths: number[] = [];
    transport.advance(1);
    const handle = transport.next();
    for (let tick = 2; tick < 6; tick += 1) {
      lengths.push(transport.peek(handle).length);
      transport.advance(tick);
    }
    expect(lengths).toEqual([3, 6, 8, 8]);
    expect(transport.peerUnsent(peer)).toBe(0);
  });

  it('holds a peer that was narrowed to a few bytes more than were consumed', () => {
    const transport = new MemoryTransport({ ...usual, narrowBytesMax: 100, splitBytes: 33 });
    const peer = transport.dial(ends);
    transport.advance(1);
    const handle = transport.next();
    transport.narrow(handle, true);
    transport.peerSend(peer, pattern(5_000));
    let consumed = 0;
    for (let tick = 2; consumed < 5_000; tick += 1) {
      transport.advance(tick);
      const ahead = 5_000 - transport.peerUnsent(peer) - consumed;
      expect(ahead).toBe(transport.peek(handle).length);
      expect(ahead).toBeLessThanOrEqual(100);
      const count = tick % 5 === 0 ? ahead : 0;
      expect(followsPattern(transport.peek(handle), consumed)).toBe(true);
      transport.consume(handle, count);
      consumed += count;
    }
    expect(transport.busy).toBe(false);
  });

  it('says FIN after the last piece, not before it', () => {
    const transport = new MemoryTransport({ ...usual, splitBytes: 4 });
    const peer = transport.dial(ends);
    transport.peerSend(peer, bytesOf('QUIT\r\n'));
    transport.peerFinish(peer);
    transport.advance(1);
    const handle = transport.next();
    expect(transport.take(handle)).toBe(Noted.Opened | Noted.Readable);
    transport.advance(2);
    expect(transport.take(handle)).toBe(Noted.Readable | Noted.Ended);
    expect(() => transport.peerSend(peer, bytesOf('x'))).toThrow(ShardBug);
  });

  it('leaves the engine’s bytes unwritten once a peer stalls, and keeps its window otherwise', () => {
    const transport = new MemoryTransport({ ...usual, windowBytes: 100 });
    const peer = transport.dial(ends);
    transport.advance(1);
    const handle = transport.next();
    transport.write(handle, pattern(150));
    expect(transport.unwritten(handle)).toBe(50);
    transport.advance(2);
    expect(transport.unwritten(handle)).toBe(0);
    transport.peerStall(peer, true);
    transport.write(handle, pattern(20, 150));
    expect(transport.unwritten(handle)).toBe(20);
    transport.peerStall(peer, false);
    const pieces: number[] = [];
    for (let tick = 3, from = 0; tick < 6; tick += 1) {
      transport.advance(tick);
      const bytes = transport.peerReceived(peer);
      expect(followsPattern(bytes, from)).toBe(true);
      from += bytes.length;
      pieces.push(bytes.length);
    }
    expect(pieces).toEqual([100, 70, 0]);
  });

  it('brings FIN behind the last byte, not before it', () => {
    const transport = new MemoryTransport({ ...usual, windowBytes: 100 });
    const peer = transport.dial(ends);
    transport.advance(1);
    const handle = transport.next();
    transport.write(handle, pattern(150));
    transport.end(handle);
    transport.advance(2);
    expect(transport.peerReceived(peer)).toHaveLength(100);
    expect(transport.peerSawEnd(peer)).toBe(false);
    transport.advance(3);
    expect(transport.peerReceived(peer)).toHaveLength(50);
    expect(transport.peerSawEnd(peer)).toBe(true);
    expect(transport.peerClosed(peer)).toBe(false);
  });

  it('lets a dialled endpoint stay silent, accept late, or refuse by a reset', () => {
    const peers: PeerHandle[] = [];
    const onDial = (_: unknown, peer: PeerHandle): 'silent' => {
      peers.push(peer);
      return 'silent';
    };
    const transport = new MemoryTransport({ ...usual, onDial });
    const late = transport.connect({ host: '192.0.2.9', port: 25 });
    const never = transport.connect({ host: '192.0.2.9', port: 25 });
    const dropped = transport.connect({ host: '192.0.2.9', port: 25 });
    expect(peers).toHaveLength(0);
    for (let tick = 1; tick < 50; tick += 1) transport.advance(tick);
    expect(transport.next()).toBe(NO_HANDLE);
    transport.peerAccept(peers[0]!);
    transport.peerReset(peers[1]!);
    transport.abort(dropped);
    expect(transport.next()).toBe(NO_HANDLE);
    transport.advance(50);
    expect(transport.take(late)).toBe(Noted.Opened);
    expect(transport.take(never)).toBe(Noted.Closed);
    expect(transport.take(dropped)).toBe(Noted.Closed);
    expect(transport.peerClosed(peers[2]!)).toBe(true);
  });

  it('moves wires in the order in which they were touched', () => {
    const transport = new MemoryTransport(usual);
    const peers = [1, 2, 3].map((port) => transport.dial({ ...ends, port }));
    transport.advance(1);
    const handles = [transport.next(), transport.next(), transport.next()];
    for (const handle of handles) transport.take(handle);
    expect(handles.map((handle) => transport.remotePort(handle))).toEqual([1, 2, 3]);
    for (const at of [2, 0, 1]) transport.peerSend(peers[at]!, bytesOf('x'));
    transport.advance(2);
    const order = [transport.next(), transport.next(), transport.next()];
    expect(order.map((handle) => transport.remotePort(handle))).toEqual([3, 1, 2]);
  });

  it('does not let time go back', () => {
    const transport = new MemoryTransport(usual);
    transport.advance(7);
    expect(() => transport.advance(6)).toThrow(ShardBug);
  });

  it('either accepts or connects', () => {
    const connecting = new MemoryTransport({ ...usual, onDial: () => 'accept' });
    expect(() => connecting.dial(ends)).toThrow(ShardBug);
  });
});
