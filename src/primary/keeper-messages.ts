/**
 * keeper-messages — what the primary and the thread that has the state file say to each other
 *
 * One question at a time. Rows travel as arrays that are handed over, not copied.
 */
import type { Loaded, Outcome } from '../io/state-file.ts';

/** To the thread. */
export type ToKeeper =
  | { readonly kind: 'load'; readonly nowSec: number }
  /** A bite of the load was taken in. */
  | { readonly kind: 'more' }
  | {
      readonly kind: 'save';
      readonly rows: Int32Array;
      readonly forgotten: Int32Array;
      readonly nowSec: number;
    }
  | { readonly kind: 'end' };

/** From the thread: bites of a load, and one answer to each load and each save. */
export type FromKeeper =
  | { readonly kind: 'rows'; readonly rows: Int32Array }
  | { readonly kind: 'loaded'; readonly loaded: Loaded }
  | { readonly kind: 'saved'; readonly outcome: Outcome };
