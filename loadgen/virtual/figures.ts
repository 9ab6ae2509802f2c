/**
 * figures — what a run of a town comes to, as plain data
 *
 * Nothing in here hangs on the machine or the moment: the same order gives the same figures, to the last digit. A share of what
 * is not there is null. A session without a session (turned away for want of a slot) counts as gone at once.
 */
import type { Bot } from '../bots/bot.ts';
import { ascending, quantileOf } from './quantiles.ts';
import type { Register } from './register.ts';

/** Bins of the histogram of disconnect times, a second each; the last takes what is later. */
export const LEAVING_SECONDS = 601;

/** Milliseconds; null for nobody. */
export interface Times {
  readonly p50: number | null;
  readonly p99: number | null;
}

/** Honest sessions of one sort. */
export interface HonestFigures {
  readonly sessions: number;
  /** Sessions whose mail was accepted. */
  readonly delivered: number;
  /** What Sluice made them wait: delay_ms of the log. */
  readonly delayMs: Times;
  /** From the start of connecting to the 250; one that was not delivered takes for ever, an hour here. */
  readonly deliverMs: Times;
}

/** Zombies of one kind, or all. */
export interface ZombieFigures {
  readonly kind: string;
  readonly sessions: number;
  /** Sessions that ended before anything was delivered. */
  readonly gone: number;
  readonly goneShare: number | null;
  /** Median time from the connection to the end. */
  readonly leftMs: number | null;
  readonly messages: number;
  /** Hours that their connections were held. */
  readonly hours: number;
  readonly messagesPerHour: number | null;
  readonly slotSecPerSession: number | null;
  readonly bytesPerSession: number | null;
}

export interface Figures {
  readonly zombies: ZombieFigures;
  readonly kinds: readonly ZombieFigures[];
  readonly honest: {
    readonly all: HonestFigures;
    readonly known: HonestFigures;
    readonly unknown: HonestFigures;
    /** By kind of sender. */
    readonly kinds: readonly (HonestFigures & { readonly kind: string })[];
  };
  readonly slots: { readonly peak: number; readonly mean: number };
  /** Sessions with the label of a family in the log, the most frequent first. */
  readonly families: readonly { readonly name: string; readonly sessions: number }[];
  /** How many zombies left in which second with nothing delivered, by kind in the order of `kinds`. */
  readonly leaving: readonly (readonly number[])[];
  /** When the others left, all kinds together. */
  readonly leavingServed: readonly number[];
}

const NEVER_MS = 3_600_000;

/** Adds a register up. `bots`: those that its kinds name. */
export function figuresOf(register: Register, bots: readonly Bot[]): Figures {
  const serials = Array.from({ length: register.clients }, (_, serial) => serial);
  const zombies = serials.filter((serial) => !bots[register.kinds[serial]!]!.honest);
  const honest = serials.filter((serial) => bots[register.kinds[serial]!]!.honest);
  const kinds = [...bots.keys()].filter((kind) => !bots[kind]!.honest);
  const honestKinds = [...bots.keys()].filter((kind) => bots[kind]!.honest);
  const ofKind = kinds.map((kind) => zombies.filter((serial) => register.kinds[serial] === kind));
  return {
    zombies: zombieFigures('all', zombies, register),
    kinds: ofKind.map((some, at) => zombieFigures(bots[kinds[at]!]!.name, some, register)),
    honest: {
      all: honestFigures(honest, register),
      known: honestFigures(
        honest.filter((serial) => register.known[serial] === 1),
        register,
      ),
      unknown: honestFigures(
        honest.filter((serial) => register.known[serial] === 0),
        register,
      ),
      kinds: honestKinds.map((kind) => ({
        kind: bots[kind]!.name,
        ...honestFigures(
          honest.filter((serial) => register.kinds[serial] === kind),
          register,
        ),
      })),
    },
    slots: { peak: register.openMax, mean: register.openMean },
    families: [...register.families]
      .map(([name, sessions]) => ({ name, sessions }))
      .sort((one, other) => other.sessions - one.sessions || (one.name < other.name ? -1 : 1)),
    leaving: ofKind.map((some) =>
      leavingOf(
        some.filter((serial) => register.messages[serial] === 0),
        register,
      ),
    ),
    leavingServed: leavingOf(
      zombies.filter((serial) => register.messages[serial]! > 0),
      register,
    ),
  };
}

function zombieFigures(kind: string, serials: readonly number[], register: Register): ZombieFigures {
  const sessions = serials.length;
  let gone = 0;
  let messages = 0;
  let heldMs = 0;
  let bytes = 0;
  for (const serial of serials) {
    if (register.messages[serial] === 0) gone += 1;
    messages += register.messages[serial]!;
    heldMs += Math.max(0, register.leftMs[serial]!);
    bytes += register.bytesOut[serial]!;
  }
  const hours = heldMs / 3_600_000;
  const a = (sum: number, of: number): number | null => (of === 0 ? null : sum / of);
  return {
    kind,
    sessions,
    gone,
    goneShare: a(gone, sessions),
    leftMs: quantileOf(ascending(serials.map((serial) => Math.max(0, register.leftMs[serial]!))), 50),
    messages,
    hours,
    messagesPerHour: a(messages, hours),
    slotSecPerSession: a(heldMs / 1_000, sessions),
    bytesPerSession: a(bytes, sessions),
  };
}

function honestFigures(serials: readonly number[], register: Register): HonestFigures {
  const delays = ascending(serials.map((serial) => register.delayMs[serial]!));
  const deliveries = ascending(
    serials.map((serial) => (register.deliverMs[serial]! < 0 ? NEVER_MS : register.deliverMs[serial]!)),
  );
  const timesOf = (values: Float64Array): Times => ({
    p50: quantileOf(values, 50),
    p99: quantileOf(values, 99),
  });
  return {
    sessions: serials.length,
    delivered: serials.filter((serial) => register.deliverMs[serial]! >= 0).length,
    delayMs: timesOf(delays),
    deliverMs: timesOf(deliveries),
  };
}

function leavingOf(serials: readonly number[], register: Register): readonly number[] {
  const bins = Array.from({ length: LEAVING_SECONDS }, () => 0);
  for (const serial of serials) {
    const second = Math.floor(Math.max(0, register.leftMs[serial]!) / 1_000);
    bins[Math.min(second, LEAVING_SECONDS - 1)]! += 1;
  }
  return bins;
}
