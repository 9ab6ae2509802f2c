import { describe, expect, it } from 'vitest';
import { fieldOf } from '../../../src/config/config.ts';
import type { Config } from '../../../src/config/config.ts';
import type { Setting } from '../../../src/config/kinds.ts';
import { defaultConfig, parseConfig } from '../../../src/config/load.ts';
import { settings } from '../../../src/config/settings.ts';
import type { Entry } from '../../../src/config/settings.ts';
import { problemsOf } from './problems-of.ts';

const rows = Object.entries(settings as Readonly<Record<string, Entry>>).flatMap(
  ([key, entry]): [string, string, Setting][] =>
    'rows' in entry
      ? Object.entries(entry.rows).map(([name, row]) => [
          entry.kind === 'tables' ? `[[${key}]]\n` : `[${key}]\n`,
          name,
          row,
        ])
      : [['', key, entry]],
);
const reserved = rows.filter(([, , row]) => row.reserved !== undefined);

describe('the table of settings', () => {
  it.each(rows)('%s%s has a default within its bounds, and a sentence', (_header, _name, row) => {
    const faults: string[] = [];
    const value = row.read(row.fallback, (wrong) => faults.push(wrong));
    expect(faults).toEqual([]);
    if (row.reserved === undefined) expect(row.write(value)).toEqual(row.fallback);
    expect(row.doc).toMatch(/^[A-Za-z].*\.$/);
    expect(row.accepts).not.toMatch(/undefined|NaN/);
  });

  it.each(reserved)(
    '%s%s is reserved: its default is taken, anything else is refused plainly',
    (header, name, row) => {
      const inert = JSON.stringify(row.fallback).replace(
        '{"certificate":"","key":""}',
        '{ certificate = "", key = "" }',
      );
      expect(parseConfig(`${header}${name} = ${inert}\n`, 'x')).toEqual(defaultConfig());
      for (const value of ['"something"', '99', 'true', '["192.0.2.1"]', '{ key = "k" }']) {
        const [problem, ...rest] = problemsOf(`${header}${name} = ${value}\n`);
        expect(rest).toEqual([]);
        expect(problem).toContain(`: not in this version yet (it will be ${row.reserved}); want `);
      }
    },
  );

  it('reserves what the design names and this version does not do', () => {
    expect(reserved.map(([header, name]) => `${header.trim()} ${name}`.trim())).toEqual([
      '[cluster] redis',
      '[admin] address',
      '[admin] token_file',
      '[log] format',
    ]);
  });

  it('names the fields of the Config by the rule that the type has', () => {
    expect(fieldOf('greet_wait', 'duration')).toBe('greetWaitMs');
    expect(fieldOf('message_size_max', 'size')).toBe('messageSizeMaxBytes');
    expect(fieldOf('non_smtp_command', 'choice')).toBe('nonSmtpCommand');
    const config: Config = defaultConfig();
    expect(config.screen.greetWaitMs).toBe(6_000);
    expect(config.smtp.commandLineBytes).toBe(2_000);
    expect(config.listener).toEqual([
      { address: '0.0.0.0:25', proxyProtocol: 'off', trustedProxies: [], tls: { certificate: '', key: '' } },
    ]);
  });
});
