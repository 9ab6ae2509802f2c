/**
 * contract-tls — from plaintext to TLS: nothing of the one is taken for the other, and a failure is an end
 */
import { describe, expect, it } from 'vitest';
import { ShardBug } from '../../src/base/assert.ts';
import { Noted } from '../../src/transport/transport.ts';
import {
  connectOne,
  openPlain,
  secure,
  untilClosed,
  withBack,
  withFront,
  writeUntilRefused,
} from './conversation.ts';
import { bytesOf, followsPattern, pattern, textOf } from './harness.ts';
import type { Stream } from './conversation.ts';
import type { Harness } from './harness.ts';

const ready = '220 2.0.0 Ready to start TLS\r\n';

export function contractOfTls(harness: Harness): void {
  describe('TLS', () => {
    it('begins behind the words in plaintext, and carries both ways what follows', () =>
      withFront(harness, {}, async (rig) => {
        const stream = await openPlain(rig);
        const { peer, handle } = stream;
        peer.send(bytesOf('STARTTLS\r\n'));
        await rig.until(() => rig.transport.peek(handle).length === 10);
        rig.transport.consume(handle, 10);
        expect(rig.transport.tlsOf(handle)).toBe('');
        rig.transport.write(handle, bytesOf(ready));
        rig.transport.startTls(handle);
        await rig.until(() => textOf(peer.received()) === ready);
        await rig.quiet();
        expect(rig.engine.seen(handle) & Noted.Secured).toBe(0);
        peer.handshake();
        await rig.until(() => (rig.engine.seen(handle) & Noted.Secured) !== 0);
        expect(rig.transport.tlsOf(handle)).toBe('TLSv1.3 TLS_AES_256_GCM_SHA384');
        peer.send(bytesOf('EHLO again\r\n'));
        await rig.until(() => rig.transport.peek(handle).length === 12);
        expect(textOf(rig.transport.peek(handle))).toBe('EHLO again\r\n');
        rig.transport.write(handle, bytesOf('250 hello\r\n'));
        await rig.until(() => textOf(peer.received()) === `${ready}250 hello\r\n`);
        expect(rig.transport.remotePort(handle)).toBe(peer.port);
        peer.reset();
        await untilClosed(rig, handle);
        expect(rig.transport.tlsOf(handle)).toBe('TLSv1.3 TLS_AES_256_GCM_SHA384');
        rig.transport.release(handle);
        const { handle: next } = await openPlain(rig);
        expect(rig.transport.tlsOf(next)).toBe('');
      }));

    it('waits for words in plaintext that the peer is slow to read', () =>
      withFront(harness, {}, async (rig) => {
        const { peer, handle } = await openPlain(rig);
        peer.stall(true);
        await rig.quiet();
        const written = writeUntilRefused(rig, handle, (at) => pattern(4000, at));
        rig.transport.startTls(handle);
        await rig.quiet();
        peer.stall(false);
        await rig.until(() => peer.received().length === written);
        expect(followsPattern(peer.received())).toBe(true);
        peer.handshake();
        await rig.until(() => (rig.engine.seen(handle) & Noted.Secured) !== 0);
        rig.transport.write(handle, pattern(100, written));
        await rig.until(() => peer.received().length === written + 100);
        expect(followsPattern(peer.received())).toBe(true);
      }));

    it('does not begin over plaintext that waits to be consumed', () =>
      withFront(harness, {}, async (rig) => {
        const { peer, handle } = await openPlain(rig);
        peer.send(bytesOf('STARTTLS\r\nMAIL FROM:<injected@example.org>\r\n'));
        await rig.until(() => rig.transport.peek(handle).length === 44);
        rig.transport.consume(handle, 10);
        expect(() => rig.transport.startTls(handle)).toThrow(ShardBug);
      }));

    it('is broken by plaintext that was under way, which nobody ever peeks', () =>
      withFront(harness, {}, async (rig) => {
        const { peer, handle } = await openPlain(rig);
        rig.transport.startTls(handle);
        peer.send(bytesOf('MAIL FROM:<injected@example.org>\r\n'));
        await untilClosed(rig, handle);
        expect(rig.engine.seen(handle) & (Noted.Secured | Noted.Readable)).toBe(0);
        expect(rig.transport.peek(handle)).toHaveLength(0);
        expect(rig.transport.inputBytesTotal).toBe(0);
        rig.transport.release(handle);
        expect(rig.transport.streamsOpen).toBe(0);
      }));

    it('is broken by plaintext that came while the last words were not out', () =>
      withFront(harness, {}, async (rig) => {
        const { peer, handle } = await openPlain(rig);
        peer.stall(true);
        await rig.quiet();
        writeUntilRefused(rig, handle, (at) => pattern(4000, at));
        rig.transport.startTls(handle);
        peer.send(bytesOf('MAIL FROM:<injected@example.org>\r\n'));
        await rig.quiet();
        expect(rig.transport.peek(handle)).toHaveLength(0);
        peer.stall(false);
        await untilClosed(rig, handle);
        expect(rig.engine.seen(handle) & (Noted.Secured | Noted.Readable)).toBe(0);
      }));

    it('is Closed when the peer resets or finishes in the handshake, or had finished before', () =>
      withFront(harness, {}, async (rig) => {
        const resets = await openPlain(rig);
        rig.transport.startTls(resets.handle);
        await rig.quiet();
        resets.peer.reset();
        const finishes = await openPlain(rig);
        rig.transport.startTls(finishes.handle);
        await rig.quiet();
        finishes.peer.finish();
        const finished = await openPlain(rig);
        finished.peer.finish();
        await rig.until(() => (rig.engine.seen(finished.handle) & Noted.Ended) !== 0);
        rig.transport.startTls(finished.handle);
        for (const { handle } of [resets, finishes, finished]) {
          await untilClosed(rig, handle);
          expect(rig.engine.seen(handle) & Noted.Secured).toBe(0);
          rig.transport.release(handle);
        }
        expect(rig.transport.streamsOpen).toBe(0);
      }));

    it('may be aborted in the handshake, at whichever moment', () =>
      withFront(harness, {}, async (rig) => {
        const atOnce = await openPlain(rig);
        rig.transport.startTls(atOnce.handle);
        rig.transport.abort(atOnce.handle);
        const later = await openPlain(rig);
        rig.transport.startTls(later.handle);
        await rig.quiet();
        rig.transport.abort(later.handle);
        const stalled = await openPlain(rig);
        stalled.peer.stall(true);
        await rig.quiet();
        writeUntilRefused(rig, stalled.handle, (at) => pattern(4000, at));
        rig.transport.startTls(stalled.handle);
        await rig.quiet();
        rig.transport.abort(stalled.handle);
        for (const { handle } of [atOnce, later, stalled]) {
          await untilClosed(rig, handle);
          expect(rig.engine.seen(handle) & Noted.Secured).toBe(0);
          rig.transport.release(handle);
        }
        expect(rig.transport.streamsOpen).toBe(0);
      }));

    it('lets nothing be said and no end be asked for in the handshake, and begins once', () =>
      withFront(harness, {}, async (rig) => {
        const stream = await openPlain(rig);
        const { handle } = stream;
        await secure(rig, stream);
        expect(() => rig.transport.startTls(handle)).toThrow(ShardBug);
        const other = await openPlain(rig);
        rig.transport.startTls(other.handle);
        expect(() => rig.transport.startTls(other.handle)).toThrow(ShardBug);
        expect(() => rig.transport.write(other.handle, bytesOf('250 ok\r\n'))).toThrow(ShardBug);
        expect(() => rig.transport.end(other.handle)).toThrow(ShardBug);
      }));

    it('carries a hundred handshakes at once', () =>
      withFront(harness, { capacity: 100 }, async (rig) => {
        const streams: Stream[] = [];
        for (let at = 0; at < 100; at += 1) streams.push(await openPlain(rig));
        for (const { peer, handle } of streams) {
          rig.transport.startTls(handle);
          peer.handshake();
        }
        await rig.until(() => streams.every(({ handle }) => (rig.engine.seen(handle) & Noted.Secured) !== 0));
        for (const [at, { peer }] of streams.entries()) peer.send(bytesOf(`I am ${at}\r\n`));
        const isHeard = (): boolean[] =>
          streams.map(({ handle }, at) => textOf(rig.transport.peek(handle)) === `I am ${at}\r\n`);
        await rig.until(() => !isHeard().includes(false));
        expect(isHeard()).toHaveLength(100);
      }));
  });

  describe('TLS to the backend', () => {
    it('begins behind the words in plaintext, and carries both ways what follows', () =>
      withBack(harness, {}, async (rig) => {
        const { peer, handle } = await connectOne(rig);
        rig.transport.write(handle, bytesOf('STARTTLS\r\n'));
        await rig.until(() => textOf(peer.received()) === 'STARTTLS\r\n');
        rig.transport.startTls(handle);
        await rig.quiet();
        expect(rig.engine.seen(handle) & Noted.Secured).toBe(0);
        peer.handshake();
        await rig.until(() => (rig.engine.seen(handle) & Noted.Secured) !== 0);
        expect(rig.transport.tlsOf(handle)).toBe('TLSv1.3 TLS_AES_256_GCM_SHA384');
        rig.transport.write(handle, bytesOf('EHLO mx\r\n'));
        await rig.until(() => textOf(peer.received()).endsWith('EHLO mx\r\n'));
        peer.send(bytesOf('250 hello\r\n'));
        await rig.until(() => textOf(rig.transport.peek(handle)) === '250 hello\r\n');
        expect(rig.transport.tlsFaultOf(handle)).toBeNull();
      }));

    for (const kind of ['untrusted', 'wrongName', 'outOfDate', 'handshake'] as const)
      it(`is Closed, never Secured, and names the fault: ${kind}`, () =>
        withBack(harness, {}, async (rig) => {
          const { peer, handle } = await connectOne(rig);
          rig.transport.startTls(handle);
          await rig.quiet();
          peer.failHandshake(kind);
          await untilClosed(rig, handle);
          expect(rig.engine.seen(handle) & (Noted.Secured | Noted.Readable)).toBe(0);
          expect(rig.transport.tlsFaultOf(handle)).toMatchObject({ kind });
          expect(rig.transport.tlsOf(handle)).toBe('');
          expect(peer.received()).toHaveLength(0);
          rig.transport.release(handle);
          const { handle: next } = await connectOne(rig);
          expect(rig.transport.tlsFaultOf(next)).toBeNull();
        }));

    it('is Closed when the peer resets or finishes in the handshake, and may be aborted in it', () =>
      withBack(harness, {}, async (rig) => {
        const [resets, finishes, aborted] = [
          await connectOne(rig),
          await connectOne(rig),
          await connectOne(rig),
        ];
        for (const { handle } of [resets, finishes, aborted]) rig.transport.startTls(handle);
        await rig.quiet();
        resets.peer.reset();
        finishes.peer.finish();
        rig.transport.abort(aborted.handle);
        for (const { handle } of [resets, finishes, aborted]) {
          await untilClosed(rig, handle);
          expect(rig.engine.seen(handle) & Noted.Secured).toBe(0);
          rig.transport.release(handle);
        }
        expect(rig.transport.streamsOpen).toBe(0);
      }));

    it('does not begin over plaintext that waits, and is broken by plaintext that was under way', () =>
      withBack(harness, {}, async (rig) => {
        const waits = await connectOne(rig);
        waits.peer.send(bytesOf('250 injected\r\n'));
        await rig.until(() => rig.transport.peek(waits.handle).length === 14);
        expect(() => rig.transport.startTls(waits.handle)).toThrow(ShardBug);
        const { peer, handle } = await connectOne(rig);
        rig.transport.startTls(handle);
        peer.send(bytesOf('250 injected\r\n'));
        await untilClosed(rig, handle);
        expect(rig.engine.seen(handle) & (Noted.Secured | Noted.Readable)).toBe(0);
        expect(rig.transport.peek(handle)).toHaveLength(0);
      }));
  });
}
