/**
 * What is known of clients outlives the process, and nothing that happens to its file stops the mail.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Sink } from '../../loadgen/sink.ts';
import { freePort, isAlive, until } from '../system/process.ts';
import { sendMail } from './mail.ts';
import { configText, newDirectory, Program } from './program.ts';
import type { ProgramOptions } from './program.ts';

let sink: Sink;
let directory = '';
let path = '';
let port = 0;
let program: Program | null = null;

beforeEach(async () => {
  sink = new Sink();
  await sink.listen();
  directory = newDirectory();
  path = join(directory, 'state', 'state.db');
  port = await freePort();
});
afterEach(async () => {
  await program?.dispose();
  program = null;
  rmSync(directory, { recursive: true, force: true });
  await sink.close();
});

/** Starts Sluice on the state file. */
async function start(
  options: ProgramOptions = {},
  engine: object = { shards: 2, max_sessions: 100 },
): Promise<Program> {
  const file = join(directory, 'sluice.toml');
  const config = {
    engine,
    pools: { network: false },
    reputation: { entries: 10_000, file: path, save_interval: '200ms' },
  };
  writeFileSync(file, configText(port, sink.port, config));
  program = new Program(['run', '-c', file], { directory: newDirectory(), ...options });
  await program.listening();
  return program;
}

/** SIGKILL to all of it. */
async function kill9(): Promise<void> {
  program!.signalGroup('SIGKILL');
  await program!.groupGone();
  await program!.dispose();
}

/** Sends a message; the pace that the client was given. */
async function paceOf(from: string): Promise<unknown> {
  const ofClient = (): readonly Record<string, unknown>[] =>
    program!.sessions.filter(({ client }) => client === from);
  const before = ofClient().length;
  expect((await sendMail(port, from, 'Subject: x\n\n'))?.code).toBe(250);
  // Lines of others may still be on their way.
  await program!.sees('the line of the session', () => ofClient().length > before);
  return ofClient().at(-1)!['pace'];
}

/** The passes of a client as they stand in the file. */
function isSaved(client: string): boolean {
  if (!existsSync(path)) return false;
  const database = new DatabaseSync(path, { readOnly: true, timeout: 1_000 });
  try {
    return database.prepare('SELECT 1 FROM known WHERE name = ? AND score < 0').get(client) !== undefined;
  } catch {
    return false;
  } finally {
    database.close();
  }
}

const saved = (client: string): Promise<void> => until(`${client} is in the file`, () => isSaved(client));
const broken = (): string[] =>
  readdirSync(join(directory, 'state')).filter((name) => /\.broken-[^-]*$/.test(name));

test('a client that passed is known after kill -9', async () => {
  await start();
  expect(await paceOf('127.7.0.1')).toBe('screened');
  await saved('127.7.0.1');
  await kill9();
  await start();
  expect(program!.said).toMatch(/state\.db was read: \d+ rows, written last at 20/);
  expect(await paceOf('127.7.0.1')).toBe('instant');
  expect(await paceOf('127.7.0.2')).toBe('screened');
});

