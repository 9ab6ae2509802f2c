/**
 * contract-endings — all the ways in which a stream ends, and what each side still gets
 */
import { describe, expect, it } from 'vitest';
import { ShardBug } from '../../src/base/assert.ts';
import { NO_HANDLE } from '../../src/base/handle.ts';
import type { Handle } from '../../src/base/handle.ts';
import { Noted } from '../../src/transport/transport.ts';
import { connectOne, openOne, untilClosed, withBack, withFront, writeUntilStuck } from './conversation.ts';
import { bytesOf, followsPattern, pattern, textOf } from './harness.ts';
import type { Harness, Rig } from './harness.ts';

export function contractOfEndings(harness: Harness): void {
  describe('the peer', () => {
    it('that finishes is Ended: its bytes are there, and writing goes on', () =>
      withFront(harness, {}, async (rig) => {
        const { peer, handle } = await openOne(rig);
        peer.send(bytesOf('QUIT\r\n'));
        peer.finish();
        await rig.until(() => (rig.engine.seen(handle) & Noted.Ended) !== 0);
        expect(textOf(rig.transport.peek(handle))).toBe('QUIT\r\n');
        expect(rig.transport.write(handle, bytesOf('221 bye\r\n'))).toBe(true);
        await rig.until(() => peer.received().length === 9);
        expect(rig.engine.seen(handle) & Noted.Closed).toBe(0);
        rig.transport.end(handle);
        await untilClosed(rig, handle);
        await rig.until(() => peer.closed());
        expect(peer.sawEnd()).toBe(true);
        expect(rig.engine.seen(handle) & Noted.Drained).toBe(Noted.Drained);
        expectClosedOnceAndLast(rig, handle);
      }));

    it('that resets is Closed, and what had arrived can still be read', () =>
      withFront(harness, {}, async (rig) => {
        const { peer, handle } = await openOne(rig);
        peer.send(bytesOf('DATA\r\n'));
        await rig.until(() => rig.transport.peek(handle).length === 6);
        peer.reset();
        await untilClosed(rig, handle);
        await rig.quiet();
        expect(textOf(rig.transport.peek(handle))).toBe('DATA\r\n');
        rig.transport.consume(handle, 6);
        expectClosedOnceAndLast(rig, handle);
        rig.transport.release(handle);
        expect(rig.transport.inputBytesTotal).toBe(0);
      }));

    it('that resets while its bytes wait does not leave them in the sum', () =>
      withFront(harness, {}, async (rig) => {
        const { peer, handle } = await openOne(rig);
        peer.send(bytesOf('unheard'));
        await rig.until(() => rig.transport.inputBytesTotal === 7);
        peer.reset();
        await untilClosed(rig, handle);
        rig.transport.release(handle);
        expect(rig.transport.inputBytesTotal).toBe(0);
        expect(rig.transport.streamsOpen).toBe(0);
      }));
  });

  describe('end', () => {
    it('sends what was written, then FIN; what comes after is thrown away', () =>
      withFront(harness, {}, async (rig) => {
        const { peer, handle } = await openOne(rig);
        peer.send(bytesOf('unread'));
        await rig.until(() => rig.transport.peek(handle).length === 6);
        rig.transport.write(handle, bytesOf('421 closing\r\n'));
        rig.transport.end(handle);
        expect(rig.transport.peek(handle)).toHaveLength(0);
        expect(rig.transport.inputBytesTotal).toBe(0);
        await rig.until(() => peer.sawEnd());
        expect(textOf(peer.received())).toBe('421 closing\r\n');
        peer.send(pattern(200_000));
        await rig.quiet();
        expect(rig.transport.peek(handle)).toHaveLength(0);
        expect(rig.engine.seen(handle) & (Noted.Drained | Noted.Closed)).toBe(Noted.Drained);
        peer.finish();
        await untilClosed(rig, handle);
        await rig.until(() => peer.closed());
        expectClosedOnceAndLast(rig, handle);
      }));

    it('waits for a peer that does not read, and loses nothing', () =>
      withFront(harness, {}, async (rig) => {
        const { peer, handle } = await openOne(rig);
        peer.stall(true);
        await rig.quiet();
        const taken = await writeUntilStuck(rig, handle, (at) => pattern(4000, at));
        rig.transport.end(handle);
        await rig.quiet();
        expect(rig.engine.seen(handle) & (Noted.Drained | Noted.Closed)).toBe(0);
        peer.stall(false);
        await rig.until(() => peer.sawEnd());
        expect(peer.received()).toHaveLength(taken);
        expect(followsPattern(peer.received())).toBe(true);
        peer.finish();
        await untilClosed(rig, handle);
        expect(rig.engine.seen(handle) & Noted.Drained).toBe(Noted.Drained);
      }));

    it('reads on to the peer’s FIN when the stream had stopped reading', () =>
      withFront(harness, {}, async (rig) => {
        const { peer, handle } = await openOne(rig);
        peer.send(pattern(500_000));
        await rig.until(() => rig.transport.peek(handle).length > 4000);
        await rig.quiet();
        rig.transport.end(handle);
        peer.finish();
        await untilClosed(rig, handle);
        expect(rig.transport.inputBytesTotal).toBe(0);
        await rig.until(() => peer.closed());
        expect(peer.sawEnd()).toBe(true);
      }));

    it('may be asked for twice and after the stream is gone, and consume is then without effect', () =>
      withFront(harness, {}, async (rig) => {
        const { peer, handle } = await openOne(rig);
        peer.send(bytesOf('QUIT\r\n'));
        await rig.until(() => rig.transport.peek(handle).length === 6);
        rig.transport.end(handle);
        rig.transport.end(handle);
        rig.transport.consume(handle, 6);
        await rig.until(() => peer.sawEnd());
        peer.finish();
        await untilClosed(rig, handle);
        rig.transport.end(handle);
        rig.transport.abort(handle);
        await rig.quiet();
        expectClosedOnceAndLast(rig, handle);
      }));

    it('of a peer that is done still delivers all that was written', () =>
      withFront(harness, {}, async (rig) => {
        const { peer, handle } = await openOne(rig);
        peer.stall(true);
        await rig.quiet();
        const taken = await writeUntilStuck(rig, handle, (at) => pattern(4000, at));
        rig.transport.end(handle, true);
        await rig.quiet();
        expect(rig.engine.seen(handle) & (Noted.Drained | Noted.Closed)).toBe(0);
        peer.stall(false);
        await rig.until(() => peer.sawEnd());
        expect(peer.received()).toHaveLength(taken);
        expect(followsPattern(peer.received())).toBe(true);
        peer.finish();
        await untilClosed(rig, handle);
        expect(rig.engine.seen(handle) & Noted.Drained).toBe(Noted.Drained);
        expectClosedOnceAndLast(rig, handle);
      }));

    it('is the last word: a write after it is a bug of ours', () =>
      withFront(harness, {}, async (rig) => {
        const { handle } = await openOne(rig);
        rig.transport.end(handle);
        expect(() => rig.transport.write(handle, bytesOf('250 ok\r\n'))).toThrow(ShardBug);
      }));
  });

  describe('abort', () => {
    it('closes at once, and the peer sees no orderly end', () =>
      withFront(harness, {}, async (rig) => {
        const { peer, handle } = await openOne(rig);
        peer.send(bytesOf('unread'));
        await rig.until(() => rig.transport.peek(handle).length === 6);
        rig.transport.abort(handle);
        rig.transport.abort(handle);
        expect(rig.transport.inputBytesTotal).toBe(0);
        await untilClosed(rig, handle);
        await rig.until(() => peer.closed());
        expect(peer.sawEnd()).toBe(false);
        expectClosedOnceAndLast(rig, handle);
      }));

    it('frees a stream whose peer does not read', () =>
      withFront(harness, {}, async (rig) => {
        const { peer, handle } = await openOne(rig);
        peer.stall(true);
        await rig.quiet();
        await writeUntilStuck(rig, handle, (at) => pattern(4000, at));
        rig.transport.abort(handle);
        await untilClosed(rig, handle);
        expect(rig.engine.seen(handle) & Noted.Drained).toBe(0);
        rig.transport.release(handle);
        expect(rig.transport.streamsOpen).toBe(0);
      }));

    it('ends an end that its peer does not answer, at whichever moment', () =>
      withFront(harness, {}, async (rig) => {
        const atOnce = await openOne(rig);
        rig.transport.end(atOnce.handle);
        rig.transport.abort(atOnce.handle);
        const later = await openOne(rig);
        rig.transport.end(later.handle);
        await rig.until(() => later.peer.sawEnd());
        rig.transport.abort(later.handle);
        const stalled = await openOne(rig);
        stalled.peer.stall(true);
        await rig.quiet();
        await writeUntilStuck(rig, stalled.handle, (at) => pattern(4000, at));
        rig.transport.end(stalled.handle);
        await rig.quiet();
        rig.transport.abort(stalled.handle);
        for (const { handle } of [atOnce, later, stalled]) {
          await untilClosed(rig, handle);
          expectClosedOnceAndLast(rig, handle);
          rig.transport.release(handle);
        }
        await rig.until(() => atOnce.peer.closed() || atOnce.peer.sawEnd());
        stalled.peer.stall(false);
        await rig.until(() => stalled.peer.closed());
        expect(stalled.peer.sawEnd(), 'what waited was lost, so there was no orderly end').toBe(false);
        expect(rig.transport.streamsOpen).toBe(0);
      }));
  });

  describe('a full transport', () => {
    it('turns a client away with its reply, counts it, and takes the next when a slot is free', () =>
      withFront(harness, { capacity: 1, fullReply: bytesOf('421 4.3.2 full\r\n') }, async (rig) => {
        const { peer: holder, handle } = await openOne(rig);
        const refused = rig.dial();
        await rig.until(() => refused.sawEnd());
        expect(textOf(refused.received())).toBe('421 4.3.2 full\r\n');
        expect(rig.transport.refusedFull).toBe(1);
        expect(rig.engine.opened).toHaveLength(1);
        holder.reset();
        await untilClosed(rig, handle);
        rig.transport.release(handle);
        const { handle: second } = await openOne(rig);
        expect(second).not.toBe(handle);
        expect(rig.transport.refusedFull).toBe(1);
      }));

    it('without a reply closes at once, also under a client that speaks first', () =>
      withFront(harness, { capacity: 1 }, async (rig) => {
        await openOne(rig);
        const refused = rig.dial();
        refused.send(bytesOf('EHLO early\r\n'));
        refused.finish();
        await rig.until(() => refused.closed());
        expect(refused.received()).toHaveLength(0);
        expect(rig.transport.refusedFull).toBe(1);
      }));

    it('has no handle for one more connection', () =>
      withBack(harness, { capacity: 1 }, async (rig) => {
        const { handle } = await connectOne(rig);
        expect(rig.transport.connect(rig.answering)).toBe(NO_HANDLE);
        rig.transport.abort(handle);
        await untilClosed(rig, handle);
        expect(rig.transport.connect(rig.answering)).toBe(NO_HANDLE);
        rig.transport.release(handle);
        expect(rig.transport.connect(rig.answering)).not.toBe(NO_HANDLE);
      }));
  });

  describe('a connect', () => {
    it('that is refused is Closed and was never Opened', () =>
      withBack(harness, {}, async (rig) => {
        const handle = rig.transport.connect(rig.refusing);
        await untilClosed(rig, handle);
        expect(rig.engine.seen(handle)).toBe(Noted.Closed);
        expect(rig.transport.remotePort(handle)).toBe(rig.refusing.port);
        rig.transport.release(handle);
      }));

    it('that is aborted before it is answered is Closed and was never Opened', () =>
      withBack(harness, {}, async (rig) => {
        const handle = rig.transport.connect(rig.answering);
        rig.transport.abort(handle);
        await untilClosed(rig, handle);
        await rig.quiet();
        expect(rig.engine.log(handle)).toEqual([Noted.Closed]);
        rig.transport.release(handle);
      }));

    it('delivers the last words of a backend that says them and closes', () =>
      withBack(harness, {}, async (rig) => {
        const { peer, handle } = await connectOne(rig);
        peer.send(bytesOf('421 too busy\r\n'));
        peer.finish();
        await rig.until(() => (rig.engine.seen(handle) & Noted.Ended) !== 0);
        expect(textOf(rig.transport.peek(handle))).toBe('421 too busy\r\n');
        rig.transport.end(handle);
        await untilClosed(rig, handle);
        expectClosedOnceAndLast(rig, handle);
      }));
  });
}

function expectClosedOnceAndLast(rig: Rig, handle: Handle): void {
  const log = rig.engine.log(handle);
  expect(log.filter((events) => (events & Noted.Closed) !== 0)).toHaveLength(1);
  expect(log.at(-1)! & Noted.Closed).toBe(Noted.Closed);
}
