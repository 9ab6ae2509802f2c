/**
 * wishes — what each session wants of the backend, until a lane does it
 *
 * Columns by slot: its step, whether it goes before others, how often the step was tried and on which server it failed last;
 * and the line of those for whom no lane is free.
 */
import type { Envelope } from '../session/envelope.ts';
import { Job } from './lane-host.ts';
import { needsOf } from './needs.ts';
import type { Wish } from './servers.ts';
import { WaitingLine } from './waiting-line.ts';

/** Lanes on which a step is tried before its client is told to try again. */
const ATTEMPTS_MAX = 3;

export class Wishes {
  readonly line: WaitingLine;
  /** Sessions of good standing, by slot: 1. */
  readonly preferred: Uint8Array;
  readonly #jobs: Uint8Array;
  readonly #attempts: Uint8Array;
  readonly #failedOn: Int16Array;
  readonly #wish: Wish = { needs: 0, bytes: 0, avoid: -1 };

  /** Nobody wants anything; slots are 0 … capacity - 1. */
  constructor(capacity: number) {
    this.line = new WaitingLine(capacity);
    this.preferred = new Uint8Array(capacity);
    this.#jobs = new Uint8Array(capacity);
    this.#attempts = new Uint8Array(capacity);
    this.#failedOn = new Int16Array(capacity).fill(-1);
  }

  /** A session wants something new. */
  begin(slot: number, isOfGoodStanding: boolean): void {
    this.#attempts[slot] = 0;
    this.#failedOn[slot] = -1;
    this.preferred[slot] = isOfGoodStanding ? 1 : 0;
  }

  /** The step of a session failed on a server; false when it was tried often enough. */
  mayTryAgain(slot: number, server: number): boolean {
    this.#attempts[slot]! += 1;
    this.#failedOn[slot] = server;
    return this.#attempts[slot]! < ATTEMPTS_MAX;
  }

  /** No lane is free for a session: it waits in line. */
  wait(slot: number, job: Job, isUnderStress: boolean): void {
    this.#jobs[slot] = job;
    const isMessage = job === Job.Deliver && !isUnderStress;
    this.line.join(slot, isMessage || this.preferred[slot] === 1);
  }

  /** What a session that waits is waiting for. */
  jobOf(slot: number): Job {
    return this.#jobs[slot] as Job;
  }

  /** What the step of a session asks of its server; good until the next call. */
  wishOf(slot: number, job: Job, envelope: Envelope): Wish {
    const wish = this.#wish;
    wish.needs = needsOf(envelope);
    wish.bytes = Math.max(envelope.announcedBytes, job === Job.Verify ? 0 : envelope.bodyBytes);
    wish.avoid = this.#failedOn[slot]!;
    return wish;
  }
}
