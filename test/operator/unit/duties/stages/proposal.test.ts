import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Hex, Root, ValidatorIndex } from '../../../../../operator/core/ids.ts'
import type { ProducedBlock } from '../../../../../operator/core/ports/beacon.ts'
import { BeaconError } from '../../../../../operator/core/ports/beacon.ts'
import type { AgreeQuestion } from '../../../../../operator/duties/consensus.ts'
import { DutyError } from '../../../../../operator/duties/reasons.ts'
import type { StagePorts } from '../../../../../operator/duties/stages/ports.ts'
import { decodeBlockValue, encodeBlock, proposalStages } from '../../../../../operator/duties/stages/proposal.ts'
import { SlotClock } from '../../../../../operator/duties/time.ts'
import { FEE_RECIPIENT, proposalDuty, root, slot, TestClock, testPool } from '../support.ts'

const { pool } = testPool()
const duty = proposalDuty(pool)
const { signal } = new AbortController()
const time = new SlotClock(new TestClock(), { genesisTimeMs: 0, slotDurationMs: 12_000, slotsPerEpoch: 32 })

type Facts = { slot: number; proposerIndex: number; parentRoot: Root; feeRecipient: Hex; blinded: boolean }
const good: Facts = { slot: 100, proposerIndex: 77, parentRoot: root('parent'), feeRecipient: FEE_RECIPIENT, blinded: false }

function block(change: Partial<Facts> = {}): ProducedBlock {
  const facts = { ...good, ...change }
  const { blinded } = facts
  const ids = { slot: slot(facts.slot), proposerIndex: facts.proposerIndex as ValidatorIndex, blockRoot: root(JSON.stringify(facts)) }
  return { ...facts, ...ids, fork: 'fulu', blinded, ssz: Buffer.from(JSON.stringify(facts)) }
}

/** Blocks as JSON instead of SSZ: the adapter's tests read real ones. */
const decodeBlock = ({ ssz }: Pick<ProducedBlock, 'ssz'>): ProducedBlock => block(JSON.parse(Buffer.from(ssz).toString()))

function stagesWith(change: {
  readonly agree?: unknown
  readonly publish?: () => Promise<void>
  readonly known?: boolean
  readonly slashable?: boolean
}) {
  return proposalStages({
    time,
    view: { knows: (parent: Root) => parent === good.parentRoot, onChange: () => () => {}, refreshHead: async () => {} },
    signer: { checkBlock: () => (change.slashable ? 'double proposal' : undefined) },
    beacon: {
      decodeBlock,
      signingRoots: { block: () => root('signing root') },
      publishBlock: change.publish,
      header: async () => (change.known ? {} : undefined),
    },
    consensus: { agree: change.agree },
  } as unknown as StagePorts)
}

async function judge(proposed: ProducedBlock, { vouched = false, slashable = false } = {}): Promise<boolean> {
  let verdict = false
  const agree = async ({ isValid }: AgreeQuestion) => {
    verdict = isValid(encodeBlock(proposed), vouched)
    return { round: 1, root: root('value'), value: encodeBlock(block()), commits: [] }
  }
  await stagesWith({ agree, slashable }).agree(duty, async () => block(), signal)
  return verdict
}

describe('the proposal stages', () => {
  it('carry fork, blinding and SSZ', () => {
    const { fork, blinded, ssz } = decodeBlockValue(encodeBlock(block({ blinded: true })))
    assert.deepEqual([fork, blinded, Buffer.from(ssz).toString()], ['fulu', true, Buffer.from(block({ blinded: true }).ssz).toString()])
  })

  it('prepare our block on a head that was seen', async () => assert.ok(await judge(block())))

  it('never prepare a block that pays anyone but the withdrawal vault, vouched for or not', async () => {
    for (const vouched of [false, true]) assert.ok(!(await judge(block({ feeRecipient: `0x${'ba'.repeat(20)}` }), { vouched })))
    assert.ok(await judge(block({ feeRecipient: FEE_RECIPIENT.toUpperCase().replace('0X', '0x') as Hex })))
  })

  it('never prepare a block of another slot or proposer, or one that the own history forbids', async () => {
    assert.ok(!(await judge(block({ slot: 101 }), { vouched: true })))
    assert.ok(!(await judge(block({ proposerIndex: 78 }), { vouched: true })))
    assert.ok(!(await judge(block(), { vouched: true, slashable: true })))
  })

  it('prepare a block on an unknown parent only when a quorum has', async () => {
    assert.ok(!(await judge(block({ parentRoot: root('unknown') }))))
    assert.ok(await judge(block({ parentRoot: root('unknown') }), { vouched: true }))
  })

  it('prepare nothing that is no block', async () => {
    assert.ok(!(await judge({ ...block(), ssz: Buffer.from('garbage') })))
  })

  it('refuse to sign a decision that is not ours, whoever made it', async () => {
    const agree = async () => ({
      round: 1,
      root: root('v'),
      value: encodeBlock(block({ feeRecipient: `0x${'ba'.repeat(20)}` })),
      commits: [],
    })
    const refused = stagesWith({ agree }).agree(duty, async () => block(), signal)
    await assert.rejects(refused, (failure) => failure instanceof DutyError && failure.code === 'VALUE_REFUSED')
  })

  it('take a refusal for success when the node has the block from another member', async () => {
    const publish = (): Promise<void> => Promise.reject(new BeaconError('REFUSED', 'already known'))
    await stagesWith({ publish, known: true }).broadcast(duty, block(), '0x' as never, signal)
    const refused = stagesWith({ publish, known: false }).broadcast(duty, block(), '0x' as never, signal)
    await assert.rejects(refused, (failure) => failure instanceof DutyError && failure.code === 'BROADCAST_REFUSED')
  })
})
