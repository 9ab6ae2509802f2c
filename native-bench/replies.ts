/**
 * replies — what a server says in one whole zombie dialogue, as bytes
 *
 * A file of replies is the server's half of the dialogue and nothing else: greeting, EHLO, MAIL, RCPT (refused),
 * QUIT. `captureReplies` takes it from a live server, so that the floor answers with Sluice's own bytes and
 * nobody has to keep a copy of them up to date. `splitReplies` cuts it into the writes that belong to it.
 */
import { connect } from 'node:net';

/** The words of the dialogue; the driver gets the same ones. */
export interface Words {
  readonly helo: string;
  readonly sender: string;
  readonly recipient: string;
}

export const zombieWords: Words = {
  helo: 'zombie.example',
  sender: 'zombie@zombie.example',
  recipient: 'unknown@example.net',
};

/** Replies in the form that Sluice gives them, for runs without Sluice. */
export const sampleReplies: Buffer = Buffer.from(
  [
    '220-mx.example.net ESMTP',
    '220 mx.example.net ESMTP',
    '250-mx.example.net',
    '250-SIZE 10240000',
    '250-8BITMIME',
    '250-ENHANCEDSTATUSCODES',
    '250 PIPELINING',
    '250 2.1.0 Ok',
    '550 5.1.1 <unknown@example.net>: Recipient address rejected: User unknown',
    '221 2.0.0 Bye',
    '',
  ].join('\r\n'),
);

const dash = 45;
const stepsMax = 5;

/** Where the reply at `from` ends and where its last line begins; undefined while that line is missing. */
function findReply(bytes: Buffer, from: number): { end: number; lastLineAt: number } | undefined {
  for (let line = from; ;) {
    const feed = bytes.indexOf(10, line);
    if (feed < 0) return undefined;
    if (bytes[line + 3] !== dash) return { end: feed + 1, lastLineAt: line };
    line = feed + 1;
  }
}

type Writes = [Buffer, Buffer, Buffer, Buffer, Buffer, Buffer];

/**
 * The writes of a file of replies: start of the greeting, end of the greeting (empty when it has one line), EHLO,
 * MAIL, RCPT, QUIT. Throws when the file is not exactly five complete replies.
 */
export function splitReplies(bytes: Buffer): Writes {
  const writes: Buffer[] = [];
  let at = 0;
  for (let step = 0; step < stepsMax; step++) {
    const reply = findReply(bytes, at);
    if (reply === undefined)
      throw new Error(`a file of replies holds five SMTP replies; this one ends after ${step}`);
    const cut = step === 0 && reply.lastLineAt > at ? reply.lastLineAt : reply.end;
    writes.push(bytes.subarray(at, cut));
    if (step === 0) writes.push(bytes.subarray(cut, reply.end));
    at = reply.end;
  }
  if (at !== bytes.length)
    throw new Error('a file of replies holds five SMTP replies; this one goes on after them');
  return writes as Writes;
}

/**
 * Runs one dialogue from `source` (a loopback address) and returns every byte the server said. Rejects when a code
 * is not the one a zombie must hear, or after `timeoutMs` of silence.
 */
export function captureReplies(
  port: number,
  source: string,
  words: Words,
  timeoutMs: number,
): Promise<Buffer> {
  const commands = [
    `EHLO ${words.helo}\r\n`,
    `MAIL FROM:<${words.sender}>\r\n`,
    `RCPT TO:<${words.recipient}>\r\n`,
    'QUIT\r\n',
  ];
  const codes = ['220', '250', '250', '550', '221'];
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, localAddress: source });
    let heard: Buffer = Buffer.alloc(0);
    let at = 0;
    let step = 0;
    socket.setTimeout(timeoutMs, () =>
      socket.destroy(new Error(`silent for ${timeoutMs} ms at reply ${step}`)),
    );
    socket.on('error', reject);
    socket.on('data', (bytes: Buffer) => {
      heard = Buffer.concat([heard, bytes]);
      const reply = findReply(heard, at);
      if (reply === undefined) return;
      const code = heard.toString('latin1', reply.lastLineAt, reply.lastLineAt + 3);
      if (code !== codes[step]) {
        socket.destroy(
          new Error(`reply ${step}: got ${heard.toString('latin1', at).trimEnd()}, want ${codes[step]}`),
        );
        return;
      }
      at = reply.end;
      const command = commands[step++];
      if (command !== undefined) socket.write(command);
    });
    socket.on('end', () => {
      if (step === codes.length) resolve(heard);
      else reject(new Error(`the server hung up before reply ${step}`));
    });
  });
}
