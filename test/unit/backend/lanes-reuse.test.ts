/**
 * lanes-reuse — a backend that allowed connections to be reused and was set up anew not to
 */
import { expect, test } from 'vitest';
import { defaultConfig } from '../../../src/config/load.ts';
import { Backend } from '../../dialogues/backend.ts';
import { World } from '../../dialogues/world.ts';

/** One client's whole dialogue with one message; all that it heard. */
function deliver(world: World, number: number): string {
  const client = world.dial(`192.0.2.${number}`);
  for (const line of [
    `EHLO c${number}.example`,
    `MAIL FROM:<a@c${number}.example>`,
    'RCPT TO:<good@example.org>',
    'DATA',
    `Id: ${number}\r\n\r\ntext\r\n.`,
    'QUIT',
  ]) {
    world.settle();
    client.send(`${line}\r\n`);
    world.runUntil(world.nowMs + 100);
  }
  return client.heard;
}

test('a backend that stops taking a second XCLIENT costs no client its mail, and is found out once', () => {
  const backend = new Backend();
  backend.settings.reuse = true;
  const config = defaultConfig({
    hostname: 'mx.example.net',
    screen: { greetWaitMs: 0 },
    backend: { holdMs: 0 },
  });
  const world = new World({ config, backend, capacity: 8, lanesMax: 1 });
  world.start();
  expect(deliver(world, 1)).toContain('250 2.0.0 Ok: queued as 1');
  backend.settings.reuse = false;
  for (let number = 2; number <= 5; number++)
    expect(deliver(world, number)).toContain(`250 2.0.0 Ok: queued as ${number}`);
  expect(backend.crimes).toEqual([]);
  expect(world.counters.valueOf('identityRefused')).toBe(1);
});

test('what a backend writes into its goodbye does not pass for a refused identity', () => {
  const backend = new Backend();
  const config = defaultConfig({
    hostname: 'mx.example.net',
    screen: { greetWaitMs: 0 },
    backend: { holdMs: 0 },
  });
  const world = new World({ config, backend, capacity: 8, lanesMax: 1 });
  world.start();
  backend.delay('rcpt', 5_000);
  const client = world.dial('192.0.2.1');
  for (const line of ['EHLO c1.example', 'MAIL FROM:<a@c1.example>', 'RCPT TO:<good@example.org>']) {
    world.settle();
    client.send(`${line}\r\n`);
    world.runUntil(world.nowMs + 100);
  }
  // It comes in the place of the answer to RCPT.
  backend.blurt('421 4.7.0 too many XCLIENT commands', true);
  world.runUntil(world.nowMs + 100);
  expect(world.counters.valueOf('lanesFailed')).toBe(1);
  expect(world.counters.valueOf('identityRefused')).toBe(0);
});
