/**
 * contract-turns — events, turns and handles: who is told what, when, and how often
 */
import { describe, expect, it } from 'vitest';
import { ShardBug } from '../../src/base/assert.ts';
import { NO_HANDLE } from '../../src/base/handle.ts';
import type { Handle } from '../../src/base/handle.ts';
import { Noted } from '../../src/transport/transport.ts';
import { openOne, withBack, withFront } from './conversation.ts';
import { bytesOf, textOf } from './harness.ts';
import type { Harness, Rig } from './harness.ts';

export function contractOfTurns(harness: Harness): void {
  describe('turns', () => {
    it('says Opened first, once, and knows both ends and the listener', () =>
      withFront(harness, {}, async (rig) => {
        const { peer, handle } = await openOne(rig);
        peer.send(bytesOf('x'));
        await rig.until(() => rig.transport.peek(handle).length === 1);
        expect(rig.engine.log(handle)[0]! & Noted.Opened).toBe(Noted.Opened);
        expect(rig.engine.log(handle).filter((events) => (events & Noted.Opened) !== 0)).toHaveLength(1);
        expect(rig.transport.remoteAddress(handle)).toBe('127.0.0.1');
        expect(rig.transport.remotePort(handle)).toBe(peer.port);
        expect(rig.transport.localAddress(handle)).toBe(rig.localAddress);
        expect(rig.transport.localPort(handle)).toBe(rig.localPort);
        expect(rig.transport.listenerOf(handle)).toBe(rig.listener);
      }));

    it('merges events until they are taken, and hands a stream out once', () =>
      withFront(harness, {}, async (rig) => {
        rig.engine.obeys = false;
        const peer = rig.dial();
        peer.send(bytesOf('EHLO x\r\n'));
        peer.finish();
        await rig.until(() => rig.engine.woken);
        await rig.quiet();
        const handle = rig.transport.next();
        expect(handle).not.toBe(NO_HANDLE);
        expect(rig.transport.next()).toBe(NO_HANDLE);
        expect(rig.transport.take(handle)).toBe(Noted.Opened | Noted.Readable | Noted.Ended);
        expect(rig.transport.take(handle)).toBe(0);
        expect(rig.transport.next()).toBe(NO_HANDLE);
        expect(textOf(rig.transport.peek(handle))).toBe('EHLO x\r\n');
      }));

    it('merges what comes after a stream was handed out and before it was taken', () =>
      withFront(harness, {}, async (rig) => {
        rig.engine.obeys = false;
        const peer = rig.dial();
        await rig.until(() => rig.engine.woken);
        const handle = rig.transport.next();
        peer.send(bytesOf('late'));
        await rig.until(() => rig.transport.peek(handle).length === 4);
        await rig.quiet();
        expect(rig.transport.next()).toBe(NO_HANDLE);
        expect(rig.transport.take(handle)).toBe(Noted.Opened | Noted.Readable);
      }));

    it('does not hand out a stream whose events were taken out of turn', () =>
      withFront(harness, {}, async (rig) => {
        const { peer, handle } = await openOne(rig);
        rig.engine.obeys = false;
        peer.send(bytesOf('a'));
        await rig.until(() => rig.engine.woken);
        expect(rig.transport.take(handle)).toBe(Noted.Readable);
        expect(rig.transport.next()).toBe(NO_HANDLE);
        peer.send(bytesOf('b'));
        await rig.until(() => rig.transport.peek(handle).length === 2);
        expect(rig.transport.next()).toBe(handle);
        expect(rig.transport.next()).toBe(NO_HANDLE);
      }));

    it('asks for a turn once, and again only after the turn began', () =>
      withFront(harness, {}, async (rig) => {
        rig.engine.obeys = false;
        const first = rig.dial();
        await rig.until(() => rig.engine.woken);
        first.send(bytesOf('more'));
        const second = rig.dial();
        second.send(bytesOf('more'));
        await rig.quiet();
        expect(rig.engine.wakes).toBe(1);
        while (rig.transport.next() !== NO_HANDLE);
        rig.dial();
        await rig.until(() => rig.engine.wakes > 1);
        expect(rig.engine.wakes).toBe(2);
      }));

    it('never calls back before a method returns', () =>
      withFront(harness, {}, async (rig) => {
        const { peer, handle } = await openOne(rig);
        const other = await openOne(rig);
        peer.send(bytesOf('hello'));
        await rig.until(() => (rig.engine.seen(handle) & Noted.Readable) !== 0);
        rig.engine.obeys = false;
        expectQuiet(rig, () => rig.transport.consume(handle, 1));
        expectQuiet(rig, () => rig.transport.write(handle, bytesOf('250 ok\r\n')));
        expectQuiet(rig, () => rig.transport.end(handle));
        expectQuiet(rig, () => rig.transport.abort(other.handle));
        await rig.until(() => rig.engine.woken);
      }));

    it('never calls back before connect returns', () =>
      withBack(harness, {}, async (rig) => {
        rig.engine.obeys = false;
        expectQuiet(rig, () => rig.transport.connect(rig.answering));
        expectQuiet(rig, () => rig.transport.connect(rig.refusing));
        await rig.until(() => rig.engine.woken);
      }));

    it('rotates: who was heard stands behind those who wait', () =>
      withFront(harness, {}, async (rig) => {
        const streams = [await openOne(rig), await openOne(rig), await openOne(rig)];
        rig.engine.obeys = false;
        for (const { peer } of streams) peer.send(bytesOf('1'));
        await rig.until(() => streams.every(({ handle }) => rig.transport.peek(handle).length === 1));
        const first = rig.transport.next();
        rig.transport.take(first);
        const busy = streams.find(({ handle }) => handle === first)!;
        busy.peer.send(bytesOf('2'));
        await rig.until(() => rig.transport.peek(first).length === 2);
        const order = [rig.transport.next(), rig.transport.next(), rig.transport.next()];
        expect(order[2]).toBe(first);
        expect(new Set(order)).toEqual(new Set(streams.map(({ handle }) => handle)));
        expect(rig.transport.next()).toBe(NO_HANDLE);
      }));
  });

  describe('handles', () => {
    it('keeps a handle and its addresses until the release, and refuses it from then on', () =>
      withFront(harness, { capacity: 1 }, async (rig) => {
        const { peer, handle } = await openOne(rig);
        const { port } = peer;
        peer.reset();
        await rig.until(() => (rig.engine.seen(handle) & Noted.Closed) !== 0);
        expect(rig.transport.remoteAddress(handle)).toBe('127.0.0.1');
        expect(rig.transport.remotePort(handle)).toBe(port);
        expect(rig.transport.localAddress(handle)).toBe(rig.localAddress);
        expect(rig.transport.unwritten(handle)).toBe(0);
        rig.transport.release(handle);
        const { handle: newcomer } = await openOne(rig);
        expect(newcomer).not.toBe(handle);
        for (const call of everyCall(rig, handle)) expect(call).toThrow(ShardBug);
        for (const call of everyCall(rig, NO_HANDLE)) expect(call).toThrow(ShardBug);
        expect(rig.transport.remoteAddress(newcomer)).toBe('127.0.0.1');
      }));

    it('does not give a slot back before Closed was taken', () =>
      withFront(harness, {}, async (rig) => {
        const { peer, handle } = await openOne(rig);
        expect(() => rig.transport.release(handle)).toThrow(ShardBug);
        rig.engine.obeys = false;
        peer.reset();
        await rig.until(() => rig.engine.woken);
        expect(() => rig.transport.release(handle)).toThrow(ShardBug);
        rig.transport.take(handle);
        rig.transport.release(handle);
        expect(rig.transport.streamsOpen).toBe(0);
      }));

    it('lets a transport that accepts refuse to connect', () =>
      withFront(harness, {}, async (rig) => {
        expect(() => rig.transport.connect({ host: '127.0.0.1', port: 9 })).toThrow(ShardBug);
      }));
  });
}

/** Runs a call and sees that nothing was noted while it ran. */
function expectQuiet(rig: Rig, call: () => void): void {
  const { wakes } = rig.engine;
  rig.engine.woken = false;
  call();
  expect(rig.engine.wakes).toBe(wakes);
  expect(rig.transport.next()).toBe(NO_HANDLE);
}

function everyCall({ transport }: Rig, handle: Handle): (() => unknown)[] {
  return [
    () => transport.take(handle),
    () => transport.peek(handle),
    () => transport.consume(handle, 0),
    () => transport.write(handle, bytesOf('x')),
    () => transport.unwritten(handle),
    () => transport.end(handle),
    () => transport.abort(handle),
    () => transport.release(handle),
    () => transport.remoteAddress(handle),
    () => transport.remotePort(handle),
    () => transport.localAddress(handle),
    () => transport.localPort(handle),
    () => transport.listenerOf(handle),
  ];
}
