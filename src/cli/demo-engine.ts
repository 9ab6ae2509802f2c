/**
 * demo-engine — the engine of the demo, in a process that ends with its parent
 *
 * `sluice demo` starts it with a channel between the two. If the demo is killed, however that happens, the
 * channel breaks and the engine ends too: no process and no port is left behind.
 */
import { runVerb } from './run.ts';

process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole group; the demo itself decides when the engine is to stop.
process.on('SIGINT', () => undefined);
process.exitCode = await runVerb({ config: process.argv[2] ?? '' });
process.disconnect?.();
