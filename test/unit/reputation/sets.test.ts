import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Key } from '../../../src/reputation/keys.ts';
import { Kind } from '../../../src/reputation/keys.ts';
import {
  claimAfter,
  ClaimState,
  EntryWord,
  HeaderWord,
  setWordsFor,
  WAYS,
} from '../../../src/reputation/layout.ts';
import { Opens } from '../../../src/reputation/opens.ts';
import { Sets } from '../../../src/reputation/sets.ts';
import { named, NOW } from './tables.ts';

/** Opens that let something happen right after each look at whether an entry is held. */
class InterruptedOpens extends Opens {
  private interrupt: (look: number) => void = () => undefined;
  private looks = 0;

  /** From now on calls back with the number of each look, counted from 1. */
  interruptWith(interrupt: (look: number) => void): void {
    this.interrupt = interrupt;
    this.looks = 0;
  }

  override isHeld(index: number): boolean {
    const held = super.isHeld(index);
    this.looks += 1;
    this.interrupt(this.looks);
    return held;
  }
}

function hostKey(host: number): Key {
  return named(`10.0.0.${host}`).key;
}

afterEach(() => {
  vi.restoreAllMocks();
});

/** Two shards on a table of one set. The first one can be interrupted. */
function pair(): { words: Int32Array; opens: InterruptedOpens; mine: Sets; theirs: Sets } {
  const words = new Int32Array(new SharedArrayBuffer((HeaderWord.COUNT + WAYS * EntryWord.COUNT) * 4));
  const openWords = new Int32Array(new SharedArrayBuffer(WAYS * 2 * 4));
  const pins = new Int32Array(new SharedArrayBuffer(3 * 4));
  const opens = new InterruptedOpens(openWords, 0, WAYS * 2, pins, 2, 0);
  return {
    words,
    opens,
    mine: new Sets(words, opens, WAYS, HeaderWord.COUNT, setWordsFor(2), 0),
    theirs: new Sets(
      words,
      new Opens(openWords, 0, WAYS * 2, pins, 2, 1),
      WAYS,
      HeaderWord.COUNT,
      setWordsFor(2),
      1,
    ),
  };
}

describe('an evictor', () => {
  it('puts back what another shard pinned between its look and its claim', () => {
    const { opens, mine, theirs } = pair();
    for (let host = 0; host < WAYS; host += 1) mine.claim(Kind.Host, hostKey(host), NOW + host);
    mine.unpin();
    // Host 0 is the one to go; in the moment of the last look it comes back on the other shard.
    let kept = -1;
    opens.interruptWith((look) => {
      if (look === WAYS) kept = theirs.claim(Kind.Host, hostKey(0), NOW);
    });
    const index = mine.claim(Kind.Host, hostKey(99), NOW + 100);
    expect(kept).toBeGreaterThanOrEqual(0);
    expect(index).not.toBe(kept);
    expect(theirs.find(Kind.Host, hostKey(0))).toBe(kept);
    expect(mine.find(Kind.Host, hostKey(99))).toBe(index);
    expect(mine.find(Kind.Host, hostKey(1))).toBe(-1);
  });
});

describe('freeing an entry', () => {
  it('is put off while another shard has it pinned, however late that pin came', () => {
    const { opens, mine, theirs } = pair();
    const index = mine.claim(Kind.Host, hostKey(7), NOW);
    let kept = -1;
    opens.interruptWith((look) => {
      if (look === 1) kept = theirs.claim(Kind.Host, hostKey(7), NOW);
    });
    expect(mine.free(index)).toBe(false);
    expect([kept, mine.find(Kind.Host, hostKey(7))]).toEqual([index, index]);
    theirs.unpin();
    opens.interruptWith(() => undefined);
    expect(mine.free(index)).toBe(true);
    expect([mine.find(Kind.Host, hostKey(7)), mine.free(index)]).toEqual([-1, false]);
  });

  it('lets go of no other entry that was claimed', () => {
    const { mine, theirs } = pair();
    const first = mine.claim(Kind.Host, hostKey(1), NOW);
    const second = mine.claim(Kind.Host, hostKey(2), NOW);
    expect(mine.free(first)).toBe(true);
    expect(theirs.free(second)).toBe(false);
    mine.unpin();
    expect(theirs.free(second)).toBe(true);
  });
});

describe('a shard that is making an entry', () => {
  const claimAt = (way: number): number => HeaderWord.COUNT + way * EntryWord.COUNT + EntryWord.claim;

  /** A client that takes the first way of an empty set. */
  const client = Array.from({ length: 99 }, (_, host) => hostKey(host)).find(
    (key) => pair().mine.claim(Kind.Host, key, NOW) === 0,
  )!;

  /** What the other shard would have written for this client on a way. */
  function write(words: Int32Array, way: number, state: number): void {
    words.set(client, claimAt(way) + EntryWord.key);
    words[claimAt(way)] = claimAfter(words[claimAt(way)]!, state, Kind.Host, 1);
  }

  it('gives its way up when a lower one shows the same intent, and uses that one', () => {
    const { words, opens, mine } = pair();
    opens.interruptWith((look) => {
      // The first way is taken for a moment, so ours is the second; then theirs appears below it.
      if (look === 1) words[claimAt(0)] = claimAfter(words[claimAt(0)]!, ClaimState.Writing, 0, 1);
      if (look === 2) write(words, 0, ClaimState.Intent);
    });
    const waiting = vi.spyOn(Atomics, 'wait').mockImplementation(() => {
      write(words, 0, ClaimState.Stable);
      return 'not-equal';
    });
    expect(mine.claim(Kind.Host, client, NOW)).toBe(0);
    expect(waiting).toHaveBeenCalledOnce();
    for (let way = 1; way < WAYS; way += 1) expect(words[claimAt(way)]! & 3).toBe(ClaimState.Free);
  });

  it('gives its way up when a higher one has the client already', () => {
    const { words, opens, mine } = pair();
    opens.interruptWith((look) => {
      if (look === 1) write(words, 5, ClaimState.Stable);
    });
    expect(mine.claim(Kind.Host, client, NOW)).toBe(5);
    expect(words[claimAt(0)]! & 3).toBe(ClaimState.Free);
  });

  it('waits for a higher way that shows the same intent, which may have looked before', () => {
    const { words, opens, mine } = pair();
    opens.interruptWith((look) => {
      if (look === 1) write(words, 5, ClaimState.Intent);
    });
    const waiting = vi.spyOn(Atomics, 'wait').mockImplementation(() => {
      write(words, 5, ClaimState.Stable);
      return 'not-equal';
    });
    expect(mine.claim(Kind.Host, client, NOW)).toBe(5);
    expect(waiting).toHaveBeenCalledOnce();
    expect(words[claimAt(0)]! & 3).toBe(ClaimState.Free);
  });

  it('goes on after waiting in vain for a higher way whose owner died', () => {
    const { words, opens, mine } = pair();
    opens.interruptWith((look) => {
      if (look === 1) write(words, 5, ClaimState.Intent);
    });
    expect(mine.claim(Kind.Host, client, NOW)).toBe(0);
    expect(mine.find(Kind.Host, client)).toBe(0);
  });
});
