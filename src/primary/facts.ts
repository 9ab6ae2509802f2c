/**
 * facts — what every shard is told as a whole, now and when it is started later
 *
 * Permanent lists, certificates, the map of pools and the table of families: each is replaced by one message, and whoever starts a shard or
 * a process hands it the last of each. Lists and pools stand in shared memory; between processes they travel as
 * bytes and are shared anew on the other side.
 */
import { shareLists } from '../policy/lists.ts';
import { copyPools } from '../policy/pool-map.ts';
import type { ToShard } from '../worker/messages.ts';
import type { EngineOrder } from './engine-order.ts';

/** The order with a fact in it that was told; the same order for a message that is none. */
export function withFact(order: EngineOrder, message: ToShard): EngineOrder {
  switch (message.kind) {
    case 'lists':
      return { ...order, lists: message.lists };
    case 'identities':
      return { ...order, identities: message.identities };
    case 'pools':
      return { ...order, pools: message.pools };
    case 'families':
      return { ...order, families: message.table };
    default:
      return order;
  }
}

/** A message as it can be sent to another process. */
export function portable(message: ToShard): ToShard {
  return message.kind === 'pools' ? { ...message, pools: copyPools(message.pools, false) } : message;
}

/** A message that came from another process, its memory shared with the threads of this one. */
export function shared(message: ToShard): ToShard {
  if (message.kind === 'pools') return { ...message, pools: copyPools(message.pools, true) };
  return message.kind === 'lists' ? { ...message, lists: shareLists(message.lists) } : message;
}

/** An order that came from another process, likewise. */
export function sharedOrder(order: EngineOrder): EngineOrder {
  const pools = order.pools === undefined ? {} : { pools: copyPools(order.pools, true) };
  return { ...order, lists: shareLists(order.lists), ...pools };
}
