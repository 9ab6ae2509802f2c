/**
 * vitest.config — which tests there are, and in which order they may share the machine
 *
 * One project a folder, or half of one. Group 0 runs side by side: units, models, dialogues, simulation and the tidy test need no
 * socket and no clock. The other groups wait for the ones before. Tests of whole programs wait for timers most of the
 * time, so some files run side by side; ports are leased (test/system/process), and everything else that they start
 * lives in a directory or a namespace of its own. Files that load the machine, or look at how fast it is, run alone.
 */
import { defineConfig } from 'vitest/config';

const quickMs = 30_000;
const slowMs = 120_000;
const systemMs = 600_000;

const inFolder = (folder: string, names: readonly string[]): string[] =>
  names.map((name) => `test/${folder}/${name}.test.ts`);
/** Files that want the machine for themselves. */
const aloneEndToEnd = inFolder('end-to-end', ['burst', 'demo', 'flood', 'not-reading', 'nothing-waits']);
const aloneSystem = inFolder('system', ['dns-load', 'postfix-delivery', 'under-load']);

/**
 * One row a project: its files, when it runs, how many files at a time (undefined: as many as there are cores), how long one test
 * or hook may take.
 */
export const projectTable = [
  { name: 'unit', include: ['test/unit/**/*.test.ts'], group: 0, limitMs: quickMs },
  { name: 'models', include: ['test/models/**/*.test.ts'], group: 0, limitMs: quickMs },
  { name: 'dialogues', include: ['test/dialogues/**/*.test.ts'], group: 0, limitMs: slowMs },
  { name: 'sim', include: ['test/sim/**/*.test.ts'], group: 0, limitMs: slowMs },
  { name: 'tidy', include: ['test/*.test.ts'], group: 0, limitMs: quickMs },
  { name: 'transport', include: ['test/transport/**/*.test.ts'], group: 1, atOnce: 1, limitMs: slowMs },
  {
    name: 'end-to-end',
    include: ['test/end-to-end/**/*.test.ts'],
    exclude: aloneEndToEnd,
    group: 2,
    atOnce: 2,
    limitMs: slowMs,
  },
  {
    name: 'system',
    include: ['test/system/**/*.test.ts'],
    exclude: aloneSystem,
    group: 3,
    atOnce: 2,
    limitMs: systemMs,
  },
  { name: 'end-to-end-alone', include: aloneEndToEnd, group: 4, atOnce: 1, limitMs: slowMs },
  { name: 'system-alone', include: aloneSystem, group: 5, atOnce: 1, limitMs: systemMs },
] as const satisfies readonly Project[];

interface Project {
  readonly name: string;
  readonly include: readonly string[];
  readonly exclude?: readonly string[];
  readonly group: number;
  readonly atOnce?: number;
  readonly limitMs: number;
}

export default defineConfig({
  test: {
    reporters: ['default', './test/summary-reporter.ts'],
    projects: projectTable.map(({ name, include, exclude, group, atOnce, limitMs }: Project) => ({
      extends: true,
      test: {
        name,
        include: [...include],
        exclude: [...(exclude ?? [])],
        pool: 'forks' as const,
        testTimeout: limitMs,
        hookTimeout: limitMs,
        ...(atOnce === undefined ? {} : { maxWorkers: atOnce }),
        sequence: { groupOrder: group },
      },
    })),
  },
});
