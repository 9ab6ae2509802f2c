/**
 * start-sluice — the command line from its sources, as a program of its own
 *
 * bin/sluice.js prefers a built dist/, which may be older than what is to be tested.
 */
import { main } from '../../src/cli/main.ts';

process.exitCode = await main(process.argv.slice(2), '0.0.0-test');
