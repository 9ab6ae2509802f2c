/**
 * Permanent lists from files: obeyed, read anew on SIGHUP while sessions go on, and left alone when a file is wrong.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Sink } from '../../loadgen/sink.ts';
import { Prng } from '../../src/base/prng.ts';
import { freePort, until } from '../system/process.ts';
import { greetingOf, sendMail } from './mail.ts';
import type { Running } from './program.ts';
import { configText, isListening, newDirectory, Program, startRunning } from './program.ts';

let sink: Sink;
let running: Running | null = null;
let directory: string;

beforeEach(async () => {
  sink = new Sink();
  await sink.listen();
  directory = newDirectory();
});
afterEach(async () => {
  await running?.program.dispose();
  running = null;
  await sink.close();
});

/** Puts a file in place as an operator should: written beside and renamed. */
function put(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
  return path;
}

async function start(more: Readonly<Record<string, unknown>>, processes = 1): Promise<Running> {
  const engine = { shards: processes, processes, max_sessions: 100, drain_timeout: '2s' };
  running = await startRunning(sink.port, { engine, ...more }, { directory });
  return running;
}

/** Sends SIGHUP and waits for the `count`th answer to one. */
async function reload(program: Program, count = 1): Promise<void> {
  const answers = (): number =>
    program.said.match(/^sluice: (lists read anew|the lists stay)/gm)?.length ?? 0;
  program.signal('SIGHUP');
  await program.sees(`answer ${count} to SIGHUP`, () => answers() >= count);
}

/** How a client from this address is greeted: "220" at once, "220-" after a wait, "521" not at all. */
async function greeting(port: number, from: string): Promise<string> {
  const { client, greeting: reply } = await greetingOf(port, from);
  client.close();
  return reply?.lines[0]?.slice(0, 4).trimEnd() ?? 'closed';
}

/** Greeted, refused, allowed: what the lists do is seen in the first line. */
async function expectGreetings(port: number, wanted: Readonly<Record<string, string>>): Promise<void> {
  const found: Record<string, string> = {};
  for (const from of Object.keys(wanted)) found[from] = await greeting(port, from);
  expect(found).toEqual(wanted);
}

/**
 * Waits until every shard obeys: the lists are on their way to the shards when they are told of, so twenty clients in
 * a row have to meet them, and from then on all do.
 */
async function met(port: number, wanted: Readonly<Record<string, string>>): Promise<void> {
  for (const [from, answer] of Object.entries(wanted)) {
    let inARow = 0;
    await until(`${from} is greeted with ${answer}`, async () => {
      inARow = (await greeting(port, from)) === answer ? inARow + 1 : 0;
      return inARow === 20;
    });
  }
  for (let round = 0; round < 10; round += 1) await expectGreetings(port, wanted);
}

const refused = '521';
const screened = '220-';
const allowed = '220';

test('files are obeyed beside inline lists, and the more lenient list wins', async () => {
  const deny = put('deny.cidr', '127.9.0.0/16 # everybody\n127.8.0.1\n');
  const allow = put('allow.cidr', '127.9.1.0/24\r\n');
  const { port } = await start({
    lists: { deny: ['127.7.0.0/16'], deny_files: [deny], allow_files: [allow] },
  });
  await expectGreetings(port, {
    '127.7.0.1': refused,
    '127.8.0.1': refused,
    '127.9.0.1': refused,
    '127.9.1.1': allowed,
    '127.8.0.2': screened,
  });
});

test.each([1, 2])(
  'SIGHUP: the next client meets the new lists, the session that runs goes on (%i processes)',
  async (processes) => {
    const deny = put('deny.cidr', '127.9.0.0/16\n');
    const { program, port } = await start({ lists: { deny_files: [deny] } }, processes);
    await expectGreetings(port, { '127.9.0.1': refused, '127.8.0.1': screened });
    const { client: old } = await greetingOf(port, '127.8.0.1');
    await old.expect('EHLO client.example.org', 250);

    put('deny.cidr', '127.8.0.0/16\n');
    await reload(program);
    expect(program.said).toMatch(
      /^sluice: lists read anew in \d+ ms: allow 0, slow 0, deny 1, exceptions 0$/m,
    );
    await met(port, { '127.9.0.1': screened, '127.8.0.1': refused });
    await old.expect('MAIL FROM:<a@example.org>', 250);
    await old.expect('RCPT TO:<b@example.com>', 250);
    old.close();
  },
);

