/**
 * engine-process — entry of a child process that holds a part of the shards
 *
 * There is one for each process of the plan when the limit on open files asks for several. It does what the
 * primary tells it and ends when the primary is gone: an engine without its primary would serve on, unseen. Before it
 * serves it is given what the primary knows of clients (replicas), and waits for that a few seconds at most.
 */
import { ConnectionPart, LOOK_MS } from './connection-part.ts';
import { shared, sharedOrder } from './facts.ts';
import { Threads } from './threads.ts';
import type { EngineOrder, FromEngine, ToEngine } from './engine-order.ts';
import { Uplink } from './uplink.ts';

/** So long the rows of the primary are waited for. */
const FILL_MS = 5_000;

let threads: Threads | null = null;
let uplink: Uplink | null = null;
let connections: ConnectionPart | null = null;
let serve = (): void => undefined;
const tell = (message: FromEngine): void => {
  process.send?.(message);
};

function begin(order: EngineOrder): void {
  const engine = new Threads(sharedOrder(order), {
    told: (shard, heard) => tell({ kind: 'told', shard, message: heard }),
    drained: () => void finish(),
  });
  threads = engine;
  if (order.connections !== undefined) {
    const part = new ConnectionPart(engine.permits, order.connections, tell);
    connections = part;
    setInterval(() => part.look(), LOOK_MS).unref();
  }
  uplink = new Uplink(engine.table, tell, () => Math.floor(Date.now() / 1000));
  const timer = setTimeout(() => serve(), FILL_MS);
  serve = () => {
    clearTimeout(timer);
    serve = () => undefined;
    engine.start();
  };
}

async function finish(): Promise<void> {
  if (threads !== null) tell({ kind: 'peaks', report: threads.peaks() });
  await uplink?.finish();
  tell({ kind: 'drained' });
  process.disconnect?.();
}

process.on('message', (message: ToEngine) => {
  switch (message.kind) {
    case 'start':
      return begin(message.order);
    case 'drain':
      // Threads that have not begun are not begun any more.
      serve = () => undefined;
      return threads?.drain();
    case 'count':
      return tell({ kind: 'counts', counts: threads?.counts() ?? {} });
    case 'tell':
      if (message.shard < 0) return threads?.tellAll(shared(message.message));
      return threads?.tell(message.shard, message.message);
    case 'peaks':
      return threads === null ? undefined : tell({ kind: 'peaks', report: threads.peaks() });
    case 'filled':
      return serve();
    case 'connections':
      return connections?.heard(message);
    case 'rows':
    case 'taken':
      return uplink?.heard(message);
    default:
      message satisfies never;
  }
});

// Signals go to the whole process group of a terminal; what they mean is the primary's to say.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('SIGHUP', () => undefined);
process.on('SIGUSR2', () => undefined);
process.on('disconnect', () => process.exit(0));
