import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { testNames } from './support/test-names.ts'

const page = readFileSync('docs/rotation.md', 'utf8')
const straight = (text: string): string => text.replaceAll("'", '’')

test('every attack on a handover is shown by tests that exist', () => {
  const rows = page
    .slice(page.indexOf('## Attacks'))
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(1)
  assert.ok(rows.length >= 9)
  for (const row of rows) {
    const shown = [...row.matchAll(/`(test\/[^`]+)` “([^”]+)”/g)]
    assert.ok(shown.length > 0, `expected a test in ${row}`)
    for (const [, file = '', name = ''] of shown) {
      const names = testNames(file).map((one) => straight(one.name))
      assert.ok(names.includes(straight(name)), `expected ${file} to have “${name}”`)
    }
  }
})
