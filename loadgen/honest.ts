/**
 * honest — every kind of honest sender by the name it has in tables
 *
 * Beside the one that keeps RFC 5321 stand those that do not and whose mail is wanted all the same. What they break
 * is published; where the figure was not, it says so at the timers (bots/patience.ts).
 */
import type { Bot } from './bots/bot.ts';
import {
  mailingListTimers,
  rfc5321Timers,
  scaledTimers,
  shortBlockTimers,
  totalTimeoutTimers,
} from './bots/patience.ts';
import type { SmtpTimers } from './bots/patience.ts';
import { PoliteMta } from './bots/polite-mta.ts';
import { smallPost } from './bots/post.ts';
import type { Post } from './bots/post.ts';

/** What an honest sender is made for. */
export interface HonestOptions {
  /** The first part of every message id. */
  readonly run: string;
  readonly rcptDomain: string;
  /** Timers in percent of their length. */
  readonly timersPercent: number;
}

interface HonestKind {
  readonly says: string;
  readonly timers: SmtpTimers;
  readonly post: Partial<Post>;
}

/** Every kind of honest sender. */
export const honestKinds = {
  polite: { says: 'keeps every timer of RFC 5321', timers: rfc5321Timers, post: {} },
  'total-timeout': {
    says: 'gives up 5 minutes after it connected, however far it has come',
    timers: totalTimeoutTimers,
    post: {},
  },
  'short-block': {
    says: 'gives up when 4 kB of its 100 kB are not taken within a minute',
    timers: shortBlockTimers,
    post: { bodyBytesMin: 95_000, bodyBytesMax: 105_000 },
  },
  'mailing-list': {
    says: 'waits a minute for the greeting and half a minute for each reply, and names up to 50 recipients',
    timers: mailingListTimers,
    post: { rcptsMin: 20, rcptsMax: 50 },
  },
} as const satisfies Record<string, HonestKind>;
export type HonestName = keyof typeof honestKinds;

/** Makes an honest sender. */
export function honestSender(name: HonestName, options: HonestOptions): Bot {
  const { timers, post }: HonestKind = honestKinds[name];
  const { run, rcptDomain, timersPercent } = options;
  return new PoliteMta({ ...smallPost, ...post, run, rcptDomain }, scaledTimers(timers, timersPercent), name);
}
