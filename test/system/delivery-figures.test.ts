/**
 * The programs that measure delivery, in runs too small for a figure: every part works, and a page comes out.
 */
import { describe, expect, test } from 'vitest';
import { fileURLToPath } from 'node:url';

import { run } from './process.ts';

const figures = (name: string, ...words: readonly string[]): ReturnType<typeof run> =>
  run(process.execPath, [
    fileURLToPath(new URL(`../../native-bench/${name}.ts`, import.meta.url)),
    '--set',
    'screen.greet_wait = "50ms"',
    '--out',
    '',
    ...words,
  ]);

describe('a tiny run', () => {
  test('of the throughput has a line for each way and shape', async () => {
    const { code, stdout, stderr } = await figures(
      'throughput',
      '--messages',
      '20',
      '--rounds',
      '1',
      '--warm',
      '20',
    );
    expect(stderr).not.toContain('Error');
    expect(code).toBe(0);
    const lines = stdout.toString().match(/^\| 1 \| (one|many) messages? a connection \| .* \| 20 \|.*$/gm);
    expect(lines).toHaveLength(8);
  });

  test('of the fast path counts every round trip, straight and through Sluice', async () => {
    const { code, stdout, stderr } = await figures('fast-path', '--blocks', '2', '--warm', '1');
    expect(stderr).not.toContain('Error');
    expect(code).toBe(0);
    const page = stdout.toString();
    for (const backend of ['Postfix', 'sink'])
      for (const way of ['straight', 'through Sluice'])
        expect(page).toContain(`| ${backend} | RCPT, further | ${way} | 98 |`);
  });
});
