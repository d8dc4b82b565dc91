import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { captureSection } from '../../scripts/support/capture.ts'
import { testNames } from './support/test-names.ts'

const page = readFileSync('docs/dkg.md', 'utf8')
const straight = (text: string): string => text.replaceAll("'", '’')

test('the tables of captured and stopped vaults are what the script computes', () => {
  const first = page.indexOf('### 240 producers')
  assert.ok(first > 0)
  assert.deepEqual(page.slice(first).split('\n'), captureSection())
})

test('every attack on the key generation is shown by tests that exist', () => {
  const section = page.slice(page.indexOf('## Attacks'), page.indexOf('## Captured'))
  const rows = section
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(1)
  assert.ok(rows.length >= 13)
  for (const row of rows) {
    const shown = [...row.matchAll(/`(test\/[^`]+)` “([^”]+)”/g)]
    assert.ok(shown.length > 0, `expected a test in ${row}`)
    for (const [, file = '', name = ''] of shown) {
      const names = testNames(file).map((one) => straight(one.name))
      assert.ok(names.includes(straight(name)), `expected ${file} to have “${name}”`)
    }
  }
})
