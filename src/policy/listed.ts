/**
 * listed — the lists of the configuration, and the word of an operator or a trap, as one answer
 *
 * A client's own mark counts before that of its network, and of lists and marks the more lenient one wins: whoever is
 * allowed anywhere is allowed. The stage that admits and the verb that explains ask the same function.
 *
 * Pure; at most three binary searches.
 */
import { Mark } from '../reputation/layout.ts';
import type { Lists } from './lists.ts';
import type { Listed } from './pace.ts';

/** The mark that counts, of the client's own and that of its network. */
export function decisiveMark(own: Mark, network: Mark): Mark {
  return own === Mark.None ? network : own;
}

/** Where the client with the address in words[at … at + 3] and this mark stands. */
export function listedBy(lists: Lists, mark: Mark, words: Uint32Array, at: number): Listed {
  const { allow, deny, slow } = lists;
  if (mark === Mark.Allow) return 'allow';
  if (allow.size > 0 && allow.has(words, at)) return 'allow';
  if (mark === Mark.Deny || (deny.size > 0 && deny.has(words, at))) return 'deny';
  if (mark === Mark.Trap) return 'slow';
  return slow.size > 0 && slow.has(words, at) ? 'slow' : 'none';
}
