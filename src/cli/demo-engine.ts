/**
 * demo-engine — the engine of the demo, in a process that ends with its parent
 *
 * `sluice demo` starts it with a channel between the two. If the demo is killed, however that happens, the
 * channel breaks and the engine ends too: no process and no port is left behind.
 */
import { tolerateLostReaders } from './output.ts';
import { runVerb } from './run.ts';

tolerateLostReaders();
process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole group: the engine drains by itself then. Before it does so, it is not to die of it.
process.on('SIGINT', () => undefined);
process.exitCode = await runVerb({ config: process.argv[2] ?? '' });
process.disconnect?.();
