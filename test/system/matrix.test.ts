/**
 * Clients that people send mail with, through Sluice to mail servers that people have: what is stored is what was sent. This is a part of
 * the matrix; the whole is in results/matrix.md.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { proxyHeader } from '../../src/transport/proxy-writer.ts';
import { Client } from './client.ts';
import { offersOf, openHouse, runCells } from './matrix.ts';
import type { House } from './matrix.ts';
import {
  backendFacts,
  backendNames,
  clientFacts,
  clientNames,
  expectedOf,
  kinds,
  quickMatrix,
  wholeMatrix,
} from './matrix-facts.ts';

const seed = 7;

test('the quick part has each client with each mail server, and each kind with each of both, where there is such a thing', () => {
  const cells = quickMatrix().flatMap((row) => row.kinds.map((kind) => ({ ...row, kind })));
  const possible = wholeMatrix().flatMap((row) => row.kinds.map((kind) => ({ ...row, kind })));
  const namesOf = (all: typeof cells): string[] => [
    ...new Set(
      all
        .filter(({ client, backend, kind }) => expectedOf(client, backend, kind).is !== 'cannot be')
        .flatMap(({ client, backend, kind }) => [
          `${client} to ${backend}`,
          `${kind} of ${client}`,
          `${kind} for ${backend}`,
        ]),
    ),
  ];
  expect(namesOf(cells).sort()).toEqual(namesOf(possible).sort());
});

describe.each(backendNames)('%s', (backend) => {
  const facts = backendFacts[backend];
  let house: House;

  beforeAll(async () => {
    house = await openHouse(backend);
  });

  afterAll(async () => {
    await house?.close();
  });

  test('announces what the table says, and Sluice offers that, with CHUNKING of its own', async () => {
    const client = new Client(house.store.port, '127.0.0.1');
    if (facts.identity !== 'xclient') client.send(proxyHeader(2, null));
    await client.reply();
    const words = (await client.expect('EHLO sluice.example.test', 250)).lines.map((line) =>
      line.slice(4).replace(/ .*/, ''),
    );
    client.close();
    const told = ['8BITMIME', 'SMTPUTF8', 'DSN', 'CHUNKING', 'PIPELINING', 'STARTTLS'];
    const wanted = [...facts.extensions, ...(facts.tls ? ['STARTTLS'] : [])];
    expect(words.filter((word) => told.includes(word)).sort()).toEqual([...wanted].sort());
    const offered = (await offersOf(house.tls)).filter((word) => told.includes(word));
    const passedOn = facts.extensions.filter((word) => word !== 'PIPELINING');
    expect(offered.filter((word) => word !== 'PIPELINING').sort()).toEqual(
      [...new Set([...passedOn, 'CHUNKING', 'STARTTLS'])].sort(),
    );
  });

  const rows = quickMatrix().filter((row) => row.backend === backend);
  const named = rows.map((row) => ({
    ...row,
    what: row.kinds.length === kinds.length ? 'every kind' : row.kinds.join(', '),
    how: row.isTls ? 'inside TLS' : 'in plaintext',
  }));
  test.each(named)('$client delivers $what $how, or says why not', async (row) => {
    const results = await runCells(row.client, house, row.isTls, row.kinds, seed);
    const wanted = row.kinds.map((kind) => expectedOf(row.client, backend, kind));
    expect(results).toEqual(wanted.map((one) => (one.is === 'returned' ? { is: one.is } : one)));
  });
});

test('every client has an address of its own, and something that it can do', () => {
  expect(new Set(clientNames.map((name) => clientFacts[name].address)).size).toBe(clientNames.length);
  for (const client of clientNames)
    for (const backend of backendNames)
      expect(kinds.filter((kind) => expectedOf(client, backend, kind).is === 'delivered')).toEqual(
        expect.arrayContaining(['small', 'IPv6', '10 MB', '8-bit']),
      );
});
