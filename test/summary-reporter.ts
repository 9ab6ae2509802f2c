/**
 * summary-reporter — ends a test run with one plain line: `N passed, N failed`
 *
 * Counts test cases. A file that could not be loaded and an error that no test caught count as failed too,
 * since a run with either is not a good one. Skipped tests are named and added to the line; where CI is set
 * they fail the run: a test that was left out there has proved nothing.
 */
import type { Reporter, TestModule } from 'vitest/node';

export interface Tally {
  readonly passed: number;
  readonly failed: number;
  /** `file > suite > test` of every test that was not run. */
  readonly skipped: readonly string[];
}

/** Counts what happened to the test cases of all files; `strayErrors` are errors outside any test. */
export function tally(modules: readonly TestModule[], strayErrors: number): Tally {
  let passed = 0;
  let failed = strayErrors;
  const skipped: string[] = [];
  for (const module of modules) {
    let failedHere = 0;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') passed += 1;
      else if (state === 'failed') failedHere += 1;
      else skipped.push(`${module.relativeModuleId} > ${test.fullName}`);
    }
    if (failedHere === 0 && module.state() === 'failed') failedHere = 1;
    failed += failedHere;
  }
  return { passed, failed, skipped };
}

/** The closing line. */
export function closingLine({ passed, failed, skipped }: Tally): string {
  const line = `${passed} passed, ${failed} failed`;
  return skipped.length === 0 ? line : `${line}, ${skipped.length} skipped`;
}

export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], strayErrors: readonly unknown[]): void {
    const counts = tally(modules, strayErrors.length);
    for (const name of counts.skipped) process.stdout.write(`skipped: ${name}\n`);
    if (counts.skipped.length > 0 && process.env['CI']) {
      process.stdout.write('CI is set: a skipped test fails the run\n');
      process.exitCode = 1;
    }
    process.stdout.write(`${closingLine(counts)}\n`);
  }
}
