/**
 * client-random — a source of chance for each client, in one integer a client
 *
 * Over real sockets the order in which clients act is nobody's promise. With one common generator every
 * client's draws would hang on everybody else's timing; with a state of its own, client 17 of seed 7 draws
 * the same numbers in every run. The caller lends the state before a bot acts and takes it back after.
 *
 * The generator walks a 32-bit counter and stirs it (a few multiplications and shifts): good enough to choose
 * names and delays, not for secrets, and short: its cycle is 2^32 draws.
 */
import { assert } from '../../src/base/assert.ts';
import type { Random } from '../../src/base/prng.ts';

const WORD = 2 ** 32;
const STEP = 0x9e3779b9;

/** The first state of client `serial` in a run with this seed. */
export function clientSeed(seed: number, serial: number): number {
  return stir(stir(seed | 0) ^ Math.imul(serial, STEP));
}

export class ClientRandom implements Random {
  /** The state of the client whose turn it is. */
  state = 0;

  below(bound: number): number {
    assert(Number.isInteger(bound) && bound >= 1 && bound <= WORD, 'a bound is an integer from 1 to 2^32');
    const limit = WORD - (WORD % bound);
    let drawn = this.#word();
    while (drawn >= limit) drawn = this.#word();
    return drawn % bound;
  }

  #word(): number {
    this.state = (this.state + STEP) | 0;
    return stir(this.state) >>> 0;
  }
}

function stir(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return mixed ^ (mixed >>> 16);
}
