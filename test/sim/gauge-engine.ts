/**
 * gauge-engine — counts what a shard leaves to the garbage collector, in a process of its own
 *
 * One session says the same few commands a great many times, over a transport that allocates nothing: what is
 * collected is the engine's. The young generation is made small (a mebibyte), so that even a few bytes a command are
 * seen. A control that allocates one small object a command shows that the gauge sees anything at all.
 *
 * Started by gauge.test with flags for V8; prints one line of JSON.
 */
import { bytesOf } from '../../src/base/ascii.ts';
import { handleOf, NO_HANDLE } from '../../src/base/handle.ts';
import type { Handle } from '../../src/base/handle.ts';
import { ReputationTable } from '../../src/reputation/table.ts';
import { Counters } from '../../src/session/counters.ts';
import { Shard } from '../../src/shard/shard.ts';
import { NO_BYTES } from '../../src/transport/byte-queue.ts';
import { Noted } from '../../src/transport/transport.ts';
import type { Transport } from '../../src/transport/transport.ts';
import { MemorySpoolFiles } from '../../loadgen/virtual/spool-files.ts';
import { allocate, minorsOf } from './minors.ts';
import { simConfig } from './swarm.ts';

const COMMANDS = 500_000;
const ENTRIES = 1_024;

/** One client that says the lines of a script over and over, one a turn; or, without a script, nobody. */
class Script implements Transport {
  prepare(bytes: Uint8Array): Uint8Array {
    return bytes;
  }

  readonly capacity = 1;
  readonly inputBytesTotal = 0;
  onNoted: () => void = () => undefined;
  said = 0;
  lines: readonly Uint8Array[];
  #at = 0;
  #isOpened = false;
  #isThere = false;

  constructor(lines: readonly string[]) {
    this.lines = lines.map((line) => bytesOf(`${line}\r\n`));
  }

  next(): Handle {
    return this.#isThere ? handleOf(0, 1) : NO_HANDLE;
  }

  /** The client says its next line. */
  say(): void {
    this.#isThere = true;
  }

  take(): number {
    if (this.#isOpened) return Noted.Readable;
    this.#isOpened = true;
    return Noted.Opened | Noted.Readable;
  }

  peek(): Uint8Array {
    return this.#isThere ? this.lines[this.#at]! : NO_BYTES;
  }

  consume(): void {
    this.said += 1;
    this.#isThere = false;
    this.#at = this.#at + 1 === this.lines.length ? 0 : this.#at + 1;
  }

  write(): boolean {
    return true;
  }

  unwritten(): number {
    return 0;
  }

  startTls(): void {}
  tlsFaultOf(): null {
    return null;
  }
  narrow(): void {}

  isTlsResumed(): boolean {
    return false;
  }

  tlsOf(): string {
    return '';
  }

  end(): void {}
  abort(): void {}
  release(): void {}

  connect(): Handle {
    return NO_HANDLE;
  }

  remoteAddress(): string {
    return '127.0.0.1';
  }

  remotePort(): number {
    return 1;
  }

  localAddress(): string {
    return '127.0.0.1';
  }

  localPort(): number {
    return 25;
  }

  listenerOf(): number {
    return 0;
  }
}

function shardOf(front: Script): Shard {
  const shard = new Shard({
    config: simConfig({
      lists: { allow: ['127.0.0.1'] },
      smtp: { commandsMax: 1_000_000, errorsMax: 1_000_000 },
    }),
    front,
    back: new Script([]),
    servers: [{ name: 'backend', weight: 1, endpoint: { host: '127.0.0.1', port: 1 } }],
    journal: { ended: () => undefined, notice: () => undefined },
    reputation: new ReputationTable(
      new SharedArrayBuffer(ReputationTable.bytesFor(ENTRIES, 1)),
      ENTRIES,
      1,
      0,
    ),
    shard: 0,
    counters: new Counters(new SharedArrayBuffer(Counters.bytesFor(1)), 0),
    files: new MemorySpoolFiles(),
    lanesMax: 1,
    idPrefix: 'g',
    epochMs: 1_800_000_000_000,
    startMs: 0,
  });
  shard.start(0);
  return shard;
}

/** Lets a shard obey `count` more commands. */
function obey(shard: Shard, front: Script, count: number): void {
  const until = front.said + count;
  while (front.said < until) {
    const before = front.said;
    front.say();
    shard.step(0);
    if (front.said === before) throw new Error('the session does not go on');
  }
}

async function gauge(lines: readonly string[]): Promise<number> {
  const front = new Script(lines);
  const shard = shardOf(front);
  obey(shard, front, COMMANDS / 5);
  return minorsOf(() => obey(shard, front, COMMANDS));
}

allocate(COMMANDS / 5);
const result = {
  commands: COMMANDS,
  control: await minorsOf(() => allocate(COMMANDS)),
  nameless: await gauge(['NOOP', 'RSET', 'VRFY someone', 'HELP']),
  naming: await gauge(['EHLO mail.load.example', 'MAIL FROM:<sender@load.example>', 'NOOP', 'RSET']),
};
process.stdout.write(`${JSON.stringify(result)}\n`);
