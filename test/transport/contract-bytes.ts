/**
 * contract-bytes — reading and writing: nothing lost, doubled or out of order, and nothing without bound
 */
import { describe, expect, it } from 'vitest';
import { ShardBug } from '../../src/base/assert.ts';
import { Noted } from '../../src/transport/transport.ts';
import { connectOne, openOne, withBack, withFront, writeUntilStuck } from './conversation.ts';
import { bytesOf, followsPattern, pattern, textOf, usual } from './harness.ts';
import type { Harness } from './harness.ts';

/** One read of the platform may go beyond inputBytesMax. */
const READ_BYTES = 65_536;

export function contractOfBytes(harness: Harness): void {
  describe('input', () => {
    it('is whole and in order when it comes one byte at a time', () =>
      withFront(harness, {}, async (rig) => {
        const { peer, handle } = await openOne(rig);
        const line = 'MAIL FROM:<someone@example.org> SIZE=12345\r\n';
        for (let at = 0; at < line.length; at += 1) {
          peer.send(bytesOf(line.charAt(at)));
          await rig.until(() => rig.transport.peek(handle).length === at + 1);
        }
        expect(textOf(rig.transport.peek(handle))).toBe(line);
        expect(rig.transport.inputBytesTotal).toBe(line.length);
      }));

    it('stays until it is consumed, and what came later stands behind it', () =>
      withFront(harness, {}, async (rig) => {
        const { peer, handle } = await openOne(rig);
        peer.send(bytesOf('one two '));
        await rig.until(() => rig.transport.peek(handle).length === 8);
        rig.transport.consume(handle, 4);
        expect(textOf(rig.transport.peek(handle))).toBe('two ');
        peer.send(bytesOf('three'));
        await rig.until(() => rig.transport.peek(handle).length === 9);
        expect(textOf(rig.transport.peek(handle))).toBe('two three');
        rig.transport.consume(handle, 9);
        expect(rig.transport.peek(handle)).toHaveLength(0);
        expect(rig.transport.inputBytesTotal).toBe(0);
      }));

    it('is not consumed beyond its end', () =>
      withFront(harness, {}, async (rig) => {
        const { peer, handle } = await openOne(rig);
        peer.send(bytesOf('abc'));
        await rig.until(() => rig.transport.peek(handle).length === 3);
        expect(() => rig.transport.consume(handle, 4)).toThrow(ShardBug);
        expect(() => rig.transport.consume(handle, -1)).toThrow(ShardBug);
        expect(textOf(rig.transport.peek(handle))).toBe('abc');
      }));

    it('is not read above inputBytesMax, and is read on as it is consumed', () =>
      withFront(harness, {}, async (rig) => {
        const { peer, handle } = await openOne(rig);
        const total = 300_000;
        peer.send(pattern(total));
        await rig.until(() => rig.transport.peek(handle).length >= usual.inputBytesMax);
        await rig.quiet();
        expect(rig.transport.peek(handle).length).toBeLessThanOrEqual(usual.inputBytesMax + READ_BYTES);
        expect(rig.transport.inputBytesTotal).toBe(rig.transport.peek(handle).length);
        let read = 0;
        while (read < total) {
          await rig.until(() => rig.transport.peek(handle).length > 0);
          const view = rig.transport.peek(handle);
          expect(view.length).toBeLessThanOrEqual(usual.inputBytesMax + READ_BYTES);
          const count = Math.min(view.length, 1 + (read % 5000));
          expect(followsPattern(view.subarray(0, count), read)).toBe(true);
          rig.transport.consume(handle, count);
          read += count;
        }
        peer.finish();
        await rig.until(() => (rig.engine.seen(handle) & Noted.Ended) !== 0);
        expect(rig.transport.peek(handle)).toHaveLength(0);
      }));

    it('of a stream that stopped reading leaves the others alone', () =>
      withFront(harness, {}, async (rig) => {
        const greedy = await openOne(rig);
        const modest = await openOne(rig);
        greedy.peer.send(pattern(500_000));
        await rig.until(() => rig.transport.peek(greedy.handle).length >= usual.inputBytesMax);
        modest.peer.send(bytesOf('NOOP\r\n'));
        await rig.until(() => rig.transport.peek(modest.handle).length === 6);
        expect(textOf(rig.transport.peek(modest.handle))).toBe('NOOP\r\n');
      }));
  });

  describe('output', () => {
    it('arrives whole and in order', () =>
      withFront(harness, {}, async (rig) => {
        const { peer, handle } = await openOne(rig);
        for (const word of ['220 ', 'mx.example.net ', 'ready\r\n'])
          expect(rig.transport.write(handle, bytesOf(word))).toBe(true);
        await rig.until(() => peer.received().length === 26);
        expect(textOf(peer.received())).toBe('220 mx.example.net ready\r\n');
        expect(rig.transport.unwritten(handle)).toBe(0);
      }));

    it('is refused whole when a peer does not read, and Drained says when it reads again', () =>
      withFront(harness, {}, async (rig) => {
        const { peer, handle } = await openOne(rig);
        peer.stall(true);
        await rig.quiet();
        const taken = await writeUntilStuck(rig, handle, (at) => pattern(4000, at));
        expect(rig.transport.unwritten(handle)).toBeGreaterThan(usual.outputBytesMax - 4000);
        expect(rig.transport.unwritten(handle)).toBeLessThanOrEqual(usual.outputBytesMax);
        await rig.quiet();
        expect(rig.engine.seen(handle) & Noted.Drained).toBe(0);
        peer.stall(false);
        await rig.until(() => (rig.engine.seen(handle) & Noted.Drained) !== 0);
        expect(rig.transport.unwritten(handle)).toBe(0);
        expect(rig.transport.write(handle, pattern(100, taken))).toBe(true);
        await rig.until(() => peer.received().length === taken + 100);
        expect(followsPattern(peer.received())).toBe(true);
      }));

    it('is always taken when nothing waits, however much it is', () =>
      withFront(harness, {}, async (rig) => {
        const { peer, handle } = await openOne(rig);
        const count = usual.outputBytesMax * 4;
        expect(rig.transport.write(handle, pattern(count))).toBe(true);
        await rig.until(() => peer.received().length === count);
        expect(followsPattern(peer.received())).toBe(true);
      }));

    it('of a stalled peer does not hinder its input', () =>
      withFront(harness, {}, async (rig) => {
        const { peer, handle } = await openOne(rig);
        peer.stall(true);
        await rig.quiet();
        await writeUntilStuck(rig, handle, (at) => pattern(4000, at));
        peer.send(bytesOf('still here'));
        await rig.until(() => rig.transport.peek(handle).length === 10);
        expect(textOf(rig.transport.peek(handle))).toBe('still here');
      }));

    it('to a stream that is gone is taken and lost', () =>
      withFront(harness, {}, async (rig) => {
        const { peer, handle } = await openOne(rig);
        peer.reset();
        await rig.until(() => (rig.engine.seen(handle) & Noted.Closed) !== 0);
        expect(rig.transport.write(handle, bytesOf('anybody?'))).toBe(true);
        expect(rig.transport.unwritten(handle)).toBe(0);
      }));
  });

  describe('a connection of our own', () => {
    it('is Opened, knows both ends, and carries bytes both ways', () =>
      withBack(harness, {}, async (rig) => {
        const { peer, handle } = await connectOne(rig);
        expect(rig.transport.remoteAddress(handle)).toBe(rig.answering.host);
        expect(rig.transport.remotePort(handle)).toBe(rig.answering.port);
        expect(rig.transport.localAddress(handle)).toBe('127.0.0.1');
        expect(rig.transport.localPort(handle)).toBeGreaterThan(0);
        expect(rig.transport.listenerOf(handle)).toBe(-1);
        peer.send(bytesOf('220 ready\r\n'));
        expect(rig.transport.write(handle, bytesOf('EHLO me\r\n'))).toBe(true);
        await rig.until(() => rig.transport.peek(handle).length === 11 && peer.received().length === 9);
        expect(textOf(rig.transport.peek(handle))).toBe('220 ready\r\n');
        expect(textOf(peer.received())).toBe('EHLO me\r\n');
      }));
  });
}
