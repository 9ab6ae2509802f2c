/**
 * output — text on the terminal
 *
 * A reader that goes away (`sluice config example | head -1`) is no fault: what is left is dropped in silence.
 * A server goes on as well when the reader of its log is gone. Any other failure to write (a full disk) makes
 * the exit code 1.
 */
import { exitCodes } from './exit.ts';

/** Writes a text that ends in a line feed to standard output. */
export function print(text: string): void {
  process.stdout.write(text);
}

/** Writes a text that ends in a line feed to standard error. */
export function complain(text: string): void {
  process.stderr.write(text);
}

/** Keeps a failing standard output or error from ending the process. */
export function tolerateLostReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.off('error', onLost).on('error', onLost);
}

function onLost(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') process.exitCode = exitCodes.failed;
}

/** A text in which nothing is left that could move a cursor or begin a line: what is not printable ASCII is \\u00HH. */
export function printable(text: string): string {
  return text.replace(/[^ -~]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A value as JSON in printable ASCII, with a line feed. */
export function jsonText(value: unknown): string {
  return `${printable(JSON.stringify(value))}\n`;
}

/** Rows as columns of equal width, the first row as the heading; two spaces between columns. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}
