import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { faultsOf } from '../../../operator/core/vault.ts'
import { hashCrypto } from './crypto.ts'
import { runSeed } from './run.ts'
import { describeFailure, runSeeds } from './seeds.ts'

describe('vaults of 4 and 7 under simulation', () => {
  it('agree, sign nothing slashable and finish once the network heals, on 500 schedules', async () => {
    const failures = await runSeeds({ from: 1, to: 500 })
    assert.equal(failures.length, 0, failures.map((failure) => describeFailure(failure)).join('\n'))
  })

  it('do so also after storms over many slots, on 20 schedules', async () => {
    const failures = await runSeeds({ from: 1, to: 20, storm: 'long' })
    assert.equal(failures.length, 0, failures.map((failure) => describeFailure(failure, ' --storm')).join('\n'))
  })

  it('a quorum of f + 1 is caught within 200 schedules', async () => {
    const failures = await runSeeds({ from: 1, to: 200, quorumOf: (size) => faultsOf(size) + 1, stopEarly: true })
    assert.match(failures[0]?.violations.join() ?? 'nothing was caught', /agreement|slashable/)
  })

  it('replays a schedule exactly from its seed', async () => {
    const record = async (): Promise<string> => {
      const lines: string[] = []
      await runSeed({ seed: 4_242, size: 7, crypto: hashCrypto(), trace: (line) => lines.push(line) })
      return lines.join('\n')
    }
    const first = await record()
    assert.ok(first.length > 1_000)
    assert.equal(await record(), first)
  })
})
