import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { realCrypto } from './crypto.ts'
import { describeFailure, runSeeds } from './seeds.ts'

describe('vaults of 4 and 7 with real signatures', () => {
  it('agree, sign nothing slashable and finish once the network heals, on 100 schedules', async () => {
    const crypto = await realCrypto()
    const failures = await runSeeds({ from: 10_001, to: 10_100, crypto: () => crypto })
    assert.equal(failures.length, 0, failures.map((failure) => describeFailure(failure, ' --bls')).join('\n'))
  })
})
