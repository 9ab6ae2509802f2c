import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/config/config-error.ts';
import { defaultConfig, loadConfig, parseConfig } from '../../../src/config/load.ts';
import { problemsOf } from './problems-of.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-load-'));
afterAll(() => rmSync(folder, { recursive: true }));

// prettier-ignore
const mistakes: readonly (readonly [string, string, readonly string[]])[] = [
  ['a syntax error', 'mode = \n', ['1:8: not TOML: invalid value']],
  ['a key given twice', 'mode = "observe"\nmode = "observe"\n', ['2:1: not TOML: trying to redefine an already defined table or value']],
  ['a number too large for any setting', '[engine]\nshards = 99999999999999999999\n', ['2:10: not TOML: integer value cannot be represented losslessly']],
  ['an unknown key', 'hostnme = "x"\n', ['1:1: unknown key "hostnme" (did you mean "hostname"?)']],
  ['an unknown key that resembles nothing', 'zzzzzzzz = 1\n', ['1:1: unknown key "zzzzzzzz"']],
  ['an unknown key in a section', '[engine]\n  shard = 1\n', ['2:3: unknown key "shard" in [engine] (did you mean "shards"?)']],
  ['an unknown key in a block', '[[listener]]\nadress = "0.0.0.0:25"\n', ['2:1: unknown key "adress" in [[listener]] (did you mean "address"?)']],
  ['a quoted unknown key', '[engine]\n"a b\\n" = 1\n', ['2:1: unknown key "a b\\n" in [engine]']],
  ['a dotted unknown key', 'engine.shard = 1\n', ['1:8: unknown key "shard" in [engine] (did you mean "shards"?)']],
  ['an unknown section', '[engin]\nshards = 1\n', ['1:2: unknown section [engin] (did you mean [engine]?)']],
  ['an unknown section below a section', '[engine.more]\nx = 1\n', ['1:9: unknown key "more" in [engine]']],
  ['a key above its section', 'greet_wait = "5s"\n', ['1:1: unknown key "greet_wait" (did you mean "greet_wait" in [screen] or [stress]?)']],
  ['a key of the top below a section', '[engine]\nmode = "observe"\n', ['2:1: unknown key "mode" in [engine] (did you mean "mode" at the top of the file?)']],
  ['a key that two sections know', 'bare_newline = "drop"\n', ['1:1: unknown key "bare_newline" (did you mean "bare_newline" in [screen] or [smtp]?)']],
  ['a wrong word', 'mode = "enforced"\n', ['1:8: mode: got "enforced", want "enforce" or "observe" (did you mean "enforce"?)']],
  ['a number for a word', 'mode = 1\n', ['1:8: mode: got 1, want "enforce" or "observe"']],
  ['a date', 'mode = 2026-11-22\n', ['1:8: mode: got a date, want "enforce" or "observe"']],
  ['a boolean', '[engine]\nshards = true\n', ['2:10: engine.shards: got true, want a whole number, 0 to 64']],
  ['a fraction', '[engine]\nshards = 1.5\n', ['2:10: engine.shards: got 1.5, want a whole number, 0 to 64']],
  ['infinity', '[engine]\nshards = inf\n', ['2:10: engine.shards: got inf, want a whole number, 0 to 64']],
  ['a number in quotes', '[engine]\nshards = "2"\n', ['2:10: engine.shards: got "2", want a whole number, 0 to 64']],
  ['a number below its bounds', '[engine]\nmax_sessions = 0\n', ['2:16: engine.max_sessions: got 0, want 1 to 1000000']],
  ['a number above its bounds', '[shape]\ntimer_share = 91\n', ['2:15: shape.timer_share: got 91, want 1 to 90']],
  ['a duration without a unit', '[screen]\ngreet_wait = 6\n', ['2:14: screen.greet_wait: got 6, want a duration such as "6s"']],
  ['a duration with another unit', '[screen]\ngreet_wait = "5 minutes"\n', ['2:14: screen.greet_wait: got "5 minutes", want a duration such as "6s" (did you mean "5min"?)']],
  ['a duration out of bounds', '[screen]\ngreet_wait = "5min"\n', ['2:14: screen.greet_wait: got "5min", want "0s" to "4min"']],
  ['a size with another unit', '[smtp]\ncommand_line = "2KB"\n', ['2:16: smtp.command_line: got "2KB", want a size such as "2kB" (did you mean "2kB"?)']],
  ['a size out of bounds', '[smtp]\ncommand_line = "100B"\n', ['2:16: smtp.command_line: got "100B", want "512B" to "64kB"']],
  ['control characters in the banner', '[screen]\nbanner = "a\\r\\nb"\n', ['2:10: screen.banner: got "a\\r\\nb", want printable ASCII, at most 200 characters']],
  ['a name that is no host name', 'hostname = "my_host"\n', ['1:12: hostname: got "my_host", want a host name such as "mx.example.net"']],
  ['a relative path', '[spool]\ndirectory = "spool"\n', ['2:13: spool.directory: got "spool", want an absolute path']],
  ['a listener with a name', '[[listener]]\naddress = "localhost:25"\n', ['2:11: listener.address: got "localhost:25", want an address and port such as "0.0.0.0:25" or "[::]:25"']],
  ['a backend without a port', '[backend]\naddress = "127.0.0.1"\n', ['2:11: backend.address: got "127.0.0.1", want an address and port such as "127.0.0.1:10025"']],
  ['a backend on port 0', '[backend]\naddress = "127.0.0.1:0"\n', ['2:11: backend.address: got "127.0.0.1:0", want an address and port such as "127.0.0.1:10025"']],
  ['one network of a list', '[lists]\nallow = [\n  "192.0.2.0/24",\n  "192.0.2.1/24",\n]\n', ['4:3: lists.allow[1]: got "192.0.2.1/24", want a network whose host bits are zero (did you mean "192.0.2.0/24"?)']],
  ['a number in a list of networks', '[lists]\ndeny = [5]\n', ['2:9: lists.deny[0]: got 5, want an address or network in quotes']],
  ['text for a list', '[lists]\ndeny = "192.0.2.1"\n', ['2:8: lists.deny: got "192.0.2.1", want a list of addresses and networks such as ["192.0.2.0/24"]']],
  ['a value for a section', 'engine = 5\n', ['1:10: engine: got 5, want a table [engine]']],
  ['blocks for a section', '[[engine]]\n', ['1:3: engine: got a list, want a table [engine]']],
  ['a section for blocks', '[listener]\n', ['1:2: listener: got {}, want at least one block [[listener]]']],
  ['no block at all', 'listener = []\n', ['1:12: listener: got [], want at least one block [[listener]]']],
  ['a value for a block', 'listener = [1]\n', ['1:13: listener: got 1, want a table [[listener]]']],
  ['a block without its zone', '[[dnsxl]]\nweight = 2\n', ['1:3: dnsxl.zone: every block needs a zone']],
  ['an answer that says that a list is closed', '[[dnsxl]]\nzone = "zen.example.org"\ncodes = ["127.0.0.1-127.0.0.9"]\n', ['3:10: dnsxl.codes[0]: got "127.0.0.1-127.0.0.9", want answers without 127.0.0.1, which says that the list is closed']],
  ['a zone that holds a key, without the key', '[[dnsxl]]\nzone = "secret key.example.org"\n', ['2:8: dnsxl.zone: want a zone such as "zen.example.org"']],
  ['two names for one zone', '[[dnsxl]]\nzone = "a.example.org"\n[[dnsxl]]\nzone = "a.example.org"\nshown_as = "b.example.org"\n', ['5:12: dnsxl.shown_as: another block of the same zone has another name']],
  ['proxies without their addresses', '[[listener]]\naddress = "0.0.0.0:25"\nproxy_protocol = "required"\n', ['1:3: listener.trusted_proxies: proxy_protocol = "required" wants the addresses that your proxies connect from, such as ["192.0.2.10"]; a header from elsewhere is never believed']],
  ['proxies that nobody listens to', '[[listener]]\ntrusted_proxies = ["192.0.2.10"]\n', ['2:19: listener.trusted_proxies: proxy_protocol is "off": no header is believed; want proxy_protocol = "required" or no trusted_proxies']],
  ['everybody as a proxy', '[[listener]]\nproxy_protocol = "required"\ntrusted_proxies = ["::/0"]\n', ['3:19: listener.trusted_proxies: "::/0" is everybody: each client could name itself as it likes']],
  ['a header on a connection for many', '[backend]\nidentity = "proxy-v1"\nreuse = "always"\n', ['3:9: backend.reuse: got "always", but a PROXY header (identity = "proxy-v1") names one client for a whole connection; want "auto" or "never"']],
  ['a hash without a key', '[privacy]\nlog_ip = "hmac"\n', ['2:10: privacy.key_file: log_ip = "hmac" wants a file with the key']],
  ['half a certificate', '[[listener]]\ntls = { certificate = "/c", key = "" }\n', ['2:7: listener.tls: the key is missing; want both, or neither for no STARTTLS']],
  ['keys of the JavaScript kind', '[__proto__]\nx = 1\n[constructor]\n[engine]\ntoString = 1\n__proto__ = 2\n', ['1:2: unknown section [__proto__]', '3:2: unknown section [constructor]', '5:1: unknown key "toString" in [engine]', '6:1: unknown key "__proto__" in [engine]']],
  ['a listener given twice', '[[listener]]\naddress = "0.0.0.0:25"\n[[listener]]\naddress = "0.0.0.0:25"\n', ['4:11: listener.address: "0.0.0.0:25" is listed twice']],
  ['a backend that is our own listener', '[[listener]]\naddress = "0.0.0.0:10025"\n[backend]\naddress = "127.0.0.1:10025"\n', ['4:11: backend.address: "127.0.0.1:10025" is our own listener 0.0.0.0:10025: mail would go in a circle']],
  ['a listener that is the default backend', '\n[[listener]]\naddress = "[::]:10025"\n', ['2:3: backend.address: "127.0.0.1:10025" is our own listener [::]:10025: mail would go in a circle']],
  ['servers and a backend address', '[[server]]\naddress = "192.0.2.25:25"\n[[server]]\naddress = "192.0.2.26:25"\n[backend]\naddress = "192.0.2.25:25"\ntls_name = "mx.example"\ntls = "required"\n', ['6:11: backend.address: the blocks [[server]] take its place; want it in one of them', '7:12: backend.tls_name: the blocks [[server]] take its place; want it in one of them']],
  ['a server given twice', '[[server]]\naddress = "192.0.2.25:25"\n[[server]]\naddress = "192.0.2.25:25"\n', ['4:11: server.address: "192.0.2.25:25" is listed twice; want a weight']],
  ['a server that is our own listener', '[[listener]]\naddress = "0.0.0.0:10025"\n[[server]]\naddress = "192.0.2.25:25"\n[[server]]\naddress = "127.0.0.1:10025"\n', ['6:11: server.address: "127.0.0.1:10025" is our own listener 0.0.0.0:10025: mail would go in a circle']],
  ['servers that are not verified by name', '[[server]]\naddress = "192.0.2.25:25"\ntls_name = "mx.example"\n', ['3:12: server.tls_name: nothing is verified with tls = "off"; want tls = "required", or no such key']],
  ['more servers than connections', '[[server]]\naddress = "192.0.2.25:25"\n[[server]]\naddress = "192.0.2.26:25"\n[backend]\nmax_connections = 1\n', ['6:19: backend.max_connections: got 1, want at least one for each of 2 servers']],
  ['a weight of nothing', '[[server]]\nweight = 0\n', ['2:10: server.weight: got 0, want 1 to 100']],
  ['a client that may have more than all', '[limits]\nconnections = 20\n[engine]\nmax_sessions = 10\n', ['2:15: limits.connections: got 20, want at most engine.max_sessions (10)']],
  ['fewer sessions than shards', '[limits]\nconnections = 1\n[engine]\nmax_sessions = 10\nshards = 4\nprocesses = 3\n', ['4:16: engine.max_sessions: got 10, want at least one for each of 12 shards']],
  ['stress that is over before it begins', '[stress]\nleave = 90\n', ['2:9: stress.leave: got 90, want less than enter (90)']],
  ['shedding that begins with stress', '[stress]\nenter = 95\n', ['1:2: stress.shed: got 95, want more than enter (95)']],
  ['a message that is larger than the memory', '[spool]\nmessage_memory = "100MB"\n', ['2:18: spool.message_memory: got "100MB", want at most spool.memory_max ("64MB")']],
  ['a message that does not fit the disk', '[smtp]\nmessage_size_max = "2GB"\n', ['2:20: smtp.message_size_max: got "2GB", but no message larger than spool.disk_max ("1GB") fits the spool']],
  ['a network on two lists', '[lists]\nallow = ["192.0.2.1"]\ndeny = ["192.0.2.1"]\n', ['3:9: lists.deny[0]: "192.0.2.1" is in lists.allow too']],
];

