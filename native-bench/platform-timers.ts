/**
 * platform-timers — the same crowd with setTimeout: one timer object each, one callback for all
 */
import { cpuClock, cpuNs, cpuNsSince, fillOrder, type Crowd } from './timer-crowd.ts';

type Operation = 'arm' | 'arm again' | 'refresh' | 'cancel';

const bell = new Int32Array(new SharedArrayBuffer(4));
const handles: (NodeJS.Timeout | undefined)[] = [];
let fired = 0;
let awaited = 0;
let allFired = (): void => undefined;

function onTime(): void {
  fired += 1;
  if (fired === awaited) allFired();
}

function fill(crowd: Crowd, part: number): void {
  for (let at = 0; at < crowd.size; at += 1) {
    const id = fillOrder(crowd, at);
    handles[id] = setTimeout(onTime, crowd.delaysMs[id]! / part);
  }
}

/** Goes through a crowd; CPU ns an operation. */
export function timersRound(crowd: Crowd): Record<Operation, number> {
  const { size, order, delaysMs } = crowd;
  const half = size >> 1;
  fired = 0;
  awaited = size;
  fill(crowd, 1);
  const refresh = cpuNs(() => {
    for (let at = 0; at < half; at += 1) handles[order[at]!]!.refresh();
  });
  const again = cpuNs(() => {
    for (let at = 0; at < half; at += 1) {
      clearTimeout(handles[order[at]!]);
      handles[order[at]!] = setTimeout(onTime, delaysMs[size + at]);
    }
  });
  const cancel = cpuNs(() => {
    for (let at = 0; at < half; at += 1) clearTimeout(handles[order[at]!]);
  });
  const arm = cpuNs(() => {
    for (let at = 0; at < half; at += 1) handles[order[at]!] = setTimeout(onTime, delaysMs[size + at]);
  });
  for (let id = 0; id < size; id += 1) clearTimeout(handles[id]);
  return { arm: arm / half, 'arm again': again / half, refresh: refresh / half, cancel: cancel / half };
}

/** Lets all timers of a crowd fire late at once; CPU ns a timer. */
export async function timersStalled(crowd: Crowd): Promise<Record<'fire, all late', number>> {
  fired = 0;
  awaited = crowd.size;
  const done = new Promise<void>((resolve) => (allFired = () => resolve()));
  fill(crowd, crowd.stall);
  Atomics.wait(bell, 0, 0, 400);
  const before = cpuClock();
  await done;
  return { 'fire, all late': cpuNsSince(before) / crowd.size };
}
