/**
 * age-picture — a histogram of ages at disconnect as an SVG, written by hand
 *
 * Stacked bars over a logarithmic axis of seconds, one colour for each group of sessions. How wide bins are is the caller's
 * choice: by the logarithm for families (test/sim/families-main), a second each for a simulated town.
 */
import { COLOURS, escaped, GREY, roundUp, svgOf } from './svg.ts';

const WIDTH = 1_100;
const HEIGHT = 560;
const LEFT = 70;
const RIGHT = 20;
const TOP = 70;
const BOTTOM = 60;
const FROM_MS = 1_000;
const TO_MS = 600_000;
const TICKS_S = [1, 2, 3, 5, 10, 15, 21, 33, 47, 60, 100, 200, 300, 600];

/** Sessions that have one colour. */
export interface Group {
  readonly words: string;
  /** How many in each bin. */
  readonly counts: ArrayLike<number>;
  /** Those that belong to nobody are grey. */
  readonly isRest?: boolean;
}

export interface AgePicture {
  /** The first stands lowest. */
  readonly groups: readonly Group[];
  /** Where bins begin, and where the last one ends. */
  readonly edgesMs: readonly number[];
  readonly title: string;
  readonly under: string;
  /** What the axes say. */
  readonly axis: string;
}

const xOf = (ms: number): number =>
  LEFT + ((WIDTH - LEFT - RIGHT) * Math.log(ms / FROM_MS)) / Math.log(TO_MS / FROM_MS);

/** The picture. What was younger than a second, or older than ten minutes, is not on it. */
export function agePicture({ groups, edgesMs, title, under, axis }: AgePicture): string {
  const colours = groups.map(({ isRest }, place) =>
    isRest === true
      ? GREY
      : COLOURS[groups.slice(0, place).filter((one) => one.isRest !== true).length % COLOURS.length]!,
  );
  const bins = [...edgesMs.keys()].filter((bin) => edgesMs[bin + 1]! > FROM_MS && edgesMs[bin]! < TO_MS);
  const totals = bins.map((bin) => groups.reduce((sum, { counts }) => sum + counts[bin]!, 0));
  const most = Math.max(4, roundUp(Math.max(0, ...totals)));
  const heightOf = (count: number): number => ((HEIGHT - TOP - BOTTOM) * count) / most;
  const bars: string[] = [];
  for (const bin of bins) {
    let y = HEIGHT - BOTTOM;
    const x = Math.max(LEFT, xOf(edgesMs[bin]!));
    const width = Math.min(WIDTH - RIGHT, xOf(edgesMs[bin + 1]!)) - x;
    for (const [place, { counts }] of groups.entries()) {
      if (counts[bin] === 0) continue;
      const height = heightOf(counts[bin]!);
      y -= height;
      bars.push(
        `<rect x="${x.toFixed(2)}" y="${y.toFixed(2)}" width="${width.toFixed(2)}" height="${height.toFixed(2)}" fill="${colours[place]}"/>`,
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
  const legend = groups.map(({ words }, place) => {
    const y = TOP + 4 + place * 20;
    return (
      `<rect x="${LEFT + 16}" y="${y}" width="12" height="12" fill="${colours[place]}"/>` +
      `<text x="${LEFT + 34}" y="${y + 11}">${escaped(words)}</text>`
    );
  });
  const below = `<text x="${WIDTH / 2}" y="${HEIGHT - 14}" text-anchor="middle">${escaped(axis)}</text>`;
  return svgOf(WIDTH, HEIGHT, LEFT, title, under, [...lines, ...bars, ...ticks, ...legend, below]);
}
