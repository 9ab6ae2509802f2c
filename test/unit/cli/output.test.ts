import { describe, expect, it } from 'vitest';
import { aligned } from '../../../src/cli/output.ts';

describe('aligned', () => {
  it('makes columns as wide as their widest cell, and leaves no space at the end', () => {
    expect(
      aligned([
        ['a', 'bbb', 'c'],
        ['long', 'b', 'cc'],
        ['x', 'y', ''],
      ]),
    ).toBe('a     bbb  c\nlong  b    cc\nx     y\n');
  });
});
