import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { BlsSignature, Epoch, PoolId, ProducerId, Root, Slot, ValidatorIndex } from '../../../../operator/core/ids.ts'
import type { BeaconNode, HeadEvent, ProducedBlock } from '../../../../operator/core/ports/beacon.ts'
import { BeaconError } from '../../../../operator/core/ports/beacon.ts'
import type { CertificateSink } from '../../../../operator/duties/certifier.ts'
import { DutyService } from '../../../../operator/duties/service.ts'
import type { DutyCertificate } from '../../../../operator/protocol/messages/certificate.ts'
import { CERTIFICATE_DOMAIN, hashParticipation } from '../../simulation/participation.ts'
import { gatedKey, newDisk, protectedSigner } from '../../simulation/signer.ts'
import {
  attestationData,
  attestationDuty,
  crypto,
  FEE_RECIPIENT,
  recordingLog,
  recordingMetrics,
  recordingNetwork,
  root,
  slot,
  TestClock,
  testPool,
} from './support.ts'

const SLOT_MS = 12_000
const at = (number: number, part = 0): number => number * SLOT_MS + part

/** A vault of one: everything but other members' messages, which the simulation has. */
function setUp(options: { readonly attestAt?: number; readonly proposeAt?: number; readonly start?: number } = {}) {
  const { pool, keys } = testPool(1, 1)
  const clock = new TestClock()
  const [{ network }, { log, lines }, { metrics, told }] = [recordingNetwork(), recordingLog(), recordingMetrics()]
  const published: string[] = []
  const world = {
    dutiesFail: false,
    publishFails: 0,
    exits: [] as { poolId: PoolId; epoch: Epoch }[],
    exitRefused: false,
    exitEpoch: Infinity,
    onHead: undefined as ((event: HeadEvent) => void) | undefined,
    included: [] as { slot: Slot; committeeIndex: number; positions: number[]; root: Root }[],
    proposer: 0,
  }
  const publish = async (name: string): Promise<void> => {
    if (world.publishFails-- > 0) throw new BeaconError('UNREACHABLE', 'no answer')
    published.push(`${name} at ${clock.now()}`)
  }
  const duties = async <D>(list: readonly D[]) => {
    if (world.dutiesFail) throw new BeaconError('UNREACHABLE', 'no answer')
    return { dependentRoot: root('dependent'), duties: list }
  }
  const epochOf = (of: number | undefined): number => Math.floor((of ?? -1) / 32)
  const { attestAt, proposeAt } = options
  const block = (of: Slot): ProducedBlock => ({
    ...{ fork: 'fulu', blinded: false, slot: of, proposerIndex: pool.validatorIndex, parentRoot: root('parent'), ssz: new Uint8Array(10) },
    ...{ blockRoot: root(`block ${of}`), feeRecipient: FEE_RECIPIENT },
  })
  const beacon = {
    spec: { genesisTimeMs: 0, slotDurationMs: SLOT_MS, slotsPerEpoch: 32 },
    signingRoots: {
      attestation: () => root('attestation'),
      block: () => root('block'),
      randao: (of: Epoch) => root(`randao ${of}`),
      exit: () => root('exit'),
    },
    attesterDuties: (epoch: Epoch) =>
      duties(attestAt !== undefined && epochOf(attestAt) === epoch ? [{ ...attestationDuty(pool).attester, slot: slot(attestAt) }] : []),
    proposerDuties: (epoch: Epoch) =>
      duties(
        proposeAt !== undefined && epochOf(proposeAt) === epoch
          ? [{ publicKey: '0x', validatorIndex: pool.validatorIndex, slot: slot(proposeAt) }]
          : [],
      ),
    attestationData: async (of: Slot) => attestationData(of),
    produceBlock: async (of: Slot, reveal: BlsSignature) => {
      assert.ok(crypto.scheme.verify(pool.groupKey, root(`randao ${Math.floor(of / 32)}`), reveal))
      return block(of)
    },
    decodeBlock: () => block(slot(proposeAt ?? 0)),
    prepareProposers: async () => {},
    publishAttestation: () => publish('attestation'),
    publishBlock: () => publish('block'),
    publishExit: async () => {
      if (world.exitRefused) throw new BeaconError('REFUSED', 'publish exit: the beacon node answered 400')
      await publish('exit')
    },
    validators: async ([index]: readonly ValidatorIndex[]) => {
      assert.equal(index, pool.validatorIndex)
      return [{ exitEpoch: world.exitEpoch }]
    },
    header: async (id: string) => {
      const known = id === 'head' ? root('parent') : (id as Root)
      const place = { slot: slot(Math.floor(clock.now() / SLOT_MS)), proposerIndex: world.proposer as ValidatorIndex }
      return { root: known, parentRoot: root('old'), ...place }
    },
    includedAttesters: async () => world.included,
    follow: ({ onHead }: { onHead: (event: HeadEvent) => void }) => {
      world.onHead = onHead
    },
  } as unknown as BeaconNode
  const disk = newDisk()
  const operator = crypto.operator('producer 11')
  const signer = protectedSigner({ disk, shareOf: () => ({ keys, member: pool.self }), onSigned: () => {}, afterWrite: () => {} })
  const participation = hashParticipation(crypto.scheme)
  const certified: DutyCertificate[] = []
  const certificates: CertificateSink = { participation: () => 0n, add: (certificate) => void certified.push(certificate) }
  const service = new DutyService({
    ...{ clock, network, log, metrics, beacon, signer, stopwatch: () => clock.now() },
    operatorKey: gatedKey({ disk, operator, afterWrite: () => {} }),
    verifyEcdsa: crypto.verifyEcdsa,
    scheme: crypto.scheme,
    ...{ certificateSigner: participation.signerOf(11 as ProducerId), aggregation: participation.aggregation, certificates },
    pools: { at: () => [{ ...pool, members: [11 as ProducerId] }] },
    exits: { due: () => world.exits },
    settings: { domainSeparator: root('domain'), certificateDomain: CERTIFICATE_DOMAIN, firstRoundMs: 2_000 },
  })
  const head = (of: number): void => {
    const roots = { previousDutyDependentRoot: root('dependent'), currentDutyDependentRoot: root('dependent') }
    world.onHead?.({ slot: slot(of), block: root(`head ${of}`), state: root('state'), epochTransition: false, ...roots })
  }
  const controller = new AbortController()
  const start = async (): Promise<void> => {
    await clock.advanceTo(options.start ?? at(96))
    service.start(controller.signal)
    await clock.advanceTo(clock.now())
  }
  return { certified, service, clock, world, published, told, lines, head, start, controller, pool }
}

