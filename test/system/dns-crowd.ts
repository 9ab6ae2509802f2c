/**
 * dns-crowd — thousands of clients at once, each from an address of its own, as a process of its own
 *
 * `node test/system/dns-crowd.ts PLAN` with a CrowdPlan in JSON. Every session waits for the greeting, delivers one
 * message (or is refused at its recipient), and leaves; all of them are there before the first greeting is whole. One
 * JSON line at the end says how long they waited and what they were told.
 */
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** Who comes. */
export interface CrowdPlan {
  readonly port: number;
  /** One entry a session, in the order of their coming. */
  readonly addresses: readonly string[];
  readonly perSecond: number;
}

/** What one session saw; times in milliseconds. */
export interface SeenSession {
  readonly address: string;
  /** From the connection to the end of the greeting; -1 when there was none. */
  readonly greetingMs: number;
  /** The longest wait for the reply to a command. */
  readonly replyMs: number;
  /** The replies to RCPT, to DATA and to the message, 0 when there was none. */
  readonly recipient: number;
  readonly data: number;
  readonly message: number;
}

const BATCHES_PER_SECOND = 20;
const LIMIT_MS = 240_000;

const script = ['EHLO crowd.example.org', 'MAIL FROM:<a@example.org>', 'RCPT TO:<b@example.com>', 'DATA'];

function runSession(port: number, address: string): Promise<SeenSession> {
  return new Promise((resolve) => {
    const seen = { address, greetingMs: -1, replyMs: 0, recipient: 0, data: 0, message: 0 };
    const socket = connect({ port, host: '127.0.0.1', localAddress: address });
    let step = 0;
    let sinceMs = performance.now();
    let partial = '';
    const timer = setTimeout(() => socket.destroy(), LIMIT_MS);
    const say = (text: string): void => {
      sinceMs = performance.now();
      socket.write(`${text}\r\n`);
    };
    const hear = (code: number): void => {
      const waitedMs = performance.now() - sinceMs;
      if (step === 0) seen.greetingMs = waitedMs;
      else seen.replyMs = Math.max(seen.replyMs, waitedMs);
      if (step === 3) seen.recipient = code;
      if (step === 4) seen.data = code;
      if (step === 5) seen.message = code;
      step += 1;
      if (code >= 400 || step > 5) {
        socket.end('QUIT\r\n');
        return;
      }
      say(step <= 4 ? script[step - 1]! : 'Subject: crowd\r\n\r\nHello\r\n.');
    };
    socket.on('connect', () => (sinceMs = performance.now()));
    socket.on('data', (bytes: Buffer) => {
      const lines = (partial + bytes.toString('latin1')).split('\r\n');
      partial = lines.pop() ?? '';
      for (const line of lines)
        if (line[3] === ' ' && !line.startsWith('221')) hear(Number(line.slice(0, 3)));
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(seen);
    });
  });
}

async function main(plan: CrowdPlan): Promise<void> {
  const batch = Math.ceil(plan.perSecond / BATCHES_PER_SECOND);
  const sessions: Promise<SeenSession>[] = [];
  for (const [place, address] of plan.addresses.entries()) {
    sessions.push(runSession(plan.port, address));
    if (place % batch === batch - 1) await pause(1_000 / BATCHES_PER_SECOND);
  }
  process.stdout.write(`${JSON.stringify(await Promise.all(sessions))}\n`);
}

if (import.meta.main) {
  let text = '';
  for await (const piece of process.stdin) text += String(piece);
  await main(JSON.parse(text) as CrowdPlan);
}
