import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exported, imported } from '../../../src/admin/transfer.ts';
import type { ImportReport } from '../../../src/admin/transfer.ts';
import { defaultConfig } from '../../../src/config/load.ts';
import { openNames } from '../../../src/io/client-names.ts';
import type { Inside } from '../../../src/primary/inside.ts';
import { Kind } from '../../../src/reputation/keys.ts';
import { Mark } from '../../../src/reputation/layout.ts';
import { fullNames, truncatedNames } from '../../../src/reputation/names.ts';
import type { Names } from '../../../src/reputation/names.ts';
import { signals } from '../../../src/reputation/signals.ts';
import type { SignalName } from '../../../src/reputation/signals.ts';
import { entryOf, insideOf, note, NOW } from './table-with.ts';

async function textOf(inside: Inside): Promise<string> {
  let text = '';
  for await (const part of exported(inside.memory.table, inside.names, () => NOW)) text += part;
  return text;
}

async function* pieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function take(inside: Inside, text: string, size = 65_536): Promise<ImportReport> {
  return imported(inside.memory.table, inside.names, () => NOW, pieces(text, size));
}

const sorted = (text: string): string[] => text.split('\n').toSorted();

const hmac = (secret: string): Names =>
  openNames(defaultConfig({ privacy: { logIp: 'hmac', keyFile: '/x' } }), Buffer.from(secret));

const line = (change: object = {}): string =>
  `${JSON.stringify({
    kind: 'host',
    name: '192.0.2.7',
    first_seen: '2026-09-21T00:00:00Z',
    seen: '2026-09-21T10:00:00Z',
    mark: 'none',
    mark_until: null,
    passes: {},
    signals: [{ signal: 'pregreet', observations: 1, at: '2026-09-21T10:00:00Z' }],
    ...change,
  })}\n`;

describe('export and import', () => {
  it('carry every word that matters: what was taken in gives the same lines again', async () => {
    const anyNote = fc.tuple(
      fc.constantFrom(...(Object.keys(signals) as SignalName[])),
      fc.constantFrom(Kind.Host, Kind.Network),
      fc.nat(8),
      fc.nat(40 * 86_400),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyNote, { maxLength: 80 }),
        fc.integer({ min: 1, max: 300 }),
        async (notes, size) => {
          const inside = insideOf();
          for (const [signal, kind, host, agoSec] of notes.toSorted((a, b) => b[3] - a[3]))
            note(inside, kind, `192.0.${host}.7`, signal, agoSec);
          inside.memory.table.pass(entryOf(inside, Kind.Host, '192.0.1.7'), 5, NOW + 1_000);
          inside.memory.table.mark(entryOf(inside, Kind.Host, '192.0.2.7'), Mark.Allow, 0);
          inside.memory.table.mark(entryOf(inside, Kind.Network, '192.0.2.7'), Mark.Deny, NOW + 1_000);
          const text = await textOf(inside);
          const other = insideOf();
          for (let times = 0; times < 2; times += 1) {
            const report = await take(other, text, size);
            expect(report).toMatchObject({ left_out: 0, no_room: 0, faults_total: 0 });
            expect(sorted(await textOf(other))).toEqual(sorted(text));
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  it('note what came in as changed, so that it is saved and told', async () => {
    const inside = insideOf();
    await take(inside, line());
    let changed = 0;
    inside.memory.table.dirty.take(0, 1_024, () => (changed += 1));
    expect(changed).toBe(1);
  });

  it.each([
    ['not JSON', '{"kind"\n'],
    ['want a row as an object', '[]\n'],
    ['unknown field "helo"', line({ helo: 'x' })],
    ['kind: got "host meter"', line({ kind: 'host meter' })],
    ['name: got "192.0.2.0/24"', line({ name: '192.0.2.0/24' })],
    ['name: got 7', line({ kind: 'pool', name: 7 })],
    ['seen: got "yesterday"', line({ seen: 'yesterday' })],
    ['seen: got "2026-02-30T25:00:00Z"', line({ seen: '2026-02-30T25:00:00Z' })],
    ['seen: "2036-09-21T10:00:00Z" lies in the future', line({ seen: '2036-09-21T10:00:00Z' })],
    ['mark: got "ban"', line({ mark: 'ban' })],
    ['passes: unknown test "__proto__"', line().replace('"passes":{}', '"passes":{"__proto__":1}')],
    [
      'signal: "toString" is unknown',
      line({ signals: [{ signal: 'toString', observations: 1, at: '2026-09-21T10:00:00Z' }] }),
    ],
    [
      'observations: got 128',
      line({ signals: [{ signal: 'pregreet', observations: 128, at: '2026-09-21T10:00:00Z' }] }),
    ],
    ['signals: want a list of at most 6', line({ signals: {} })],
    ['longer than 4096 characters', line({ name: 'x'.repeat(5_000) })],
  ])('take nothing when one line is wrong, and say which: %s', async (fault, wrong) => {
    for (const size of [7, 65_536]) {
      const inside = insideOf();
      const report = await take(inside, `${line()}${wrong}${line({ name: '192.0.2.8' })}`, size);
      expect(report).toMatchObject({ imported: 0, faults_total: 1, faults: [{ line: 2 }] });
      expect(report.faults[0]!.fault).toContain(fault);
      expect((await textOf(inside)).trim().split('\n')).toHaveLength(1);
    }
  });

  it('survive any bytes, tell of 20 wrong lines and count the rest', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 200 }), async (text) => {
        const report = await take(insideOf({ entries: 64 }), `${text}\n`, 5);
        expect(report.imported).toBe(0);
      }),
      { numRuns: 100 },
    );
    const report = await take(insideOf(), 'x\n'.repeat(50));
    expect([report.faults.length, report.faults_total]).toEqual([20, 50]);
  });

  it('refuse more rows than the table has entries, and an import of nothing', async () => {
    const many = Array.from({ length: 72 }, (_, host) => line({ name: `192.0.2.${host}` })).join('');
    expect(await take(insideOf({ entries: 64 }), many)).toMatchObject({ imported: 0, faults_total: 8 });
    expect(await take(insideOf(), '')).toMatchObject({ imported: 0, faults_total: 1 });
  });

  it('carry hashed names between hosts with one key, and refuse them under another', async () => {
    const from = insideOf({ names: hmac('0123456789abcdef') });
    note(from, Kind.Host, '192.0.2.7', 'pregreet');
    const text = await textOf(from);
    expect(text).not.toContain('192.0.2');
    const same = insideOf({ names: hmac('0123456789abcdef') });
    expect(await take(same, text)).toMatchObject({ imported: 1 });
    expect(same.memory.table.scoreOf(entryOf(same, Kind.Host, '192.0.2.7'), NOW)).toBe(40);
    for (const names of [hmac('another key of it'), fullNames])
      expect(await take(insideOf({ names }), text)).toMatchObject({
        imported: 0,
        faults_total: 1,
        faults: [{ line: 1 }],
      });
  });

  it('leave hosts out in both directions when hosts are not kept', async () => {
    const inside = insideOf({ names: truncatedNames });
    note(inside, Kind.Host, '192.0.2.7', 'pregreet');
    note(inside, Kind.Network, '192.0.2.7', 'badMember');
    const text = await textOf(inside);
    expect(text).toContain('192.0.2.0/24');
    expect(text).not.toContain('192.0.2.7');
    expect(await take(inside, line())).toMatchObject({ imported: 0, left_out: 1, faults_total: 0 });
  });
});