test('a process that is started again after a reload has the lists of the reload', async () => {
  const deny = put('deny.cidr', '127.9.0.0/16\n');
  const { program, port } = await start({ lists: { deny_files: [deny] } }, 2);
  put('deny.cidr', '127.8.0.0/16\n');
  await reload(program);
  const before = program.children();
  expect(before).toHaveLength(2);
  for (const pid of before) process.kill(pid, 'SIGKILL');
  await until('both processes are others', () => {
    const now = program.children();
    return now.length === 2 && now.every((pid) => !before.includes(pid));
  });
  await until('they listen', () => isListening(port));
  await met(port, { '127.9.0.1': screened, '127.8.0.1': refused });
});

test('what is wrong in a list file is told by its place, and nothing changes', async () => {
  const deny = put('deny.cidr', '127.9.0.0/16\n');
  const allow = put('allow.cidr', '127.8.0.0/16\n');
  const { program, port } = await start({ lists: { deny_files: [deny], allow_files: [allow] } });
  put('allow.cidr', '# nobody\n');
  put('deny.cidr', '127.8.0.0/16\n\n  127.9.0.1/16\n127.9.0.0/16 permit\n');
  await reload(program);
  expect(program.said).toContain(
    `sluice: ${deny}:3:3: got "127.9.0.1/16", want a network whose host bits are zero (did you mean "127.9.0.0/16"?)\n` +
      `sluice: ${deny}:4:14: got "permit", want "reject", a # comment or nothing behind the network (such a line belongs into a file of lists.allow_files)\n` +
      'sluice: the lists stay as they were\n',
  );
  for (let round = 0; round < 10; round += 1)
    await expectGreetings(port, { '127.9.0.1': refused, '127.8.0.1': allowed });

  put('deny.cidr', '127.9.0.0/16\n');
  await reload(program, 2);
  await met(port, { '127.9.0.1': refused, '127.8.0.1': screened });
});

test('a configuration file that has become wrong changes nothing either', async () => {
  const { program, port } = await start({ lists: { deny: ['127.9.0.0/16'] } });
  put('sluice.toml', 'hostname = "mx.example.test"\n[lists]\ndenny = []\n');
  await reload(program);
  expect(program.said).toMatch(
    /^sluice: .*sluice\.toml:3:1: unknown key "denny".*deny.*\nsluice: the lists stay/m,
  );
  await expectGreetings(port, { '127.9.0.1': refused });
});

test('SIGHUP takes the lists of a changed configuration, and says that the rest wants a restart', async () => {
  const { program, port } = await start({ lists: { deny: ['127.9.0.0/16'] } });
  await reload(program);
  expect(program.said).not.toContain('restart');
  const more = { limits: { exceptions: ['127.1.0.0/16'] }, lists: { deny: ['127.8.0.0/16'] } };
  put('sluice.toml', configText(port, sink.port, { ...more, screen: { greet_wait: '3min' } }));
  await reload(program, 2);
  await program.says(/sluice\.toml: other settings have changed too; they want a restart$/m);
  expect(program.said).toMatch(/deny 1, exceptions 1$/m);
  await met(port, { '127.8.0.1': refused });
  // The wait of three minutes is not in effect.
  expect((await sendMail(port, '127.9.0.1', 'Subject: soon\n\n'))?.code).toBe(250);
});

test.each([
  [
    'is wrong',
    (path: string) => writeFileSync(path, '127.0.0.1\nlocalhost\n'),
    /deny\.cidr:2:1: got "localhost", want/,
  ],
  ['is missing', () => undefined, /deny\.cidr: cannot be read: no such file or directory/],
  ['is a directory', (path: string) => mkdirSync(path), /deny\.cidr: cannot be read: not a regular file/],
  [
    'is a pipe',
    (path: string) => execFileSync('mkfifo', [path]),
    /deny\.cidr: cannot be read: not a regular file/,
  ],
])('neither run nor check takes a list file that %s', async (_, make, says) => {
  const path = join(directory, 'deny.cidr');
  make(path);
  const port = await freePort();
  writeFileSync(
    join(directory, 'sluice.toml'),
    configText(port, sink.port, { lists: { deny_files: [path] } }),
  );
  for (const verb of ['check', 'run']) {
    const program = new Program([verb, '-c', 'sluice.toml'], { directory });
    expect(await program.ended()).toBe(78);
    expect(program.said).toMatch(says);
    expect(program.said).not.toContain('listening');
    expect(program.said.trimEnd().split('\n')).toHaveLength(1);
  }
  rmSync(directory, { recursive: true });
});

