import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readPopulation, readSweeps } from '../../../src/cli/simulate-flags.ts';
import type { Sweep } from '../../../src/cli/simulate-flags.ts';
import { PLANS_MAX, plansOf } from '../../../src/cli/simulate-plans.ts';
import { ConfigError } from '../../../src/config/config-error.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-plans-'));
afterAll(() => rmSync(folder, { recursive: true }));

function sweepsOf(...texts: readonly string[]): readonly Sweep[] {
  const read = readSweeps(texts);
  if ('wrong' in read) throw new Error(read.wrong);
  return read.sweeps;
}

function wrongOf(...texts: readonly string[]): string {
  const read = readSweeps(texts);
  return 'wrong' in read ? read.wrong : '';
}

function problemsOf(run: () => unknown): readonly string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('a sweep', () => {
  it('has values as the file would spell them, each once', () => {
    expect(sweepsOf('shape.reply_delay=5s,15s,5s', 'limits.connections=1,50', 'pools.network=false')).toEqual(
      [
        { section: 'shape', key: 'reply_delay', values: ['5s', '15s'] },
        { section: 'limits', key: 'connections', values: [1, 50] },
        { section: 'pools', key: 'network', values: [false] },
      ],
    );
  });

  it.each([
    [
      'shape.reply_delai=5s',
      'there is no setting "shape.reply_delai" to sweep (did you mean shape.reply_delay?)',
    ],
    [
      'screen.reply_delay=5s',
      'there is no setting "screen.reply_delay" to sweep (did you mean shape.reply_delay?)',
    ],
    [
      'cluster.redis=a',
      'there is no setting "cluster.redis" to sweep; "sluice config example" prints all settings, of which lists cannot be swept',
    ],
    [
      'lists.slow=192.0.2.1',
      'there is no setting "lists.slow" to sweep; "sluice config example" prints all settings, of which lists cannot be swept',
    ],
    [
      'dnsxl.weight=3',
      'there is no setting "dnsxl.weight" to sweep; "sluice config example" prints all settings, of which lists cannot be swept',
    ],
    [
      '__proto__.x=3',
      'there is no setting "__proto__.x" to sweep; "sluice config example" prints all settings, of which lists cannot be swept',
    ],
    ['shape.reply_delay=5s,9', '--sweep shape.reply_delay: got "9", want a duration such as "15s"'],
    ['shape.reply_delay=1h', '--sweep shape.reply_delay: got "1h", want "0s" to "4min"'],
    ['limits.connections=', '--sweep limits.connections: got "", want a whole number, 1 to 1000000'],
    ['pools.network=maybe', '--sweep pools.network: got "maybe", want true or false'],
    [
      'screen.pregreet=drp',
      '--sweep screen.pregreet: got "drp", want "refuse" or "drop" or "ignore" (did you mean "drop"?)',
    ],
    [
      'reply_delay=5s',
      '--sweep "reply_delay=5s": want a setting and values, such as shape.reply_delay=5s,15s,30s',
    ],
    [
      'shape.reply_delay',
      '--sweep "shape.reply_delay": want a setting and values, such as shape.reply_delay=5s,15s,30s',
    ],
  ])('%s is told with advice', (text, says) => {
    expect(wrongOf(text)).toBe(says);
  });

  it('names a setting once', () => {
    expect(wrongOf('shape.reply_delay=5s', 'shape.reply_delay=6s')).toBe(
      'shape.reply_delay is swept twice: name all its values in one --sweep',
    );
  });
});

describe('a population', () => {
  it('is found by its name', () => {
    expect(readPopulation('2009')).toEqual({ name: '2009' });
  });

  it('that there is not is told with the one that may be meant, and with all that there are', () => {
    const read = readPopulation('mixt');
    expect('wrong' in read && read.wrong).toMatch(
      /^there is no population "mixt" \(did you mean mixed\?\); there are\n[^]*\n {2}patient +\S/,
    );
    expect(readPopulation('toString')).toHaveProperty('wrong');
  });
});

describe('plans', () => {
  it('without a file are the defaults with one DNS list of the weight from which a client is slowed', () => {
    const [{ name, config }, ...others] = plansOf('', []) as [ReturnType<typeof plansOf>[number]];
    expect(others).toEqual([]);
    expect(name).toBe('as configured');
    expect(config.dnsxl.map(({ weight }) => weight)).toEqual([config.dnsxlPolicy.slowAt]);
  });

  it('are all combinations of what is swept, the last one in the quickest turn', () => {
    const plans = plansOf('', sweepsOf('shape.reply_delay=5s,15s', 'screen.greet_wait=2s,6s'));
    expect(plans.map(({ name }) => name)).toEqual([
      'shape.reply_delay=5s screen.greet_wait=2s',
      'shape.reply_delay=5s screen.greet_wait=6s',
      'shape.reply_delay=15s screen.greet_wait=2s',
      'shape.reply_delay=15s screen.greet_wait=6s',
    ]);
    expect(plans.map(({ config }) => [config.shape.replyDelayMs, config.screen.greetWaitMs])).toEqual([
      [5_000, 2_000],
      [5_000, 6_000],
      [15_000, 2_000],
      [15_000, 6_000],
    ]);
  });

  it('keep everything else of the file', () => {
    const file = join(folder, 'kept.toml');
    writeFileSync(
      file,
      'hostname = "mx.example.net"\n[lists]\nslow = ["192.0.2.0/24"]\n[shape]\ndrip = "8B"\n',
    );
    const [plain] = plansOf(file, []);
    const [swept] = plansOf(file, sweepsOf('shape.reply_delay=1s'));
    expect(swept!.config).toEqual({
      ...plain!.config,
      shape: { ...plain!.config.shape, replyDelayMs: 1_000 },
    });
  });

  it('that a client would not sit out are refused under their name, as run does', () => {
    const [problem, ...others] = problemsOf(() =>
      plansOf('', sweepsOf('shape.reply_delay=4min', 'shape.timer_share=90')),
    );
    expect(others).toEqual([]);
    expect(problem).toMatch(/^shape\.reply_delay=4min shape\.timer_share=90: RCPT: a client may wait/);
  });

  it('that contradict themselves are told without a place in a file that nobody wrote', () => {
    const [problem] = problemsOf(() => plansOf('', sweepsOf('stress.enter=60')));
    expect(problem).toMatch(/^stress\.enter=60: stress\.\w+: /);
  });

  it('are bounded in number', () => {
    const many = Array.from({ length: PLANS_MAX + 1 }, (_, at) => at + 1).join();
    expect(problemsOf(() => plansOf('', sweepsOf(`limits.connections=${many}`)))).toEqual([
      `${PLANS_MAX + 1} plans are more than ${PLANS_MAX}: sweep fewer settings or values`,
    ]);
  });
});