describe('the duty service', () => {
  it('attests when the slot’s block is the head', async () => {
    const { clock, published, head, start, service } = setUp({ attestAt: 100 })
    await start()
    await clock.advanceTo(at(100, 1_000))
    assert.deepEqual(published, [])
    head(100)
    await clock.advanceTo(at(100, 1_001))
    assert.deepEqual(published, [`attestation at ${at(100, 1_000)}`])
    assert.deepEqual(
      service.records().map(({ type, state, round }) => [type, state, round]),
      [['attestation', 'completed', 1]],
    )
  })

  it('attests a third into the slot without a block', async () => {
    const { clock, published, start } = setUp({ attestAt: 100 })
    await start()
    await clock.advanceTo(at(101))
    assert.deepEqual(published, [`attestation at ${at(100, 4_000)}`])
  })

  it('proposes at the slot’s start, with a RANDAO reveal signed before', async () => {
    const { clock, published, start, service } = setUp({ proposeAt: 99 })
    await start()
    assert.deepEqual(
      service.records().map(({ type, state }) => [type, state]),
      [['randao', 'completed']],
    )
    await clock.advanceTo(at(99, 10))
    assert.deepEqual(published, [`block at ${at(99)}`])
  })

  it('publishes again when the beacon node comes back', async () => {
    const { clock, published, start, world } = setUp({ attestAt: 100 })
    await start()
    world.publishFails = 3
    await clock.advanceTo(at(102))
    assert.deepEqual(published, [`attestation at ${at(100, 4_000 + 3 * 1_500)}`])
  })

  it('drops a duty that becomes known after its deadline, with the reason', async () => {
    const { clock, published, start, world, told, service } = setUp({ proposeAt: 99 })
    world.dutiesFail = true
    await start()
    await clock.advanceTo(at(99, 5))
    world.dutiesFail = false
    await clock.advanceTo(at(101))
    assert.deepEqual(published, [])
    assert.ok(told.includes('missed proposal LATE'))
    assert.deepEqual(
      service.records().map(({ type, reason }) => [type, reason]),
      [['proposal', 'LATE']],
    )
  })

  it('says nothing of what was due before it started', async () => {
    const { clock, told, start } = setUp({ proposeAt: 97, start: at(99) })
    await start()
    await clock.advanceTo(at(101))
    assert.ok(!told.some((line) => line.startsWith('missed')))
  })

  it('finds an attestation on chain, and tells when it never came', async () => {
    const found = setUp({ attestAt: 100 })
    await found.start()
    await found.clock.advanceTo(at(101))
    found.world.included = [{ slot: slot(100), committeeIndex: 2, positions: [3], root: root('data') }]
    found.head(101)
    await found.clock.advanceTo(at(101, 1))
    assert.ok(found.told.includes('included attestation 1'))
    assert.equal(found.service.records()[0]?.included, true)

    const lost = setUp({ attestAt: 100 })
    await lost.start()
    await lost.clock.advanceTo(at(165, 1))
    assert.ok(lost.told.includes('notIncluded attestation'))
    assert.equal(lost.service.records()[0]?.included, false)
  })

  it('signs an exit once it is due, and again while the chain does not show it', async () => {
    const { clock, published, start, world, pool } = setUp()
    await start()
    world.exits = [{ poolId: pool.poolId, epoch: 2 as Epoch }]
    await clock.advanceTo(at(98))
    assert.deepEqual(published, [`exit at ${at(97)}`])
    await clock.advanceTo(at(97 + 66))
    assert.equal(published.length, 2)
    world.exits = []
    await clock.advanceTo(at(97 + 160))
    assert.equal(published.length, 2)
  })

  it('calls an exit done that the node refuses because another member’s came first, and missed when there is none', async () => {
    for (const exitEpoch of [9, Infinity]) {
      const { clock, published, start, world, pool, told, service } = setUp()
      await start()
      world.exits = [{ poolId: pool.poolId, epoch: 2 as Epoch }]
      world.exitRefused = true
      await clock.advanceTo(at(100))
      // It is in a block some slots after it was published.
      assert.equal(service.records()[0]?.state, 'running')
      world.exitEpoch = exitEpoch
      await clock.advanceTo(at(97 + 63))
      assert.equal(told.includes('completed exit'), exitEpoch < Infinity)
      await clock.advanceTo(at(97 + 65))
      assert.equal(told.includes('missed exit BROADCAST_REFUSED'), exitEpoch === Infinity)
      assert.deepEqual(published, [])
    }
  })

  it('stops with its signal', async () => {
    const { clock, published, start, controller, told } = setUp({ attestAt: 100, proposeAt: 101 })
    await start()
    controller.abort()
    const before = told.length
    await clock.advanceTo(at(110))
    assert.deepEqual([published.length, told.length], [0, before])
  })
})
