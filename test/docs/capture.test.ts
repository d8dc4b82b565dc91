import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { captureTable } from './support/capture.ts'

test('the table of captured vaults is what the hypergeometric distribution says', () => {
  const page = readFileSync('docs/trust.md', 'utf8')
  const expected = captureTable()
  const first = page.split('\n').findIndex((line) => line.startsWith('| n | t |'))
  assert.deepEqual(page.split('\n').slice(first, first + expected.length), expected)
})
