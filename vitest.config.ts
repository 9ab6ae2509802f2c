/**
 * vitest.config — which tests there are, and in which order they may share the machine
 *
 * One project a folder. Group 0 runs side by side: units, models, dialogues, simulation and the tidy test
 * need no socket and no clock. The other groups wait for the ones before and run one file at a time, since
 * they open ports, start processes and would only measure each other.
 */
import { defineConfig } from 'vitest/config';

const quickMs = 30_000;
const slowMs = 120_000;
const systemMs = 600_000;

/** One row a project: its folder's files, when it runs, how long one test or hook may take. */
export const projectTable = [
  { name: 'unit', include: ['test/unit/**/*.test.ts'], group: 0, limitMs: quickMs },
  { name: 'models', include: ['test/models/**/*.test.ts'], group: 0, limitMs: quickMs },
  { name: 'dialogues', include: ['test/dialogues/**/*.test.ts'], group: 0, limitMs: slowMs },
  { name: 'sim', include: ['test/sim/**/*.test.ts'], group: 0, limitMs: slowMs },
  { name: 'tidy', include: ['test/*.test.ts'], group: 0, limitMs: quickMs },
  { name: 'transport', include: ['test/transport/**/*.test.ts'], group: 1, limitMs: slowMs },
  { name: 'end-to-end', include: ['test/end-to-end/**/*.test.ts'], group: 2, limitMs: slowMs },
  { name: 'system', include: ['test/system/**/*.test.ts'], group: 3, limitMs: systemMs },
] as const;

export default defineConfig({
  test: {
    reporters: ['default', './test/summary-reporter.ts'],
    projects: projectTable.map((project) => ({
      extends: true,
      test: {
        name: project.name,
        include: [...project.include],
        pool: 'forks' as const,
        testTimeout: project.limitMs,
        hookTimeout: project.limitMs,
        fileParallelism: project.group === 0,
        sequence: { groupOrder: project.group },
      },
    })),
  },
});
