/**
 * dns — DNS lists that answer from a script: `dns: 192.0.2.7 at 1.000 weight 8 zen.example.net "the reason"`
 *
 * Each such answer goes to the sessions of that client that have asked, at its moment of the virtual clock; one that
 * stands for a moment before the client came is there at once. The one behind it replaces it, as answers come in steps.
 */
import { formatAddress } from '../../src/base/address.ts';
import { NO_HANDLE } from '../../src/base/handle.ts';
import type { Handle } from '../../src/base/handle.ts';
import type { DnsAnswer, DnsLists } from '../../src/reputation/dns-lists.ts';

interface Line {
  readonly address: string;
  readonly atMs: number;
  readonly answer: DnsAnswer;
}

const form = /^(\S+) at (\d+\.\d{3}) weight (-?\d+)((?: [^\s"]+)*)(?: "([^"]*)")?$/;

export class ScriptedDns implements DnsLists {
  readonly enabled = true;
  answer: DnsAnswer = { weight: 0, zones: [], reason: '', isLast: true };
  /** Clients that were asked about, with a mark for those of good standing. */
  readonly asked: string[] = [];
  readonly #lines: readonly Line[];
  #waiting: { handle: Handle; line: Line }[] = [];
  readonly #noted: { handle: Handle; answer: DnsAnswer }[] = [];

  /** Reads the texts behind `dns:`; an empty one is a list that says nothing. */
  constructor(texts: readonly string[]) {
    this.#lines = texts.filter((text) => text !== '').map(readLine);
  }

  ask(handle: Handle, words: Uint32Array, at: number, isGood: boolean): void {
    const address = formatAddress(words, at);
    this.asked.push(isGood ? `${address} (good)` : address);
    for (const line of this.#lines) if (line.address === address) this.#waiting.push({ handle, line });
  }

  next(): Handle {
    const noted = this.#noted.shift();
    if (noted === undefined) return NO_HANDLE;
    this.answer = noted.answer;
    return noted.handle;
  }

  /** Notes what is due; true when there was something. */
  turn(nowMs: number): boolean {
    const due = this.#waiting.filter(({ line }) => line.atMs <= nowMs);
    if (due.length === 0) return false;
    this.#waiting = this.#waiting.filter(({ line }) => line.atMs > nowMs);
    for (const { handle, line } of due) this.#noted.push({ handle, answer: line.answer });
    return true;
  }

  nextDueMs(): number {
    return Math.min(Infinity, ...this.#waiting.map(({ line }) => line.atMs));
  }
}

function readLine(text: string): Line {
  const found = form.exec(text);
  if (found === null) throw new Error(`the dns line cannot be read: ${text}`);
  const [, address = '', at, weight, zones = '', reason = ''] = found;
  return {
    address,
    atMs: Math.round(Number(at) * 1000),
    answer: {
      weight: Number(weight),
      zones: zones.split(' ').filter((zone) => zone !== ''),
      reason,
      isLast: true,
    },
  };
}
