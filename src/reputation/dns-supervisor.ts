/**
 * dns-supervisor — whether one DNS list can be believed at this moment
 *
 * A list counts for nothing until its test entries were right (dns-zone-test), which are looked up at the start and
 * every `dnsxl_policy.test_interval`. It is suspended when they are wrong, when it gives an error for an answer,
 * when half of its last look-ups failed, and when it suddenly has clients of good standing: at least 5 of the
 * last 50, and more than a fifth. A suspended list is asked about nobody and tested again after 1 s, 2 s, 4 s, … up
 * to 5 minutes; when it had listed good clients, these have to be gone too. Then it is on trial: a few look-ups
 * at once, and the first one that fails suspends it again for twice as long.
 *
 * A slow list is reported, not suspended: a late answer still counts.
 *
 * The supervisor sends nothing. It says what is to be asked (dns-zone-desk asks), is told what came, and leaves
 * sentences for the operator. A clock is handed in, so it is the same each time it is run.
 */
import type { DnsReply } from './dns-queries.ts';
import { DnsLatency } from './dns-latency.ts';
import { lookUpName } from './dns-names.ts';
import type { Words } from './dns-names.ts';
import type { EntryAnswer } from './dns-zone-test.ts';
import { entryQueries, judgeTest, readEntry } from './dns-zone-test.ts';
import type { Zone } from './dns-zones.ts';

const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 300_000;
const FAILURES_MIN = 5;
const GOOD_WINDOW = 50;
const GOOD_LISTED_MIN = 5;
/** More than one of so many. */
const GOOD_SHARE = 5;
const REMEMBERED_MAX = 10;
const TRIAL_LOOKUPS = 20;
/** A list that takes so long for half of its answers is called slow. */
export const SLOW_MS = 1_000;
/** Answers after which the latency is looked at again. */
const LATENCY_STEP = 16;
const NOTICES_MAX = 100;

export type ZoneState = 'untested' | 'good' | 'suspended';

interface GoodClient {
  readonly words: Words;
  readonly listed: boolean;
}

export class ZoneSupervisor {
  readonly zone: Zone;
  readonly latency = new DnsLatency();
  state: ZoneState = 'untested';
  /** Why it is suspended, or '' */
  reason = '';
  sinceMs = 0;
  asks4 = true;
  asks6 = false;
  isSlow = false;
  isTesting = false;
  /** Times it was suspended. */
  suspensions = 0;
  /** Sentences for the operator, taken away by whoever prints them. */
  readonly notices: string[] = [];

  readonly #testIntervalMs: number;
  #nextTestMs = 0;
  #retryMs = RETRY_MS_MIN;
  #trialLeft = 0;
  #untilLatency = LATENCY_STEP;
  #good: GoodClient[] = [];
  #remembered: readonly Words[] = [];
  #answers: (EntryAnswer | null)[] = [];
  #entries = 0;
  #fault6: string | null = null;
  /** It was suspended while a test ran, which has to begin anew: it did not ask for what was found since. */
  #isSpoilt = false;

  constructor(zone: Zone, testIntervalMs: number) {
    this.zone = zone;
    this.#testIntervalMs = testIntervalMs;
  }

  /** A listing of it counts. */
  get isTrusted(): boolean {
    return this.state === 'good';
  }

  /** It was suspended and has to show that it answers: few look-ups at once. */
  get isOnTrial(): boolean {
    return this.#trialLeft > 0;
  }

  /** When the next test is due; Infinity while one runs. */
  nextDueMs(): number {
    return this.isTesting ? Infinity : this.#nextTestMs;
  }

  /** Begins a test: the names to ask for. Their replies come back by their place. */
  beginTest(): readonly string[] {
    const entries = entryQueries(this.zone);
    const remembered = this.#remembered.map((words) => lookUpName(words, 0, this.zone.name));
    this.isTesting = true;
    this.#isSpoilt = false;
    this.#entries = entries.length;
    this.#answers = [...entries, ...remembered].map(() => null);
    return [...entries, ...remembered];
  }

