/**
 * age-picture — a histogram of ages at disconnect as an SVG, written by hand
 *
 * Stacked bars over a logarithmic axis of seconds, one bar for each bin of families/leaving, one colour for each family.
 */
import { binOf, BINS, binStartMs } from '../../src/families/leaving.ts';

const WIDTH = 1_100;
const HEIGHT = 560;
const LEFT = 70;
const RIGHT = 20;
const TOP = 70;
const BOTTOM = 60;
const FROM_MS = 1_000;
const TO_MS = 600_000;
const TICKS_S = [1, 2, 3, 5, 10, 15, 21, 33, 47, 60, 100, 200, 300, 600];
const COLOURS = ['#d62728', '#1f77b4', '#2ca02c', '#9467bd', '#ff7f0e', '#17becf', '#8c564b', '#e377c2'];
const NOBODY = '#b8b8b8';

/** One session: the label of its family ('' for none) and its age. */
export interface Aged {
  readonly label: string;
  readonly ageMs: number;
}

const xOf = (ms: number): number =>
  LEFT + ((WIDTH - LEFT - RIGHT) * Math.log(ms / FROM_MS)) / Math.log(TO_MS / FROM_MS);

/** Most bars, so that the ticks of the other axis are round. */
function roundUp(count: number): number {
  const step = 10 ** Math.floor(Math.log10(Math.max(1, count)));
  return Math.ceil(count / step) * step;
}

/** The picture. `labels`: the families in the order of the legend, each with its words; `title` and `under` are sentences. */
export function agePicture(
  sessions: readonly Aged[],
  labels: readonly (readonly [string, string])[],
  title: string,
  under: string,
): string {
  const order = ['', ...labels.map(([label]) => label)];
  const counts = order.map(() => new Float64Array(BINS));
  for (const { label, ageMs } of sessions) counts[Math.max(0, order.indexOf(label))]![binOf(ageMs)]! += 1;
  const totals = Array.from({ length: BINS }, (_, bin) => counts.reduce((sum, one) => sum + one[bin]!, 0));
  const most = roundUp(Math.max(...totals));
  const heightOf = (count: number): number => ((HEIGHT - TOP - BOTTOM) * count) / most;
  const colourOf = (place: number): string => (place === 0 ? NOBODY : COLOURS[(place - 1) % COLOURS.length]!);
  const bars: string[] = [];
  for (let bin = binOf(FROM_MS); bin <= binOf(TO_MS); bin++) {
    let y = HEIGHT - BOTTOM;
    const x = Math.max(LEFT, xOf(binStartMs(bin)));
    const width = xOf(binStartMs(bin + 1)) - x;
    for (const [place, column] of counts.entries()) {
      if (column[bin] === 0) continue;
      const height = heightOf(column[bin]!);
      y -= height;
      bars.push(
        `<rect x="${x.toFixed(2)}" y="${y.toFixed(2)}" width="${width.toFixed(2)}" height="${height.toFixed(2)}" fill="${colourOf(place)}"/>`,
      );
    }
  }
  const ticks = TICKS_S.map((sec) => {
    const x = xOf(sec * 1_000).toFixed(1);
    return (
      `<line x1="${x}" y1="${HEIGHT - BOTTOM}" x2="${x}" y2="${HEIGHT - BOTTOM + 6}" stroke="#333"/>` +
      `<text x="${x}" y="${HEIGHT - BOTTOM + 22}" text-anchor="middle">${sec} s</text>`
    );
  });
  const lines = [0, 1, 2, 3, 4].map((quarter) => {
    const count = (most * quarter) / 4;
    const y = (HEIGHT - BOTTOM - heightOf(count)).toFixed(1);
    return (
      `<line x1="${LEFT}" y1="${y}" x2="${WIDTH - RIGHT}" y2="${y}" stroke="#ddd"/>` +
      `<text x="${LEFT - 8}" y="${Number(y) + 4}" text-anchor="end">${Math.round(count)}</text>`
    );
  });
  const legend = [['', 'no family'] as const, ...labels].map(([label, words], place) => {
    const y = TOP + 4 + place * 20;
    const text = label === '' ? words : `${label}: ${words}`;
    return (
      `<rect x="${LEFT + 16}" y="${y}" width="12" height="12" fill="${colourOf(place)}"/>` +
      `<text x="${LEFT + 34}" y="${y + 11}">${escaped(text)}</text>`
    );
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${LEFT}" y="28" font-size="18">${escaped(title)}</text>`,
    `<text x="${LEFT}" y="48" fill="#555">${escaped(under)}</text>`,
    ...lines,
    ...bars,
    ...ticks,
    ...legend,
    `<text x="${WIDTH / 2}" y="${HEIGHT - 14}" text-anchor="middle">age at disconnect, logarithmic; sessions in each bin of 3 %</text>`,
    '</svg>',
    '',
  ].join('\n');
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
