/**
 * crew — the engines of a plan, and the one memory of clients that they share
 *
 * With one process the engine is threads of the primary itself, and the memory is theirs. With several each engine is a
 * child with a table of its own; the primary holds a replica through which they learn from each other (replicas). Either
 * way there is one table here that an operator sees and marks, that services credit, and that is saved (keeper).
 *
 * Nothing serves before the state file was read, or was waited for long enough.
 */
import { randomInt } from 'node:crypto';
import type { Config } from '../config/config.ts';
import type { Names } from '../reputation/names.ts';
import { Child } from './children.ts';
import { ConnectionDesk } from './connection-desk.ts';
import type { Engine, EngineEvents, EngineOrder } from './engine-order.ts';
import { Keeper } from './keeper.ts';
import { Memory } from './memory.ts';
import { Replicas } from './replicas.ts';
import { Threads } from './threads.ts';

export class Crew {
  readonly engines: readonly Engine[];
  readonly memory: Memory;
  /** What several processes share; null when there is one. */
  readonly #replicas: Replicas | null;
  /** Saves what is known of clients; null when it is not to be saved. */
  readonly #keeper: Keeper | null;

  /**
   * Takes the memory; nothing runs yet. One engine for each order. `names`: what clients are called; `say` prints a line
   * for the operator; `nowSec`: the wall clock.
   */
  constructor(
    config: Config,
    orders: readonly EngineOrder[],
    eventsOf: (engine: number) => EngineEvents,
    names: Names,
    say: (line: string) => void,
    nowSec: () => number,
  ) {
    const { entries } = config.reputation;
    this.#replicas =
      orders.length > 1 ? new Replicas(entries, orders.length, randomInt(2 ** 32), nowSec) : null;
    const replicas = this.#replicas;
    const threads = replicas === null ? new Threads(orders[0]!, eventsOf(0)) : null;
    this.engines = replicas === null ? [threads!] : childrenOf(config, orders, eventsOf, replicas);
    const table = replicas?.table ?? threads!.table;
    this.memory = new Memory(table, nowSec);
    const { file: path, saveIntervalMs, keepMs } = config.reputation;
    this.#keeper =
      path === ''
        ? null
        : new Keeper({
            path,
            rowsMax: table.entries,
            keepSec: keepMs / 1000,
            savesHosts: names.savesHosts,
            namesId: names.id,
            saveIntervalMs,
            table,
            dirty: replicas?.toSave ?? table.dirty,
            say,
            nowSec,
            joined: (index) => replicas?.joined(index),
          });
    for (const watcher of [replicas, this.#keeper]) if (watcher !== null) this.memory.watch(watcher);
  }

  /** Reads what was saved, then starts every engine, unless it is `over` by then. */
  async start(ended: Promise<unknown>, isOver: () => boolean): Promise<void> {
    await Promise.race([this.#keeper?.start(), ended]);
    if (!isOver()) for (const engine of this.engines) engine.start();
  }

  /** One line about saving, when there is something to save to. */
  lines(): readonly string[] {
    return this.#keeper === null ? [] : [`state ${JSON.stringify(this.#keeper.status())}`];
  }

  /** Saves for the last time; false when the disk did not answer, and a thread still waits for it. */
  async end(): Promise<boolean> {
    this.#replicas?.close();
    return (await this.#keeper?.end()) ?? true;
  }
}

/** A child for each order. They share the connections to the backend. */
function childrenOf(
  config: Config,
  orders: readonly EngineOrder[],
  eventsOf: (engine: number) => EngineEvents,
  replicas: Replicas,
): Child[] {
  const { maxConnections } = config.backend;
  const desk = new ConnectionDesk(maxConnections, orders.length, (number, order) =>
    children[number]!.lend(order),
  );
  const children = orders.map(
    (order, number) => new Child(number, order, eventsOf(number), replicas.links[number]!, desk),
  );
  return children;
}