describe('load', () => {
  it.each(mistakes)('tells %s', (_title, text, problems) => {
    expect(problemsOf(text)).toEqual(problems.map((problem) => `sluice.toml:${problem}`));
  });

  it('tells every problem at once, in the order of the file', () => {
    const text =
      '[limits]\nconnections = 20\n[shape]\nslow_at = "x"\n[engine]\nmax_sessions = 10\nshrds = 1\n[oops]\n';
    expect(problemsOf(`hostnme = "x"\n${text}`).map((problem) => problem.replace(/: .*/, ''))).toEqual([
      'sluice.toml:1:1',
      'sluice.toml:3:15',
      'sluice.toml:5:11',
      'sluice.toml:8:1',
      'sluice.toml:9:2',
    ]);
  });

  it('passes over a rule when a setting that it reads is wrong by itself', () => {
    expect(problemsOf('[limits]\nconnections = 20\n[engine]\nmax_sessions = "10"\n')).toHaveLength(1);
  });

  it('shows fifty problems and counts the rest', () => {
    const problems = problemsOf(Array.from({ length: 80 }, (_, index) => `unknown_${index} = 1\n`).join(''));
    expect(problems).toHaveLength(51);
    expect(problems.at(-1)).toBe('sluice.toml: and 30 more problems');
  });

  it('cuts a long value short', () => {
    const [problem = ''] = problemsOf(`hostname = "${'x'.repeat(10_000)}"\n`);
    expect(problem.length).toBeLessThan(200);
    expect(problem).toContain('xxx…, want a host name');
  });

  it('takes every setting from the file, in the units of the Config', () => {
    const config = parseConfig(
      'mode = "observe"\nhostname = "mx.example.net"\n[[listener]]\naddress = "127.0.0.1:2525"\n[[listener]]\naddress = "[::1]:2525"\n' +
        '[screen]\ngreet_wait = "500ms"\n[spool]\nmemory_max = "1MiB"\n[lists]\nslow = ["2001:db8::/32"]\n[shape]\nslow_from = 3\nslow_at = 7\n',
      'sluice.toml',
    );
    expect(config).toEqual(
      defaultConfig({
        mode: 'observe',
        hostname: 'mx.example.net',
        listener: ['127.0.0.1:2525', '[::1]:2525'].map((address) => ({
          address,
          proxyProtocol: 'off',
          trustedProxies: [],
          tls: { certificate: '', key: '' },
        })),
        screen: { greetWaitMs: 500 },
        spool: { memoryMaxBytes: 1_048_576 },
        lists: { slow: ['2001:db8::/32'] },
        shape: { slowFrom: 3, slowAt: 7 },
      }),
    );
  });

  it('gives the defaults for an empty file, with the name of the system', () => {
    expect(parseConfig('', 'sluice.toml')).toEqual(defaultConfig());
    expect(defaultConfig().hostname).toBe(hostname());
  });

  it('freezes all of it', () => {
    const config = parseConfig('[lists]\nallow = ["192.0.2.1"]\n', 'sluice.toml');
    const parts = [
      config,
      config.listener,
      config.listener[0],
      config.lists,
      config.lists.allow,
      config.screen,
    ];
    expect(parts.map((part) => Object.isFrozen(part))).toEqual(parts.map(() => true));
    expect(Object.isFrozen(defaultConfig({ limits: { connections: 1 } }).limits)).toBe(true);
  });

  it('reads a file, a byte order mark included', () => {
    const path = join(folder, 'good.toml');
    writeFileSync(path, '\ufeffmode = "observe"\r\n');
    expect(loadConfig(path).mode).toBe('observe');
  });

  it.each([
    ['missing', (path: string) => path, ': cannot be read: no such file or directory'],
    ['a folder', () => folder, ': cannot be read: illegal operation on a directory'],
    [
      'not UTF-8',
      (path: string) => (writeFileSync(path, Buffer.from([0x61, 0xff])), path),
      ':1:1: the file is not UTF-8',
    ],
    [
      'too large',
      (path: string) => (writeFileSync(path, ' '.repeat(4_000_001)), path),
      ':1:1: the file is larger than 4MB',
    ],
  ])('refuses a file that is %s', (title, make, says) => {
    const path = make(join(folder, `${title}.toml`));
    expect(() => loadConfig(path)).toThrow(new ConfigError([`${path}${says}`]));
  });

  it('refuses a text that is too large', () => {
    expect(problemsOf('#'.repeat(4_000_001))).toEqual(['sluice.toml:1:1: the file is larger than 4MB']);
  });
});
