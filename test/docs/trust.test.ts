import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { testNames } from './support/test-names.ts'

/** Whom the table looks at, in its order. */
const CAPTURED = [
  'one block producer',
  'f of a vault',
  't of a vault',
  'a commitment committee',
  '1/3 of all producers',
  '2/3 of all producers',
  'the last k proposers of a seed epoch',
  'one beacon node',
  'one execution node',
  'a producer’s queue',
]

const page = readFileSync('docs/trust.md', 'utf8').replaceAll("'", '’')
const rows = page.split('\n').filter((line) => line.startsWith('|'))

for (const who of CAPTURED) {
  test(`what ${who} can do is shown by tests that exist`, () => {
    const row = rows.find((line) => line.startsWith(`| ${who}`))
    assert.ok(row !== undefined, 'expected a row')
    const shown = [...row.matchAll(/`(test\/[^`]+)` “([^”]+)”/g)]
    assert.ok(shown.length > 0, 'expected a test')
    for (const [, file, name] of shown) {
      if (file === undefined) continue
      const names = testNames(file).map((one) => one.name.replaceAll("'", '’'))
      assert.ok(names.includes(name ?? ''), `expected ${file} to have “${name}”`)
    }
  })
}
