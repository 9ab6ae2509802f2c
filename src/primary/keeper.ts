/**
 * keeper — the memory of clients is saved behind their backs, and read back at start
 *
 * Every `reputation.save_interval` what has changed goes in bites to a thread (keeper-thread) that writes it to the
 * state file; the next bite follows when the last one is written. So a kill costs the seconds since the last
 * round, a slow disk costs no memory (sweep), and a sweep over many rows holds this thread for a bite at a
 * time (results/state.md). With nothing to save an empty bite is sent: it is how a file that was taken away, or is back, is noticed.
 *
 * A file that cannot be written costs persistence and nothing else. It is told once, tried again after 1, 2, 4 … 60 s,
 * and told again when it is over; what changed meanwhile is still noted, and is written then. At start the file is
 * waited for 5 s at most; what is read later joins what was learnt by then (rows).
 */
import { extname } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Loaded, Outcome, StateOptions } from '../io/state-file.ts';
import type { Dirty } from '../reputation/dirty.ts';
import { newKey } from '../reputation/keys.ts';
import type { Key } from '../reputation/keys.ts';
import { Mark } from '../reputation/layout.ts';
import { ROW_WORDS } from '../reputation/rows.ts';
import type { ReputationTable } from '../reputation/table.ts';
import { Source, TAKEN_AWAY_SEC } from '../reputation/words.ts';
import type { FromKeeper, ToKeeper } from './keeper-messages.ts';
import { joinFrom } from './joining.ts';
import { Sweep } from './sweep.ts';
import type { Bite } from './sweep.ts';

const START_WAIT_MS = 5_000;
const LAST_SAVE_MS = 5_000;
/** An answer that takes longer is told. */
const HUNG_MS = 5_000;
const PAUSE_MS_MIN = 1_000;
const PAUSE_MS_MAX = 60_000;

const threadEntry = new URL(`./keeper-thread${extname(new URL(import.meta.url).pathname)}`, import.meta.url);

export interface KeeperOptions extends StateOptions {
  readonly saveIntervalMs: number;
  readonly table: ReputationTable;
  /** What has changed and is to be saved. */
  readonly dirty: Dirty;
  /** Prints a line for the operator. */
  readonly say: (line: string) => void;
  /** Seconds since 1970. */
  readonly nowSec: () => number;
  /** Hears of each entry into which a row of the file was joined. */
  readonly joined: (index: number) => void;
}

/** How saving goes. */
export interface KeeperStatus {
  readonly file: string;
  /** loading: not read yet. off: nothing can be saved at present. */
  readonly state: 'loading' | 'ok' | 'off';
  /** Why it is off, as the end of a sentence that begins with the file's name; '' when it is not. */
  readonly why: string;
  /** Since the last round that was written whole; null before the first. */
  readonly savedAgeMs: number | null;
  readonly rowsRead: number;
  readonly rowsWritten: number;
  /** Rows that could not be written at the first try. */
  readonly rowsPutOff: number;
}

type Answer = { readonly loaded: Loaded } | { readonly outcome: Outcome } | { readonly gone: string };

