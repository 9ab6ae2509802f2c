import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { main } from '../../../src/cli/main.ts';
import { parseConfig } from '../../../src/config/load.ts';
import { selfSigned } from '../../self-signed.ts';

const calls = vi.hoisted(() => ({
  verbs: [] as unknown[],
  fault: undefined as Error | undefined,
  probeOk: true,
}));
vi.mock('../../../src/cli/run.ts', () => ({
  runVerb: (options: unknown) => {
    calls.verbs.push(['run', options]);
    return calls.fault === undefined ? Promise.resolve(0) : Promise.reject(calls.fault);
  },
}));
vi.mock('../../../src/cli/demo.ts', () => ({
  demoVerb: (options: unknown) => (calls.verbs.push(['demo', options]), Promise.resolve(1)),
}));
vi.mock('../../../src/cli/report.ts', () => ({
  reportVerb: (files: unknown, options: unknown) => (
    calls.verbs.push(['report', files, options]),
    Promise.resolve(1)
  ),
}));
vi.mock('../../../src/primary/probe.ts', () => ({
  probeBackend: () => Promise.resolve({ ok: calls.probeOk, lines: ['backend: seen'] }),
}));

const folder = mkdtempSync(join(tmpdir(), 'sluice-main-'));
const good = join(folder, 'good.toml');
const bad = join(folder, 'bad.toml');
writeFileSync(good, 'hostname = "mx.example.net"\n');
writeFileSync(bad, 'mode = "on"\n[engin]\n');
afterAll(() => rmSync(folder, { recursive: true }));

let out = '';
let err = '';
beforeEach(() => {
  out = '';
  err = '';
  calls.verbs.length = 0;
  calls.fault = undefined;
  calls.probeOk = true;
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((err += String(text)), true));
});
afterEach(() => vi.restoreAllMocks());

const sluice = (...args: readonly string[]): Promise<number> => main(args, '1.2.3');

describe('the command line', () => {
  it('answers a misspelt verb with 2 and a suggestion', async () => {
    expect(await sluice('chek')).toBe(2);
    expect(err).toBe("error: unknown command 'chek'\n(Did you mean check?)\n");
    expect(out).toBe('');
  });

  it.each([
    [['config', 'dmp'], "error: unknown command 'dmp'\n(Did you mean dump?)\n"],
    [['check', '--liv'], "error: unknown option '--liv'\n(Did you mean --live?)\n"],
    [['check', 'extra'], "error: too many arguments for 'check'. Expected 0 arguments but got 1.\n"],
    [['run', '-c'], "error: option '-c, --config <file>' argument missing\n"],
    [
      ['demo', '--sessions', '0'],
      "error: option '--sessions <count>' argument '0' is invalid. Want a whole number, 1 to 1000000.\n",
    ],
    [
      ['demo', '--duration', '1m'],
      "error: option '--duration <time>' argument '1m' is invalid. Want a duration such as 60s or 2min.\n",
    ],
  ])('answers %j with 2 and the reason', async (args, says) => {
    expect(await sluice(...args)).toBe(2);
    expect(err).toBe(says);
    expect(calls.verbs).toEqual([]);
  });

  it.each([[[]], [['config']]])(
    'shows the help for %j, with 2 because nothing was asked',
    async (args: readonly string[]) => {
      expect(await sluice(...args)).toBe(2);
      expect(err).toContain('Usage: sluice');
      expect(out).toBe('');
    },
  );

  it('shows help and version with 0', async () => {
    expect(await sluice('--help')).toBe(0);
    expect(out).toContain('Exit codes: 0 good, 1 failed, 2 wrong command line, 78 wrong configuration.');
    out = '';
    expect(await sluice('--version')).toBe(0);
    expect(out).toBe('1.2.3\n');
  });

  it('gives its options to run, and passes its exit code on', async () => {
    expect(await sluice('run', '-c', 'x.toml')).toBe(0);
    expect(await sluice('run')).toBe(0);
    expect(calls.verbs).toEqual([
      ['run', { config: 'x.toml' }],
      ['run', { config: '/etc/sluice/sluice.toml' }],
    ]);
  });

  it('gives files and options to report, and passes its exit code on', async () => {
    expect(await sluice('report', 'a.log', 'b.log.gz', '--since', '2h', '--top', '5', '--json')).toBe(1);
    expect(await sluice('report')).toBe(1);
    expect(calls.verbs).toEqual([
      ['report', ['a.log', 'b.log.gz'], { json: true, sinceMs: 7_200_000, top: 5 }],
      ['report', [], { json: false, sinceMs: Infinity, top: 10 }],
    ]);
    expect(await sluice('report', '--top', '0')).toBe(2);
  });

  it('gives its options to demo, and passes its exit code on', async () => {
    expect(await sluice('demo', '--sessions', '50', '--duration', '5', '--seed', '7')).toBe(1);
    expect(await sluice('demo')).toBe(1);
    expect(calls.verbs).toEqual([
      ['demo', { sessions: 50, duration: '5s', seed: 7 }],
      ['demo', { sessions: 2_000, duration: '60s', seed: 1 }],
    ]);
  });

  it('tells a refusal of the system in one line, with 1', async () => {
    calls.fault = Object.assign(new Error('listen EACCES: permission denied 0.0.0.0:25'), {
      syscall: 'listen',
      code: 'EACCES',
    });
    expect(await sluice('run')).toBe(1);
    expect(err).toBe('sluice: listen EACCES: permission denied 0.0.0.0:25\n');
  });

  it('shows where a fault of our own happened, with 1', async () => {
    calls.fault = new Error('impossible');
    expect(await sluice('run')).toBe(1);
    expect(err).toMatch(/^sluice: Error: impossible\n {4}at .*main\.test\.ts/);
  });
});

