/**
 * svg — what pictures written by hand have in common
 */

/** Colours of things that are told apart. */
export const COLOURS = [
  '#d62728',
  '#1f77b4',
  '#2ca02c',
  '#9467bd',
  '#ff7f0e',
  '#17becf',
  '#8c564b',
  '#e377c2',
  '#bcbd22',
  '#393b79',
  '#637939',
  '#8c6d31',
];
/** The colour of the rest. */
export const GREY = '#b8b8b8';

/** A text as it may stand in SVG. */
export function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** A whole file: white, a title, a line below it, and what is in it. */
export function svgOf(
  width: number,
  height: number,
  left: number,
  title: string,
  under: string,
  parts: readonly string[],
): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${left}" y="28" font-size="18">${escaped(title)}</text>`,
    `<text x="${left}" y="48" fill="#555">${escaped(under)}</text>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

/** The top of an axis with four parts: the next number that is not smaller and whose quarters are round. */
export function roundUp(value: number): number {
  return nextOf([1, 1.2, 1.6, 2, 2.4, 3.2, 4, 4.8, 6, 8, 10], value);
}

/** The next step of an axis that is not smaller: 1, 2 or 5 and a power of ten. */
export function roundStep(value: number): number {
  return nextOf([1, 2, 5, 10], value);
}

function nextOf(digits: readonly number[], value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return (digits.find((digit) => digit * power >= value * (1 - 1e-9)) ?? 10) * power;
}
