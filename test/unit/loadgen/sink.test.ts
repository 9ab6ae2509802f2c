import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Sink } from '../../../loadgen/sink.ts';
import { Mishaps, mishaps } from '../../../loadgen/sink-mishaps.ts';
import type { MishapOptions } from '../../../loadgen/sink-mishaps.ts';
import type { SinkOptions } from '../../../loadgen/sink-options.ts';
import { Wire } from './wire.ts';

const open: (Sink | Wire)[] = [];

async function sinkAndWire(options: Partial<SinkOptions> = {}): Promise<{ sink: Sink; wire: Wire }> {
  const sink = new Sink(options);
  const wire = await Wire.open(await sink.listen());
  open.push(wire, sink);
  return { sink, wire };
}

/** Through greeting, XCLIENT and EHLO; ready for MAIL. */
async function named(options: Partial<SinkOptions> = {}): Promise<{ sink: Sink; wire: Wire }> {
  const both = await sinkAndWire(options);
  await both.wire.reply();
  expect(await both.wire.say('XCLIENT NAME=client.example.net ADDR=192.0.2.7 PORT=4711')).toMatch(/^220 /);
  await both.wire.say('EHLO client.example.net');
  return both;
}

async function upToData(wire: Wire): Promise<void> {
  expect(await wire.say('MAIL FROM:<a@example.net>')).toMatch(/^250 /);
  expect(await wire.say('RCPT TO:<b@example.com>')).toMatch(/^250 /);
  expect(await wire.say('DATA')).toMatch(/^354 /);
}

afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

describe('XCLIENT', () => {
  it('is listed with every attribute, and answered with a new greeting', async () => {
    const { sink, wire } = await sinkAndWire();
    expect(await wire.reply()).toMatch(/^220 sink\.example\.com ESMTP/);
    const hello = await wire.say('EHLO front.example.com');
    expect(hello).toContain('|250 XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT REVERSE_NAME');
    expect(hello).toContain(
      '|250-PIPELINING|250-SIZE 10240000|250-ENHANCEDSTATUSCODES|250-8BITMIME|250-DSN|250-SMTPUTF8|',
    );
    expect(await wire.say('XCLIENT ADDR=192.0.2.7 NAME=client.example.net')).toMatch(/^220 /);
    expect(await wire.say('MAIL FROM:<>')).toMatch(/^503 5\.5\.1 .*HELO/);
    expect(sink.stats.xclients).toBe(1);
  });

  it('is obeyed again and again in mode always', async () => {
    const { wire } = await named();
    for (let client = 1; client <= 20; client += 1) {
      expect(await wire.say(`XCLIENT ADDR=192.0.2.${client} NAME=c${client}.example.net`)).toMatch(/^220 /);
    }
  });

  it('is obeyed once in mode once: then it is neither listed nor allowed', async () => {
    const { sink, wire } = await named({ xclient: 'once' });
    expect(await wire.say('EHLO client.example.net')).not.toContain('XCLIENT');
    expect(await wire.say('XCLIENT ADDR=192.0.2.8')).toMatch(/^550 5\.7\.0 /);
    expect(sink.stats.xclientsRefused).toBe(1);
  });

  it('is refused in mode never', async () => {
    const { wire } = await sinkAndWire({ xclient: 'never' });
    await wire.reply();
    expect(await wire.say('EHLO x.example')).not.toContain('XCLIENT');
    expect(await wire.say('XCLIENT ADDR=192.0.2.8')).toMatch(/^550 /);
  });

  it('inside a transaction hears 503 until RSET', async () => {
    const { wire } = await named();
    await wire.say('MAIL FROM:<a@example.net>');
    expect(await wire.say('XCLIENT ADDR=192.0.2.8')).toMatch(/^503 /);
    await wire.say('RSET');
    expect(await wire.say('XCLIENT ADDR=192.0.2.8')).toMatch(/^220 /);
  });

  it.each([
    'XCLIENT',
    'XCLIENT COLOUR=green',
    'XCLIENT ADDR=192.0.2.999',
    'XCLIENT ADDR=2001:db8::1',
    'XCLIENT NAME=-bad-.example',
    'XCLIENT PORT=70000',
    'XCLIENT PROTO=UUCP',
    'XCLIENT HELO=a+2',
    `XCLIENT HELO=${'h'.repeat(256)}`,
  ])('with a bad attribute hears 501: %s', async (line) => {
    const { wire } = await sinkAndWire();
    await wire.reply();
    expect(await wire.say(line)).toMatch(/^501 /);
  });

  it('keeps omitted attributes of the client before, and those before a bad one', async () => {
    const { sink, wire } = await named();
    await wire.say('XCLIENT ADDR=192.0.2.9 PORT=bad');
    await wire.say('XCLIENT HELO=h+2Bx PROTO=ESMTP ADDR=IPV6:2001:db8::1');
    await upToData(wire);
    await wire.say('hello\r\n.');
    expect(sink.messages[0]).toMatchObject({
      client: { NAME: 'client.example.net', ADDR: 'IPV6:2001:db8::1', PORT: '4711' },
      helo: 'h+x',
      protocol: 'ESMTP',
    });
  });

  it.each(['XCLIENT ADDR=192.0.2.8', 'EHLO x.example'])(
    'and EHLO must not be sent together with more: %s',
    async (line) => {
      const { sink, wire } = await sinkAndWire();
      await wire.reply();
      expect(await wire.say(`${line}\r\nNOOP`)).toMatch(/^554 5\.5\.0 /);
      await wire.closed();
      expect(sink.stats.syncErrors).toBe(1);
    },
  );
});

