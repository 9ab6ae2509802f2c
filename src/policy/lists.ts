/**
 * lists — the permanent lists as one thing that can be handed over and swapped
 *
 * All lists are compiled together and change together: a look-up sees those of before or those of after, never one
 * of each. Between threads only the memory travels, and it is shared; each shard makes its own views of it.
 *
 * An address that several lists hold gets the most lenient answer (stages/admit): a single good host can be allowed
 * out of a network that is denied.
 */
import type { Config } from '../config/config.ts';
import { addNetworks, NetworkSet } from './networks.ts';
import { NetworkBuilder } from './network-builder.ts';

/** Names of the lists: three that set the pace of a client, and the clients without limits. */
export const listNames = ['allow', 'slow', 'deny', 'exceptions'] as const;
export type ListName = (typeof listNames)[number];

/** The permanent lists, compiled. */
export type Lists = Readonly<Record<ListName, NetworkSet>>;

/** The memory of each list, as NetworkBuilder.build gives it. */
export type ListsMemory = Readonly<Record<ListName, Uint8Array>>;

/** One value for each list. */
export function forEachList<Value>(make: (name: ListName) => Value): Record<ListName, Value> {
  return { allow: make('allow'), slow: make('slow'), deny: make('deny'), exceptions: make('exceptions') };
}

/** A builder for each list, with the networks that stand in the configuration itself. */
export function inlineBuilders(config: Config): Record<ListName, NetworkBuilder> {
  return forEachList((name) => {
    const builder = new NetworkBuilder();
    addNetworks(builder, name === 'exceptions' ? config.limits.exceptions : config.lists[name]);
    return builder;
  });
}

/** The lists of a configuration that names no files. */
export function inlineLists(config: Config): Lists {
  const builders = inlineBuilders(config);
  return forEachList((name) => new NetworkSet(builders[name].build()));
}

/** Views of lists that were compiled elsewhere. */
export function viewLists(memory: ListsMemory): Lists {
  return forEachList((name) => new NetworkSet(memory[name]));
}

/** Lists that came as plain bytes, copied into memory that threads can share. */
export function shareLists(bytes: ListsMemory): ListsMemory {
  return forEachList((name) => {
    const shared = new Uint8Array(new SharedArrayBuffer(bytes[name].length));
    shared.set(bytes[name]);
    return shared;
  });
}

/** Whether any of the lists holds anything. */
export function hasNetworks(memory: ListsMemory): boolean {
  const lists = viewLists(memory);
  return listNames.some((name) => lists[name].networks > 0);
}

/** How many networks each list was made of: "allow 2, slow 0, deny 1000000, exceptions 0". */
export function countsText(memory: ListsMemory): string {
  const lists = viewLists(memory);
  return listNames.map((name) => `${name} ${lists[name].networks}`).join(', ');
}
