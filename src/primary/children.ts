/**
 * children — engine processes under the primary
 *
 * Watched and restarted as threads are: a child that ends unasked takes its own sessions with it.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EngineEvents, EngineOrder, FromEngine, ToEngine } from './engine-order.ts';
import type { Link } from './link.ts';

const RESTART_MS = 1_000;

const entry = fileURLToPath(
  new URL(`./engine-process${extname(new URL(import.meta.url).pathname)}`, import.meta.url),
);

export class Child {
  readonly #order: EngineOrder;
  readonly #events: EngineEvents;
  readonly #name: string;
  readonly #link: Link;
  #child: ChildProcess | null = null;
  #draining = false;
  #drained = false;
  #starts = 0;
  #restart: NodeJS.Timeout | null = null;
  #tellCounts: (counts: Record<string, number>) => void = () => undefined;

  /** `link`: the way on which it shares what is known of clients. */
  constructor(name: string, order: EngineOrder, events: EngineEvents, link: Link) {
    this.#name = name;
    this.#link = link;
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
      else if (message.kind === 'drained') this.#endDrain();
      else this.#link.heard(message);
    });
    child.on('exit', (code, signal) => this.#exited(code, signal));
    const idPrefix = `${this.#order.idPrefix}.${this.#starts}`;
    child.send({ kind: 'start', order: { ...this.#order, idPrefix } } satisfies ToEngine);
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
    this.#tellCounts({});
    if (this.#draining) {
      this.#endDrain();
      return;
    }
    this.#events.told(0, {
      kind: 'notice',
      text: `${this.#name} ended (${signal ?? code}); it is started again in ${RESTART_MS / 1000} s`,
    });
    this.#restart = setTimeout(() => this.start(), RESTART_MS);
  }

  #endDrain(): void {
    if (this.#drained) return;
    this.#drained = true;
    this.#events.drained();
  }
}
