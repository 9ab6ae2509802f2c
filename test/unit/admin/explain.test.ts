import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PartialConfig } from '../../../src/config/load.ts';
import { askedFor } from '../../../src/admin/asked.ts';
import { explained } from '../../../src/admin/explain.ts';
import type { Explanation } from '../../../src/admin/explain.ts';
import { explanationText } from '../../../src/cli/client-text.ts';
import type { ExplainSource, Inside } from '../../../src/primary/inside.ts';
import { Kind, newKey } from '../../../src/reputation/keys.ts';
import { Mark } from '../../../src/reputation/layout.ts';
import { signals } from '../../../src/reputation/signals.ts';
import type { SignalName } from '../../../src/reputation/signals.ts';
import { entryOf, insideOf, note, NOW } from './table-with.ts';

const CLIENT = '192.0.2.7';

function explain(inside: Inside, text = CLIENT): Promise<Explanation> {
  const asked = askedFor(text, inside.names);
  if (asked === null) throw new Error(text);
  return explained(inside, asked, 50);
}

function mark(inside: Inside, text: string, word: Mark, untilSec = 0): void {
  const key = newKey();
  const kind = inside.names.keyOfName(text, key);
  inside.memory.mark(kind, key, word, untilSec);
}

const anyHistory = fc.array(
  fc.tuple(
    fc.constantFrom(...(Object.keys(signals) as SignalName[])),
    fc.constantFrom(Kind.Host, Kind.Network),
    fc.nat(30 * 86_400),
  ),
  { maxLength: 60 },
);

