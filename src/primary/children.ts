/**
 * children — engine processes under the primary
 *
 * Watched and restarted as threads are: a child that ends unasked takes its own sessions with it. Its connections to the
 * backend are lent to others when the backend has had time to see their end, and before its successor begins.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ToShard } from '../worker/messages.ts';
import type { ConnectionDesk, ConnectionOrder } from './connection-desk.ts';
import { portable, withFact } from './facts.ts';
import type { EngineEvents, EngineOrder, FromEngine, ToEngine } from './engine-order.ts';
import type { PeakReport } from './peak-lines.ts';
import { NO_PEAKS } from './peak-lines.ts';
import type { Link } from './link.ts';

const RESTART_MS = 1_000;
const ENDS_SEEN_MS = 100;

const entry = fileURLToPath(
  new URL(`./engine-process${extname(new URL(import.meta.url).pathname)}`, import.meta.url),
);

export class Child {
  #order: EngineOrder;
  readonly #events: EngineEvents;
  readonly #number: number;
  readonly #link: Link;
  readonly #desk: ConnectionDesk;
  #child: ChildProcess | null = null;
  #draining = false;
  #drained = false;
  #starts = 0;
  #restart: NodeJS.Timeout | null = null;
  #tellCounts: (counts: Record<string, number>) => void = () => undefined;
  /** What it told at its end, when nobody had asked. */
  #lastPeaks: PeakReport = NO_PEAKS;
  readonly #keepPeaks = (report: PeakReport): void => void (this.#lastPeaks = report);
  #tellPeaks = this.#keepPeaks;

  /** `link`: the way on which it shares what is known of clients. `desk`: who knows it by its number, 0 …. */
  constructor(number: number, order: EngineOrder, events: EngineEvents, link: Link, desk: ConnectionDesk) {
    this.#number = number;
    this.#link = link;
    this.#desk = desk;
    this.#order = order;
    this.#events = events;
  }

  start(): void {
    this.#starts += 1;
    const child = fork(entry, [], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
    this.#child = child;
    child.on('message', (message: FromEngine) => {
      if (message.kind === 'told') this.#events.told(message.shard, message.message);
      else if (message.kind === 'counts') this.#tellCounts(message.counts);
      else if (message.kind === 'peaks') this.#tellPeaks(message.report);
      else if (message.kind === 'drained') this.#endDrain();
      else if (message.kind === 'connections') {
        // What comes behind the end is of a process whose part is given up as a whole.
        if (this.#child === child) this.#desk.heard(this.#number, message);
      } else this.#link.heard(message);
    });
    child.on('exit', (code, signal) => this.#exited(code, signal));
    const idPrefix = `${this.#order.idPrefix}.${this.#starts}`;
    const connections = this.#desk.began(this.#number);
    child.send({ kind: 'start', order: { ...this.#order, idPrefix, connections } } satisfies ToEngine);
    this.#link.began((message) => {
      // A channel that breaks meanwhile says so by the exit.
      if (child.connected) child.send(message, () => undefined);
    });
  }

  /** What the shards of the process have counted since it began; empty when it is gone. */
  counts(): Promise<Record<string, number>> {
    return new Promise((resolve) => {
      this.#tellCounts({});
      this.#tellCounts = resolve;
      if (this.#child?.connected === true) this.#child.send({ kind: 'count' } satisfies ToEngine);
      else resolve({});
    });
  }

  /** Says something to one shard of the process, or, -1, to all. */
  tell(shard: number, message: ToShard): void {
    if (this.#child?.connected !== true) return;
    this.#child.send({ kind: 'tell', shard, message: portable(message) } satisfies ToEngine);
  }

  /** Says something to every shard of the process. Facts (facts) reach a process that is started later too. */
  tellAll(message: ToShard): void {
    this.#order = withFact(this.#order, portable(message));
    this.tell(-1, message);
  }

  /** Says how many connections to the backend it may have. What is lost on the way counts as told until the process ends. */
  lend(order: ConnectionOrder): void {
    if (this.#child?.connected === true) this.#child.send(order satisfies ToEngine, () => undefined);
  }

  /** The peaks since they were asked for the last time; those told at the end when the process is gone. */
  peaks(): Promise<PeakReport> {
    return new Promise((resolve) => {
      this.#tellPeaks(this.#lastPeaks);
      this.#tellPeaks = (report) => {
        this.#tellPeaks = this.#keepPeaks;
        resolve(report);
      };
      if (this.#child?.connected === true && !this.#drained)
        this.#child.send({ kind: 'peaks' } satisfies ToEngine);
      else this.#tellPeaks(this.#lastPeaks);
    });
  }

  drain(): void {
    this.#draining = true;
    if (this.#restart !== null) clearTimeout(this.#restart);
    if (this.#child === null) this.#endDrain();
    else if (this.#child.connected) this.#child.send({ kind: 'drain' } satisfies ToEngine);
  }

  /** Ends the process at once. */
  kill(): void {
    this.#draining = true;
    this.#child?.kill('SIGKILL');
  }

  #exited(code: number | null, signal: NodeJS.Signals | null): void {
    this.#child = null;
    this.#link.ended();
    setTimeout(() => this.#desk.ended(this.#number), ENDS_SEEN_MS);
    this.#tellCounts({});
    this.#tellPeaks(this.#lastPeaks);
    if (this.#draining) {
      this.#endDrain();
      return;
    }
    this.#events.told(0, {
      kind: 'notice',
      text: `engine process ${this.#number} ended (${signal ?? code}); it is started again in ${RESTART_MS / 1000} s`,
    });
    this.#restart = setTimeout(() => this.start(), RESTART_MS);
  }

  #endDrain(): void {
    if (this.#drained) return;
    this.#drained = true;
    this.#events.drained();
  }
}
