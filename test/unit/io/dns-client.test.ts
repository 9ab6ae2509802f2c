/**
 * The UDP client against real sockets that answer as they are told.
 */
import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { AUTHORITATIVE_ANSWER, decode, encode, TRUNCATED_RESPONSE } from 'dns-packet';
import type { Answer, DecodedPacket } from 'dns-packet';
import { afterEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/config/load.ts';
import { DnsClient, nameServers } from '../../../src/io/dns-client.ts';
import type { DnsReply } from '../../../src/reputation/dns-queries.ts';
import { until } from '../../system/process.ts';

type Answering = (
  question: DecodedPacket,
  from: RemoteInfo,
  socket: Socket,
) => Buffer | readonly Buffer[] | null;

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

class Server {
  port = 0;
  readonly heard: { id: number; name: string; port: number }[] = [];

  static async start(answering: Answering): Promise<Server> {
    const server = new Server();
    const socket = createSocket('udp4');
    socket.on('message', (bytes, from) => {
      const question = decode(bytes);
      server.heard.push({ id: question.id!, name: question.questions![0]!.name, port: from.port });
      const answers = answering(question, from, socket) ?? [];
      for (const answer of Array.isArray(answers) ? answers : [answers])
        socket.send(answer as Buffer, from.port, from.address);
    });
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    server.port = socket.address().port;
    closing.push(() => socket.close());
    return server;
  }
}

/** An answer to a question, with whatever is to be different. */
function answerTo(
  question: DecodedPacket,
  answers: readonly Answer[],
  more: Record<string, unknown> = {},
): Buffer {
  return encode({
    type: 'response',
    id: question.id!,
    flags: AUTHORITATIVE_ANSWER,
    questions: question.questions!,
    answers: [...answers],
    ...more,
  });
}

const a = (question: DecodedPacket, data: string, ttl = 60): Answer => ({
  type: 'A',
  name: question.questions![0]!.name,
  ttl,
  data,
});

async function clientOf(ports: readonly number[], deadlineMs = 30_000) {
  const client = new DnsClient(
    ports.map((port) => ({ host: '127.0.0.1', port })),
    deadlineMs,
  );
  closing.push(() => client.close());
  const replies = new Map<number, DnsReply>();
  client.onReply = (id, reply) => void replies.set(id, reply);
  await client.open();
  return { client, replies };
}

async function askOnce(answering: Answering, type: 'A' | 'TXT' = 'A'): Promise<DnsReply | undefined> {
  const server = await Server.start(answering);
  const { client, replies } = await clientOf([server.port]);
  client.send(1, '2.0.0.127.list.test', type);
  await until('the answer is there', () => replies.has(1));
  return replies.get(1);
}

describe('DnsClient', () => {
  it('reads addresses with the least of their times to live', async () => {
    const reply = await askOnce((question) =>
      answerTo(question, [a(question, '127.0.0.2', 90), a(question, '127.0.0.11', 30)]),
    );
    expect(reply).toEqual({ kind: 'addresses', addresses: [0x7f00_0002, 0x7f00_000b], ttlMs: 30_000 });
  });

  it('reads a text of several pieces', async () => {
    const reply = await askOnce(
      (question) =>
        answerTo(question, [{ type: 'TXT', name: 'x', ttl: 9, data: ['one ', Buffer.from('two')] }]),
      'TXT',
    );
    expect(reply).toEqual({ kind: 'text', text: 'one two', ttlMs: 9_000 });
  });

  it('keeps a negative answer as long as the SOA says, for a name that is not there and for one without addresses', async () => {
    const soa: Answer = {
      type: 'SOA',
      name: 'list.test',
      ttl: 900,
      data: { mname: 'ns', rname: 'h', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 120 },
    };
    for (const flags of [AUTHORITATIVE_ANSWER | 3, AUTHORITATIVE_ANSWER])
      expect(await askOnce((question) => answerTo(question, [], { flags, authorities: [soa] }))).toEqual({
        kind: 'nothing',
        ttlMs: 120_000,
      });
    expect(await askOnce((question) => answerTo(question, []))).toEqual({ kind: 'nothing', ttlMs: 0 });
  });

  const failures: readonly (readonly [string, Answering, string])[] = [
    [
      'truncated',
      (question) => answerTo(question, [], { flags: TRUNCATED_RESPONSE }),
      'its answer is truncated',
    ],
    ['refused', (question) => answerTo(question, [], { flags: 5 }), 'it answers REFUSED'],
    ['a failure of the server', (question) => answerTo(question, [], { flags: 2 }), 'it answers SERVFAIL'],
    [
      'cut off in the middle',
      (question) => answerTo(question, [a(question, '127.0.0.2')]).subarray(0, 40),
      'its answer cannot be read',
    ],
    [
      'a loop of names',
      (question) => {
        const bytes = answerTo(question, [a(question, '127.0.0.2')]);
        bytes.writeUInt16BE(0xc00c, 12);
        return bytes;
      },
      'its answer cannot be read',
    ],
    [
      'a count that nothing stands behind',
      (question) => {
        const bytes = answerTo(question, [a(question, '127.0.0.2')]);
        bytes.writeUInt16BE(65_535, 6);
        return bytes;
      },
      'its answer cannot be read',
    ],
  ];
  for (const [what, answering, why] of failures) {
    it(`calls an answer a failure that is ${what}`, async () => {
      expect(await askOnce(answering)).toEqual({ kind: 'failed', why });
    });
  }

  it('believes no answer to another question, with another id, or that is no answer', async () => {
    const reply = await askOnce((question) => {
      const other = { ...question, questions: [{ type: 'A' as const, name: 'other.list.test' }] };
      const wrongType = {
        ...question,
        questions: [{ type: 'TXT' as const, name: question.questions![0]!.name }],
      };
      return [
        Buffer.from([1, 2, 3]),
        Buffer.alloc(512, 0xff),
        answerTo({ ...question, id: question.id! ^ 1 }, [a(question, '127.0.0.66')]),
        answerTo(other, [a(other, '127.0.0.66')]),
        answerTo(wrongType, [a(question, '127.0.0.66')]),
        encode({ type: 'query', id: question.id!, questions: question.questions! }),
        answerTo(question, [a(question, '127.0.0.2')]),
      ];
    });
    expect(reply).toMatchObject({ addresses: [0x7f00_0002] });
  });

  it('draws ids and ports that cannot be guessed from the last ones', async () => {
    const server = await Server.start((question) => answerTo(question, [a(question, '127.0.0.2')]));
    const { client, replies } = await clientOf([server.port]);
    for (let id = 0; id < 200; id++) client.send(id, `${id}.list.test`, 'A');
    await until('all are answered', () => replies.size === 200);
    expect(new Set(server.heard.map(({ port }) => port)).size).toBe(8);
    const steps = server.heard.slice(1).map(({ id }, at) => id - server.heard[at]!.id);
    expect(new Set(steps).size).toBeGreaterThan(150);
  });

  it('asks the next server once when the first one says nothing, and takes whichever answer comes', async () => {
    const silent = await Server.start(() => null);
    const good = await Server.start((question) => answerTo(question, [a(question, '127.0.0.2')]));
    const { client, replies } = await clientOf([silent.port, good.port], 300);
    client.send(7, 'a.list.test', 'A');
    await until('it is answered', () => replies.has(7));
    expect([silent.heard.length, good.heard.length]).toEqual([1, 1]);
    expect(replies.get(7)).toMatchObject({ kind: 'addresses' });
  });

  it('asks the next server at once when the first one refuses or is not there', async () => {
    const refusing = await Server.start((question) => answerTo(question, [], { flags: 5 }));
    const good = await Server.start((question) => answerTo(question, [a(question, '127.0.0.2')]));
    const gone = await Server.start(() => null);
    closing.pop()!();
    for (const first of [refusing, gone]) {
      const { client, replies } = await clientOf([first.port, good.port]);
      client.send(1, 'a.list.test', 'A');
      await until('it is answered', () => replies.has(1));
      expect(replies.get(1)).toMatchObject({ kind: 'addresses' });
    }
  });

  it('says that a server is not there, and finds it when it comes', async () => {
    const gone = await Server.start(() => null);
    closing.pop()!();
    const { client, replies } = await clientOf([gone.port]);
    client.send(1, 'a.list.test', 'A');
    await until('it has failed', () => replies.has(1));
    expect(replies.get(1)).toEqual({
      kind: 'failed',
      why: 'its name server cannot be reached (ECONNREFUSED)',
    });
    const socket = createSocket('udp4');
    socket.on('message', (bytes, from) => {
      const question = decode(bytes);
      socket.send(answerTo(question, [a(question, '127.0.0.2')]), from.port, from.address);
    });
    closing.push(() => socket.close());
    await new Promise<void>((resolve) => socket.bind(gone.port, '127.0.0.1', resolve));
    let id = 2;
    await until('it answers', () => {
      client.send(id++, 'a.list.test', 'A');
      return [...replies.values()].some(({ kind }) => kind === 'addresses');
    });
  });

  it('tells nobody of an answer to a question that was given up', async () => {
    const server = await Server.start((question) => answerTo(question, [a(question, '127.0.0.2')]));
    const { client, replies } = await clientOf([server.port]);
    client.send(1, 'a.list.test', 'A');
    client.giveUp(1);
    client.send(2, 'b.list.test', 'A');
    await until('the second is answered', () => replies.has(2));
    expect([...replies.keys()]).toEqual([2]);
  });

  it('has no server: every question fails, and not from within the call', async () => {
    const { client, replies } = await clientOf([]);
    client.send(1, 'a.list.test', 'A');
    expect(replies.size).toBe(0);
    await until('it has failed', () => replies.has(1));
    expect(replies.get(1)).toEqual({ kind: 'failed', why: 'no name server can be reached' });
  });
});

it('name servers are those of the configuration, with the port of the DNS when none is named', () => {
  const config = parseConfig(
    'hostname = "mx.example.net"\n[dnsxl_policy]\nresolvers = ["127.0.0.1:5353", "192.0.2.53", "2001:db8::53", "[2001:db8::53]:54"]',
    'settings',
  );
  expect(nameServers(config)).toEqual([
    { host: '127.0.0.1', port: 5353 },
    { host: '192.0.2.53', port: 53 },
    { host: '2001:db8::53', port: 53 },
    { host: '2001:db8::53', port: 54 },
  ]);
  expect(nameServers(parseConfig('hostname = "mx.example.net"', 'settings')).length).toBeGreaterThan(0);
});