describe('check', () => {
  it('says what is good, and how long a client waits at worst', async () => {
    expect(await sluice('check', '-c', good)).toBe(0);
    expect(out).toContain(
      `${good} is good: mx.example.net on 0.0.0.0:25, mode enforce, backend 127.0.0.1:10025\n\n`,
    );
    expect(out).toMatch(/\ntimer of the client +it waits +we use at most +set by\n/);
    expect(out).toMatch(/^slow bodies are read at their pace, /m);
    expect(out).toMatch(/\nDATA \(354\) +2min +\d+\w+ +RFC 5321/);
    expect(err).toBe('');
  });

  it('tells every problem of the file, with 78', async () => {
    expect(await sluice('check', '-c', bad)).toBe(78);
    expect(err).toBe(
      `${bad}:1:8: mode: got "on", want "enforce" or "observe"\n${bad}:2:2: unknown section [engin] (did you mean [engine]?)\n`,
    );
    expect(out).toBe('');
  });

  it('tells of a file that is not there, with 78', async () => {
    expect(await sluice('check', '-c', join(folder, 'none.toml'))).toBe(78);
    expect(err).toBe(`${join(folder, 'none.toml')}: cannot be read: no such file or directory\n`);
  });

  it('counts the networks of the lists, and tells of a list file that is wrong, with 78', async () => {
    const [file, list] = [join(folder, 'lists.toml'), join(folder, 'deny.cidr')];
    writeFileSync(file, `hostname = "mx.example.net"\n[lists]\ndeny_files = ["${list}"]\n`);
    writeFileSync(list, '192.0.2.0/24\n2001:db8::/32\n');
    expect(await sluice('check', '-c', file)).toBe(0);
    expect(out).toMatch(/is good: .*\nnetworks in lists: allow 0, slow 0, deny 2, exceptions 0\n/);
    writeFileSync(list, '192.0.2.0\n192.0.2.1/24\n');
    out = '';
    expect(await sluice('check', '-c', file)).toBe(78);
    expect(out).toBe('');
    expect(err).toMatch(/^.*deny\.cidr:2:1: got .*\(did you mean "192\.0\.2\.0\/24"\?\)\n$/);
  });

  it('refuses a spool directory that cannot take a message', async () => {
    const file = join(folder, 'spool.toml');
    for (const [directory, says] of [
      [join(folder, 'none'), 'does not exist'],
      [good, 'is not a directory'],
    ] as const) {
      err = '';
      writeFileSync(file, `[spool]\ndirectory = "${directory}"\n`);
      expect(await sluice('check', '-c', file)).toBe(78);
      expect(err).toBe(`${file}: spool.directory: "${directory}" ${says}\n`);
    }
    writeFileSync(file, `[spool]\ndirectory = "${folder}"\n`);
    expect(await sluice('check', '-c', file)).toBe(0);
  });

  it('refuses a configuration that outlasts the patience of a client', async () => {
    const file = join(folder, 'patience.toml');
    writeFileSync(file, '[screen]\ngreet_wait = "4min"\n[shape]\ntimer_share = 10\n');
    expect(await sluice('check', '-c', file)).toBe(78);
    expect(err).toMatch(new RegExp(`^${file}: .*greet_wait`));
  });

  it('says whom each certificate names and until when, and never shows a key', async () => {
    const pair = selfSigned('mx.example.net', new Date('2021-02-03T00:00:00Z'));
    const tls = { certificate: join(folder, 'mx.crt'), key: join(folder, 'mx.key') };
    writeFileSync(tls.certificate, pair.certificate);
    writeFileSync(tls.key, pair.key);
    const file = join(folder, 'tls.toml');
    writeFileSync(
      file,
      `[[listener]]\naddress = "127.0.0.1:2525"\ntls = { certificate = "${tls.certificate}", key = "${tls.key}" }\n`,
    );
    expect(await sluice('check', '-c', file)).toBe(0);
    expect(out).toContain('\nSTARTTLS on 127.0.0.1:2525: CN=mx.example.net, until 2021-02-03: expired\n');
    expect(out).not.toContain('PRIVATE');
  });

  it.each([
    [true, 0],
    [false, 1],
  ])('asks the backend with --live: good %s gives %i', async (ok, code) => {
    calls.probeOk = ok;
    expect(await sluice('check', '-c', good, '--live')).toBe(code);
    expect(out).toMatch(/\n\nbackend: seen\n$/);
  });
});

describe('config', () => {
  it('prints an example that check takes', async () => {
    expect(await sluice('config', 'example')).toBe(0);
    expect(parseConfig(out, 'example.toml').screen.greetWaitMs).toBe(6_000);
  });

  it('prints the JSON Schema', async () => {
    expect(await sluice('config', 'schema')).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ title: 'Sluice configuration' });
  });

  it('prints the settings in effect', async () => {
    expect(await sluice('config', 'dump', '-c', good)).toBe(0);
    expect(out).toContain('hostname = "mx.example.net"\n');
    expect(parseConfig(out, 'dump.toml')).toEqual(parseConfig('hostname = "mx.example.net"\n', good));
  });

  it('answers a wrong file with 78', async () => {
    expect(await sluice('config', 'dump', '-c', bad)).toBe(78);
    expect(out).toBe('');
  });
});
