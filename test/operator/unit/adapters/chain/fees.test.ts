import assert from 'node:assert/strict'
import { it } from 'node:test'
import { bumpFees } from '../../../../../operator/adapters/chain/fees.ts'

const GWEI = 10n ** 9n

it('a fee is raised by an eighth and more, but a client that never includes anything cannot raise the tip without end', () => {
  const usual = { maxFeePerGas: 21n * GWEI, maxPriorityFeePerGas: GWEI }
  let fees = usual
  for (let bumps = 0; bumps < 100; bumps++) {
    const bumped = bumpFees(fees, usual)
    if (bumped === undefined) break
    assert.ok(bumped.maxFeePerGas * 10n >= fees.maxFeePerGas * 11n && bumped.maxPriorityFeePerGas * 10n >= fees.maxPriorityFeePerGas * 11n)
    fees = bumped
  }
  assert.ok(fees.maxPriorityFeePerGas <= 200n * GWEI)
  assert.equal(bumpFees(fees, usual), undefined)
})
