/**
 * The log's writer against a file descriptor whose answers are chosen: every write of node:fs is recorded, and
 * held back, cut short or refused as a test wants it. What a real slow pipe does is seen in test/end-to-end.
 */
import * as fc from 'fast-check';
import { beforeEach, expect, it, vi } from 'vitest';
import { LineWriter } from '../../../src/io/line-writer.ts';

type Done = (error: NodeJS.ErrnoException | null, written: number) => void;

/** The descriptor behind the writer: what it was given, and whether it takes it. */
const place = vi.hoisted(() => ({
  isFile: false,
  /** Writes that were begun and not answered. */
  begun: [] as { text: string; done: Done }[],
  /** What was taken, in order. */
  taken: [] as string[],
}));

vi.mock(import('node:fs'), async (original) => ({
  ...(await original()),
  fstatSync: (() => ({ isFile: () => place.isFile })) as never,
  write: ((_fd: number, bytes: Buffer, _at: number, _length: number, _position: null, done: Done) => {
    place.begun.push({ text: bytes.toString('latin1'), done });
  }) as never,
}));

beforeEach(() => {
  place.isFile = false;
  place.begun.length = 0;
  place.taken.length = 0;
});

function newWriter(waitingBytesMax = 1_000_000): { writer: LineWriter; told: { dropped: number } } {
  const told = { dropped: 0 };
  return { writer: new LineWriter(1, waitingBytesMax, () => (told.dropped += 1)), told };
}

/** Answers the write under way: all of it was taken, or `bytes`. */
function take(bytes = Number.MAX_SAFE_INTEGER): void {
  const { text, done } = place.begun.shift()!;
  const length = Math.min(bytes, text.length);
  place.taken.push(text.slice(0, length));
  done(null, length);
}

function refuse(code: string): void {
  place.begun.shift()!.done(Object.assign(new Error(code), { code }), 0);
}

const lineOf = (length: number): string => 'x'.repeat(length);

it('writes nothing before it is flushed, and one batch at a time', () => {
  const { writer } = newWriter();
  writer.add('one');
  expect(place.begun).toHaveLength(0);
  writer.flush();
  writer.add('two');
  writer.flush();
  expect(place.begun.map(({ text }) => text)).toEqual(['one\n']);
  take();
  expect(place.begun.map(({ text }) => text)).toEqual(['two\n']);
  take();
  writer.flush();
  expect(place.begun).toEqual([]);
});

it('gives a pipe whole lines in batches of at most 4,096 bytes, in order', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 4_095 }), { maxLength: 40 }), (lengths) => {
      place.taken.length = 0;
      place.begun.length = 0;
      const { writer, told } = newWriter();
      const lines = lengths.map((length, at) => `${at % 10}`.repeat(length));
      for (const [at, line] of lines.entries()) {
        writer.add(line);
        if (at % 3 === 0) writer.flush();
        if (at % 5 === 0 && place.begun.length > 0) take();
      }
      writer.flush();
      while (place.begun.length > 0) take();
      expect(place.taken.join('')).toBe(lines.map((line) => `${line}\n`).join(''));
      for (const batch of place.taken) {
        expect(batch.length).toBeLessThanOrEqual(4_096);
        expect(batch.endsWith('\n')).toBe(true);
      }
      expect(told.dropped).toBe(0);
    }),
  );
});

it('writes a full batch at once, and what does not fill one a moment later', () => {
  vi.useFakeTimers();
  const { writer } = newWriter();
  for (let line = 0; line < 5; line++) writer.add(lineOf(999));
  expect(place.begun.map(({ text }) => text.length)).toEqual([4_000]);
  take();
  take();
  writer.add('late');
  expect(place.begun).toEqual([]);
  vi.advanceTimersByTime(50);
  take();
  expect(place.taken.map((batch) => batch.length)).toEqual([4_000, 1_000, 5]);
  writer.flush();
  expect(place.begun).toEqual([]);
  vi.useRealTimers();
});

it('gives a file longer batches', () => {
  place.isFile = true;
  const { writer } = newWriter();
  for (let line = 0; line < 100; line++) writer.add(lineOf(999));
  writer.flush();
  while (place.begun.length > 0) take();
  expect(place.taken.map((batch) => batch.length)).toEqual([65_000, 35_000]);
});

it('drops and counts the lines that do not fit, and takes lines again when there is room', () => {
  const { writer, told } = newWriter(30);
  writer.add(lineOf(9));
  writer.add(lineOf(9));
  writer.add(lineOf(9));
  writer.add('');
  writer.add(lineOf(99));
  expect([writer.dropped, told.dropped]).toEqual([2, 2]);
  writer.flush();
  take();
  writer.add(lineOf(29));
  expect(writer.dropped).toBe(2);
});

it('writes the rest of a batch that was taken in part', () => {
  const { writer, told } = newWriter(10);
  writer.add('123456789');
  writer.flush();
  take(4);
  expect(place.begun.map(({ text }) => text)).toEqual(['56789\n']);
  writer.add('abc');
  expect(told.dropped).toBe(0);
  writer.add('d');
  expect(told.dropped).toBe(1);
  take();
  take();
  expect(place.taken.join('')).toBe('123456789\nabc\n');
});

it('tries again later when the pipe is full, and loses nothing', () => {
  vi.useFakeTimers();
  const { writer, told } = newWriter();
  writer.add('one');
  writer.flush();
  refuse('EAGAIN');
  writer.add('two');
  writer.flush();
  expect(place.begun).toEqual([]);
  vi.runOnlyPendingTimers();
  refuse('EAGAIN');
  vi.runOnlyPendingTimers();
  take();
  take();
  vi.useRealTimers();
  expect(place.taken).toEqual(['one\n', 'two\n']);
  expect(told.dropped).toBe(0);
});

it('counts every line of a batch that could not be written, and goes on', () => {
  const { writer, told } = newWriter();
  for (const line of ['one', 'two', 'three']) writer.add(line);
  writer.flush();
  refuse('EPIPE');
  expect([writer.dropped, told.dropped]).toEqual([3, 3]);
  writer.add('four');
  writer.flush();
  take();
  expect(place.taken).toEqual(['four\n']);
});

it('ends when all is written, each line once, though a write was under way', async () => {
  const { writer } = newWriter();
  writer.add('one');
  writer.flush();
  writer.add('two');
  const ended = writer.end(60_000);
  take();
  take();
  await ended;
  expect(place.taken).toEqual(['one\n', 'two\n']);
});

it('ends at once when there is nothing to write', async () => {
  await newWriter().writer.end(60_000);
  expect(place.begun).toEqual([]);
});

it('ends in time when nobody reads, and counts what is lost', async () => {
  vi.useFakeTimers();
  const { writer, told } = newWriter();
  writer.add('one');
  writer.flush();
  writer.add('two');
  const ended = writer.end(1_000);
  refuse('EAGAIN');
  for (let tries = 0; tries < 40 && place.begun.length + vi.getTimerCount() > 0; tries++) {
    if (place.begun.length > 0) refuse('EAGAIN');
    vi.advanceTimersByTime(50);
  }
  await ended;
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
  expect(told.dropped).toBe(2);
});
