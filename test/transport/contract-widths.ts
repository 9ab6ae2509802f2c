/**
 * contract-widths — a narrowed stream: its peer stays near, nothing is lost, and it can be wide again
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ShardBug } from '../../src/base/assert.ts';
import { Noted } from '../../src/transport/transport.ts';
import { connectOne, openOne, untilClosed, withBack, withFront } from './conversation.ts';
import { bytesOf, followsPattern, pattern, textOf } from './harness.ts';
import type { Harness } from './harness.ts';

const RUNS = 20;
/** What every transport holds of a narrowed stream when nothing else is said. */
const NARROW_BYTES = 2_048;
/** One read of the platform may go beyond it. */
const READ_BYTES = 65_536;

/** What either side may do. */
const step = fc.oneof(
  fc.record({ what: fc.constant('send' as const), count: fc.integer({ min: 0, max: 30_000 }) }),
  fc.record({ what: fc.constant('consume' as const), count: fc.integer({ min: 0, max: 9_000 }) }),
  fc.record({ what: fc.constant('narrow' as const), count: fc.integer({ min: 0, max: 1 }) }),
  fc.record({ what: fc.constant('settle' as const), count: fc.constant(0) }),
);

/** Declares the tests. */
export function contractOfWidths(harness: Harness): void {
  describe('a narrowed stream', () => {
    it('loses nothing and keeps the order, whatever is sent, consumed and asked for when', () =>
      withFront(harness, { inputBytesMax: 20_000 }, (rig) =>
        fc.assert(
          fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
            const { peer, handle } = await openOne(rig);
            const { transport } = rig;
            let sent = 0;
            let read = 0;
            const consume = (most: number): void => {
              const view = transport.peek(handle);
              const count = Math.min(most, view.length);
              expect(followsPattern(view.subarray(0, count), read)).toBe(true);
              transport.consume(handle, count);
              read += count;
            };
            transport.narrow(handle, true);
            for (const { what, count } of steps) {
              if (what === 'send') {
                peer.send(pattern(count, sent));
                sent += count;
              } else if (what === 'consume') consume(count);
              else if (what === 'narrow') transport.narrow(handle, count === 1);
              else await rig.quiet();
            }
            peer.finish();
            await rig.until(() => {
              consume(Infinity);
              return (rig.engine.seen(handle) & Noted.Ended) !== 0;
            });
            consume(Infinity);
            expect(read).toBe(sent);
            transport.end(handle);
            await untilClosed(rig, handle);
            transport.release(handle);
            rig.engine.forget(handle);
          }),
          { numRuns: RUNS },
        ),
      ));

    it('is read no further than a little and one read more, and goes on as it is consumed', () =>
      withFront(harness, { inputBytesMax: 200_000 }, async (rig) => {
        const { peer, handle } = await openOne(rig);
        const { transport } = rig;
        transport.narrow(handle, true);
        const total = 300_000;
        peer.send(pattern(total));
        for (let read = 0; read < total;) {
          await rig.until(() => transport.peek(handle).length > 0);
          await rig.quiet();
          const view = transport.peek(handle);
          expect(view.length).toBeLessThanOrEqual(NARROW_BYTES + READ_BYTES);
          expect(followsPattern(view, read)).toBe(true);
          read += view.length;
          transport.consume(handle, view.length);
        }
      }));

    it('has room for a command line, also when the rest of it comes late', () =>
      withFront(harness, {}, async (rig) => {
        const { peer, handle } = await openOne(rig);
        rig.transport.narrow(handle, true);
        const line = `MAIL FROM:<someone@example.org> ${'X'.repeat(1_900)}\r\n`;
        peer.send(bytesOf(line.slice(0, 1_000)));
        await rig.until(() => rig.transport.peek(handle).length === 1_000);
        peer.send(bytesOf(line.slice(1_000)));
        await rig.until(() => rig.transport.peek(handle).length === line.length);
        expect(textOf(rig.transport.peek(handle))).toBe(line);
      }));

    it('is read as far as others when it is wide again, without anything being consumed', () =>
      withFront(harness, { inputBytesMax: 200_000 }, async (rig) => {
        const { peer, handle } = await openOne(rig);
        const { transport } = rig;
        transport.narrow(handle, true);
        transport.narrow(handle, true);
        peer.send(pattern(400_000));
        await rig.until(() => transport.peek(handle).length > 0);
        await rig.quiet();
        expect(transport.peek(handle).length).toBeLessThanOrEqual(NARROW_BYTES + READ_BYTES);
        transport.narrow(handle, false);
        await rig.until(() => transport.peek(handle).length >= 200_000);
        expect(followsPattern(transport.peek(handle))).toBe(true);
      }));

    it('that was narrowed while more lay there keeps it', () =>
      withFront(harness, {}, async (rig) => {
        const { peer, handle } = await openOne(rig);
        peer.send(pattern(4_000));
        await rig.until(() => rig.transport.peek(handle).length === 4_000);
        rig.transport.narrow(handle, true);
        await rig.quiet();
        expect(followsPattern(rig.transport.peek(handle))).toBe(true);
        rig.transport.consume(handle, 4_000);
        peer.send(pattern(10, 4_000));
        await rig.until(() => rig.transport.peek(handle).length === 10);
        expect(followsPattern(rig.transport.peek(handle), 4_000)).toBe(true);
      }));

    it('leaves the next stream in its slot wide', () =>
      withFront(harness, { capacity: 1, inputBytesMax: 200_000 }, async (rig) => {
        const first = await openOne(rig);
        rig.transport.narrow(first.handle, true);
        rig.transport.abort(first.handle);
        await untilClosed(rig, first.handle);
        rig.transport.release(first.handle);
        const { peer, handle } = await openOne(rig);
        peer.send(pattern(400_000));
        await rig.until(() => rig.transport.peek(handle).length >= 200_000);
        expect(followsPattern(rig.transport.peek(handle))).toBe(true);
      }));

    it('may be asked for until the release, whatever has become of the stream', () =>
      withFront(harness, {}, async (rig) => {
        const { transport } = rig;
        const ending = await openOne(rig);
        ending.peer.send(pattern(100_000));
        await rig.until(() => transport.peek(ending.handle).length > 0);
        transport.end(ending.handle);
        transport.narrow(ending.handle, true);
        ending.peer.finish();
        await untilClosed(rig, ending.handle);
        transport.narrow(ending.handle, false);
        const lost = await openOne(rig);
        lost.peer.reset();
        await untilClosed(rig, lost.handle);
        transport.narrow(lost.handle, true);
        transport.release(lost.handle);
        expect(() => transport.narrow(lost.handle, false)).toThrow(ShardBug);
      }));

    it('is never one of our own connections', () =>
      withBack(harness, {}, async (rig) => {
        const { handle } = await connectOne(rig);
        expect(() => rig.transport.narrow(handle, true)).toThrow(ShardBug);
      }));
  });
}
