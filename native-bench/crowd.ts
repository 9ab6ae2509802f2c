/**
 * crowd — runs the driver against a server and reads the server's CPU or memory around it
 *
 * Every dialogue of a run has a source address of its own that no other dialogue shares: a server with a memory
 * for clients meets strangers only. `Crowd` counts the addresses used so far.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { cpuUs, rssBytes } from './proc.ts';
import type { Words } from './replies.ts';
import { killAtExit, type Server } from './server.ts';

/** What the driver prints. */
interface DriverReport {
  readonly dialogues: number;
  readonly ok: number;
  readonly failed: number;
  readonly seconds: number;
  readonly bytes: number;
  readonly reads: number;
  readonly replyP50Ms: number;
  readonly replyP99Ms: number;
  readonly replyMaxMs: number;
  readonly greetingMinMs: number;
  readonly greetingP50Ms: number;
  readonly greetingP99Ms: number;
}

export interface Round extends DriverReport {
  readonly peer: string;
  readonly cpuUsPerDialogue: number;
}

export interface Hold {
  readonly peer: string;
  /** fresh: a process that has served only a few dialogues; warm: the one that has served all rounds. */
  readonly process: 'fresh' | 'warm';
  readonly sessions: number;
  readonly failed: number;
  readonly rssBeforeBytes: number;
  readonly rssHeldBytes: number;
  readonly rssAfterBytes: number;
  readonly rssBytesPerSession: number;
}

export interface CrowdPlan {
  readonly driver: string;
  readonly repliesFile: string;
  readonly words: Words;
  readonly concurrency: number;
  readonly rampMs: number;
  readonly firstSource: number;
  /** Pause before a last reading: log lines and garbage that a run has left behind are its cost too. */
  readonly settleMs: number;
}

export class Crowd {
  readonly #plan: CrowdPlan;
  #nextSource: number;

  constructor(plan: CrowdPlan) {
    this.#plan = plan;
    this.#nextSource = plan.firstSource;
  }

  /** `dialogues` whole dialogues, and what they cost the server. */
  async round(server: Server, dialogues: number): Promise<Round> {
    const beforeUs = cpuUs(server.pid);
    const driver = this.#start(server, ['--dialogues', String(dialogues)], dialogues);
    const report = await driver.report;
    await delay(this.#plan.settleMs);
    return { peer: server.name, cpuUsPerDialogue: (cpuUs(server.pid) - beforeUs) / dialogues, ...report };
  }

  /** `sessions` connections held after EHLO, and what they add to the server's memory. */
  async hold(server: Server, sessions: number, process: Hold['process']): Promise<Hold> {
    await delay(this.#plan.settleMs);
    const rssBeforeBytes = rssBytes(server.pid);
    const driver = this.#start(server, ['--hold', String(sessions)], sessions);
    await driver.held;
    await delay(this.#plan.settleMs);
    const rssHeldBytes = rssBytes(server.pid);
    driver.letGo();
    const { failed } = await driver.report;
    await delay(this.#plan.settleMs);
    const rssAfterBytes = rssBytes(server.pid);
    const rssBytesPerSession = (rssHeldBytes - rssBeforeBytes) / sessions;
    return {
      peer: server.name,
      process,
      sessions,
      failed,
      rssBeforeBytes,
      rssHeldBytes,
      rssAfterBytes,
      rssBytesPerSession,
    };
  }

  #start(server: Server, what: readonly string[], sources: number) {
    const { driver, repliesFile, words, concurrency, rampMs } = this.#plan;
    const options = {
      port: server.port,
      concurrency,
      'ramp-ms': rampMs,
      'first-source': this.#nextSource,
      replies: repliesFile,
      ...words,
    };
    const named = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const child = spawn(driver, [...what, ...named], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#nextSource += sources;
    killAtExit(child);
    child.stdin.on('error', () => {
      /* It ended before it was let go: its report, or the lack of one, tells why. */
    });
    let last = '';
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (line) => {
      last = line;
    });
    const held = once(lines, 'line');
    const report = once(child, 'close').then((): DriverReport => {
      if (!last.startsWith('{')) throw new Error('the driver ended without a report');
      return JSON.parse(last) as DriverReport;
    });
    return { held: Promise.race([held, report]), report, letGo: () => child.stdin.end('\n') };
  }
}
