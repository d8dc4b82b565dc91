import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ethText, ethTexts, exactEth } from '../../../../operator/core/amounts.ts'

const ETH = 10n ** 18n

test('amounts are exact where asked for', () => {
  const cases = [
    [0n, '0'],
    [ETH, '1'],
    [ETH / 2n - 1n, '0.499999999999999999'],
    [-ETH / 4n, '-0.25'],
    [26n * ETH + 1n, '26.000000000000000001'],
  ] as const
  for (const [wei, text] of cases) assert.equal(exactEth(wei), text)
})

test('amounts for people are rounded to the gwei, and dust is wei', () => {
  const cases = [
    [0n, '0 ETH'],
    [ETH / 2n - 1n, '0.5 ETH'],
    [ETH - 1n, '1 ETH'],
    [ETH + 499_999_999n, '1 ETH'],
    [ETH + 500_000_000n, '1.000000001 ETH'],
    [1n, '1 wei'],
    [-3n, '-3 wei'],
    [-ETH / 2n, '-0.5 ETH'],
  ] as const
  for (const [wei, text] of cases) assert.equal(ethText(wei), text)
})

test('two amounts that differ never look the same', () => {
  assert.deepEqual(ethTexts(ETH, 2n * ETH), ['1 ETH', '2 ETH'])
  assert.deepEqual(ethTexts(ETH / 2n, ETH / 2n - 1n), ['0.5 ETH', '0.499999999999999999 ETH'])
  assert.deepEqual(ethTexts(ETH, ETH), ['1 ETH', '1 ETH'])
})
