import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testNames } from './support/test-names.ts'

/** Attacks that the contracts must survive: A01 … A55. */
const ATTACKS = Array.from({ length: 55 }, (_, i) => `A${String(i + 1).padStart(2, '0')}`)

test('every attack of the checklist is mounted by a contract test that has its number in its name', () => {
  const names = testNames().filter(({ file }) => file.startsWith('test/contracts/'))
  const missing = ATTACKS.filter((attack) => !names.some(({ name }) => new RegExp(`(?<![0-9A-Za-z])${attack}(?![0-9])`).test(name)))
  assert.deepEqual(missing, [])
})