  /** The reply to one name of the test. True when that was the last and the zone is judged. */
  testAnswered(place: number, reply: DnsReply, latencyMs: number, nowMs: number): boolean {
    this.#answers[place] = readEntry(reply);
    if (reply.kind !== 'timeout' && reply.kind !== 'failed') this.latency.measure(latencyMs);
    if (this.#answers.includes(null)) return false;
    this.isTesting = false;
    if (!this.#isSpoilt) this.#conclude(this.#answers as EntryAnswer[], nowMs);
    return true;
  }

  /** A look-up was answered in `latencyMs`. */
  answered(latencyMs: number): void {
    this.latency.answered(latencyMs);
    if (this.#trialLeft > 0 && --this.#trialLeft === 0) this.#retryMs = RETRY_MS_MIN;
    this.#untilLatency -= 1;
    if (this.#untilLatency > 0) return;
    this.#untilLatency = LATENCY_STEP;
    this.#lookAtLatency();
  }

  /** A look-up had no answer in time, or none that can be used. */
  failed(why: string, nowMs: number): void {
    this.latency.failed();
    const { failures, outcomes } = this.latency;
    if (this.state === 'suspended') return;
    if (this.isOnTrial || (failures >= FAILURES_MIN && failures * 2 >= outcomes))
      this.suspend(`${failures} of its last ${outcomes} look-ups failed, the last because ${why}`, nowMs);
  }

  /** A client of good standing was looked up. */
  sawGood(words: Words, listed: boolean, nowMs: number): void {
    if (!this.zone.isBlocking || this.state === 'suspended') return;
    this.#good.push({ words: Uint32Array.from(words), listed });
    if (this.#good.length > GOOD_WINDOW) this.#good.shift();
    const suspects = this.#good.filter((client) => client.listed);
    if (suspects.length < GOOD_LISTED_MIN || suspects.length * GOOD_SHARE <= this.#good.length) return;
    this.#remembered = suspects.slice(-REMEMBERED_MAX).map((client) => client.words);
    const [bad, all] = [suspects.length, this.#good.length];
    this.suspend(`it lists ${bad} of the last ${all} clients of good standing`, nowMs);
  }

  /** Believes the zone in nothing until it has passed a test. */
  suspend(why: string, nowMs: number): void {
    const isNews = this.state !== 'suspended' || this.reason !== why;
    if (this.state !== 'suspended') {
      this.suspensions += 1;
      this.sinceMs = nowMs;
    }
    this.state = 'suspended';
    this.#isSpoilt = this.isTesting;
    this.reason = why;
    this.asks6 = false;
    this.#trialLeft = 0;
    this.#good = [];
    this.latency.forgive();
    this.#nextTestMs = nowMs + this.#retryMs;
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX, Math.max(RETRY_MS_MIN, this.#testIntervalMs));
    if (isNews) this.#say(`is suspended: ${why}. It decides nothing until it passes its test`);
  }

  #conclude(answers: readonly EntryAnswer[], nowMs: number): void {
    const result = judgeTest(this.zone, answers.slice(0, this.#entries));
    const stillListed = answers.slice(this.#entries).filter((answer) => answer.kind !== 'clean').length;
    if (result.fault !== null) return this.suspend(result.fault, nowMs);
    if (stillListed * GOOD_SHARE > this.#remembered.length) {
      const all = this.#remembered.length;
      return this.suspend(`it still lists ${stillListed} of ${all} clients of good standing`, nowMs);
    }
    this.#remembered = [];
    this.asks4 = result.asks4;
    this.asks6 = result.asks6;
    if (result.fault6 !== null && result.fault6 !== this.#fault6)
      this.#say(`is not asked about IPv6 clients: ${result.fault6}`);
    this.#fault6 = result.fault6;
    this.#nextTestMs = nowMs + this.#testIntervalMs;
    if (this.state === 'suspended') {
      this.#trialLeft = TRIAL_LOOKUPS;
      this.#say(`has passed its test and counts again, after ${seconds(nowMs - this.sinceMs)}`);
    }
    if (this.state !== 'good') this.sinceMs = nowMs;
    this.state = 'good';
    this.reason = '';
    return this.#lookAtLatency();
  }

  #lookAtLatency(): void {
    const medianMs = this.latency.quantileMs(0.5);
    const isSlow = medianMs >= SLOW_MS;
    if (isSlow === this.isSlow) return;
    this.isSlow = isSlow;
    this.#say(
      isSlow
        ? `is slow: half of its answers take ${seconds(medianMs)} and more. What comes late still counts`
        : 'answers in time again',
    );
  }

  #say(what: string): void {
    if (this.notices.length < NOTICES_MAX) this.notices.push(`dnsxl ${this.zone.shown} ${what}`);
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
