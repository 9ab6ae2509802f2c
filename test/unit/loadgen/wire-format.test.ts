import { describe, expect, it } from 'vitest';
import { messageText, stuffed } from '../../../loadgen/bots/message.ts';
import {
  READER_START,
  endsLine,
  isLastLine,
  lineCode,
  readByte,
} from '../../../loadgen/bots/reply-reader.ts';

/** Each line as its code, with "-" behind it when more lines follow. */
function read(text: string): string[] {
  const lines: string[] = [];
  let state = READER_START;
  for (const byte of new TextEncoder().encode(text)) {
    state = readByte(state, byte);
    if (endsLine(state)) lines.push(`${lineCode(state)}${isLastLine(state) ? '' : '-'}`);
  }
  return lines;
}

describe('the reply reader', () => {
  it('tells last lines from others', () => {
    expect(read('220-one\r\n220-\r\n220 two\r\n250 Ok\r\n')).toEqual(['220-', '220-', '220', '250']);
  });

  it('takes a bare code for a last line', () => {
    expect(read('250\r\n354\r\n')).toEqual(['250', '354']);
  });

  it.each([
    'hello\r\n',
    '25\r\n',
    '\r\n',
    '099 x\r\n',
    '650 x\r\n',
    '250_x\r\n',
    '250 x\n',
    '250 a\rb\r\n',
    '250 a\r\r\n',
    `250 ${'x'.repeat(507)}\r\n`,
  ])('takes no reply from %j', (text) => {
    expect(read(text)).toEqual(['0']);
  });

  it('allows a line of 512 bytes', () => {
    expect(read(`250 ${'x'.repeat(506)}\r\n`)).toEqual(['250']);
  });

  it('wants the same code in all lines of one reply', () => {
    expect(read('250-a\r\n251 b\r\n')).toEqual(['250-', '0']);
    expect(read('250-a\r\n250-b\r\n250 c\r\n451 d\r\n')).toEqual(['250-', '250-', '250', '451']);
  });

  it('reads on after a line that was no reply', () => {
    expect(read('junk\r\n250 Ok\r\n')).toEqual(['0', '250']);
  });

  it('says nothing about half a line', () => {
    expect(read('250 Ok\r\n22')).toEqual(['250']);
  });
});

describe('messages', () => {
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

  it('are exactly as long as asked for, whole lines of CR LF', () => {
    for (let bytes = 300; bytes < 700; bytes += 1) {
      const message = text(messageText('load.1.1', bytes));
      expect(message.length).toBe(bytes);
      expect(message.endsWith('\r\n')).toBe(true);
      expect(message.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
    }
  });

  it('are the same for the same id and size, and differ for another id', () => {
    expect(messageText('a.1.1', 900)).toEqual(messageText('a.1.1', 900));
    expect(messageText('a.1.2', 900)).not.toEqual(messageText('a.1.1', 900));
  });

  it('hold lines that begin with a dot; on the wire these are doubled and one dot ends it', () => {
    const plain = text(messageText('dots.1.1', 20_000));
    expect(plain).toMatch(/\r\n\./);
    const wire = text(stuffed(new TextEncoder().encode(plain)));
    expect(wire.endsWith('\r\n.\r\n')).toBe(true);
    expect(wire.slice(0, -3).replaceAll('\r\n..', '\r\n.')).toBe(plain);
    expect(wire.slice(0, -3)).not.toMatch(/\r\n\.\r\n/);
  });
});
