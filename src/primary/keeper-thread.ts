/**
 * keeper-thread — the thread that has the state file, and does nothing else
 *
 * A disk may take its time, or never answer: here that stops nobody. The primary's side of it is keeper.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../base/assert.ts';
import { StateFile } from '../io/state-file.ts';
import type { Loaded, StateOptions } from '../io/state-file.ts';
import type { FromKeeper, ToKeeper } from './keeper-messages.ts';

/** Bites of a load that are on their way at once: one is read while another is taken in. */
const BITES_AHEAD = 3;

assert(parentPort !== null, 'the keeper runs in a worker thread');
const port = parentPort;
const tell = (message: FromKeeper, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);

const file = new StateFile(workerData as StateOptions);
let reading: Generator<Int32Array, Loaded> | null = null;

function readOn(): void {
  if (reading === null) return;
  const next = reading.next();
  if (next.done !== true) {
    tell({ kind: 'rows', rows: next.value }, [next.value.buffer as ArrayBuffer]);
    return;
  }
  reading = null;
  tell({ kind: 'loaded', loaded: next.value });
}

port.on('message', (message: ToKeeper) => {
  switch (message.kind) {
    case 'load':
      reading = file.load(message.nowSec);
      for (let bite = 0; bite < BITES_AHEAD; bite += 1) readOn();
      return;
    case 'more':
      readOn();
      return;
    case 'save':
      tell({ kind: 'saved', outcome: file.save(message.rows, message.forgotten, message.nowSec) });
      return;
    case 'end':
      file.close();
      port.close();
      return;
    default:
      message satisfies never;
  }
});
