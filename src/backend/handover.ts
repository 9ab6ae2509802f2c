/**
 * handover — the pieces of a message from the spool onto a lane, and the point of no return
 *
 * `committed` becomes true right before the last piece is written: from then on the backend may have the message,
 * whatever becomes of the connection. Until then no final dot was sent and nothing was handed over.
 */
import type { Handle } from '../base/handle.ts';
import type { Transport } from '../transport/transport.ts';
import type { Spool } from './spool.ts';

/** How far it got: waits for the backend or the spool, is done, or the spool failed. */
export type HandoverState = 'waits' | 'written' | 'failed';

export class Handover {
  committed = false;
  #piece: Uint8Array | null = null;
  /** What goes in front of the message and is not written yet. */
  #ahead: Uint8Array | null = null;

  /** Nothing is being handed over. */
  forget(): void {
    this.committed = false;
    this.#piece = null;
    this.#ahead = null;
  }

  /** The message is to be written from its start, behind these bytes. */
  begin(ahead: Uint8Array | null): void {
    this.#ahead = ahead;
  }

  /** Writes as much of the message of `slot` as the backend takes now. */
  pump(spool: Spool, slot: number, back: Transport, handle: Handle): HandoverState {
    if (this.#ahead !== null && !back.write(handle, this.#ahead)) return 'waits';
    this.#ahead = null;
    while (!this.committed) {
      this.#piece ??= spool.nextPiece(slot);
      if (this.#piece === null) return spool.hasFailed(slot) ? 'failed' : 'waits';
      this.committed = spool.atEnd(slot);
      if (!back.write(handle, this.#piece)) {
        // Nothing of the piece was taken: it is tried again when the backend has drained.
        this.committed = false;
        return 'waits';
      }
      this.#piece = null;
    }
    return 'written';
  }
}
