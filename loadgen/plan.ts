/**
 * plan — what a load run is to do: against whom, with how many of whom, for how long
 *
 * Only loopback can be a target. The bots are zombies in earnest: aimed at somebody else's server they
 * would be an attack, so the refusal is in the plan and not in a flag.
 */
import { isIPv4 } from 'node:net';
import type { Curve } from './arrivals.ts';
import type { PopulationName } from './populations.ts';

export interface Target {
  /** An address in 127.0.0.0/8. */
  readonly host: string;
  readonly port: number;
}

export interface Plan {
  readonly target: Target;
  readonly population: PopulationName;
  /** Zombies in all; with `keep`, how many of them are held at once. */
  readonly sessions: number;
  /** New zombies a second, at most. */
  readonly rate: number;
  readonly curve: Curve;
  /** A zombie that leaves is replaced, at the rate, until the time is over. */
  readonly keep: boolean;
  /** Honest sessions begun a second. */
  readonly honestPerSecond: number;
  /** Honest sessions in all; 0 for as many as come in the time. */
  readonly honestSessions: number;
  /** Honest senders come from this many addresses, so that the server gets to know them. */
  readonly honestAddresses: number;
  readonly durationMs: number;
  /** How long honest sessions may go on after the time is over. */
  readonly graceMs: number;
  readonly seed: number;
  /** The domain that mail is for. */
  readonly rcptDomain: string;
  readonly patiencePercent: number;
  /** The first part of every message id. */
  readonly run: string;
}

export const planDefaults: Plan = {
  target: { host: '127.0.0.1', port: 2525 },
  population: 'mixed',
  sessions: 1_000,
  rate: 200,
  curve: 'flat',
  keep: false,
  honestPerSecond: 10,
  honestSessions: 0,
  honestAddresses: 200,
  durationMs: 60_000,
  graceMs: 30_000,
  seed: 1,
  rcptDomain: 'example.com',
  patiencePercent: 100,
  run: 'load',
};

/**
 * Honest sessions that may be open at once, in seconds of arrivals; more than that are withheld and
 * counted.
 */
const HONEST_BACKLOG_S = 60;

/** The most connections a plan has open at once. */
export function connectionsMax(plan: Plan): number {
  const seconds = Math.min(HONEST_BACKLOG_S, Math.ceil((plan.durationMs + plan.graceMs) / 1_000));
  return plan.sessions + Math.ceil(plan.honestPerSecond * seconds) + 1;
}

/** Reads "127.0.0.1:2525" or "localhost:2525". Throws an Error that says why for anything but loopback. */
export function parseTarget(text: string): Target {
  const colon = text.lastIndexOf(':');
  const name = text.slice(0, colon);
  const portText = text.slice(colon + 1);
  const port = Number(portText);
  if (colon < 1 || !/^\d{1,5}$/.test(portText) || port < 1 || port > 65_535) {
    throw new Error(`"${text}" is no target: give an address and a port, as in 127.0.0.1:2525`);
  }
  const host = name === 'localhost' ? '127.0.0.1' : name;
  refuseStrangers(host);
  return { host, port };
}

/** Throws unless `host` is in 127.0.0.0/8. */
export function refuseStrangers(host: string): void {
  if (isIPv4(host) && host.startsWith('127.')) return;
  throw new Error(`${host} is not in 127.0.0.0/8: the zombies are let loose on this machine only`);
}
