/**
 * settings — THE table of settings
 *
 * One row a key of the configuration file: its default as the file would spell it, its bounds, a sentence.
 * All else is derived: the Config type and its names (config), the check of a file (load), the commented
 * example, the Markdown table and the values in effect (describe), the JSON Schema (schema).
 *
 * The name in the Config is the key in camel case, with Ms behind a duration and Bytes behind a size:
 * screen.greet_wait = "6s" is config.screen.greetWaitMs = 6000. Keys made by later(…) are reserved: the file
 * may hold them with their inert default, the Config does not have them.
 */
import { choice, hostName, later, listening, path } from './kinds.ts';
import type { Setting } from './kinds.ts';
import { networks } from './list-kinds.ts';
import { section, tables } from './sections.ts';
import type { Section, Tables } from './sections.ts';
import { keyPair } from './tls-kinds.ts';
import { clientSettings } from './settings-clients.ts';
import { engineSettings } from './settings-engine.ts';

/** What stands at the top of the file. */
export type Entry = Setting | Section | Tables;

const { engine, backend, server, smtp, tls, shape, stress, spool } = engineSettings;
const {
  screen,
  limits,
  lists,
  dnsxl,
  dnsxl_policy,
  reputation,
  pools,
  greylist,
  traps,
  recipients,
  families,
} = clientSettings;

export const settings = {
  mode: choice(
    'enforce',
    ['enforce', 'observe'],
    'enforce: do as configured. observe: score and log everything, delay and refuse nothing.',
  ),
  hostname: hostName('', 'The name in the greeting and in replies. Empty: the host name of the system.'),

  listener: tables('Where clients connect. One block for each address.', {
    address: listening('0.0.0.0:25', 'Address and port; "[::]:25" takes IPv6, and IPv4 too.'),
    proxy_protocol: choice(
      'off',
      ['off', 'required'],
      'required: each connection begins with a PROXY header (v1 or v2) that names its client. From trusted_proxies only; all others are cut off.',
    ),
    trusted_proxies: networks('Where the proxies in front of this listener connect from.'),
    tls: keyPair(
      'STARTTLS, offered with this certificate (the chain, our own first) and key. SIGHUP reads both anew.',
    ),
  }),

  engine,
  backend,
  server,
  screen,
  smtp,
  tls,
  shape,
  stress,
  limits,
  lists,
  dnsxl,
  dnsxl_policy,
  reputation,
  pools,
  greylist,
  traps,
  recipients,
  families,
  spool,

  cluster: section('Other hosts.', {
    redis: later('', 'the Redis or Valkey server through which hosts share what they learn'),
  }),

  admin: section('The view from outside.', {
    socket: path(
      '/run/sluice/admin.sock',
      'The socket by which the other verbs of the command line speak with a Sluice that runs. Empty: none.',
    ),
    address: later('', 'the address and port of the dashboard, the metrics and the API'),
    token_file: later('', 'the file with the token that a visitor must show'),
  }),

  log: section('The log on standard output: one line for each session, at its end.', {
    format: later('json', 'a choice between json and the lines of postscreen(8)'),
  }),

  privacy: section('How clients are called in the log, on the command line and in the state file.', {
    log_ip: choice(
      'full',
      ['full', 'truncate', 'hmac'],
      'full: by address. truncate: by network (/24, /48). hmac: by a keyed hash, the same for the same client.',
    ),
    key_file: path('', 'The key of the hash: a file of at least 16 bytes that only Sluice can read.'),
  }),
} as const satisfies Readonly<Record<string, Entry>>;
