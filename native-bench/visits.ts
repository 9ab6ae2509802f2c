/**
 * visits — look-up plus update of one client, by the reputation table and by a plain Map
 *
 * A visit is what a session costs the memory of clients at least: find the client and date it, count the session in, note
 * one signal, score it, count the session out. The Map does the same job in the way one would write it first: a string
 * for a key, an object for a client, floating point for the decay; for one thread, and without a bound.
 */
import { ONE } from '../src/reputation/decay.ts';
import { Kind, newKey } from '../src/reputation/keys.ts';
import { signalNameOf, signals } from '../src/reputation/signals.ts';
import type { ReputationTable } from '../src/reputation/table.ts';

/** Signals of the visits that are counted afterwards, in turns. All fade so slowly that a run is one step of them. */
export const counted = [signals.hangup.id, signals.unknownRecipient.id, signals.passed.id] as const;

/** Visits in a second of the clock that they are told. */
export const visitsPerSec = 50_000;

/** The IPv4 address of a client: all are different, and far apart. */
export function addressOf(client: number): number {
  return Math.imul(client, 0x9e3779b1) >>> 0;
}

const MAPPED = 0xffff;
const key = newKey();

/** The index of a client in a table, -1 when it is unknown. */
export function findClient(table: ReputationTable, client: number): number {
  key[0] = MAPPED;
  key[1] = addressOf(client);
  return table.find(Kind.Host, key);
}

/** The first visit of a client: an entry without a signal. */
export function claimClient(table: ReputationTable, client: number, nowSec: number): number {
  key[0] = MAPPED;
  key[1] = addressOf(client);
  return table.claim(Kind.Host, key, nowSec);
}

/** Visits of the clients in draws[from … to - 1] to a table. Returns something of all scores, so that none is left out. */
export function visitTable(
  table: ReputationTable,
  draws: Uint32Array,
  from: number,
  to: number,
  startSec: number,
  ids: readonly number[],
): number {
  let scores = 0;
  for (let at = from; at < to; at += 1) {
    const nowSec = startSec + Math.floor((at - from) / visitsPerSec);
    const index = claimClient(table, draws[at]!, nowSec);
    if (index < 0) continue;
    table.opened(index);
    scores += table.observe(index, ids[at % ids.length]!, nowSec, ONE);
    table.closed(index);
  }
  return scores;
}

/**
 * What the machine asks for one cache line of so large a table: a bare read at the place of each client, each of which has
 * to wait for the one before it. A visit needs two such lines at least, which are fetched at once.
 */
export function visitMemory(words: Int32Array, places: Uint32Array): number {
  let claim = 0;
  // The top bit of a claim word is 0 in so young a table, but nobody knows before it is read.
  for (let at = 0; at < places.length; at += 1) claim = words[places[at]! + (claim >>> 31)]!;
  return claim;
}

interface Noted {
  readonly id: number;
  amount: number;
  atSec: number;
}

interface Client {
  seenSec: number;
  open: number;
  readonly noted: Noted[];
}

function scoreAfter(client: Client, id: number, nowSec: number): number {
  let noted = client.noted.find((one) => one.id === id);
  if (noted === undefined) client.noted.push((noted = { id, amount: 0, atSec: nowSec }));
  noted.amount = noted.amount * 2 ** ((noted.atSec - nowSec) / halfLifeOf(id)) + 1;
  noted.atSec = nowSec;
  let score = 0;
  for (const one of client.noted) {
    const { weight, cap, halfLifeSec } = signals[signalNameOf[one.id] as keyof typeof signals];
    const points = Math.round(weight * one.amount * 2 ** ((one.atSec - nowSec) / halfLifeSec));
    score += Math.max(-cap, Math.min(cap, points));
  }
  return score;
}

function halfLifeOf(id: number): number {
  return signals[signalNameOf[id] as keyof typeof signals].halfLifeSec;
}

/** The same visits to a Map; names[client] is the client's address as text. */
export function visitMap(
  known: Map<string, Client>,
  names: readonly string[],
  draws: Uint32Array,
  startSec: number,
  ids: readonly number[],
): number {
  let scores = 0;
  for (let at = 0; at < draws.length; at += 1) {
    const nowSec = startSec + Math.floor(at / visitsPerSec);
    const name = names[draws[at]!]!;
    let client = known.get(name);
    if (client === undefined) known.set(name, (client = { seenSec: nowSec, open: 0, noted: [] }));
    client.seenSec = nowSec;
    client.open += 1;
    scores += scoreAfter(client, ids[at % ids.length]!, nowSec);
    client.open -= 1;
  }
  return scores;
}