describe('mail', () => {
  it('before an XCLIENT is refused and counted as an attempt to relay', async () => {
    const { sink, wire } = await sinkAndWire();
    await wire.reply();
    await wire.say('EHLO x.example');
    expect(await wire.say('MAIL FROM:<a@example.net>')).toMatch(/^554 /);
    await wire.say('XCLIENT ADDR=bad');
    expect(await wire.say('RCPT TO:<b@example.com>')).toMatch(/^554 /);
    expect(sink.stats.relayAttempts).toBe(2);
    expect(sink.relayLines).toEqual(['MAIL FROM:<a@example.net>', 'RCPT TO:<b@example.com>']);
  });

  it('is stored with its envelope, length, hash and load id; trace headers in front do not change idSha256', async () => {
    const { sink, wire } = await named({ keepBodies: true });
    const text = 'X-Load-Id: 7.1.1\r\nSubject: s\r\n\r\n.leading dot\r\n..two\r\nend\r\n';
    for (const trace of ['', 'Received: from x\r\n by y\r\n']) {
      await upToData(wire);
      wire.write(`${trace}${text.replaceAll('\n.', '\n..')}`);
      expect(await wire.say('.')).toMatch(/^250 2\.0\.0 Ok: queued as S/);
    }
    const sha256 = createHash('sha256').update(text).digest('hex');
    expect(sink.messages[0]?.body?.toString()).toBe(text);
    expect(sink.messages[0]).toMatchObject({
      id: '7.1.1',
      sha256,
      idSha256: sha256,
      bytes: text.length,
      bareNewlines: 0,
    });
    expect(sink.messages[1]).toMatchObject({
      id: '7.1.1',
      idSha256: sha256,
      sender: 'a@example.net',
      recipients: ['b@example.com'],
    });
    expect(sink.messages[1]?.sha256).not.toBe(sha256);
  });

  it('may be pipelined up to DATA, byte by byte or in one write', async () => {
    const { sink, wire } = await named();
    const dialogue =
      'MAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nRCPT TO:<unknown1@x.example>\r\nDATA\r\n';
    wire.write(dialogue);
    const replies = [await wire.reply(), await wire.reply(), await wire.reply(), await wire.reply()];
    expect(replies.map((reply) => reply.slice(0, 3))).toEqual(['250', '250', '550', '354']);
    for (const byte of 'X-Load-Id: q\r\n\r\na\r\n.\r\n') wire.write(byte);
    expect(await wire.reply()).toMatch(/^250 /);
    expect(sink.messages[0]).toMatchObject({ id: 'q', recipients: ['b@x.example'] });
  });

  it('to an unknown or listed recipient hears 550 5.1.1', async () => {
    const { sink, wire } = await named({ unknownRecipients: ['Gone@example.com'] });
    await wire.say('MAIL FROM:<>');
    expect(await wire.say('RCPT TO:<unknown42@example.com>')).toMatch(/^550 5\.1\.1 /);
    expect(await wire.say('RCPT TO:<gone@EXAMPLE.com>')).toMatch(/^550 5\.1\.1 /);
    expect(await wire.say('DATA')).toMatch(/^554 /);
    expect(sink.stats.recipientsRefused).toBe(2);
  });

  it('over the size limit is refused at MAIL and at the dot', async () => {
    const { sink, wire } = await named({ messageBytesMax: 100 });
    expect(await wire.say('MAIL FROM:<> SIZE=101')).toMatch(/^552 /);
    await upToData(wire);
    expect(await wire.say(`${'x'.repeat(120)}\r\n.`)).toMatch(/^552 /);
    expect(sink.messages).toEqual([]);
  });
});

