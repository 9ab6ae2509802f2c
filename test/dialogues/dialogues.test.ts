/**
 * dialogues — every conversation of the Markdown files beside this one, whole and in pieces of every size
 *
 * A mismatch prints the transcript that was wanted and the one that was got. `REWRITE=1 npx vitest run
 * test/dialogues` writes what was got into the files; look at the difference before believing it.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { playDialogue, splitSizes } from './player.ts';
import { readDialogues, withBlocks } from './transcript.ts';
import type { Dialogue } from './transcript.ts';

const folder = new URL('.', import.meta.url);
const rewrite = process.env['REWRITE'] === '1';
const fileNames = readdirSync(folder).filter((name) => name.endsWith('.md'));

/** A dialogue that cannot be played stays as it is; its test says why. */
function rewritten(dialogue: Dialogue): readonly string[] {
  try {
    return playDialogue(dialogue).block;
  } catch {
    return dialogue.block;
  }
}

for (const fileName of fileNames) {
  const url = new URL(fileName, folder);
  const text = readFileSync(url, 'utf8');
  if (rewrite) {
    const drafts = readDialogues(text);
    writeFileSync(url, withBlocks(text, drafts, drafts.map(rewritten)));
  }
  const dialogues = readDialogues(rewrite ? readFileSync(url, 'utf8') : text);
  describe(fileName, () => {
    test.each(dialogues.map((dialogue) => [dialogue.title, dialogue] as const))('%s', (_, dialogue) => {
      const want = dialogue.block.map((line) => line.trimEnd()).join('\n');
      for (const size of [undefined, ...splitSizes(dialogue)]) {
        const { block, wrongs } = playDialogue(dialogue, size);
        const how = size === undefined ? 'whole' : `in pieces of ${size}`;
        const got = block.map((line) => line.trimEnd()).join('\n');
        if (got !== want)
          throw new Error(`${dialogue.title} (${how})\n\n--- want\n${want}\n\n--- got\n${got}\n`);
        expect(wrongs, how).toEqual([]);
      }
    });
  });
}
