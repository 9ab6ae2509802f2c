/**
 * engine-process — entry of a child process that holds a part of the shards
 *
 * There is one for each process of the plan when the limit on open files asks for several. It does what the
 * primary tells it and ends when the primary is gone: an engine without its primary would serve on, unseen.
 */
import { copyPools } from '../policy/pool-map.ts';
import type { ToShard } from '../worker/messages.ts';
import { Threads } from './threads.ts';
import type { FromEngine, ToEngine } from './engine-order.ts';

let threads: Threads | null = null;
const tell = (message: FromEngine): void => {
  process.send?.(message);
};

/** Memory is not shared between processes: what came as bytes is shared from here on. */
function shared(message: ToShard): ToShard {
  return message.kind === 'pools' ? { ...message, pools: copyPools(message.pools, true) } : message;
}

process.on('message', (message: ToEngine) => {
  if (message.kind === 'drain') {
    threads?.drain();
    return;
  }
  if (message.kind === 'count') {
    tell({ kind: 'counts', counts: threads?.counts() ?? {} });
    return;
  }
  if (message.kind === 'tell') {
    if (message.shard < 0) threads?.tellAll(shared(message.message));
    else threads?.tell(message.shard, shared(message.message));
    return;
  }
  const { pools, ...order } = message.order;
  const known = pools === undefined ? {} : { pools: copyPools(pools, true) };
  threads = new Threads(
    { ...order, ...known },
    {
      told: (shard, heard) => tell({ kind: 'told', shard, message: heard }),
      drained: () => {
        tell({ kind: 'drained' });
        process.disconnect?.();
      },
    },
  );
  threads.start();
});

// Signals go to the whole process group of a terminal; what they mean is the primary's to say.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('SIGHUP', () => undefined);
process.on('SIGUSR2', () => undefined);
process.on('disconnect', () => process.exit(0));