describe('the end of data', () => {
  const smuggled = ['\n.\n', '\n.\r\n', '\r\n.\n'];

  it.each(smuggled)(
    'in strict mode is only CR LF . CR LF, so %j ends nothing and is counted',
    async (fake) => {
      const { sink, wire } = await named();
      await upToData(wire);
      wire.write(`one${fake}MAIL FROM:<evil@x.example>\r\n.\r\n`);
      expect(await wire.reply()).toMatch(/^250 /);
      expect(sink.stats.messages).toBe(1);
      expect(sink.messages[0]?.bareNewlines).toBeGreaterThan(0);
    },
  );

  it.each(smuggled)('in loose mode %j ends the message, and what follows is a command', async (fake) => {
    const { sink, wire } = await named({ endOfData: 'loose' });
    await upToData(wire);
    wire.write(`one${fake}NOOP\r\n`);
    expect([await wire.reply(), await wire.reply()].map((reply) => reply.slice(0, 9))).toEqual([
      '250 2.0.0',
      '250 2.0.0',
    ]);
    expect(sink.stats.messages).toBe(1);
  });
});

describe('faults', () => {
  it('turn clients away at the greeting', async () => {
    const { wire } = await sinkAndWire({ faults: { refuseGreeting: '421' } });
    expect(await wire.reply()).toMatch(/^421 /);
    await wire.closed();
    const other = await sinkAndWire({ faults: { refuseGreeting: '554' } });
    expect(await other.wire.reply()).toMatch(/^554 /);
    expect(await other.wire.say('XCLIENT ADDR=192.0.2.1')).toMatch(/^503 5\.7\.0 /);
  });

  it('end the connection after so many replies', async () => {
    const { wire } = await sinkAndWire({ faults: { dieAfterReplies: 2 } });
    await wire.reply();
    await wire.say('NOOP');
    expect(await wire.say('NOOP')).toBe('closed');
  });

  it('end the connection inside a body', async () => {
    const { sink, wire } = await named();
    sink.faults.closeInDataAfterBytes = 50;
    await upToData(wire);
    wire.write(`${'y'.repeat(100)}\r\n`);
    await wire.closed();
    expect(sink.stats.messages).toBe(0);
  });

  it('leave the final dot unanswered, with the connection open and usable', async () => {
    const { sink, wire } = await named();
    sink.faults.dot = 'silent';
    await upToData(wire);
    wire.write('text\r\n.\r\n');
    expect(await wire.say('NOOP')).toMatch(/^250 /);
    expect(sink.stats.messages).toBe(0);
  });

  it.each([
    ['storeThenClose', 1],
    ['closeBeforeStore', 0],
  ] as const)('%s answers no 250 and stores %i', async (dot, stored) => {
    const { sink, wire } = await named();
    sink.faults.dot = dot;
    await upToData(wire);
    expect(await wire.say('text\r\n.')).toBe('closed');
    expect(sink.stats.messages).toBe(stored);
  });

  it.each([
    ['refuse4', '451'],
    ['refuse5', '550'],
  ] as const)('%s stores nothing and says %s', async (dot, code) => {
    const { sink, wire } = await named();
    sink.faults.dot = dot;
    await upToData(wire);
    expect((await wire.say('text\r\n.')).slice(0, 3)).toBe(code);
    expect(sink.stats).toMatchObject({ messages: 0, messagesRefused: 1 });
  });

  it('delay the greeting and every reply, and keep their order', async () => {
    const { wire } = await sinkAndWire({ faults: { greetDelayMs: 20, replyDelayMs: 1 } });
    wire.write('NOOP\r\nWHAT\r\n');
    expect(
      [await wire.reply(), await wire.reply(), await wire.reply()].map((reply) => reply.slice(0, 3)),
    ).toEqual(['220', '250', '502']);
  });
});

