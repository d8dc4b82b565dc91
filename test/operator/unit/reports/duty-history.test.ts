import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Epoch, PoolId, Root, Slot, ValidatorIndex } from '../../../../operator/core/ids.ts'
import type { BeaconHeaderInfo, BeaconNode, HeadEvent } from '../../../../operator/core/ports/beacon.ts'
import { BeaconError } from '../../../../operator/core/ports/beacon.ts'
import type { ChainFollower } from '../../../../operator/core/ports/chain.ts'
import type { Store } from '../../../../operator/core/ports/store.ts'
import type { EpochRange } from '../../../../operator/core/report.ts'
import { DutyHistory } from '../../../../operator/reports/duty-history.ts'
import { recordingLog, root } from '../duties/support.ts'

const SLOTS_PER_EPOCH = 4
const { signal } = new AbortController()
const epochs = (from: number, to: number): EpochRange[] => [{ from: from as Epoch, to: to as Epoch }]
const blockAt = (slot: number): Root => root(`block ${slot}`)

function memoryStore(): Store {
  const values = new Map<string, string>()
  return {
    get: (space: string, key: string) => values.get(`${space} ${key}`),
    put: (space: string, key: string, value: string) => void values.set(`${space} ${key}`, value),
    delete: (space: string, key: string) => void values.delete(`${space} ${key}`),
    list: (space: string) =>
      [...values].filter(([key]) => key.startsWith(`${space} `)).map(([key, value]) => [key.slice(space.length + 1), value] as const),
    transaction: <T>(change: () => T) => change(),
  } as unknown as Store
}

/**
 * Pool 5 is validator 77: it votes in slot 4e + 1 (in place 3 of committee 2) and proposes in 4e + 2, for whatever roots stand.
 * Blocks of every slot but those `missing`; `voted` says which block has the vote of an epoch, with which data.
 */
function setUp() {
  const world = {
    fork: 'main',
    fails: false,
    asked: 0,
    finalized: 0,
    missing: new Set<number>(),
    proposer: 77,
    voted: new Map<number, { readonly slot: number; readonly data: Root }[]>(),
    fundedAt: -16,
  }
  const header = (slot: number): BeaconHeaderInfo => {
    let parent = slot - 1
    while (world.missing.has(parent)) parent--
    return {
      ...{ slot: slot as Slot, root: blockAt(slot), parentRoot: blockAt(parent) },
      ...{ proposerIndex: world.proposer as ValidatorIndex, stateRoot: root('state'), bodyRoot: root('body') },
    }
  }
  const slotOf = (id: string): number => Array.from({ length: 100 }, (_, slot) => slot).find((slot) => blockAt(slot) === id) ?? -1
  // On the main branch duties hang on a block of the chain, on another on one that was left.
  const dependent = (epoch: number): Root =>
    world.fork === 'main' ? blockAt(Math.max(0, (epoch - 1) * SLOTS_PER_EPOCH - 1)) : root('left')
  const shift = (): number => (world.fork === 'main' ? 0 : 1)
  const beacon = {
    spec: { genesisTimeMs: 0, slotDurationMs: 1_000, slotsPerEpoch: SLOTS_PER_EPOCH },
    signingRoots: {
      attestationRoot: (epoch: number, data: Root) => root(`vote ${epoch} ${data}`),
      block: (slot: number, block: Root) => root(`proposal ${slot} ${block}`),
    },
    async attesterDuties(epoch: number, indices: readonly number[]) {
      world.asked++
      if (world.fails) throw new BeaconError('NOT_FOUND', 'forgotten')
      const place = { committeeIndex: 2, validatorCommitteeIndex: 3 }
      return {
        dependentRoot: dependent(epoch),
        duties: indices.map((validatorIndex) => ({ validatorIndex, slot: 4 * epoch + 1 + shift(), ...place })),
      }
    },
    proposerDuties: async (epoch: number) => ({
      dependentRoot: dependent(epoch),
      duties: [
        { validatorIndex: 77, slot: 4 * epoch + 2 + shift() },
        { validatorIndex: 78, slot: 4 * epoch },
      ],
    }),
    header: async (id: string) => (id === 'finalized' ? header(world.finalized) : header(slotOf(id))),
    includedAttesters: async (id: string) =>
      (world.voted.get(slotOf(id)) ?? []).map(({ slot, data }) => ({ slot, committeeIndex: 2, positions: [1, 3], root: data })),
  } as unknown as BeaconNode
  const pool = { id: 5 as PoolId, validatorIndex: 77, fundedAt: world.fundedAt }
  const chain = { view: () => ({ head: { pools: new Map([[5, { ...pool, fundedAt: world.fundedAt }]]) } }) } as unknown as ChainFollower
  const history = new DutyHistory({ beacon, chain, store: memoryStore(), log: recordingLog().log })
  const head = (slot: number, name = 'same') =>
    history.onHead({ slot, previousDutyDependentRoot: root(name), currentDutyDependentRoot: root(name) } as HeadEvent, signal)
  const finalize = (epoch: number) => {
    world.finalized = epoch * SLOTS_PER_EPOCH
    return history.onFinalized(epoch as Epoch, signal)
  }
  const judged = async (from: number, to: number) => {
    const [duties, unknown] = [await history.duties(epochs(from, to)), history.unknown(epochs(from, to))]
    return unknown.length === 0 ? duties : undefined
  }
  return { world, history, head, finalize, judged }
}

