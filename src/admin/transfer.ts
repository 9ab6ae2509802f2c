/**
 * transfer — the table out and in as lines of JSON, so that what is known of clients moves between hosts
 *
 * The first line of an export says how clients are called in it; one with another key of the hash, or with hashes where
 * addresses are wanted, is refused as a whole, for its keys would mean nobody. Rows are joined to what is there
 * (reputation/rows), so that an import may be done twice.
 *
 * All of an import or nothing: lines are checked while they come in and their rows kept (64 bytes each, no more than the table
 * has entries), and the first row is joined when the last line was found good.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { isMeter, newKey } from '../reputation/keys.ts';
import type { Names } from '../reputation/names.ts';
import { joinRow, readRow, ROW_WORDS, RowWord } from '../reputation/rows.ts';
import type { ReputationTable } from '../reputation/table.ts';
import { lineOfRow, rowOfLine } from './row-text.ts';

/** Entries looked at, and rows joined, in one go. */
const BITE = 256;

/** Characters of one line. */
const LINE_CHARACTERS_MAX = 4_096;

/** Wrong lines that are told; the others are counted. */
const FAULTS_MAX = 20;

const VERSION = 1;

/** The lines of every entry that may travel, in pieces of some hundred lines. */
export async function* exported(
  table: ReputationTable,
  names: Names,
  nowSec: () => number,
): AsyncGenerator<string> {
  yield `${JSON.stringify({ export: 'sluice', version: VERSION, names: names.id })}\n`;
  const row = new Int32Array(ROW_WORDS);
  for (let from = 0; from < table.entries; from += BITE) {
    let text = '';
    const now = nowSec();
    for (let index = from; index < Math.min(from + BITE, table.entries); index += 1) {
      if (!readRow(table, index, row, 0) || isMeter(row[RowWord.kind]!)) continue;
      const line = lineOfRow(row, names, now);
      if (line !== null) text += `${line}\n`;
    }
    if (text !== '') yield text;
    await turn();
  }
}

/** What became of an import. */
export interface ImportReport {
  readonly imported: number;
  /** Hosts, which are not kept here (privacy.log_ip = "truncate"). */
  readonly left_out: number;
  /** Rows for which the table had no room. */
  readonly no_room: number;
  /** Why nothing was imported: the first wrong lines. Empty when all was well. */
  readonly faults: readonly { readonly line: number; readonly fault: string }[];
  readonly faults_total: number;
}

/** Takes in what `exported` gave: every line, or none when one is wrong. Rejects when `chunks` does. */
export async function imported(
  table: ReputationTable,
  names: Names,
  nowSec: () => number,
  chunks: AsyncIterable<Uint8Array>,
): Promise<ImportReport> {
  const lines = new Lines(table.entries, names, nowSec());
  const decoder = new TextDecoder('utf-8');
  for await (const chunk of chunks) {
    lines.take(decoder.decode(chunk, { stream: true }));
    await turn();
  }
  lines.take(decoder.decode());
  lines.end();
  const { faults, faultsTotal, leftOut } = lines;
  if (faultsTotal > 0) return { imported: 0, left_out: 0, no_room: 0, faults, faults_total: faultsTotal };
  const noRoom = await join(table, lines, nowSec);
  return { imported: lines.count - noRoom, left_out: leftOut, no_room: noRoom, faults, faults_total: 0 };
}

async function join(table: ReputationTable, lines: Lines, nowSec: () => number): Promise<number> {
  const key = newKey();
  let noRoom = 0;
  for (const [block, count] of lines.blocks()) {
    const now = nowSec();
    for (let at = 0; at < count; at += 1) {
      const index = joinRow(table, block, at * ROW_WORDS, key, now, true);
      if (index < 0) noRoom += 1;
      else table.dirty.note(index);
    }
    await turn();
  }
  return noRoom;
}

/** Lines that come in pieces, and the rows they make. */
class Lines {
  count = 0;
  leftOut = 0;
  faultsTotal = 0;
  readonly faults: { line: number; fault: string }[] = [];
  readonly #rowsMax: number;
  readonly #names: Names;
  readonly #nowSec: number;
  readonly #blocks: Int32Array[] = [];
  #line = 0;
  #partial = '';
  #isSkipping = false;
  /** The head was refused: what follows means nothing. */
  #isRefused = false;

  constructor(rowsMax: number, names: Names, nowSec: number) {
    this.#rowsMax = rowsMax;
    this.#names = names;
    this.#nowSec = nowSec;
  }

  take(text: string): void {
    let from = 0;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', from)) {
      this.#end(text.slice(from, at));
      from = at + 1;
    }
    const rest = text.slice(from);
    if (this.#isSkipping) return;
    if (this.#partial.length + rest.length > LINE_CHARACTERS_MAX) {
      this.#isSkipping = true;
      this.#partial = '';
    } else this.#partial += rest;
  }

  end(): void {
    if (this.#partial !== '' || this.#isSkipping) this.#end('');
    if (this.#line === 0) this.#complain('there is nothing in it');
  }

  /** Blocks of rows, and how many are in each. */
  *blocks(): Generator<readonly [Int32Array, number]> {
    for (const [place, block] of this.#blocks.entries())
      yield [block, Math.min(BITE, this.count - place * BITE)];
  }

  #end(tail: string): void {
    this.#line += 1;
    const line = this.#partial + tail;
    const isLong = this.#isSkipping || line.length > LINE_CHARACTERS_MAX;
    this.#partial = '';
    this.#isSkipping = false;
    if (isLong) return this.#complain(`longer than ${LINE_CHARACTERS_MAX} characters`);
    if (line.trim() === '' || this.#isRefused) return;
    if (this.#line === 1 && line.includes('"export"')) return this.#head(line);
    if (this.count >= this.#rowsMax)
      return this.#complain(`more rows than this table has entries (${this.#rowsMax})`);
    const place = this.count % BITE;
    if (place === 0 && this.#blocks.length * BITE === this.count)
      this.#blocks.push(new Int32Array(BITE * ROW_WORDS));
    const block = this.#blocks.at(-1)!;
    const { fault, isHost } = rowOfLine(line, this.#names, this.#nowSec, block, place * ROW_WORDS);
    if (fault !== null) return this.#complain(fault);
    if (isHost && !this.#names.savesHosts) this.leftOut += 1;
    else this.count += 1;
  }

  #head(line: string): void {
    const fault = headFault(line, this.#names.id);
    if (fault === null) return;
    this.#isRefused = true;
    this.#complain(fault);
  }

  #complain(fault: string): void {
    this.faultsTotal += 1;
    if (this.faults.length < FAULTS_MAX) this.faults.push({ line: this.#line, fault });
  }
}

/** Why an export with this first line cannot be taken in where names are `id`; null when it can. */
function headFault(line: string, id: string): string | null {
  let head: Record<string, unknown>;
  try {
    head = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return 'not JSON';
  }
  if (head['export'] !== 'sluice' || head['version'] !== VERSION)
    return `want an export of version ${VERSION}`;
  if (head['names'] === id || head['names'] === 'plain') return null;
  return id === 'plain'
    ? 'clients are called by a hash in it (privacy.log_ip = "hmac"), and by their address here'
    : 'its hashes were made with another key than that of privacy.key_file here';
}
