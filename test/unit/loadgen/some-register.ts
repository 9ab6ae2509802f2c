/**
 * some-register — a register written by hand, and the bots that its kinds name
 */
import type { Bot } from '../../../loadgen/bots/bot.ts';
import { Register } from '../../../loadgen/virtual/register.ts';

const bot = (name: string, honest: boolean): Bot => ({
  name,
  honest,
  start: () => undefined,
  react: () => undefined,
});

/** Kind 0 is honest, kinds 1 and 2 are zombies. */
export const someBots: readonly Bot[] = [bot('polite', true), bot('rustock', false), bot('climbot', false)];

interface Row {
  readonly kind: number;
  readonly known?: boolean;
  readonly leftMs?: number;
  readonly delayMs?: number;
  readonly bytesOut?: number;
  readonly messages?: number;
  readonly deliverMs?: number;
}

/** A register with these rows; what is left out never happened. */
export function registerOf(rows: readonly Row[]): Register {
  const register = new Register(rows.length);
  rows.forEach((row, serial) => {
    register.kinds[serial] = row.kind;
    register.known[serial] = row.known === true ? 1 : 0;
    register.leftMs[serial] = row.leftMs ?? -1;
    register.delayMs[serial] = row.delayMs ?? 0;
    register.bytesOut[serial] = row.bytesOut ?? 0;
    register.messages[serial] = row.messages ?? 0;
    register.deliverMs[serial] = row.deliverMs ?? -1;
  });
  return register;
}
