/**
 * config-verb — `sluice config example|schema|dump`
 *
 * Everything about the configuration file that can be printed without running anything.
 */
import { dumpFile, exampleFile } from '../config/describe.ts';
import { loadConfig } from '../config/load.ts';
import { configSchema } from '../config/schema.ts';
import { exitCodes } from './exit.ts';
import { print } from './output.ts';

/** Prints a commented configuration file that holds the defaults. */
export function configExample(): number {
  print(exampleFile());
  return exitCodes.good;
}

/** Prints the JSON Schema of the configuration file. */
export function configSchemaVerb(): number {
  print(`${JSON.stringify(configSchema(), null, 2)}\n`);
  return exitCodes.good;
}

/** Prints the settings in effect, defaults included, as a configuration file. Throws ConfigError. */
export function configDump(options: { readonly config: string }): number {
  print(dumpFile(loadConfig(options.config)));
  return exitCodes.good;
}