test('duties are judged once the epoch after theirs is final, by the blocks of both', async () => {
  const { world, head, finalize, judged } = setUp()
  for (const epoch of [0, 1, 2, 3]) await head(4 * epoch)
  world.voted.set(11, [{ slot: 5, data: root('data') }])
  world.voted.set(12, [{ slot: 9, data: root('another') }])
  world.missing.add(6)
  await finalize(2)
  assert.equal(await judged(1, 2), undefined)
  await finalize(3)
  const vote = { poolId: 5, type: 'attestation', slot: 5, signingRoot: root(`vote 1 ${root('data')}`) }
  assert.deepEqual(await judged(1, 2), [vote, { poolId: 5, type: 'proposal', slot: 6, signingRoot: undefined }])
  assert.equal(await judged(1, 3), undefined)
  await finalize(4)
  const [, proposal] = (await judged(2, 3)) ?? []
  assert.deepEqual(proposal, { poolId: 5, type: 'proposal', slot: 10, signingRoot: root(`proposal 10 ${blockAt(10)}`) })
})

test('a vote counts with the data of the first block that has it; a block only when it is its proposer’s', async () => {
  const { world, head, finalize, judged } = setUp()
  await head(4)
  world.voted.set(7, [{ slot: 5, data: root('first') }])
  world.voted.set(8, [{ slot: 5, data: root('second') }])
  world.proposer = 3
  await finalize(3)
  assert.deepEqual(
    (await judged(1, 2))?.map(({ signingRoot }) => signingRoot),
    [root(`vote 1 ${root('first')}`), undefined],
  )
})

test('of two schedules that stood, the finalized chain’s counts', async () => {
  const { world, head, finalize, judged } = setUp()
  world.fork = 'left'
  await head(8, 'left')
  world.fork = 'main'
  await head(9, 'main')
  await finalize(4)
  assert.deepEqual(
    (await judged(2, 3))?.map(({ slot }) => slot),
    [9, 10],
  )
})

test('a schedule is asked for once an epoch, unless its roots change, and later when it was missed', async () => {
  const { world, head, finalize, judged } = setUp()
  for (const slot of [4, 5, 6, 7]) await head(slot)
  assert.equal(world.asked, 1)
  await head(7, 'other')
  assert.equal(world.asked, 2)
  world.fails = true
  await head(8)
  await finalize(4)
  assert.equal(await judged(2, 3), undefined)
  world.fails = false
  await finalize(4)
  assert.equal((await judged(2, 3))?.length, 2)
})

test('before any pool was funded there are no duties, and nothing is asked for', async () => {
  const { world, head, finalize, judged } = setUp()
  world.fundedAt = 40
  await head(4)
  await finalize(4)
  assert.deepEqual(await judged(0, 3), [])
  assert.equal(world.asked, 0)
})

test('an epoch that the beacon node has forgotten holds up no other', async () => {
  const { world, head, finalize, judged, history } = setUp()
  await head(4)
  world.fails = true
  await head(8)
  world.fails = false
  await head(12)
  world.fails = true
  await finalize(5)
  assert.equal((await judged(1, 2))?.length, 2)
  assert.equal((await judged(3, 4))?.length, 2)
  assert.deepEqual(history.unknown(epochs(1, 4)), [2])
})

test('a pool has no duties in the four epochs after it was funded: it may be known of only after the first of them', async () => {
  const { world, finalize, judged, history } = setUp()
  world.fundedAt = 3
  world.fails = true
  await finalize(8)
  assert.deepEqual(await judged(0, 4), [])
  assert.deepEqual(history.unknown(epochs(0, 6)), [4, 5])
})
