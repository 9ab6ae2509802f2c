/**
 * node-responder — the same bytes in the same writes on plain node:net: what Node itself costs
 *
 * The second peer of the floor benchmark. Between it and the C responder lies the price of the runtime; between
 * it and Sluice lies the price of Sluice. It cuts the same corners as the C one: commands by their first letter,
 * nothing stored, checked or logged, one timer for the oldest greeting because all wait equally long.
 *
 * usage: node native-bench/node-responder.ts PORT WAIT_MS REPLIES     (see responder.c)
 */
import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import process from 'node:process';
import { splitReplies } from './replies.ts';

interface Session {
  readonly socket: Socket;
  waiting: boolean;
  open: boolean;
  dueMs: number;
  /** First letter of the line being read, as a lower-case byte; 0 at the start of a line. */
  letter: number;
}

const [portText, waitText, repliesFile] = process.argv.slice(2);
if (portText === undefined || waitText === undefined || repliesFile === undefined) {
  process.stderr.write('usage: node native-bench/node-responder.ts PORT WAIT_MS REPLIES\n');
  process.exit(2);
}
const waitMs = Number(waitText);
const [greetingStart, greetingEnd, ehlo, mail, rcpt, quit] = splitReplies(readFileSync(repliesFile));
const unknown = Buffer.from('502 5.5.2 Unknown command\r\n');

const counts = { accepted: 0, finished: 0, early: 0, left: 0, failed: 0 };
const waiting: Session[] = [];
let waitingHead = 0;

function finishGreetings(): void {
  const nowMs = performance.now();
  for (; waitingHead < waiting.length; waitingHead++) {
    const session = waiting[waitingHead]!;
    if (session.dueMs > nowMs) {
      setTimeout(finishGreetings, session.dueMs - nowMs);
      break;
    }
    session.waiting = false;
    if (session.open) session.socket.write(greetingEnd);
  }
  if (waitingHead < 4096 && waitingHead < waiting.length) return;
  waiting.splice(0, waitingHead);
  waitingHead = 0;
}

/**
 * The last reply and a close, as the C responder does it. `end` would send the FIN by shutdown, wait for the client's
 * and close then: three more system calls, measured at an eighth of the whole dialogue. A short reply is in the
 * kernel when `write` returns, so there is nothing left that `destroy` could lose.
 */
function sayAndClose(socket: Socket): void {
  socket.write(quit);
  if (socket.writableLength === 0) socket.destroy();
  else socket.end();
}

function read(session: Session, bytes: Buffer): void {
  const { socket } = session;
  if (session.waiting) {
    counts.early++;
    session.open = false;
    socket.destroy();
    return;
  }
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte !== 10) {
      if (session.letter === 0) session.letter = byte | 32;
      continue;
    }
    const letter = session.letter;
    session.letter = 0;
    if (letter === 113) {
      counts.finished++;
      session.open = false;
      sayAndClose(socket);
      return;
    }
    socket.write(letter === 101 ? ehlo : letter === 109 ? mail : letter === 114 ? rcpt : unknown);
  }
}

const server = createServer((socket) => {
  counts.accepted++;
  const session: Session = { socket, waiting: greetingEnd.length > 0, open: true, dueMs: 0, letter: 0 };
  socket.on('data', (bytes: Buffer) => read(session, bytes));
  socket.on('error', () => counts.failed++);
  socket.on('close', () => {
    if (session.open) counts.left++;
    session.open = false;
  });
  socket.write(greetingStart);
  if (!session.waiting) return;
  session.dueMs = performance.now() + waitMs;
  if (waitingHead === waiting.length) setTimeout(finishGreetings, waitMs);
  waiting.push(session);
});

server.listen({ host: '127.0.0.1', port: Number(portText), backlog: 4096 }, () => {
  const address = server.address();
  process.stdout.write(`ready ${typeof address === 'object' && address !== null ? address.port : 0}\n`);
});

function stop(): void {
  const words = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
  process.stdout.write(`${words.join(' ')}\n`, () => process.exit(0));
}
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
