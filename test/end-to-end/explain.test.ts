/**
 * The operator's verbs against the real program: what a client did is explained as the log tells it, and what the
 * operator says counts at its next connection.
 */
import { afterEach, describe, expect, test } from 'vitest';
import { Sink } from '../../loadgen/sink.ts';
import type { EntryText } from '../../src/admin/entry.ts';
import type { Explanation } from '../../src/admin/explain.ts';
import { Client } from '../system/client.ts';
import { greetingOf, sendMail } from './mail.ts';
import type { Asked } from './verb.ts';
import { startAsked } from './verb.ts';

const sink = new Sink({});
let sinkPort = 0;
const started: Asked[] = [];

afterEach(async () => {
  for (const { program } of started.splice(0)) await program.dispose();
  await sink.close();
  sinkPort = 0;
});

async function start(more: Readonly<Record<string, unknown>> = {}): Promise<Asked> {
  if (sinkPort === 0) sinkPort = await sink.listen();
  const asked = await startAsked(sinkPort, more);
  started.push(asked);
  return asked;
}

/** A client that speaks before the greeting and says nonsense; it is gone when this comes back. */
async function misbehave(asked: Asked, from: string, helo = 'zombie'): Promise<void> {
  const lines = asked.program.lines.length;
  const client = new Client(asked.port, from);
  client.send(`EHLO ${helo}\r\n`);
  client.send('NONSENSE\r\nQUIT\r\n');
  await client.repliesToTheEnd();
  client.close();
  await asked.program.logs(lines + 1);
}

const slowly = {
  screen: { greet_wait: '500ms' },
  shape: { reply_delay: '20ms', drip_interval: '100ms', drip: '512B' },
};

describe('explain', () => {
  test('shows what a client did as rows that sum up to the score of its log line, and its pace after that', async () => {
    const asked = await start(slowly);
    await misbehave(asked, '127.1.0.5');
    const line = asked.program.sessions.at(-1)!;
    expect(line['reasons']).toContain('pregreet');

    const answer = await asked.json<Explanation>('explain', '127.1.0.5');
    const sum = (rows: Explanation['rows']): number => rows.reduce((all, { points }) => all + points, 0);
    expect(sum(answer.rows)).toBe(answer.score);
    // Its network heard of it in that session and counts from the next one on.
    expect(sum(answer.rows.filter(({ signal }) => signal !== 'neighbours'))).toBe(line['score']);
    expect(answer.rows.map(({ signal }) => signal)).toEqual(
      expect.arrayContaining(['pregreet', 'neighbours']),
    );

    const { code, out } = await asked.sluice(['explain', '127.1.0.5']);
    expect(code).toBe(0);
    expect(out).toMatch(/^127\.1\.0\.5\n {2}now, it would be slow: /);
    expect(out).toMatch(/\n +\+40 +1 +under 45 min +pregreet +spoke before the greeting was finished\n/);
    expect(out).toMatch(
      new RegExp(
        `\\n +\\+${answer.score} +the sum +slow above 15 \\(shape\\.slow_from\\), in full at 40 \\(shape\\.slow_at\\)\\n`,
      ),
    );

    await misbehave(asked, '127.1.0.5');
    expect(asked.program.sessions.at(-1)).toMatchObject({ pace: answer.pace });
    expect(asked.program.sessions.at(-1)!['score']).toBeGreaterThan(answer.score);
  });

  test('prints nothing that a client has said, whatever that is', async () => {
    const asked = await start(slowly);
    await misbehave(asked, '127.1.0.6', '\u001b[2Jevil\u0007\u009b31m\\n"');
    for (const args of [
      ['explain', '127.1.0.6'],
      ['ip', 'list'],
      ['ip', 'show', '127.1.0.6'],
      ['ip', 'export'],
    ]) {
      const { code, out } = await asked.sluice(args);
      expect(code).toBe(0);
      expect(out).toMatch(/^[ -~\n]+$/);
      expect(out).not.toContain('evil');
    }
  });
});

