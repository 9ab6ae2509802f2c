const [sessions = 5000, seed = 1, backend = 'sink'] = process.argv.slice(2);
import { runHunt } from './hunt.ts';
const r = await runHunt({
  sessions: Number(sessions),
  seed: Number(seed),
  backend: backend as 'sink',
  lanes: 20,
  reuse: 'always',
  processes: 2,
  concurrency: 64,
  mishaps: 5,
  msMax: 600_000,
});
console.log(
  JSON.stringify(
    { ...r, wrong: r.wrong.slice(0, 20), wrongCount: r.wrong.length, finding: { ...r.finding, wrong: 0 } },
    null,
    1,
  ),
);
