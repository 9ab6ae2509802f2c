/**
 * table-with — a small reputation table and all that an operator's window needs of a Sluice around it
 */
import { parseAddress } from '../../../src/base/address.ts';
import type { PartialConfig } from '../../../src/config/load.ts';
import { defaultConfig } from '../../../src/config/load.ts';
import { inlineLists } from '../../../src/policy/lists.ts';
import type { ExplainSource, Inside } from '../../../src/primary/inside.ts';
import { Memory } from '../../../src/primary/memory.ts';
import { Kind, newKey } from '../../../src/reputation/keys.ts';
import { fullNames } from '../../../src/reputation/names.ts';
import type { Names } from '../../../src/reputation/names.ts';
import { signals } from '../../../src/reputation/signals.ts';
import type { SignalName } from '../../../src/reputation/signals.ts';
import { ReputationTable } from '../../../src/reputation/table.ts';

export const NOW = 1_790_000_000;

/** A table with `entries` entries for two shards, as the main thread sees it. */
export function newTable(entries: number): ReputationTable {
  return new ReputationTable(new SharedArrayBuffer(ReputationTable.bytesFor(entries, 2)), entries, 2, 2);
}

export interface InsideParts {
  readonly entries?: number;
  readonly config?: PartialConfig;
  readonly names?: Names;
  readonly sources?: readonly ExplainSource[];
  readonly said?: string[];
  readonly onFlush?: () => void;
}

/** The inside of a Sluice whose clock stands at NOW. */
export function insideOf(parts: InsideParts = {}): Inside {
  const config = defaultConfig(parts.config);
  return {
    config,
    memory: new Memory(newTable(parts.entries ?? 1_024), () => NOW),
    names: parts.names ?? fullNames,
    lists: () => inlineLists(config),
    poolKeyOf: () => null,
    sources: parts.sources ?? [],
    families: () => ({ sessions: 0, families: [], leaving: [] }),
    flushRecipients: () => parts.onFlush?.(),
    nowSec: () => NOW,
    say: (line) => void parts.said?.push(line),
  };
}

/** The entry of an address or its network, made if there is none. */
export function entryOf(inside: Inside, kind: number, text: string, seenSec = NOW): number {
  const words = new Uint32Array(4);
  if (!parseAddress(text, words, 0)) throw new Error(text);
  const key = newKey();
  if (kind === Kind.Network) inside.names.networkKey(words, 0, key);
  else inside.names.hostKey(words, 0, key);
  return inside.memory.table.claim(kind, key, seenSec);
}

/** Notes a signal of an address so many seconds before NOW. */
export function note(inside: Inside, kind: number, text: string, signal: SignalName, agoSec = 0): void {
  const index = entryOf(inside, kind, text, NOW - agoSec);
  inside.memory.table.observe(index, signals[signal].id, NOW - agoSec);
}