describe('mishaps', () => {
  const often = { seed: 5, perMille: 1_000 };
  const drawn = (options: MishapOptions): string[] => {
    const drawing = new Mishaps(options);
    return Array.from({ length: 200 }, () => `${drawing.next('RCPT')} ${drawing.dot()} ${drawing.delayMs()}`);
  };

  it('are those of their seed, of every kind, and none without a chance', () => {
    expect(drawn(often)).toEqual(drawn(often));
    expect(drawn({ ...often, seed: 6 })).not.toEqual(drawn(often));
    const { none: _, ...kinds } = mishaps;
    expect(new Set(drawn(often).map((line) => line.split(' ')[0]))).toEqual(new Set(Object.keys(kinds)));
    expect(new Set(drawn({ ...often, perMille: 0 }).map((line) => line.replace(/ \d+$/, '')))).toEqual(
      new Set(['none store']),
    );
  });

  it('happen to the sink: sooner or later a command is told 451 or 421, or nothing', async () => {
    const { wire } = await sinkAndWire({ mishaps: { seed: 5, perMille: 500 } });
    await wire.reply();
    let reply = '250';
    for (let count = 0; count < 50 && reply.startsWith('250'); count += 1) reply = await wire.say('NOOP');
    expect(reply).toMatch(/^451 4\.3\.0|^421 4\.|^closed$/);
  });
});

it('names the address in a reply to RCPT when it is asked to', async () => {
  const { wire } = await named({ namesAddresses: true });
  await wire.say('MAIL FROM:<a@example.net>');
  expect(await wire.say('RCPT TO:<b@example.com>')).toBe('250 2.1.5 <b@example.com> Ok');
});

it('keeps no message in memory when it is asked not to', async () => {
  const { sink, wire } = await named({ keepMessages: false });
  await upToData(wire);
  expect(await wire.say('text\r\n.')).toMatch(/^250 /);
  expect([sink.messages.length, sink.stats.messages]).toEqual([0, 1]);
});

describe('the journal', () => {
  it('holds a message before its 250 was said', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sink-journal-'));
    const journalFile = join(folder, 'stored.jsonl');
    try {
      const { sink, wire } = await named({ journalFile, journalFsync: true });
      sink.faults.dot = 'storeThenClose';
      await upToData(wire);
      expect(await wire.say('X-Load-Id: j.1\r\n\r\nx\r\n.')).toBe('closed');
      const lines = readFileSync(journalFile, 'utf8').trim().split('\n');
      expect(lines.map((line) => (JSON.parse(line) as { id: string }).id)).toEqual(['j.1']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

it('listens on loopback only', () => {
  expect(() => new Sink({ host: '0.0.0.0' })).toThrow(/loopback only/);
});
