import assert from 'node:assert/strict'
import { it } from 'node:test'
import { ZeroAddress } from 'ethers'
import { requestText } from '../../scripts/support/request-text.ts'

const ETH = 10n ** 18n
const OWNER = `0x${'ab'.repeat(20)}`

it('a withdrawal request is said to wait, to be ready with what it pays, or to be claimed, when nobody owns it', () => {
  const waiting = { owner: OWNER, amount: 2n * ETH, claimable: 0n, finalized: false, claimed: false }
  assert.equal(requestText('7', waiting), `request 7 of ${OWNER} for 2 ETH: waiting for a finalized report`)
  const ready = { ...waiting, claimable: (3n * ETH) / 2n, finalized: true }
  assert.equal(requestText('7', ready), `request 7 of ${OWNER} for 2 ETH: ready to be claimed: 1.5 ETH`)
  // As the contract tells of it.
  assert.equal(requestText('7', { ...ready, owner: ZeroAddress, claimed: true, claimable: 0n }), 'request 7 for 2 ETH: claimed')
})
