/** The scenarios of anvil: the same clients at a real smtpd and at Sluice hear the same, at the same command. */
import { afterEach, describe, expect, test } from 'vitest';

import { limitNames } from '../../src/policy/limits.ts';
import { limitScripts, runScript } from './limit-scripts.ts';
import { startPostfix } from './postfix.ts';
import type { Postfix } from './postfix.ts';
import { until } from './process.ts';
import { startSluice } from './sluice.ts';
import type { Sluice } from './sluice.ts';

let postfix: Postfix | undefined;
let sluice: Sluice | undefined;
afterEach(async () => {
  await sluice?.stop();
  await postfix?.stop();
});

const address = '127.9.0.1';

describe.each(limitScripts)('$name', (script) => {
  test('Sluice answers as Postfix does, and adds the name of the limit', async () => {
    // The listener that anybody may say XCLIENT to has no limits: it stands behind Sluice.
    postfix = await startPostfix({ mainCf: { smtpd_client_event_limit_exceptions: '', ...script.postfix } });
    const [name] = Object.keys(script.limits);
    sluice = await startSluice({
      backendPort: postfix.reusedPort,
      config: { limits: { slow_from: 100, ...script.limits }, screen: { greet_wait: '0s' } },
    });
    const theirs = await runScript(
      script,
      postfix.freshPort,
      address,
      'backend.example.test',
      async () => {},
    );
    const { sessions } = sluice;
    const counted = (ends: number): Promise<void> =>
      until('Sluice has counted the session out', () => sessions.length >= ends);
    const ours = await runScript(script, sluice.port, address, 'mx.example.test', counted);
    expect(limitNames).toContain(name);
    for (const [at, step] of script.steps.entries()) {
      const [want, got] = [theirs[at]!, ours[at]!];
      if (script.refused.includes(at)) {
        expect(want, step).toMatch(/^4\d\d 4\.7\.\d .*Error: too m[^(]* from 127\.9\.0\.1$/);
        expect(got, step).toBe(`${want} (${name})`);
      } else expect(got.slice(0, 3), `${step}: ${want} | ${got}`).toBe(want.slice(0, 3));
    }
    const limited = sessions.filter(({ limit }) => limit !== null);
    expect(new Set(limited.map(({ limit }) => limit))).toEqual(new Set([name]));
  });
});
