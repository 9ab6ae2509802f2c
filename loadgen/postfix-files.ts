/**
 * postfix-files — the configuration of a Postfix of its own, for tests and measurements
 *
 * It lives in one directory and listens on two ports of 127.0.0.1, as the two ways to stand behind Sluice: `fresh` lets
 * 127.0.0.1 say XCLIENT once per connection, `reused` takes any number of them. Everything accepted is put on hold: nothing
 * leaves the machine.
 */
import { join } from 'node:path';

/** What `default_process_limit` is in a Postfix as it is shipped. */
export const POSTFIX_PROCESSES = 100;

/** main.cf of a Postfix that lives in `directory`. `mainCf`: further settings, which win. */
export function postfixMainCf(directory: string, mainCf: Readonly<Record<string, string>> = {}): string {
  const settings: Record<string, string> = {
    compatibility_level: '3.6',
    queue_directory: join(directory, 'queue'),
    data_directory: join(directory, 'data'),
    maillog_file: join(directory, 'maillog'),
    maillog_file_prefixes: directory,
    myhostname: 'backend.example.test',
    mydomain: 'example.test',
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'all',
    mynetworks: '127.0.0.1/32',
    mydestination: '',
    relay_domains: 'example.test',
    relay_recipient_maps: `texthash:${join(directory, 'config', 'recipients')}`,
    smtpd_relay_restrictions: 'permit_mynetworks, reject_unauth_destination',
    smtpd_recipient_restrictions: 'check_client_access static:HOLD',
    smtpd_peername_lookup: 'no',
    smtpd_client_connection_count_limit: '0',
    smtpd_client_connection_rate_limit: '0',
    // What the client sent is stored as it came.
    local_header_rewrite_clients: '',
    message_drop_headers: '',
    enable_long_queue_ids: 'yes',
    in_flow_delay: '0',
    service_throttle_time: '1s', // after a test has killed an smtpd
    alias_maps: '',
    local_recipient_maps: '',
    ...mainCf,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('');
}

/** master.cf with the two listeners, and as many smtpd processes for each as Postfix has by default. */
export function postfixMasterCf(
  freshPort: number,
  reusedPort: number,
  processesMax = POSTFIX_PROCESSES,
): string {
  return `127.0.0.1:${freshPort} inet n - n - ${processesMax} smtpd
  -o syslog_name=postfix/fresh
  -o smtpd_authorized_xclient_hosts=127.0.0.1
127.0.0.1:${reusedPort} inet n - n - ${processesMax} smtpd
  -o syslog_name=postfix/reused
  -o smtpd_authorized_xclient_hosts=static:all
  -o smtpd_soft_error_limit=10000 -o smtpd_hard_error_limit=10001
  -o smtpd_junk_command_limit=100000 -o smtpd_error_sleep_time=0
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
proxymap unix - - n - - proxymap
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
relay unix - - n - - error
smtp unix - - n - - error
local unix - n n - - error
showq unix n - n - - showq
postlog unix-dgram n - n - 1 postlogd
`;
}
