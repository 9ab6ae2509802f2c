/**
 * families-main — `node test/sim/families-main.ts`: one crowd with planted families, its disconnect times as a picture
 *
 * Writes results/families.svg and results/families.md. On the virtual clock: the same seed gives the same figures anywhere.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { binOf, BINS, binStartMs } from '../../src/families/leaving.ts';
import { Labels } from '../../src/families/labels.ts';
import { Leaving, leavingIn, paceIn, phaseIn, Row, ROW_WORDS } from '../../src/families/leavings.ts';
import { familyTexts } from '../../src/primary/family-texts.ts';
import { LeavingHistograms } from '../../src/primary/leaving-times.ts';
import { fullNames } from '../../src/reputation/names.ts';
import { agePicture } from '../../loadgen/pictures/age-picture.ts';
import { ARRIVALS_MS, familyCrowd, JUDGED_FROM_MS, NAMED, NAMELESS } from './family-crowd.ts';
import { judgedOf, scoresOf } from './family-score.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '2009' },
    sessions: { type: 'string', default: '20000' },
    honest: { type: 'string', default: '2000' },
    out: { type: 'string', default: 'results/families' },
  },
});
const crowd = { seed: Number(values.seed), sessions: Number(values.sessions), honest: Number(values.honest) };
const world = familyCrowd(crowd);
const { families } = world;

/** Everybody who left by its own clock, with the family it has by what is known at the end. */
const labels = new Labels(families.table);
const aged: { readonly label: string; readonly ageMs: number }[] = [];
const ways = new Map<number, number>();
await LeavingHistograms.prepare();
const histograms = new LeavingHistograms();
for (const rows of world.leavings) {
  for (let at = 0; at < rows.length; at += ROW_WORDS) {
    const way = rows[at + Row.Way]!;
    const leaving = leavingIn(way);
    const ageMs = rows[at + Row.AgeMs]!;
    ways.set(leaving, (ways.get(leaving) ?? 0) + 1);
    histograms.record(phaseIn(way), paceIn(way), ageMs);
    if (leaving !== Leaving.Impatient && leaving !== Leaving.Silent) continue;
    const label = labels.nameOf(labels.numberOf(rows[at + Row.Dialect]!, leaving, ageMs));
    aged.push({ label, ageMs });
  }
}

const many = (value: number): string => value.toLocaleString('en');
const row = (...cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
const sec = (ms: number): string => (ms / 1000).toFixed(1);

const texts = familyTexts(families, fullNames);
const judged = judgedOf(world, JUDGED_FROM_MS);
const all = judgedOf(world, 0);
const command = `node test/sim/families-main.ts --seed ${crowd.seed} --sessions ${crowd.sessions} --honest ${crowd.honest}`;
const commit = execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], { encoding: 'utf8' }).trim();
const delivered = world.reports.filter(({ messages }) => messages > 0);
const wrong = delivered.filter(({ family }) => family !== '').length;
const groupOf = (label: string): Float64Array => {
  const counts = new Float64Array(BINS);
  for (const one of aged) if (one.label === label) counts[binOf(one.ageMs)]! += 1;
  return counts;
};
writeFileSync(
  `${values.out}.svg`,
  agePicture({
    groups: [
      { words: 'no family', counts: groupOf(''), isRest: true },
      ...texts.map(({ name, patience }) => ({ words: `${name}: ${patience}`, counts: groupOf(name) })),
    ],
    edgesMs: Array.from({ length: BINS + 1 }, (_, bin) => binStartMs(bin)),
    title: `When ${many(aged.length)} sessions left by their own clock`,
    under: `${many(crowd.sessions)} zombies of the population "families", ${many(crowd.honest)} honest senders, seed ${crowd.seed}`,
    axis: 'age at disconnect, logarithmic; sessions in each bin of 3 %',
  }),
);

const scoreRows = [...NAMED, ...NAMELESS, 'pregreeter', 'hasty', 'dripper', 'polite'].map((kind) => {
  const [score] = scoresOf(judged, [kind]);
  const whole = all.filter((one) => one.kind === kind);
  const { labels: own, sessions, precision, recall } = score!;
  const found = own.length > 0;
  return row(
    kind,
    own.join(', ') || 'none',
    sessions,
    found ? precision.toFixed(3) : '',
    found ? recall.toFixed(3) : '',
    found ? (whole.filter(({ label }) => own.includes(label)).length / whole.length).toFixed(3) : '',
  );
});
const text = `# Families: found without labels in one crowd

    ${command}

Node ${process.version}, V8 ${process.versions.v8}, commit ${commit}; two shards on the virtual clock, so time on the machine plays no part.
${many(crowd.sessions)} zombies (\`loadgen/populations.ts\`, \`families\`) and ${many(crowd.honest)} honest senders come within ${ARRIVALS_MS / 60_000} minutes; half of the zombies' networks are on the slow
list. ${many(world.reports.length)} sessions ended: ${many(ways.get(Leaving.Good) ?? 0)} had delivered or were of good standing, ${many(ways.get(Leaving.Neutral) ?? 0)} said QUIT or said no more than that,
${many(ways.get(Leaving.Impatient) ?? 0)} left by their own clock, ${many(ways.get(Leaving.Answering) ?? 0)} as an answer to what they heard, ${many(ways.get(Leaving.SentAway) ?? 0)} were sent away, ${many(ways.get(Leaving.Silent) ?? 0)} were silent for five minutes after a 550.

![When sessions left by their own clock](families.svg)

## Labels of the session log beside what the clients were

Sessions without mail that ended after ${JUDGED_FROM_MS / 60_000} minutes; before, Storm's five minutes of silence are not over once. Last column: the same over the whole run,
with all that ended before their family was known. Of ${many(delivered.length)} sessions with mail ${wrong === 0 ? 'none' : many(wrong)} had a label.

${row('kind', 'label', 'sessions', 'precision', 'recall', 'labelled of all')}
| --- | --- | ---: | ---: | ---: | ---: |
${scoreRows.join('\n')}

## The families, as \`sluice families\` lists them

${row('family', 'share', 'patience', 'dialect', 'networks')}
| --- | ---: | --- | --- | --- |
${texts
  .map((one) =>
    row(
      one.name,
      `${one.share.toFixed(1)} %`,
      one.patience,
      one.dialect,
      one.networks
        .slice(0, 2)
        .map(({ name }) => name)
        .join(' '),
    ),
  )
  .join('\n')}

## Seconds from the connection to the end, by stage and pace (HDR histograms)

${row('ended in', 'pace', 'sessions', '10 %', '50 %', '90 %', '99 %', 'last')}
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |
${histograms
  .times()
  .map((one) =>
    row(
      one.stage,
      one.pace,
      one.sessions,
      sec(one.p10_ms),
      sec(one.p50_ms),
      sec(one.p90_ms),
      sec(one.p99_ms),
      sec(one.max_ms),
    ),
  )
  .join('\n')}
`;
writeFileSync(`${values.out}.md`, text);
process.stdout.write(`${values.out}.md, ${values.out}.svg\n`);
