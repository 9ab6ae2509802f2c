/**
 * contest — what the threads of a fight for a reputation table (contender) are told, and what they tell
 */
/** Words that all threads of a contest share beside the table. */
export const Gate = { arrived: 0, done: 1, progress: 2, stop: 3, COUNT: 4 } as const;

/** What a contender is told. */
export interface Contest {
  readonly job: 'observe' | 'claim' | 'churn' | 'forget' | 'sweep';
  readonly shared: SharedArrayBuffer;
  readonly gate: Int32Array;
  /** Threads that meet at the gate. */
  readonly threads: number;
  /** Threads of which the end is waited for by a sweeper. */
  readonly workers: number;
  readonly entries: number;
  readonly shards: number;
  readonly writer: number;
  readonly keys: number;
  readonly rounds: number;
  readonly nowSec: number;
}

/** What a contender tells. */
export interface Outcome {
  /** observe, claim: the index of each key. */
  readonly indexes: readonly number[];
  /** churn, forget: entries that belonged to someone else while they were held. */
  readonly stolen: number;
  /** churn, forget: claims that found no way. */
  readonly refused: number;
  /** forget: entries that were given up. */
  readonly forgotten: number;
  /** sweep: the last row of each entry that was noted as changed. */
  readonly rows: ReadonlyMap<number, Int32Array>;
}

/** Signals that every contender notes of every client; fewer than an entry has slots. */
export const noted = ['badCommand', 'unknownRecipient', 'delivered'] as const;
