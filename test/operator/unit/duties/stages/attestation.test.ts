import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ssz } from '@lodestar/types'
import type { Epoch } from '../../../../../operator/core/ids.ts'
import type { AttestationDataValue } from '../../../../../operator/core/ports/beacon.ts'
import type { AgreeQuestion } from '../../../../../operator/duties/consensus.ts'
import { attestationStages, decodeAttestationData, encodeAttestationData } from '../../../../../operator/duties/stages/attestation.ts'
import type { StagePorts } from '../../../../../operator/duties/stages/ports.ts'
import { SlotClock } from '../../../../../operator/duties/time.ts'
import { attestationData, attestationDuty, root, slot, TestClock, testPool } from '../support.ts'

/** The question that the stage puts to consensus, with a view that supports `own` and a signer that refuses `slashable`. */
async function questionOf({
  own,
  slashable = false,
}: {
  readonly own: AttestationDataValue
  readonly slashable?: boolean
}): Promise<AgreeQuestion> {
  let asked: AgreeQuestion | undefined
  const time = new SlotClock(new TestClock(), { genesisTimeMs: 0, slotDurationMs: 12_000, slotsPerEpoch: 32 })
  const ports = {
    time,
    view: { supports: (data: AttestationDataValue) => JSON.stringify(data) === JSON.stringify(own), onChange: () => () => {} },
    signer: { checkAttestation: () => (slashable ? 'double vote' : undefined) },
    beacon: { signingRoots: { attestation: () => root('signing root') } },
    consensus: {
      agree: async (question: AgreeQuestion) => {
        asked = question
        return { round: 1, root: root('value'), value: encodeAttestationData(own), commits: [] }
      },
    },
  } as unknown as StagePorts
  await attestationStages(ports).agree(attestationDuty(testPool().pool), async () => own, new AbortController().signal)
  if (asked === undefined) throw new Error('nothing was asked')
  return asked
}

describe('the attestation stages', () => {
  it('encode data as SSZ', () => {
    const data = attestationData(2 ** 33)
    const bytes = (hex: string): Uint8Array => Buffer.from(hex.slice(2), 'hex')
    const expected = ssz.phase0.AttestationData.serialize({
      slot: data.slot,
      index: 0,
      beaconBlockRoot: bytes(data.beaconBlockRoot),
      source: { epoch: data.source.epoch, root: bytes(data.source.root) },
      target: { epoch: data.target.epoch, root: bytes(data.target.root) },
    })
    assert.deepEqual(encodeAttestationData(data), new Uint8Array(expected))
    assert.deepEqual(decodeAttestationData(encodeAttestationData(data)), data)
  })

  it('refuse bytes that are no attestation data', () => {
    const good = encodeAttestationData(attestationData())
    assert.equal(decodeAttestationData(good.subarray(1)), undefined)
    assert.equal(decodeAttestationData(Uint8Array.from([...good, 0])), undefined)
    const index = Uint8Array.from(good)
    index[8] = 1
    assert.equal(decodeAttestationData(index), undefined)
    const huge = Uint8Array.from(good)
    huge.fill(0xff, 0, 8)
    assert.equal(decodeAttestationData(huge), undefined)
  })

  it('prepare what the own node supports, and what a quorum has vouched for', async () => {
    const own = attestationData()
    const { isValid } = await questionOf({ own })
    assert.ok(isValid(encodeAttestationData(own), false))
    const other = encodeAttestationData({ ...own, beaconBlockRoot: root('another head') })
    assert.ok(!isValid(other, false))
    assert.ok(isValid(other, true))
  })

  it('never prepare another slot, a wrong target epoch, a source after the target or what the own history forbids', async () => {
    const own = attestationData()
    const { isValid } = await questionOf({ own })
    const wrong: AttestationDataValue[] = [
      attestationData(101),
      { ...own, target: { ...own.target, epoch: (own.target.epoch + 1) as Epoch } },
      { ...own, source: { ...own.source, epoch: (own.target.epoch + 1) as Epoch } },
      { ...own, slot: slot(0) },
    ]
    for (const data of wrong) assert.ok(!isValid(encodeAttestationData(data), true), JSON.stringify(data))
    const slashable = await questionOf({ own, slashable: true })
    assert.ok(!slashable.isValid(encodeAttestationData(own), true))
  })
})
