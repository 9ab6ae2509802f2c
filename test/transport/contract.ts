/**
 * contract — the rules that every transport keeps, as one suite for a harness
 *
 * The prose of src/transport/transport.ts, rule by rule. Each test makes its own rig, so that a failure says
 * nothing about its neighbours.
 */
import { describe } from 'vitest';
import { contractOfBytes } from './contract-bytes.ts';
import { contractOfEndings } from './contract-endings.ts';
import { contractOfTls } from './contract-tls.ts';
import { contractOfTurns } from './contract-turns.ts';
import { contractOfWidths } from './contract-widths.ts';
import type { Harness } from './harness.ts';

/** Declares the tests. */
export function transportContract(harness: Harness): void {
  describe(`the transport contract, ${harness.name}`, () => {
    contractOfTurns(harness);
    contractOfBytes(harness);
    contractOfEndings(harness);
    contractOfWidths(harness);
    if (!harness.secures) contractOfTls(harness);
  });
}
