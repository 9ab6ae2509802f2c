/**
 * Twice as many zombies as there are slots, which hold what they get and come again when they are sent away: senders of
 * good standing go on delivering, and Sluice says what it does.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Sink } from '../../loadgen/sink.ts';
import { sendMail } from './mail.ts';
import type { Running } from './program.ts';
import { startRunning } from './program.ts';

const SLOTS = 1_000;
const ZOMBIES = 2_000;
const SENDERS = 20;
const MESSAGES = 5;
/** Connections in all, lest a bug make the flood endless. */
const CALLS_MAX = 40_000;

let sink: Sink;
let running: Running | null = null;
let flood: Flood | null = null;

/** Clients that connect, say nothing, and connect again when they are sent away. */
class Flood {
  calls = 0;
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  #isOver = false;

  constructor(port: number) {
    this.#port = port;
    for (let zombie = 0; zombie < ZOMBIES; zombie++) this.#call(zombie);
  }

  stop(): void {
    this.#isOver = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  #call(zombie: number): void {
    if (this.#isOver || this.calls >= CALLS_MAX) return;
    this.calls += 1;
    const localAddress = `127.64.${zombie % 200}.${1 + Math.floor(zombie / 200)}`;
    const socket = connect({ port: this.#port, host: '127.0.0.1', localAddress });
    this.#sockets.add(socket);
    socket.resume();
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#call(zombie);
    });
  }
}

beforeEach(async () => {
  sink = new Sink();
  await sink.listen();
});
afterEach(async () => {
  flood?.stop();
  flood = null;
  await running?.program.dispose();
  running = null;
  await sink.close();
});

const senders = Array.from({ length: SENDERS }, (_, sender) => `127.32.${sender}.1`);

/** Every sender gives `count` messages, one after another; the codes of the answers. */
async function deliver(port: number, count: number): Promise<number[]> {
  const codes = await Promise.all(
    senders.map(async (sender) => {
      const mine: number[] = [];
      for (let message = 0; message < count; message++)
        mine.push((await sendMail(port, sender, 'Subject: flood\n\nHello\n'))?.code ?? 0);
      return mine;
    }),
  );
  return codes.flat();
}

test('a flood of twice the slots sends nobody of good standing away, and is told, counted and over', async () => {
  running = await startRunning(sink.port, {
    engine: { shards: 2, max_sessions: SLOTS, drain_timeout: '2s' },
    stress: { greet_wait: '500ms', command_time: '2s' },
    screen: { greet_wait: '1s' },
  });
  const { program, port } = running;
  expect(new Set(await deliver(port, 2))).toEqual(new Set([250]));
  flood = new Flood(port);
  await program.says(/^sluice: (entering|under) stress, shedding sessions: sessions \d+ % of 5\d\d$/m);
  const before = flood.calls;
  expect(new Set(await deliver(port, MESSAGES))).toEqual(new Set([250]));
  await program.sees('zombies were sent away', () => flood!.calls > before + 1_000);
  expect(new Set(await deliver(port, MESSAGES))).toEqual(new Set([250]));
  flood.stop();
  await program.says(/^sluice: leaving stress: sessions \d+ % of 5\d\d$/m);
  expect(new Set(await deliver(port, 1))).toEqual(new Set([250]));

  program.signal('SIGUSR2');
  await program.says(/^sluice: counters .*$/m);
  const counters = JSON.parse(/^sluice: counters (.*)$/m.exec(program.said)![1]!) as Record<string, number>;
  const shed = ['shedClassified', 'shedUnknown', 'shedStranger', 'shedNetwork'] as const;
  const total = shed.reduce((sum, name) => sum + (counters[`ending.${name}`] ?? 0), 0);
  expect(total).toBeGreaterThan(1_000);
  const causes = ['Sessions', 'Memory', 'Loop', 'Backend'] as const;
  expect(causes.reduce((sum, cause) => sum + (counters[`shedFor${cause}`] ?? 0), 0)).toBe(total);
  const ours = program.sessions.filter(({ client }) => senders.includes(client as string));
  expect(new Set(ours.map(({ ending }) => ending))).toEqual(new Set(['quit']));
});