describe('ip', () => {
  test('allow and deny count from the next connection on, for a client and for every member of a network', async () => {
    const asked = await start();
    const greeted = async (from: string): Promise<number | undefined> => {
      const { client, greeting } = await greetingOf(asked.port, from);
      client.close();
      return greeting?.code;
    };
    const denied = await asked.sluice(['ip', 'deny', '127.1.1.0/24', '--until', '2h']);
    expect([denied.code, denied.out]).toEqual([
      0,
      expect.stringMatching(/^127\.1\.1\.0\/24: deny, until \S+Z; it counts from the next connection on\n$/),
    ]);
    expect(await greeted('127.1.1.1')).toBe(521);
    expect(await greeted('127.1.1.2')).toBe(521);
    expect(await greeted('127.1.2.1')).toBe(220);
    expect((await asked.sluice(['ip', 'allow', '127.1.1.2'])).out).toContain('allow, for ever');
    expect(await greeted('127.1.1.1')).toBe(521);
    expect(await greeted('127.1.1.2')).toBe(220);
    const { rows } = await asked.json<{ rows: EntryText[] }>('ip', 'list', '--mark', 'allow');
    expect(rows.map(({ name, mark_until: until }) => [name, until])).toEqual([['127.1.1.2', null]]);
    expect((await asked.sluice(['ip', 'forget', '127.1.1.0/24'])).out).toBe('127.1.1.0/24: forgotten\n');
    expect(await greeted('127.1.1.1')).toBe(220);
    expect((await asked.sluice(['ip', 'show', '10.0.0.1'])).code).toBe(1);
  });

  test('forget makes a client a stranger', async () => {
    const asked = await start(slowly);
    await misbehave(asked, '127.1.0.7');
    expect((await asked.json<EntryText>('ip', 'show', '127.1.0.7')).score).toBeGreaterThanOrEqual(40);
    expect(await asked.json('ip', 'forget', '127.1.0.7')).toMatchObject({ was_known: true });
    expect(await asked.json<Explanation>('explain', '127.1.0.7')).toMatchObject({ pace: 'screened' });
  });

  test('export and import carry what is known to another Sluice', async () => {
    const one = await start(slowly);
    const other = await start(slowly);
    await misbehave(one, '127.1.0.8');
    await sendMail(one.port, '127.1.0.9', 'Subject: x\n\nHello\n');
    await one.program.logs(2);
    await one.sluice(['ip', 'deny', '127.9.9.9']);
    const { out } = await one.sluice(['ip', 'export']);
    expect(out.trim().split('\n')).toHaveLength(1 + 4);

    const bad = await other.sluice(['ip', 'import', '-'], `${out}{"kind":"host"}\n`);
    expect([bad.code, bad.out]).toEqual([1, '']);
    expect(bad.err).toMatch(/^-:6: .*\nsluice: nothing was imported\n$/);
    expect((await other.sluice(['ip', 'list'])).out).toMatch(/none of 0\n$/);

    const good = await other.sluice(['ip', 'import', '-'], out);
    expect([good.code, good.out, good.err]).toEqual([0, '4 imported\n', '']);
    expect((await other.sluice(['ip', 'export'])).out.split('\n').toSorted()).toEqual(
      out.split('\n').toSorted(),
    );
    for (const address of ['127.1.0.8', '127.1.0.9', '127.9.9.9']) {
      const [here, there] = await Promise.all(
        [one, other].map((sluice) => sluice.json<Explanation>('explain', address)),
      );
      expect([there!.pace, there!.score]).toEqual([here!.pace, here!.score]);
    }
  });

  test('list goes through 100,000 entries page by page while mail is served', async () => {
    const asked = await start({ reputation: { entries: 262_144 } });
    const head = '{"export":"sluice","version":1,"names":"plain"}\n';
    const now = new Date(Date.now() - 60_000).toISOString().slice(0, 19);
    const line = (at: number): string =>
      `{"kind":"host","name":"10.${at >> 16}.${(at >> 8) & 255}.${at & 255}","first_seen":"${now}Z","seen":"${now}Z","mark":"none","mark_until":null,"passes":{},"signals":[{"signal":"badCommand","observations":${1 + (at % 10)},"at":"${now}Z"}]}\n`;
    const text = head + Array.from({ length: 100_000 }, (_, at) => line(at)).join('');
    const imported = await asked.sluice(['ip', 'import', '-'], text);
    expect([imported.err, imported.code]).toEqual(['', 0]);
    expect(Number(/^(\d+) imported/.exec(imported.out)![1])).toBe(100_000);

    const listing = { isOver: false };
    let mails = 0;
    const mail = (async () => {
      while (!listing.isOver) {
        const answer = await sendMail(asked.port, `127.1.3.${1 + (mails % 50)}`, 'Subject: x\n\nHello\n');
        expect(answer?.code).toBe(250);
        mails += 1;
      }
    })();
    const seen = new Set<string>();
    let last = Infinity;
    for (let offset = 0; offset < 100_000; offset += 10_000) {
      const page = await asked.json<{ rows: EntryText[]; matched: number }>(
        'ip',
        'list',
        '--network',
        '10.0.0.0/8',
        '--limit',
        '10000',
        '--offset',
        String(offset),
      );
      // What strangers push out meanwhile may be missing at the end.
      expect(page.matched).toBeGreaterThan(99_000);
      for (const { name, score } of page.rows) {
        expect(score).toBeLessThanOrEqual(last);
        last = score;
        seen.add(name);
      }
    }
    listing.isOver = true;
    await mail;
    expect(mails).toBeGreaterThan(5);
    expect(seen.size).toBeGreaterThan(99_000);
  });
});
