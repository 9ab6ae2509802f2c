/**
 * hunt-client-main — one process of clients of a hunt: every so manieth session of it
 *
 * Told by one argument, a `HuntShare` as JSON. Writes each `Told` as a line of JSON to a file and at its end a `HuntReport` to standard output.
 */
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';

import { playSession } from './hunt-client.ts';
import type { HuntPorts } from './hunt-client.ts';
import { planOf } from './hunt-plan.ts';
import type { HuntRules } from './hunt-plan.ts';

export interface HuntShare {
  readonly rules: HuntRules;
  readonly ports: HuntPorts;
  /** Sessions `first`, `first + step` … below `end`. */
  readonly first: number;
  readonly step: number;
  readonly end: number;
  readonly concurrency: number;
  /** No session begins later than this. */
  readonly msMax: number;
  readonly file: string;
}

export interface HuntReport {
  readonly sessions: number;
  /** How many left where, by `point/way`. */
  readonly left: Readonly<Record<string, number>>;
  readonly strange: readonly string[];
}

const STRANGE_MAX = 100;

const share = JSON.parse(process.argv[2] ?? '') as HuntShare;
const out = createWriteStream(share.file);
const left: Record<string, number> = {};
const strange: string[] = [];
const startMs = performance.now();
let next = share.first;
let sessions = 0;

async function work(): Promise<void> {
  while (next < share.end && performance.now() - startMs < share.msMax) {
    const plan = planOf(share.rules, next);
    next += share.step;
    sessions += 1;
    const played = await playSession(plan, share.ports);
    const key = `${played.leftAt}/${plan.abort.way}`;
    left[key] = (left[key] ?? 0) + 1;
    if (strange.length < STRANGE_MAX) strange.push(...played.strange);
    if (played.told.length > 0) out.write(`${played.told.map((told) => JSON.stringify(told)).join('\n')}\n`);
  }
}

await Promise.all(Array.from({ length: share.concurrency }, work));
out.end();
await once(out, 'finish');
process.stdout.write(JSON.stringify({ sessions, left, strange } satisfies HuntReport));