test('a hundred reloads while clients come and go: nobody meets a list that is half old and half new', async () => {
  // The same addresses in two spellings: an allowed host inside a network that is denied, by file and inline in turn.
  const halves = [
    ['127.9.0.0/16\n', '127.9.1.1\n'],
    ['127.9.0.0/17\n127.9.128.0/17\n', '127.9.1.0/31\n'],
  ] as const;
  const [deny, allow] = [put('deny.cidr', halves[0][0]), put('allow.cidr', halves[0][1])];
  const { program, port } = await start({ lists: { deny_files: [deny], allow_files: [allow] } });
  const round = { isOver: false };
  const heard = new Set<string>();
  const come = async (from: string): Promise<void> => {
    while (!round.isOver) heard.add(`${from} ${await greeting(port, from)}`);
  };
  const clients = ['127.9.1.1', '127.9.7.7', '127.9.200.1'].map(come);
  for (let count = 1; count <= 100; count += 1) {
    const [denied, allowedToo] = halves[count % 2]!;
    put('deny.cidr', denied);
    put('allow.cidr', allowedToo);
    await reload(program, count);
  }
  round.isOver = true;
  await Promise.all(clients);
  expect([...heard].toSorted()).toEqual([
    `127.9.1.1 ${allowed}`,
    `127.9.200.1 ${refused}`,
    `127.9.7.7 ${refused}`,
  ]);
  expect(program.said.match(/lists read anew/g)).toHaveLength(100);
  expect((await sendMail(port, '127.9.1.1', 'Subject: after\n\n'))?.code).toBe(250);
});

test('many SIGHUPs at once are answered by the lists as they are behind the last', async () => {
  const deny = put('deny.cidr', '');
  const { program, port } = await start({ lists: { deny_files: [deny] } });
  for (let count = 0; count < 50; count += 1) {
    put('deny.cidr', `127.${10 + count}.0.0/16\n`);
    program.signal('SIGHUP');
  }
  await met(port, { '127.59.0.1': refused, '127.58.0.1': screened });
  expect(program.said).not.toContain('stay as they were');
});

test('a session goes on while a million networks are compiled', async () => {
  const deny = put('deny.cidr', '127.9.0.0/16\n');
  const { program, port } = await start({
    lists: { deny_files: [deny], allow: ['127.8.0.0/16'] },
    smtp: { commands_max: 1_000_000 },
  });
  put('deny.cidr', '127.9.0.0/16\n' + millionNetworks());
  const client = (await greetingOf(port, '127.8.0.1')).client;
  await client.expect('EHLO client.example.org', 250);
  const isDone = (): boolean => program.said.includes('lists read anew');
  program.signal('SIGHUP');
  let commands = 0;
  let sessions = 0;
  while (!isDone()) {
    await client.expect('NOOP', 250);
    commands += 1;
    if (commands % 50 !== 0) continue;
    expect((await sendMail(port, '127.8.0.2', 'Subject: meanwhile\n\n'))?.code).toBe(250);
    expect(await greeting(port, '127.9.0.1')).toBe(refused);
    sessions += 1;
  }
  client.close();
  expect(commands).toBeGreaterThan(50);
  expect(sessions).toBeGreaterThan(0);
  expect(program.said).toMatch(/lists read anew in \d+ ms: allow 1, slow 0, deny 1000001, exceptions 0$/m);
  await met(port, { '127.9.0.1': refused });
});

/** A million networks, none of which is on loopback; half IPv4, half IPv6. */
function millionNetworks(): string {
  const random = new Prng(1);
  const lines: string[] = [];
  for (let count = 0; count < 500_000; count += 1) {
    lines.push(`${128 + random.below(64)}.${random.below(256)}.${random.below(256)}.${random.below(256)}`);
    lines.push(`2001:${random.below(65_536).toString(16)}:${random.below(65_536).toString(16)}::/48`);
  }
  return `${lines.join('\n')}\n`;
}
