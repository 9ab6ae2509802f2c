import { expect, it } from 'vitest';
import { VirtualDns } from '../../../loadgen/virtual/virtual-dns.ts';
import { honestAddress, isZombieAddress, zombieAddress } from '../../../loadgen/origins.ts';
import { parseAddress } from '../../../src/base/address.ts';
import { handleOf, NO_HANDLE } from '../../../src/base/handle.ts';
import type { Handle } from '../../../src/base/handle.ts';
import { parseConfig } from '../../../src/config/load.ts';
import { zonesOf } from '../../../src/reputation/dns-zones.ts';

const [zone] = zonesOf(
  parseConfig(
    'hostname = "mx.example.net"\n[[dnsxl]]\nzone = "list.example.org"\nweight = 5\n',
    'sluice.toml',
  ),
);
const LISTED = '127.64.0.1';
const words = new Uint32Array(4);

function askedAt(dns: VirtualDns, handle: Handle, address: string, nowMs: number): void {
  parseAddress(address, words, 0);
  dns.turn(nowMs);
  dns.ask(handle, words, 0);
}

it('answers everybody once, after 20 to 200 ms, and only the listed with a weight', () => {
  const dns = new VirtualDns(300, zone!, (address) => address === LISTED);
  let noted = 0;
  dns.onNoted = () => (noted += 1);
  for (let slot = 0; slot < 256; slot += 1) askedAt(dns, handleOf(slot, 0), `127.64.0.${slot}`, 1_000);
  dns.turn(1_010);
  expect(dns.next()).toBe(NO_HANDLE);
  const answers = new Map<Handle, number>();
  for (let nowMs = 1_020; nowMs <= 1_210; nowMs += 10) {
    dns.turn(nowMs);
    for (let handle = dns.next(); handle !== NO_HANDLE; handle = dns.next())
      answers.set(handle, dns.answer.weight);
  }
  expect(noted).toBe(256);
  expect(answers.size).toBe(256);
  expect([...answers].filter(([, weight]) => weight !== 0)).toEqual([[handleOf(1, 0), 5]]);
  expect(dns.nextDueMs()).toBe(Infinity);
});

it('answers who has the slot now, not who had it', () => {
  const dns = new VirtualDns(1, zone!, (address) => address === LISTED);
  askedAt(dns, handleOf(0, 0), LISTED, 1_000);
  askedAt(dns, handleOf(0, 1), '127.64.0.2', 1_010);
  dns.turn(2_000);
  expect(dns.next()).toBe(handleOf(0, 1));
  expect(dns.answer.weight).toBe(0);
  expect(dns.next()).toBe(NO_HANDLE);
});

it('knows zombies by their addresses', () => {
  for (let index = 0; index < 5_000; index += 1) {
    expect(isZombieAddress(zombieAddress(index))).toBe(true);
    expect(isZombieAddress(honestAddress(index))).toBe(false);
  }
});
