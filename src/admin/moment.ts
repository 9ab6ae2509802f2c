/**
 * moment — seconds since 1970 as they are told and read: 2026-11-25T09:40:00Z
 */

/** A moment as text. */
export function textOfSec(sec: number): string {
  return `${new Date(sec * 1000).toISOString().slice(0, 19)}Z`;
}

/** The seconds of a moment; undefined for any other text or a moment that fits no 32 bits. */
export function secOfText(text: unknown): number | undefined {
  if (typeof text !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text)) return undefined;
  const sec = Date.parse(text) / 1000;
  return sec >= 0 && sec < 2 ** 32 ? sec : undefined;
}