describe('explain', () => {
  it('gives the score as rows whose points sum up to it, in the answer and in its text', async () => {
    await fc.assert(
      fc.asyncProperty(anyHistory, async (history) => {
        const inside = insideOf({ entries: 64 });
        for (const [signal, kind, agoSec] of history.toSorted((a, b) => b[2] - a[2]))
          note(inside, kind, CLIENT, signal, agoSec);
        const answer = await explain(inside);
        expect(answer.rows.reduce((sum, { points }) => sum + points, 0)).toBe(answer.score);
        const block = /\nscore\n([^]*?)\n\n/.exec(explanationText(answer, NOW))![1]!;
        const numbers = [...block.matchAll(/^ +([+-]?\d+) /gm)].map(([, points]) => Number(points));
        expect(numbers.pop()).toBe(answer.score);
        expect(numbers.reduce((sum, points) => sum + points, 0)).toBe(answer.score);
      }),
      { numRuns: 60 },
    );
  });

  it('says signal, observations left, age and points of each row, and the company of the network as one', async () => {
    const inside = insideOf();
    note(inside, Kind.Host, CLIENT, 'pregreet', 2 * 86_400);
    note(inside, Kind.Host, CLIENT, 'badCommand');
    for (let member = 0; member < 4; member += 1) note(inside, Kind.Network, CLIENT, 'badMember');
    const { rows, network } = await explain(inside);
    expect(rows).toMatchObject([
      { signal: 'pregreet', observations: 0.5, points: 20, says: signals.pregreet.says },
      { signal: 'badCommand', observations: 1, points: 4 },
      { signal: 'neighbours', observations: 4, points: 15, age_s: expect.any(Number) as number },
    ]);
    expect(Math.abs(rows[0]!.age_s - 2 * 86_400)).toBeLessThan(2_700);
    expect(network).toMatchObject({ name: '192.0.2.0/24', bad_members: 4, good_members: 0, is_good: false });
  });

  it('makes and dates nothing by asking', async () => {
    const inside = insideOf();
    expect(await explain(inside)).toMatchObject({ known: false, seen: null, score: 0, rows: [] });
    const key = newKey();
    inside.names.keyOfName(CLIENT, key);
    expect(inside.memory.table.find(Kind.Host, key)).toBe(-1);
  });

  it.each<[string, PartialConfig, (inside: Inside) => void, string, RegExp]>([
    ['a stranger', {}, () => undefined, 'screened', /has not passed every test/],
    [
      'a bad score',
      {},
      (inside) => note(inside, Kind.Host, CLIENT, 'pregreet'),
      'slow',
      /score is 40: 100 % of the delays in \[shape\]/,
    ],
    ['observe mode', { mode: 'observe' }, (inside) => mark(inside, CLIENT, Mark.Deny), 'instant', /observe/],
    ['a mark of deny', {}, (inside) => mark(inside, CLIENT, Mark.Deny), 'refused', /mark denies/],
    [
      'a mark on its network',
      {},
      (inside) => mark(inside, '192.0.2.0/24', Mark.Deny),
      'refused',
      /mark denies/,
    ],
    [
      'a mark that is over',
      {},
      (inside) => mark(inside, CLIENT, Mark.Deny, NOW - 8),
      'screened',
      /has not passed/,
    ],
    ['a trap', {}, (inside) => mark(inside, CLIENT, Mark.Trap, NOW + 60), 'slow', /trap/],
    [
      'its own allow against the deny of its network',
      {},
      (inside) => (mark(inside, '192.0.2.0/24', Mark.Deny), mark(inside, CLIENT, Mark.Allow)),
      'instant',
      /allows it/,
    ],
    ['a list of the configuration', { lists: { slow: ['192.0.2.0/25'] } }, () => undefined, 'slow', /list/],
    [
      'its passes',
      {},
      (inside) => inside.memory.table.pass(entryOf(inside, Kind.Host, CLIENT), 15, NOW + 60),
      'instant',
      /has passed every test/,
    ],
    ['no greeting trap', { screen: { greetWaitMs: 0 } }, () => undefined, 'instant', /greet_wait is 0/],
  ])('says what %s leads to, and why', async (_, config, prepare, pace, because) => {
    const inside = insideOf({ config });
    prepare(inside);
    const answer = await explain(inside);
    expect(answer.pace).toBe(pace);
    expect(answer.because).toMatch(because);
  });

  it('names every list and mark that holds a client', async () => {
    const inside = insideOf({ config: { lists: { slow: ['192.0.2.0/25'], deny: ['192.0.0.0/16'] } } });
    mark(inside, CLIENT, Mark.Allow, NOW + 3_600);
    mark(inside, '192.0.2.0/24', Mark.Deny);
    expect((await explain(inside)).held_by).toEqual([
      'mark "allow" on the client, until 2026-09-21T15:13:20Z',
      'mark "deny" on its network, for ever',
      'lists.slow',
      'lists.deny',
    ]);
  });

  it('tells of a network what a new member would meet', async () => {
    const inside = insideOf();
    note(inside, Kind.Host, CLIENT, 'pregreet');
    note(inside, Kind.Network, CLIENT, 'badMember');
    expect(await explain(inside, '192.0.2.0/24')).toMatchObject({
      kind: 'network',
      pace: 'screened',
      score: 6,
      rows: [{ signal: 'neighbours' }],
    });
  });

  it('shows what a source knows, and goes on without one that hangs or fails', async () => {
    const rows = [{ says: 'is listed', evidence: 'bl.example.org: 127.0.0.2', worth: 'weight 3' }];
    const sources: ExplainSource[] = [
      { name: 'DNS lists', rows: () => Promise.resolve(rows) },
      { name: 'limits', rows: () => new Promise(() => undefined) },
      { name: 'pools', rows: () => Promise.reject(new Error('it broke')) },
    ];
    const inside = insideOf({ sources });
    const answer = await explain(inside);
    expect(answer.sources).toEqual([
      { name: 'DNS lists', trouble: '', rows },
      { name: 'limits', trouble: 'no answer yet', rows: [] },
      { name: 'pools', trouble: 'failed: it broke', rows: [] },
    ]);
    expect(explanationText(answer, NOW)).toContain('limits\n  no answer yet\n');
    expect((await explain(inside, '192.0.2.0/24')).sources).toEqual([]);
  });
});
