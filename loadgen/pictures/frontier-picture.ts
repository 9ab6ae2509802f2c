/**
 * frontier-picture — plans as points: how many zombies are gone, beside what that costs
 *
 * Two panels with one upright axis: on the left what zombies cost (seconds of a slot each), on the right what honest mail pays
 * (connect to 250, 99 of 100). Plans that nobody has to consider are hollow; the others are full and numbered as in the table.
 * Crosses reach from the smallest to the largest value over the seeds.
 */
import type { Outcome, Spread } from '../virtual/frontier.ts';
import { COLOURS, escaped, GREY, roundStep, svgOf } from './svg.ts';

const WIDTH = 1_100;
const LEFT = 70;
const TOP = 80;
const PANEL_WIDTH = 470;
const PANEL_HEIGHT = 400;
const GAP = 70;
const ROW = 18;
const NAMED_MAX = 40;

/** A plan with what it came to. */
export interface Point {
  readonly number: number;
  readonly name: string;
  readonly isOnFrontier: boolean;
  readonly outcome: Outcome;
}

interface Axis {
  readonly from: number;
  readonly to: number;
  readonly ticks: readonly number[];
}

/** The picture. `title` and `under` are sentences. */
export function frontierPicture(points: readonly Point[], title: string, under: string): string {
  const upright = axisOf(points.map(({ outcome }) => percentOf(outcome.goneShare)));
  const panels = [
    panel(points, upright, 0, 'seconds of a slot for each zombie', ({ slotSec }) => slotSec),
    panel(points, upright, 1, 'seconds from connecting to 250, 99 of 100 honest messages', ({ honestMs }) =>
      scaled(honestMs, 1 / 1_000),
    ),
  ];
  const top = TOP + PANEL_HEIGHT + 70;
  const named = points.filter(({ isOnFrontier }) => isOnFrontier).slice(0, NAMED_MAX);
  const names = named.map(({ number, name }, row) => {
    const x = LEFT + (row % 2) * (PANEL_WIDTH + GAP);
    return `<text x="${x}" y="${top + ROW * Math.floor(row / 2)}">${number}: ${escaped(name)}</text>`;
  });
  const turned = `rotate(-90 18 ${TOP + PANEL_HEIGHT / 2})`;
  const side = `<text x="18" y="${TOP + PANEL_HEIGHT / 2}" text-anchor="middle" transform="${turned}">percent of zombies gone before delivery</text>`;
  const height = top + ROW * Math.ceil(named.length / 2);
  return svgOf(WIDTH, height, LEFT, title, under, [...panels.flat(), side, ...names]);
}

function panel(
  points: readonly Point[],
  upright: Axis,
  place: 0 | 1,
  words: string,
  spreadOf: (outcome: Outcome) => Spread,
): string[] {
  const left = LEFT + place * (PANEL_WIDTH + GAP);
  const bottom = TOP + PANEL_HEIGHT;
  const across = axisOf(points.map(({ outcome }) => spreadOf(outcome)));
  const xOf = (value: number): number =>
    left + (PANEL_WIDTH * (value - across.from)) / (across.to - across.from);
  const yOf = (value: number): number =>
    bottom - (PANEL_HEIGHT * (value - upright.from)) / (upright.to - upright.from);
  const parts: string[] = [];
  for (const y of upright.ticks) {
    parts.push(
      `<line x1="${left}" y1="${yOf(y).toFixed(1)}" x2="${left + PANEL_WIDTH}" y2="${yOf(y).toFixed(1)}" stroke="#ddd"/>`,
      `<text x="${left - 8}" y="${(yOf(y) + 4).toFixed(1)}" text-anchor="end">${shown(y)}</text>`,
    );
  }
  for (const x of across.ticks) {
    parts.push(
      `<line x1="${xOf(x).toFixed(1)}" y1="${bottom}" x2="${xOf(x).toFixed(1)}" y2="${bottom + 6}" stroke="#333"/>`,
      `<text x="${xOf(x).toFixed(1)}" y="${bottom + 20}" text-anchor="middle">${shown(x)}</text>`,
    );
  }
  parts.push(`<text x="${left + PANEL_WIDTH / 2}" y="${bottom + 40}" text-anchor="middle">${words}</text>`);
  // Those that matter lie above the others.
  for (const { number, isOnFrontier, outcome } of points.toSorted(
    (one, other) => Number(one.isOnFrontier) - Number(other.isOnFrontier),
  )) {
    const gone = percentOf(outcome.goneShare);
    const cost = spreadOf(outcome);
    const x = xOf(cost.mean).toFixed(1);
    const y = yOf(gone.mean).toFixed(1);
    const colour = isOnFrontier ? COLOURS[1] : GREY;
    parts.push(
      `<path d="M${xOf(cost.min).toFixed(1)} ${y}H${xOf(cost.max).toFixed(1)}M${x} ${yOf(gone.min).toFixed(1)}V${yOf(gone.max).toFixed(1)}" stroke="${colour}" stroke-opacity="0.5"/>`,
      `<circle cx="${x}" cy="${y}" r="5" fill="${isOnFrontier ? colour : '#fff'}" stroke="${colour}"/>`,
    );
    if (isOnFrontier) parts.push(`<text x="${Number(x) + 8}" y="${Number(y) - 6}">${number}</text>`);
  }
  return parts;
}

/** Round ticks around all values. */
function axisOf(spreads: readonly Spread[]): Axis {
  const low = Math.min(...spreads.map(({ min }) => min));
  const high = Math.max(...spreads.map(({ max }) => max));
  const step = roundStep(Math.max((high - low) / 6, high / 50));
  const first = Math.floor(low / step);
  const last = Math.max(first + 1, Math.ceil(high / step));
  const ticks = Array.from({ length: last - first + 1 }, (_, at) => (first + at) * step);
  return { from: ticks[0]!, to: ticks.at(-1)!, ticks };
}

const scaled = ({ mean, min, max }: Spread, by: number): Spread => ({
  mean: mean * by,
  min: min * by,
  max: max * by,
});
const percentOf = (spread: Spread): Spread => scaled(spread, 100);
const shown = (value: number): string => String(Number(value.toPrecision(3)));
