#!/usr/bin/env node
// The `openpools` command of an installed package: the operator's CLI through the one door.
process.argv.splice(2, 0, 'operator/app/cli/main.ts')
await import('./bootstrap.mjs')
