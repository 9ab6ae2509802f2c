/**
 * engine-process — entry of a child process that holds a part of the shards
 *
 * There is one for each process of the plan when the limit on open files asks for several. It does what the
 * primary tells it and ends when the primary is gone: an engine without its primary would serve on, unseen.
 */
import { Threads } from './threads.ts';
import type { FromEngine, ToEngine } from './engine-order.ts';

let threads: Threads | null = null;
const tell = (message: FromEngine): void => {
  process.send?.(message);
};

process.on('message', (message: ToEngine) => {
  if (message.kind === 'drain') {
    threads?.drain();
    return;
  }
  if (message.kind === 'tell') {
    threads?.tell(message.shard, message.message);
    return;
  }
  if (message.kind === 'count') {
    tell({ kind: 'counts', counts: threads?.counts() ?? {} });
    return;
  }
  threads = new Threads(message.order, {
    told: (shard, heard) => tell({ kind: 'told', shard, message: heard }),
    drained: () => {
      tell({ kind: 'drained' });
      process.disconnect?.();
    },
  });
  threads.start();
});

// Signals go to the whole process group of a terminal; what they mean is the primary's to say.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('SIGHUP', () => undefined);
process.on('SIGUSR2', () => undefined);
process.on('disconnect', () => process.exit(0));