test('what was learnt last is saved when Sluice ends, and a SIGUSR2 tells how saving goes', async () => {
  await start();
  await paceOf('127.7.1.1');
  await saved('127.7.1.1');
  program!.signal('SIGUSR2');
  await program!.says(/^sluice: state \{"file":".*state\.db","state":"ok","why":"",.*"rowsWritten":[1-9]/m);
  await paceOf('127.7.1.2');
  program!.signal('SIGTERM');
  expect(await program!.ended(), program!.said).toBe(0);
  expect(readdirSync(join(directory, 'state'))).toEqual(['state.db']);
  expect(isSaved('127.7.1.2')).toBe(true);
});

test('a corrupt file is set aside with a warning, and Sluice starts', async () => {
  await start();
  await paceOf('127.7.2.1');
  await saved('127.7.2.1');
  program!.signal('SIGTERM');
  await program!.ended();
  await program!.dispose();
  const fd = openSync(path, 'r+');
  writeSync(fd, 'this is no database any more', 0);
  closeSync(fd);
  await start();
  expect(program!.said).toMatch(
    /state\.db is not an SQLite file; it was set aside as .*\.broken-.*; 0 rows were saved/,
  );
  expect(broken()).toHaveLength(1);
  expect(await paceOf('127.7.2.1')).toBe('screened');
  await saved('127.7.2.1');
});

test('a file that another process has locked costs persistence only, and is told once and when it is over', async () => {
  await start();
  await paceOf('127.7.3.1');
  await saved('127.7.3.1');
  const other = new DatabaseSync(path, { timeout: 5_000 });
  other.exec('BEGIN EXCLUSIVE');
  expect(await paceOf('127.7.3.2')).toBe('screened');
  await program!.says(/state\.db is locked by another process; mail goes on/);
  expect(await paceOf('127.7.3.2')).toBe('instant');
  other.exec('ROLLBACK');
  other.close();
  await program!.says(/state\.db is written again, after \d+ s/);
  await saved('127.7.3.2');
  expect(program!.said.match(/is locked by/g)).toHaveLength(1);
});

test('a disk that does not answer for ever keeps no mail out, and no process from ending', async () => {
  // Who opens a pipe that nobody writes to is not heard of again.
  execFileSync('mkdir', [join(directory, 'state')]);
  execFileSync('mkfifo', [path]);
  await start();
  await program!.says(/state\.db was not read within 5 s; Sluice begins without it/);
  await program!.says(/state\.db does not answer; mail goes on/);
  expect(await paceOf('127.7.4.1')).toBe('screened');
  expect(await paceOf('127.7.4.1')).toBe('instant');
  program!.signal('SIGTERM');
  // Its thread cannot be ended otherwise.
  expect(await program!.ended()).toBe('SIGKILL');
  expect(program!.said).toContain('sluice: drained\n');
});

test('a disk that answers late is used from then on', async () => {
  execFileSync('mkdir', [join(directory, 'state')]);
  execFileSync('mkfifo', [path]);
  await start();
  await paceOf('127.7.5.1');
  await program!.says(/state\.db does not answer/);
  const late = openSync(path, 'w');
  rmSync(path);
  closeSync(late);
  await program!.says(/state\.db is written again/);
  await saved('127.7.5.1');
  expect(await paceOf('127.7.5.1')).toBe('instant');
});

test('a disk that is full costs persistence only, and is told once and when it is over', async () => {
  await start({ fileBytesMax: 40_960 });
  await program!.says(/listening/);
  expect(await paceOf('127.7.6.1')).toBe('screened');
  for (let at = 2; at < 60; at += 1) await sendMail(port, `127.7.6.${at}`, 'Subject: x\n\n');
  await program!.says(/state\.db cannot .*; mail goes on/);
  expect(await paceOf('127.7.6.1')).toBe('instant');
  execFileSync('prlimit', ['--pid', String(program!.pid), '--fsize=unlimited']);
  await program!.says(/state\.db is written again/);
  await saved('127.7.6.1');
  await saved('127.7.6.59');
  expect(program!.said.match(/mail goes on/g)).toHaveLength(1);
});

test('a file that is removed while Sluice runs is written anew, whole', async () => {
  await start();
  await paceOf('127.7.7.1');
  await saved('127.7.7.1');
  rmSync(join(directory, 'state'), { recursive: true });
  await program!.says(/state\.db was moved or removed/);
  await saved('127.7.7.1');
  expect(broken()).toEqual([]);
});

test('two processes share what a client earned, and remember it together after a kill', async () => {
  const engine = { shards: 2, processes: 2, max_sessions: 100 };
  const processOf = (): string => String(program!.sessions.at(-1)!['id']).split('.')[1]!;
  /** Sends until both processes have served the client; the paces that it had at its first visit to each. */
  const visit = async (client: string): Promise<Map<string, unknown>> => {
    const paces = new Map<string, unknown>();
    await until('both processes have served', async () => {
      const pace = await paceOf(client);
      if (!paces.has(processOf())) paces.set(processOf(), pace);
      if (paces.size === 1) await saved(client);
      return paces.size === 2;
    });
    return paces;
  };
  await start({}, engine);
  expect(program!.children()).toHaveLength(2);
  await paceOf('127.7.8.1');
  const first = processOf();
  // What is in the file has come up to the primary, and from there it goes on to the other process.
  await saved('127.7.8.1');
  await until('the other process knows the client', async () => {
    const pace = await paceOf('127.7.8.1');
    return processOf() !== first && pace === 'instant';
  });
  await kill9();
  await until('the children are gone', () => program!.children().every((pid) => !isAlive(pid)));
  await start({}, engine);
  const paces = await visit('127.7.8.1');
  expect([...paces.values()]).toEqual(['instant', 'instant']);

  // A child that is started again is given everything before it serves.
  const [killed] = program!.children();
  process.kill(killed!, 'SIGKILL');
  await program!.says(/engine process \d ended/);
  const number = /engine process (\d) ended/.exec(program!.said)![1]!;
  await until('the new child has served', async () => {
    expect(await paceOf('127.7.8.1')).toBe('instant');
    return String(program!.sessions.at(-1)!['id']).split('.').slice(1, 3).join('.') === `${number}.2`;
  });
});
