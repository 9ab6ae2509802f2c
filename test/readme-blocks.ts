/**
 * readme-blocks — the parts of README.md that are printed from tables
 *
 * A block stands between `<!-- generated: NAME -->` and `<!-- end generated -->`. The names are those of the
 * map below, each printed from the table it is called after. `node test/readme-blocks.ts` rewrites README.md in
 * place; the tidy test fails while a block is stale. A block that README.md does not have is not missed; a
 * block whose name is not known here is an error.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { settingsMarkdown } from '../src/config/describe.ts';
import { limitTable } from '../src/policy/limits.ts';
import { wouldTable } from '../src/policy/would-reasons.ts';
import { signals } from '../src/reputation/signals.ts';
import { counterTable } from '../src/session/counter-table.ts';
import { endingTable } from '../src/session/endings.ts';
import { replyTable } from '../src/smtp/replies.ts';
import { verbTable } from '../src/smtp/verbs.ts';
import { faultTable } from './dialogues/fault-table.ts';
import type { FaultRow } from './dialogues/fault-table.ts';

const readmeFile = fileURLToPath(new URL('../README.md', import.meta.url));

/** A Markdown table; a bar inside a cell is escaped. */
function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}

/** What a client hears of a fault of the backend. */
function heardWords(hears: FaultRow['hears']): string {
  if (hears === 'none') return 'nothing of it';
  return hears === 'own' ? "the backend's own reply" : `\`${replyTable[hears].text}\``;
}

/** The text of each block by name. */
export const generatedBlocks: ReadonlyMap<string, string> = new Map([
  ['settings', settingsMarkdown()],
  [
    'endings',
    table(
      ['ending', 'verdict', 'whose doing', 'the client …'],
      Object.entries(endingTable).map(([name, { verdict, blame, says }]) => [
        `\`${name}\``,
        verdict,
        blame,
        says,
      ]),
    ),
  ],
  [
    'counters',
    table(
      ['counter', 'unit', 'what it says'],
      Object.entries(counterTable).map(([name, { unit, says }]) => [`\`${name}\``, unit, says]),
    ),
  ],
  [
    'signals',
    table(
      ['signal', 'points', 'the client …'],
      Object.entries(signals).map(([name, { weight, says }]) => [`\`${name}\``, String(weight), says]),
    ),
  ],
  [
    'limits',
    table(
      ['setting', 'counts', 'of one', 'reply', 'counter'],
      Object.entries(limitTable).map(([name, row]) => [
        `\`limits.${name}\``,
        row.counts,
        row.of,
        `\`${replyTable[row.reply].text}\``,
        `\`${row.counter}\``,
      ]),
    ),
  ],
  [
    'would',
    table(
      ['word', 'the client …', 'refused'],
      Object.entries(wouldTable)
        .filter(([name]) => name !== 'none' && !(name in limitTable))
        .map(([name, { says, isForNow }]) => [`\`${name}\``, says, isForNow ? 'for now' : '']),
    ),
  ],
  [
    'backend-faults',
    table(
      ['the backend …', 'the client hears', 'Sluice …', 'counters', 'notice'],
      faultTable.map(({ fault, hears, does, counters, notice }) => [
        fault,
        heardWords(hears),
        does,
        counters.map((name) => `\`${name}\``).join(', '),
        notice === '' ? '' : `"${notice}"`,
      ]),
    ),
  ],
  [
    'verbs',
    table(
      ['verb', 'what it does'],
      verbTable.map(({ word, says }) => [`\`${word}\``, says]),
    ),
  ],
]);

/** The readme with every block replaced by its text in `blocks`. Throws on a name that is not there. */
export function withBlocks(readme: string, blocks: ReadonlyMap<string, string>): string {
  return readme.replace(
    /(<!-- generated: (\S+) -->\n)[^]*?(<!-- end generated -->)/g,
    (_, start: string, name: string, end: string) => {
      const block = blocks.get(name);
      if (block === undefined)
        throw new Error(`got a block named ${name}, want one of ${[...blocks.keys()].join(', ')}`);
      return `${start}\n${block.trim()}\n\n${end}`;
    },
  );
}

if (import.meta.main) {
  writeFileSync(readmeFile, withBlocks(readFileSync(readmeFile, 'utf8'), generatedBlocks));
}
