/**
 * sluice — how the benchmark runs Sluice: one shard, enforcing, its log on, an honest sink behind it
 *
 * Everything that is not named here is as shipped. The recipient of the dialogue is unknown to the sink, which is
 * asked once; from then on Sluice's own recipient cache gives the 550, as it does for a real zombie's second try.
 */
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { ServerPlan } from './server.ts';

const entry = fileURLToPath(new URL('../bin/sluice.js', import.meta.url));

/**
 * The shipped way to start it: the build in dist when there is one, else the sources. `{config}` is replaced by the
 * path of the configuration, `{port}` by the port.
 */
export const sluiceCommand: readonly string[] = [process.execPath, entry, 'run', '-c', '{config}'];

export interface SluicePlan {
  readonly command: readonly string[];
  readonly port: number;
  readonly backendPort: number;
  readonly greetWaitMs: number;
  readonly sessionsMax: number;
  readonly folder: string;
}

function configuration(plan: SluicePlan): string {
  return `mode = "enforce"
hostname = "mx.example.net"
[[listener]]
address = "127.0.0.1:${plan.port}"
[engine]
shards = 1
processes = 1
max_sessions = ${plan.sessionsMax}
[backend]
address = "127.0.0.1:${plan.backendPort}"
[screen]
greet_wait = "${plan.greetWaitMs}ms"
[stress]
# The crowd of idle strangers is held on purpose; as shipped it would be sent away when slots run short.
enter = 98
shed = 99
reserve = 0
[pools]
spf = false
[reputation]
file = ""
[admin]
socket = ""
`;
}

/** Writes the configuration and returns what to start. */
export function planSluice(plan: SluicePlan): ServerPlan {
  const configFile = `${plan.folder}/sluice-${plan.port}.toml`;
  writeFileSync(configFile, configuration(plan));
  return {
    name: 'sluice',
    command: plan.command.map((word) =>
      word.replace('{config}', configFile).replace('{port}', String(plan.port)),
    ),
    readyWord: 'listening',
    port: plan.port,
    outputFile: `${plan.folder}/sluice-${plan.port}.log`,
  };
}