export class Keeper {
  readonly #options: KeeperOptions;
  readonly #sweep: Sweep;
  readonly #key = newKey();
  #worker: Worker | null = null;
  #answer: (answer: Answer) => void = () => undefined;
  #hung: NodeJS.Timeout | null = null;
  #wake: () => void = () => undefined;
  #running: Promise<void> = Promise.resolve();
  #isLoaded = false;
  #isEnding = false;
  #why = '';
  #offSinceMs = 0;
  #pauseMs = 0;
  #savedAtMs: number | null = null;
  #rowsRead = 0;
  #rowsWritten = 0;
  #rowsPutOff = 0;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#sweep = new Sweep(options.table, options.dirty, options.savesHosts);
  }

  /** Reads the file; comes back when it is read, when it cannot be, or after 5 s. Saving begins behind it. */
  async start(): Promise<void> {
    let timer: NodeJS.Timeout | null = null;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(resolve, START_WAIT_MS, true);
    });
    const first = this.#round();
    const isLate = await Promise.race([first.then(() => false), late]);
    clearTimeout(timer!);
    if (isLate)
      this.#say(
        `was not read within ${START_WAIT_MS / 1000} s; Sluice begins without it, and takes in what comes later`,
      );
    this.#running = this.#run(first);
  }

  /** An operator forgot a key: it leaves the file. Has the form that a watcher of the memory has. */
  forgot(kind: number, key: Key): void {
    if (!this.#sweep.forget(kind, key[0]!, key[1]!))
      this.#say('keeps clients that were to be forgotten: too many at once; forget them again');
  }

  /** An operator marked a key, which is noted in the table already. */
  marked(kind: number, key: Key, mark: Mark): void {
    // Until the file is read it may still hold the mark that was taken away.
    if (mark !== Mark.None || this.#isLoaded) return;
    const { table, nowSec } = this.#options;
    const index = table.find(kind, key);
    if (index >= 0) table.mark(index, Mark.None, nowSec() + TAKEN_AWAY_SEC);
  }

  /** How saving goes. */
  status(): KeeperStatus {
    return {
      file: this.#options.path,
      state: this.#why !== '' ? 'off' : this.#isLoaded ? 'ok' : 'loading',
      why: this.#why,
      savedAgeMs: this.#savedAtMs === null ? null : Math.round(performance.now() - this.#savedAtMs),
      rowsRead: this.#rowsRead,
      rowsWritten: this.#rowsWritten,
      rowsPutOff: this.#rowsPutOff,
    };
  }

  /** Saves a last time and closes the file. False when the disk has not answered in time: the thread is still in there. */
  async end(): Promise<boolean> {
    this.#isEnding = true;
    this.#wake();
    let timer: NodeJS.Timeout | null = null;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(resolve, LAST_SAVE_MS, false);
    });
    const hasEnded = await Promise.race([this.#finish(), late]);
    clearTimeout(timer!);
    if (this.#hung !== null) clearTimeout(this.#hung);
    if (!hasEnded) this.#say('does not answer: what was learnt since it was written last is lost');
    return hasEnded;
  }

  async #finish(): Promise<boolean> {
    await this.#running;
    if (this.#isLoaded && this.#why === '') await this.#round();
    const worker = this.#worker;
    if (worker === null) return true;
    return new Promise((resolve) => {
      worker.once('exit', () => resolve(true));
      worker.postMessage({ kind: 'end' } satisfies ToKeeper);
    });
  }

  async #run(first: Promise<void>): Promise<void> {
    await first;
    while (!this.#isEnding) {
      await this.#sleep(Math.max(this.#options.saveIntervalMs, this.#pauseMs));
      if (!this.#isEnding) await this.#round();
    }
  }

  #sleep(durationMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, durationMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Loads, as long as that was not done; saves what has changed. */
  async #round(): Promise<void> {
    const why = this.#isLoaded ? await this.#save() : await this.#load();
    if (why !== '') {
      this.#pauseMs = Math.min(PAUSE_MS_MAX, Math.max(PAUSE_MS_MIN, this.#pauseMs * 2));
      this.#turnOff(why);
      return;
    }
    this.#pauseMs = 0;
    if (this.#why !== '')
      this.#say(`is written again, after ${Math.ceil((performance.now() - this.#offSinceMs) / 1000)} s`);
    this.#why = '';
  }

  async #load(): Promise<string> {
    const answer = await this.#ask({ kind: 'load', nowSec: this.#options.nowSec() });
    if (!('loaded' in answer)) return 'gone' in answer ? answer.gone : '';
    const { why, isRead, isFresh, notices, rows, savedSec } = answer.loaded;
    for (const notice of notices) this.#options.say(notice);
    if (!isRead) return why;
    this.#isLoaded = true;
    this.#rowsRead = rows;
    if (isFresh) this.#sweep.noteAll();
    if (savedSec > 0)
      this.#say(`was read: ${rows} rows, written last at ${new Date(savedSec * 1000).toISOString()}`);
    return why;
  }

  async #save(): Promise<string> {
    const empty: Bite = { rows: new Int32Array(0), forgotten: new Int32Array(0) };
    for (let count = 0; ;) {
      const next = this.#sweep.next();
      if (next === 'more') {
        await turn();
        continue;
      }
      if (next === null && count > 0) break;
      count += 1;
      const { rows, forgotten } = next ?? empty;
      const rowCount = rows.length / ROW_WORDS;
      const answer = await this.#ask({ kind: 'save', rows, forgotten, nowSec: this.#options.nowSec() });
      const outcome = 'outcome' in answer ? answer.outcome : null;
      for (const notice of outcome?.notices ?? []) this.#options.say(notice);
      if (outcome?.isFresh === true) this.#sweep.noteAll();
      if (outcome?.why !== '') {
        this.#sweep.failed();
        this.#rowsPutOff += rowCount;
        return outcome?.why ?? ('gone' in answer ? answer.gone : '');
      }
      this.#sweep.taken();
      this.#rowsWritten += rowCount;
    }
    this.#savedAtMs = performance.now();
    return '';
  }

  #turnOff(why: string): void {
    if (this.#why === '') this.#offSinceMs = performance.now();
    if (this.#why === why) return;
    this.#why = why;
    this.#say(`${why}; mail goes on, but what is learnt from now on is not saved until that is over`);
  }

  #ask(message: ToKeeper): Promise<Answer> {
    const worker = (this.#worker ??= this.#startThread());
    return new Promise((resolve) => {
      this.#watch();
      this.#answer = (answer) => {
        this.#answer = () => undefined;
        if (this.#hung !== null) clearTimeout(this.#hung);
        this.#hung = null;
        resolve(answer);
      };
      const transfer = message.kind === 'save' ? [message.rows.buffer, message.forgotten.buffer] : [];
      worker.postMessage(message, transfer as ArrayBuffer[]);
    });
  }

  #watch(): void {
    if (this.#hung !== null) clearTimeout(this.#hung);
    this.#hung = setTimeout(() => this.#turnOff('does not answer'), HUNG_MS);
  }

  #startThread(): Worker {
    const { path, rowsMax, keepSec, savesHosts, namesId } = this.#options;
    const workerData: StateOptions = { path, rowsMax, keepSec, savesHosts, namesId };
    // Node 22 and 24 call node:sqlite experimental, on standard error, which is the operator's.
    const execArgv = [...process.execArgv, '--disable-warning=ExperimentalWarning'];
    const worker = new Worker(threadEntry, { workerData, name: 'keeper', execArgv });
    let failure = '';
    worker.on('message', (message: FromKeeper) => this.#hear(message));
    worker.on('error', (error: unknown) => (failure = `: ${String(error)}`));
    worker.on('exit', () => {
      this.#worker = null;
      this.#answer({ gone: `has lost its thread${failure}` });
    });
    return worker;
  }

  #hear(message: FromKeeper): void {
    if (message.kind === 'rows') this.#watch();
    // On a turn of its own: a port hands over what has come, and what comes meanwhile, without letting go.
    setImmediate(() => (message.kind === 'rows' ? this.#takeIn(message.rows) : this.#answer(message)));
  }

  #takeIn(rows: Int32Array): void {
    const { table, nowSec, joined } = this.#options;
    joinFrom(Source.File, table, rows, this.#key, nowSec(), joined, (kind, first, second) =>
      this.#sweep.isForgotten(kind, first, second),
    );
    this.#worker?.postMessage({ kind: 'more' } satisfies ToKeeper);
  }

  #say(rest: string): void {
    this.#options.say(`${this.#options.path} ${rest}`);
  }
}
