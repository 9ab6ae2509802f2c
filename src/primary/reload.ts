/**
 * reload — SIGHUP: the permanent lists are read anew while sessions go on
 *
 * Of the configuration file only [lists] and limits.exceptions are taken over; all else is fixed when memory is
 * taken and ports are opened, at start. The file and the list files are read and compiled in a thread of piscina, so
 * neither the shards nor the thread that starts and watches them wait for a million networks. The thread ends with
 * its task, and its memory with it; what remains is the shared memory of the lists.
 *
 * All or nothing: with one mistake anywhere nothing changes, and each mistake is told by its place. A SIGHUP during
 * a reload makes one more reload follow it, however many came.
 */
import { extname } from 'node:path';
import type { Piscina } from 'piscina';
import type { Config } from '../config/config.ts';
import type { ListsMemory } from '../policy/lists.ts';
import { countsText } from '../policy/lists.ts';
import type { Reloaded } from './reload-task.ts';
import { otherSettings } from './reload-task.ts';

const task = new URL(`./reload-task${extname(new URL(import.meta.url).pathname)}`, import.meta.url);

export class Reload {
  readonly #config: Config;
  readonly #fileName: string;
  readonly #say: (line: string) => void;
  readonly #take: (lists: ListsMemory) => void;
  #pool: Piscina | null = null;
  #running = false;
  #again = false;
  #ended = false;

  /** `config` is the one that runs, read from `fileName`; `take` is given lists that are good. */
  constructor(
    config: Config,
    fileName: string,
    say: (line: string) => void,
    take: (lists: ListsMemory) => void,
  ) {
    this.#config = config;
    this.#fileName = fileName;
    this.#say = say;
    this.#take = take;
  }

  /** Reads everything anew; comes back when no reload is left to be done. */
  async ask(): Promise<void> {
    if (this.#ended) return;
    this.#again = true;
    if (this.#running) return;
    this.#running = true;
    while (this.#again) {
      this.#again = false;
      await this.#once();
    }
    this.#running = false;
  }

  /** Gives up what is under way, without a word. */
  async end(): Promise<void> {
    this.#ended = true;
    this.#again = false;
    await this.#pool?.destroy();
  }

  async #once(): Promise<void> {
    const startMs = performance.now();
    const piscina = await import('piscina');
    if (this.#ended) return;
    const pool = new piscina.Piscina({ filename: task.href, minThreads: 1, maxThreads: 1 });
    this.#pool = pool;
    try {
      const reloaded = (await pool.run(this.#fileName)) as Reloaded;
      if (this.#ended) return;
      if ('problems' in reloaded) {
        for (const problem of reloaded.problems) this.#say(problem);
        this.#say('the lists stay as they were');
        return;
      }
      this.#take(reloaded.lists);
      const tookMs = Math.round(performance.now() - startMs);
      this.#say(`lists read anew in ${tookMs} ms: ${countsText(reloaded.lists)}`);
      if (reloaded.others !== otherSettings(this.#config))
        this.#say(`${this.#fileName}: other settings have changed too; they want a restart`);
    } catch (error) {
      if (this.#ended) return;
      this.#say(`the lists stay as they were: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      await pool.destroy();
    }
  }
}
