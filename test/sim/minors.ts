/**
 * minors — counts collections of the young generation while some work runs
 *
 * For processes of their own that gauge what a piece of code leaves to the garbage collector. They are started with a young
 * generation of a mebibyte (`gaugeFlags`), so that even a few bytes a step are seen.
 */
import { constants, PerformanceObserver } from 'node:perf_hooks';

/** Flags for V8 of a process that counts. */
export const gaugeFlags = ['--max-semi-space-size=1', '--min-semi-space-size=1'];

const startsMs: number[] = [];
const observer = new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    const detail = (entry as unknown as { detail: { kind: number } }).detail;
    if (detail.kind === constants.NODE_PERFORMANCE_GC_MINOR) startsMs.push(entry.startTime);
  }
});
observer.observe({ entryTypes: ['gc'] });

/** Minor collections while `work` runs; its code has been warmed up before. */
export async function minorsOf(work: () => void): Promise<number> {
  const fromMs = performance.now();
  work();
  const toMs = performance.now();
  // Observers are told behind the present round of the event loop.
  for (let round = 0; round < 5; round += 1) await new Promise((resolve) => setImmediate(resolve));
  return startsMs.filter((atMs) => atMs >= fromMs && atMs <= toMs).length;
}

const kept: object[] = [];

/** Allocates `count` small objects: a control that shows that the gauge sees anything at all. */
export function allocate(count: number): void {
  for (let at = 0; at < count; at += 1) kept[at & 7] = { at };
}
