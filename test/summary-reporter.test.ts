import { expect, test } from 'vitest';
import type { TestModule } from 'vitest/node';
import { closingLine, tally } from './summary-reporter.ts';

/** A file as vitest reports it, with one test for each state. */
function fileOf(states: readonly string[], state = 'passed'): TestModule {
  const tests = states.map((each, index) => ({ fullName: `t${index}`, result: () => ({ state: each }) }));
  return {
    relativeModuleId: 'a.test.ts',
    state: () => state,
    children: { allTests: () => tests },
  } as unknown as TestModule;
}

test('the closing line counts test cases over all files', () => {
  const counts = tally([fileOf(['passed', 'passed', 'failed'], 'failed'), fileOf(['passed'])], 0);
  expect(closingLine(counts)).toBe('3 passed, 1 failed');
});

test('a file that could not be loaded and an error outside any test count as failed', () => {
  expect(closingLine(tally([fileOf([], 'failed')], 1))).toBe('0 passed, 2 failed');
});

test('a skipped test, and one that never ran, is named and added to the line', () => {
  const counts = tally([fileOf(['skipped', 'pending', 'passed'])], 0);
  expect(closingLine(counts)).toBe('1 passed, 0 failed, 2 skipped');
  expect(counts.skipped).toEqual(['a.test.ts > t0', 'a.test.ts > t1']);
});
