import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dumpFile, exampleFile, settingsMarkdown } from '../../../src/config/describe.ts';
import { defaultConfig, parseConfig } from '../../../src/config/load.ts';
import { configSchema } from '../../../src/config/schema.ts';
import { settings } from '../../../src/config/settings.ts';
import type { Entry } from '../../../src/config/settings.ts';

describe('the example file', () => {
  it('is valid and says nothing but the defaults', () => {
    expect(parseConfig(exampleFile(), 'example.toml')).toEqual(defaultConfig());
  });

  it('stays valid when the lines of reserved keys are switched on', () => {
    const lines = exampleFile().split('\n');
    const reserved = lines.filter((line) => /^# [a-z_]+ = /.test(line));
    const rows = Object.values(settings as Readonly<Record<string, Entry>>).flatMap((entry) =>
      'rows' in entry ? Object.values(entry.rows) : [entry],
    );
    expect(reserved.length).toBe(rows.filter((row) => row.reserved !== undefined).length);
    const text = lines.map((line) => (reserved.includes(line) ? line.slice(2) : line)).join('\n');
    expect(parseConfig(text, 'example.toml')).toEqual(defaultConfig());
  });

  it('keeps its comments within the width of a terminal window', () => {
    expect(
      exampleFile()
        .split('\n')
        .filter((line) => line.length > 115),
    ).toEqual([]);
  });
});

describe('the dump', () => {
  it('reads back as the same Config', () => {
    const change = fc.record({
      hostname: fc.constantFrom('mx.example.net', 'a-b.example'),
      banner: fc.stringMatching(/^[ -~]{0,60}$/),
      directory: fc
        .string()
        .filter((text) => !text.includes('\0'))
        .map((text) => `/${text}`),
      greetWaitMs: fc.nat(240_000),
      memoryMaxBytes: fc.integer({ min: 64_000, max: 16_000_000_000 }),
      allow: fc.uniqueArray(fc.ipV4(), { maxLength: 4 }),
      ports: fc.uniqueArray(fc.integer({ min: 1, max: 9_999 }), { minLength: 1, maxLength: 4 }),
    });
    fc.assert(
      fc.property(change, ({ hostname, banner, directory, greetWaitMs, memoryMaxBytes, allow, ports }) => {
        const config = defaultConfig({
          hostname,
          listener: ports.map((port) => ({
            address: `0.0.0.0:${port}`,
            proxyProtocol: 'off',
            trustedProxies: [],
            tls: { certificate: '', key: '' },
          })),
          screen: { banner, greetWaitMs },
          spool: { directory, memoryMaxBytes },
          lists: { allow },
        });
        expect(parseConfig(dumpFile(config), 'dump.toml')).toEqual(config);
      }),
    );
  });
});

describe('the Markdown table', () => {
  it('has one row for each setting and four cells in each row', () => {
    const rows = settingsMarkdown().trimEnd().split('\n');
    const count = Object.values(settings).reduce(
      (sum, entry) => sum + ('rows' in entry ? Object.keys(entry.rows).length : 1),
      0,
    );
    expect(rows).toHaveLength(count + 2);
    expect(rows.filter((row) => row.split(/(?<!\\)\|/).length !== 6)).toEqual([]);
    expect(rows).toContain(
      '| `screen.greet_wait` | `"6s"` | 0s to 4min | Silence between the two halves of the greeting; who speaks in it has not waited for us. |',
    );
  });
});

describe('the JSON Schema', () => {
  it('knows every table and key, and no others', () => {
    const schema = configSchema() as {
      additionalProperties: boolean;
      properties: Record<string, Record<string, unknown>>;
    };
    expect(schema.additionalProperties).toBe(false);
    expect(Object.keys(schema.properties)).toEqual(Object.keys(settings));
    expect(schema.properties['screen']).toMatchObject({ type: 'object', additionalProperties: false });
    expect(schema.properties['screen']?.['properties']).toMatchObject({
      greet_wait: { type: 'string', pattern: '^[0-9]+(d|h|min|s|ms)$', default: '6s' },
      pregreet: { enum: ['refuse', 'drop', 'ignore'] },
    });
    expect(schema.properties['listener']).toMatchObject({
      type: 'array',
      items: { additionalProperties: false },
    });
    expect(JSON.stringify(schema)).not.toContain('reserved');
  });

  it('has patterns that take the defaults', () => {
    const faults: string[] = [];
    const look = (node: unknown): void => {
      if (typeof node !== 'object' || node === null) return;
      const { pattern, default: fallback } = node as { pattern?: unknown; default?: unknown };
      if (typeof pattern === 'string' && !new RegExp(pattern).test(String(fallback)))
        faults.push(`${pattern} ${String(fallback)}`);
      Object.values(node).forEach(look);
    };
    look(configSchema());
    expect(faults).toEqual([]);
  });
});
