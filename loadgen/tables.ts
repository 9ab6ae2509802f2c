/**
 * tables — rows of results as text and as Markdown
 */

/** One way of writing a table; the first column holds names, the others figures. */
export type Table = (head: readonly string[], rows: readonly (readonly string[])[]) => string;

/** Columns of equal width, without a line feed at the end. */
export const plainTable: Table = (head, rows) => {
  const widths = head.map((cell, at) =>
    Math.max(cell.length, ...rows.map((row) => (row[at] as string).length)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] as number) : cell.padStart(widths[at] as number)))
      .join('  ')
      .trimEnd();
  return [line(head), ...rows.map(line)].join('\n');
};

/** The same as Markdown. */
export const markdownTable: Table = (head, rows) => {
  const line = (row: readonly string[]): string => `| ${row.join(' | ')} |`;
  const rule = head.map((_, at) => (at === 0 ? '---' : '---:'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
};

/** "870 ms", "21.0 s", "5.0 min". */
export function milliseconds(ms: number): string {
  if (ms < 1_000) return `${ms} ms`;
  return ms < 120_000 ? `${(ms / 1_000).toFixed(1)} s` : `${(ms / 60_000).toFixed(1)} min`;
}
