/**
 * hunt-check — what is stored against what each session said: whose address, whose words, how often
 *
 * The marker in a body says which session and transaction it is of. From there on everything else has to be that session's: what the
 * backend was told of the client (every attribute of XCLIENT), the HELO, sender and recipients, the body itself. And how often it
 * is stored follows from what its client was told:
 *
 * - told 250: once, under the id that the client was told;
 * - told 451 because the backend's answer was lost, or gone before any answer came: at most once;
 * - told anything else: not at all;
 * - left before its end was sent: not at all.
 */
import { createHash } from 'node:crypto';

import type { StoredMessage } from '../../loadgen/sink.ts';
import type { HuntPorts, Told } from './hunt-client.ts';
import { planOf } from './hunt-plan.ts';
import type { HuntRules, SessionPlan } from './hunt-plan.ts';

/** A stored message, as far as a backend tells; what it does not tell is not looked at. */
export type Kept = Pick<StoredMessage, 'id' | 'queueId' | 'sender' | 'recipients' | 'helo' | 'protocol'> & {
  readonly sha256: string;
  readonly client: Readonly<Record<string, string>>;
  readonly mailParameters?: string;
};

export interface Finding {
  /** Everything that is not as it has to be. */
  readonly wrong: string[];
  readonly stored: number;
  readonly toldYes: number;
  readonly toldNo: number;
  readonly uncertain: number;
  readonly unanswered: number;
  /** Of the last two kinds: stored. */
  readonly storedUntold: number;
}

const UNAVAILABLE = '[UNAVAILABLE]';

/** Holds what is stored against what was told. `unquoted`: the backend keeps local parts without their quotes. */
export function judge(
  rules: HuntRules,
  ports: HuntPorts,
  told: Iterable<Told>,
  stored: Iterable<Kept>,
  unquoted = false,
): Finding {
  const wrong: string[] = [];
  const toldOf = new Map<string, Told>();
  for (const one of told) toldOf.set(one.id, one);
  const times = new Map<string, number>();
  let storedCount = 0;
  for (const kept of stored) {
    storedCount += 1;
    times.set(kept.id, (times.get(kept.id) ?? 0) + 1);
    wrong.push(...strangerIn(rules, ports, toldOf.get(kept.id), kept, unquoted));
  }
  const count = { toldYes: 0, toldNo: 0, uncertain: 0, unanswered: 0, storedUntold: 0 };
  for (const one of toldOf.values()) {
    const copies = times.get(one.id) ?? 0;
    const isYes = one.code >= 200 && one.code < 300;
    if (isYes) count.toldYes += 1;
    else if (one.isUncertain) count.uncertain += 1;
    else if (one.code === 0) count.unanswered += 1;
    else count.toldNo += 1;
    const mayBeStored = one.isUncertain || one.code === 0;
    if (mayBeStored) count.storedUntold += Math.min(1, copies);
    if (copies < (isYes ? 1 : 0) || copies > (isYes || mayBeStored ? 1 : 0))
      wrong.push(`message ${one.id} was told ${one.code || 'nothing'} and is stored ${copies} times`);
  }
  return { wrong, stored: storedCount, ...count };
}

/** What of a stored message is not of its own session. */
function strangerIn(
  rules: HuntRules,
  ports: HuntPorts,
  told: Told | undefined,
  kept: Kept,
  unquoted: boolean,
): string[] {
  if (told === undefined)
    return [`message ${kept.id || 'of nobody'} is stored, though its end was never sent`];
  const [number, at] = kept.id.split('.').map(Number) as [number, number];
  const plan = planOf(rules, number);
  const letter = plan.letters[at]!;
  const wanted = wantedOf(plan, told, ports);
  const bare = (path: string): string => (unquoted ? path.replaceAll(/^"|"(?=@)/g, '') : path);
  const pairs: [string, string | undefined, string][] = [
    ['HELO', kept.helo, told.helo],
    ['protocol', kept.protocol, plan.isEsmtp ? 'ESMTP' : 'SMTP'],
    ['sender', kept.sender, letter.sender.slice(1, -1)],
    ['parameters of MAIL', kept.mailParameters, letter.parameters.trim()],
    [
      'recipients',
      kept.recipients.join(' '),
      told.recipients.map((path) => bare(path.slice(1, -1))).join(' '),
    ],
    ['body', kept.sha256, createHash('sha256').update(letter.body).digest('hex')],
    ...Object.entries(wanted).map(
      ([name, value]) =>
        [`XCLIENT ${name}`, kept.client[name], value] as [string, string | undefined, string],
    ),
  ];
  if (told.queueId !== '') pairs.push(['id', kept.queueId, told.queueId]);
  return pairs
    .filter(([, got, want]) => got !== undefined && got !== want)
    .map(
      ([what, got, want]) =>
        `message ${kept.id}: ${what} is ${JSON.stringify(got)}, not ${JSON.stringify(want)}`,
    );
}

function wantedOf(plan: SessionPlan, told: Told, ports: HuntPorts): Readonly<Record<string, string>> {
  const ends = plan.header?.ends;
  const said = (address: string): string => (address.includes(':') ? `IPV6:${address}` : address);
  return {
    ADDR: said(ends?.address ?? plan.source),
    PORT: String(told.port),
    HELO: told.helo.startsWith('[') ? UNAVAILABLE : told.helo,
    PROTO: plan.isEsmtp ? 'ESMTP' : 'SMTP',
    DESTADDR: said(ends?.destinationAddress ?? '127.0.0.1'),
    DESTPORT: String(ends?.destinationPort ?? ports.plain),
    LOGIN: UNAVAILABLE,
    NAME: UNAVAILABLE,
    REVERSE_NAME: UNAVAILABLE,
  };
}
