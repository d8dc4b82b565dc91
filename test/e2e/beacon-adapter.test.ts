import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type RunningChain, startChain } from '../../devnet/chain/start-chain.ts'
import { connectBeaconNode } from '../../operator/adapters/beacon/connect.ts'
import type { BeaconNodeClient } from '../../operator/adapters/beacon/node.ts'
import { toEpoch, toSlot, toValidatorIndex } from '../../operator/core/parse.ts'
import type { FinalizedEvent, HeadEvent } from '../../operator/core/ports/beacon.ts'
import { recordingLog } from '../operator/unit/adapters/support/log.ts'
import { until } from '../operator/unit/adapters/support/wait.ts'

const VALIDATORS = Array.from({ length: 16 }, (_, index) => toValidatorIndex(index))

// The operator's beacon node adapter on the local Ethereum: another implementation of the API, another process.
describe('beacon node adapter on a real chain', { timeout: 120_000 }, () => {
  let chain: RunningChain
  let node: BeaconNodeClient
  const stop = new AbortController()
  const heads: HeadEvent[] = []
  const finalized: FinalizedEvent[] = []

  before(async () => {
    chain = await startChain()
    node = await connectBeaconNode({ url: chain.beaconUrl, log: recordingLog() })
    node.follow({ onHead: (event) => heads.push(event), onFinalized: (event) => finalized.push(event) }, stop.signal)
  })
  after(async () => {
    stop.abort()
    await chain.stop()
  })

  it('follows the head, its duties’ dependent roots and finality', async () => {
    await until('finality', () => finalized.length > 0 && finalized.some(({ epoch }) => epoch > 0), 60_000)
    const head = heads.at(-1)
    assert.ok(head !== undefined)
    const epoch = toEpoch(Math.floor(head.slot / node.spec.slotsPerEpoch))
    const duties = await node.attesterDuties(toEpoch(epoch + 1), VALIDATORS)
    assert.equal(duties.dependentRoot, head.currentDutyDependentRoot)
    const header = await node.header(head.block)
    assert.equal(header?.slot, head.slot)
    assert.equal(header?.stateRoot, head.state)
    const { finalized: now } = await node.finality()
    assert.ok(finalized.some(({ epoch: seen, block }) => seen === now.epoch && block === now.root))
  })

  it('finds each attester of an epoch included, at the committee position of its duty', async () => {
    const epoch = toEpoch(3)
    const { duties } = await node.attesterDuties(epoch, VALIDATORS)
    assert.equal(duties.length, VALIDATORS.length)
    const seen = new Set<string>()
    for (let slot = epoch * node.spec.slotsPerEpoch; slot < (epoch + 2) * node.spec.slotsPerEpoch; slot++) {
      const header = await node.header(String(slot))
      if (header === undefined) continue
      for (const committee of await node.includedAttesters(header.root)) {
        for (const position of committee.positions) seen.add(`${committee.slot}/${committee.committeeIndex}/${position}`)
      }
    }
    const missing = duties.filter((duty) => !seen.has(`${duty.slot}/${duty.committeeIndex}/${duty.validatorCommitteeIndex}`))
    assert.deepEqual(missing, [])
  })

  it('reads validators, proposers, payloads and whole states', async () => {
    const validators = await node.validators(VALIDATORS, 'head')
    assert.equal(validators.length, VALIDATORS.length)
    assert.ok(validators.every(({ status, balance }) => status === 'active_ongoing' && balance > 31_000_000_000n))
    const head = heads.at(-1)
    assert.ok(head !== undefined)
    const { duties } = await node.proposerDuties(toEpoch(Math.floor(head.slot / node.spec.slotsPerEpoch)))
    const proposer = duties.find(({ slot }) => slot === head.slot)
    assert.equal((await node.header(head.block))?.proposerIndex, proposer?.validatorIndex)
    const payload = await node.executionPayload(head.block)
    assert.equal(payload?.timestamp, chain.genesisTime + head.slot * chain.slotSeconds)
    const state = await node.stateSsz(head.state)
    assert.equal(state?.fork, 'electra')
    const { ssz } = await import('@lodestar/types')
    const decoded = ssz.electra.BeaconState.deserialize(state?.bytes ?? new Uint8Array())
    assert.equal(decoded.slot, head.slot)
    const data = await node.attestationData(toSlot(head.slot), 0)
    assert.equal(data.target.epoch, Math.floor(data.slot / node.spec.slotsPerEpoch))
  })
})
