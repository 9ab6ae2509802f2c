/**
 * `sluice families` against the real program: an odd crowd shows in the list and then in log lines, honest mail in neither.
 */
import { afterEach, expect, test } from 'vitest';
import { Sink } from '../../loadgen/sink.ts';
import type { FamilyReport } from '../../src/primary/family-desk.ts';
import { Client } from '../system/client.ts';
import { until } from '../system/process.ts';
import { sendMail } from './mail.ts';
import type { Asked } from './verb.ts';
import { startAsked } from './verb.ts';

const CROWD = 60;

const sink = new Sink({});
let asked: Asked | null = null;

afterEach(async () => {
  await asked?.program.dispose();
  asked = null;
  await sink.close();
});

/** A client that speaks in small letters as a friend, and hangs up; it is gone when this comes back. */
async function mutter(port: number, from: string): Promise<void> {
  const client = new Client(port, from);
  await client.reply();
  client.send('helo friend\r\n');
  await client.reply();
  client.close();
}

test.each([1, 2])('a crowd that speaks oddly is a family, in %d process(es)', async (processes) => {
  asked = await startAsked(await sink.listen(), {
    screen: { greet_wait: '100ms' },
    engine: { processes, shards: 2 },
  });
  const { port, program } = asked;
  const mtaFrom = '127.9.0.1';
  await sendMail(port, mtaFrom, 'hello\r\n');
  const report = (): Promise<FamilyReport> => asked!.json<FamilyReport>('families');
  expect((await report()).families).toEqual([]);

  await Promise.all(Array.from({ length: CROWD }, (_, number) => mutter(port, `127.1.${number}.5`)));
  await program.logs(CROWD + 1);
  let found = await report();
  await until('a family', async () => {
    found = await report();
    return found.families.length > 0;
  });
  const [family] = found.families;
  expect(found.families).toHaveLength(1);
  expect(family!.name).toMatch(/^family-[0-9a-f]{4}$/);

  // Shards hear of it in their own time.
  let visitor = 0;
  await until('a log line with the family', async () => {
    const before = program.lines.length;
    await mutter(port, `127.2.${(visitor += 1)}.5`);
    await program.logs(before + 1);
    return program.sessions.at(-1)!['family'] === family!.name;
  });
  await sendMail(port, mtaFrom, 'hello\r\n');
  await until('the mail in the log', () => program.sessions.at(-1)!['client'] === mtaFrom);
  expect(program.sessions.filter((line) => line['client'] === mtaFrom).map((line) => line['family'])).toEqual(
    [null, null],
  );

  await until('its dialect', async () => {
    found = await report();
    return found.families[0]!.sessions > 0;
  });
  expect(found.families[0]!.dialect).toMatch(/^HELO with a bare word, verbs in small letters/);
  expect(found.families[0]!.networks[0]!.name).toMatch(/^127\.2\.\d+\.0\/24$/);
  const times = found.leaving.filter(({ pace }) => pace === 'screened');
  expect(times.reduce((sum, { sessions }) => sum + sessions, 0)).toBeGreaterThanOrEqual(CROWD);
  expect(Math.min(...times.map((one) => one.p10_ms))).toBeGreaterThanOrEqual(99);

  const { code, out } = await asked.sluice(['families']);
  expect(code).toBe(0);
  expect(out).toMatch(/^[ -~\n]+$/);
  expect(out).toMatch(new RegExp(`^family +share +sessions +patience.*\n${family!.name} +`));
  expect(out).toContain('HELO with a bare word, verbs in small letters');
});
