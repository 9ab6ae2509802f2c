/**
 * mailbox-main — `node test/system/mailbox-main.ts [LETTERS [SEED]]` writes results/mailbox.md
 *
 * Every letter to all twelve set-ups by all four ways, 48 deliveries each, then into Postfix through Sluice and straight. Minutes.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';

import { replyTable } from '../../src/smtp/replies.ts';
import { isOdd, lettersOf, shapeTitles } from './letters.ts';
import { allHouses, intoPostfix, throughSluice } from './mailbox-run.ts';
import type { BareNewline, Delivery } from './mailbox-run.ts';

const count = Number(process.argv[2] ?? 1_000);
const seed = Number(process.argv[3] ?? 1);
const letters = lettersOf(seed, count);
const { deliveries, storedCount, streamedCount } = await throughSluice(letters, allHouses, true);
const inPostfix = await intoPostfix(letters);

const many = (value: number): string => value.toLocaleString('en');
const versionOf = (program: string, args: readonly string[]): string =>
  execFileSync(program, args, { encoding: 'utf8' }).trim();
const isRight = ({ fate, expected }: Delivery): boolean => JSON.stringify(fate) === JSON.stringify(expected);

/** Deliveries of a kind that came to what they should; `wrong` beside it when some did not. */
function tally(of: readonly Delivery[], bareNewline: BareNewline): string {
  const here = of.filter(({ house }) => house.bareNewline === bareNewline);
  const right = here.filter(isRight);
  const refused = right.filter(({ expected }) => expected.stored.length === 0).length;
  const changed = right.filter(
    ({ letter, expected }) => expected.stored.length > 0 && isOdd(letter.octets),
  ).length;
  const cells = [right.length - refused - changed, bareNewline === 'reject' ? refused : changed];
  return `${cells.map(many).join(' | ')} | ${many(here.length - right.length)}`;
}

function rowOf(title: string, isOne: (shapes: readonly string[]) => boolean): string {
  const having = letters.filter(({ shapes }) => isOne(shapes));
  const of = deliveries.filter(({ letter }) => isOne(letter.shapes));
  const stored = inPostfix.filter(({ letter }) => isOne(letter.shapes));
  const same = stored.filter(
    ({ through, straight }) => through !== null && straight?.equals(through) === true,
  );
  const kept = same.filter(({ through, sent }) => through?.equals(sent) === true);
  return `| ${title} | ${many(having.length)} | ${tally(of, 'reject')} | ${tally(of, 'normalize')} | ${many(same.length)} | ${many(kept.length)} |`;
}

const sizes = letters.map(({ octets }) => octets.length).sort((one, other) => one - other);
const expectedCount = deliveries.reduce((sum, { expected }) => sum + expected.stored.length, 0);
const text = `# A mailbox of ${many(count)} awkward letters

    node test/system/mailbox-main.ts ${count} ${seed}

${new Date().toISOString().slice(0, 10)} · project ${versionOf('git', ['rev-parse', '--short', 'HEAD'])} · Node ${process.version} · Postfix ${versionOf('postconf', ['-h', 'mail_version'])} · Linux ${release()} ${process.arch} · ${cpus().length} × ${cpus()[0]?.model ?? '?'} · seed ${seed}.

${many(count)} letters of ${many(sizes.reduce((sum, size) => sum + size, 0))} octets (the longest ${many(sizes.at(-1)!)}, half of them at most ${many(sizes[count >> 1]!)}), composed of ${shapeTitles.length} shapes
(\`test/system/letters.ts\`); ${many(letters.filter(({ octets }) => isOdd(octets)).length)} have a bare CR, a bare LF or a NUL. Each went into a sink ${many(deliveries.length / count)} times: with both settings of \`smtp.bare_newline\`, recipients verified early and late,
messages kept in memory, in a file, and on their way to the sink while they still came in (${many(streamedCount)} of them were), by DATA and by BDAT, in plaintext and inside TLS. What has to arrive is computed from the
letter by code that shares nothing with Sluice; what arrived is compared by SHA-256. ${many(storedCount)} messages came to the sink; ${many(expectedCount)} should have.

- **identical**: 250, and the sink has exactly these octets, once.
- **refused**: \`${replyTable.bodyNewline.text}\`, and the sink has nothing.
- **newlines**: 250, and the sink has exactly the normalized octets: CR LF for a bare LF, a space for a bare CR or a NUL.
- **else**: anything else.
- **Postfix**: through Sluice (\`normalize\`, by DATA and by BDAT in turn) the queue of Postfix holds the very octets that it holds when the
  letter comes straight from its sender; **untouched**: and these are the letter's own. Where they are not, Postfix itself ended a
  header that is none, cut a field of more than 100 kB, or the like.

| shape | letters | reject: identical | refused | else | normalize: identical | newlines | else | Postfix: as straight | untouched |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
${shapeTitles.map((title) => rowOf(title, (shapes) => shapes.includes(title))).join('\n')}
${rowOf('**all**', () => true)}

A letter counts in the row of each of its shapes. A shape that is harmless by itself stands beside refusals because other
shapes of the same letters are not.
`;
writeFileSync(new URL('../../results/mailbox.md', import.meta.url), text);
process.stdout.write(text);
