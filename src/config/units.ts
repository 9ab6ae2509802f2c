/**
 * units — durations and sizes as an operator writes them
 *
 * "6s" is read as 6,000 milliseconds, "256kB" as 256,000 bytes: a whole number and a unit, nothing else.
 * Fractions and sums ("1.5h", "1min30s") are not read, so that every value has one obvious spelling. What is
 * nearly right ("5 minutes", "256KB") is refused with the right spelling beside it, never guessed.
 *
 * In: text of a file.   Out: milliseconds or bytes, or undefined.   Cost: a few string operations, at load only.
 */

/** Milliseconds in each unit of time, largest first. */
const durationUnits = { d: 86_400_000, h: 3_600_000, min: 60_000, s: 1_000, ms: 1 } as const;

/** Bytes in each unit of size; decimal units before binary ones, larger before smaller. */
const sizeUnits = {
  GB: 1_000_000_000,
  MB: 1_000_000,
  kB: 1_000,
  GiB: 1_073_741_824,
  MiB: 1_048_576,
  KiB: 1_024,
  B: 1,
} as const;

/** What people write instead of a unit of time. */
const durationHabits = new Map([
  ...['millisecond', 'milliseconds', 'msec', 'msecs'].map((word) => [word, 'ms'] as const),
  ...['sec', 'secs', 'second', 'seconds'].map((word) => [word, 's'] as const),
  ...['m', 'mn', 'mins', 'minute', 'minutes'].map((word) => [word, 'min'] as const),
  ...['hr', 'hrs', 'hour', 'hours'].map((word) => [word, 'h'] as const),
  ...['day', 'days'].map((word) => [word, 'd'] as const),
]);

/** What people write instead of a unit of size. */
const sizeHabits = new Map([
  ...['byte', 'bytes'].map((word) => [word, 'B'] as const),
  ...['k', 'kilobytes'].map((word) => [word, 'kB'] as const),
  ...['m', 'megabytes'].map((word) => [word, 'MB'] as const),
  ...['g', 'gigabytes'].map((word) => [word, 'GB'] as const),
  ...Object.keys(sizeUnits).map((unit) => [unit.toLowerCase(), unit] as const),
]);

/** The shape of a duration, for editors (JSON Schema). */
export const durationPattern = `^[0-9]+(${Object.keys(durationUnits).join('|')})$`;

/** The shape of a size, for editors (JSON Schema). */
export const sizePattern = `^[0-9]+(${Object.keys(sizeUnits).join('|')})$`;

function read(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^([0-9]{1,16})([A-Za-z]+)$/.exec(text);
  const unit = match?.[2];
  if (match === null || unit === undefined || !Object.hasOwn(units, unit)) return undefined;
  const amount = Number(match[1]) * (units[unit] ?? Number.NaN);
  return Number.isSafeInteger(amount) ? amount : undefined;
}

function write(amount: number, units: Readonly<Record<string, number>>, zero: string): string {
  if (amount === 0) return zero;
  for (const [unit, worth] of Object.entries(units)) {
    if (amount % worth === 0) return `${amount / worth}${unit}`;
  }
  throw new RangeError(`${amount} is not a whole amount`);
}

/** Milliseconds of "500ms", "6s", "5min", "2h" or "30d"; undefined for anything else. */
export function readDuration(text: string): number | undefined {
  return read(text, durationUnits);
}

/** The shortest spelling of a whole number of milliseconds: 300000 is "5min". */
export function writeDuration(ms: number): string {
  return write(ms, durationUnits, '0s');
}

/** Bytes of "512B", "256kB", "1MB", "1GB", "64KiB", "1MiB" or "1GiB"; undefined for anything else. */
export function readSize(text: string): number | undefined {
  return read(text, sizeUnits);
}

/** The shortest spelling of a whole number of bytes: 256000 is "256kB", 65536 is "64KiB". */
export function writeSize(bytes: number): string {
  return write(bytes, sizeUnits, '0B');
}

function guess(text: string, habits: ReadonlyMap<string, string>): string | undefined {
  const match = /^ {0,3}([0-9]{1,15}) {0,3}([A-Za-z]{1,12}) {0,3}$/.exec(text);
  if (match === null) return undefined;
  const word = match[2] ?? '';
  const unit = habits.get(word) ?? habits.get(word.toLowerCase());
  return unit === undefined ? undefined : `${match[1]}${unit}`;
}

/** The duration that "5 minutes" or "6sec" was meant to be, or undefined. */
export function guessDuration(text: string): string | undefined {
  const units = Object.keys(durationUnits).map((unit) => [unit, unit] as const);
  return guess(text, new Map([...durationHabits, ...units]));
}

/** The size that "256KB" or "1 mb" was meant to be, or undefined. */
export function guessSize(text: string): string | undefined {
  return guess(text, sizeHabits);
}
