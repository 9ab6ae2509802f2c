#!/usr/bin/env node
// sluice — starts the built program when there is one (dist), else the sources, which Node reads as they are.
// Kept to the syntax of old Node versions, so that it can tell them apart.
import { existsSync, readFileSync } from 'fs';

var wanted = [22, 18];
var found = process.versions.node.split('.').map(Number);

if (found[0] < wanted[0] || (found[0] === wanted[0] && found[1] < wanted[1])) {
  console.error(
    'sluice: needs Node ' + wanted.join('.') + ' or later, this is Node ' + process.versions.node + '.',
  );
  console.error('In a checkout, "npm run sluice -- VERB" uses the one that npm ci has installed.');
  process.exitCode = 1;
} else {
  var version = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;
  var built = new URL('../dist/src/cli/main.js', import.meta.url);
  var entry = existsSync(built) ? built : new URL('../src/cli/main.ts', import.meta.url);
  import(entry.href)
    .then(function (program) {
      return program.main(process.argv.slice(2), version);
    })
    .then(function (code) {
      if (process.exitCode === undefined || code !== 0) process.exitCode = code;
    })
    .catch(function (error) {
      console.error(error);
      process.exitCode = 1;
    });
}
