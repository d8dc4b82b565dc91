import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as settle } from 'node:timers/promises'
import { createDutyPools } from '../../../../operator/app/duty-pools.ts'
import { createExitRequests } from '../../../../operator/app/exit-requests.ts'
import type { Address, Epoch, ProducerId } from '../../../../operator/core/ids.ts'
import type { NetworkState, Pool } from '../../../../operator/core/network.ts'
import type { BeaconNode } from '../../../../operator/core/ports/beacon.ts'
import type { ChainFollower, ContractAddresses, Parameters } from '../../../../operator/core/ports/chain.ts'
import type { PoolShareInfo, ShareSigner } from '../../../../operator/core/ports/signer.ts'
import { emptyState } from '../../../../operator/protocol/state/network-state.ts'
import { recordingLog } from '../adapters/support/log.ts'

const self = 2 as ProducerId
const EPOCH = 10 as Epoch
const key = (at: number) => `0x${String(at).repeat(96)}`
const operator = (id: number) => `0x${String(id).repeat(40)}` as Address
const addresses = { stakerVault: operator(8), bondVault: operator(9) } as ContractAddresses

function poolWith(change: object): Pool {
  const usual = { id: 1, kind: 'staker', phase: 'funded', round: 0, members: [4, 2, 3, 1], publicKey: key(1), publicShares: [] }
  const pool = { ...usual, validatorIndex: 17, exitForced: false, stallProven: false, ...change }
  return { vaults: [{ round: 0, members: pool.members, publicShares: [], from: 0 }], ...pool } as unknown as Pool
}

function stateWith(...pools: readonly Pool[]): NetworkState {
  const producers = [1, 2, 3, 4].map((id) => [
    id,
    { id, operator: operator(id), signingKey: key(id), peerAddress: `/ip4/127.0.0.1/tcp/${id}`, slashed: id === 3 },
  ])
  return {
    ...emptyState(),
    producers: new Map(producers as never),
    pools: new Map(pools.map((pool) => [pool.id, pool])),
  }
}

/** A chain whose views are what the test says, and a signer that holds the shares it says. */
function sources(first: NetworkState) {
  let head = first
  let finalized = first
  let held: readonly PoolShareInfo[] = [{ poolId: 1, round: 0, memberIndex: 2, groupKey: key(1), publicShares: [] }] as never
  let asked = 0
  const chain = {
    view: () => ({ head, finalized, headBlock: 0, finalizedBlock: 0, finalizedTimestamp: 0 }),
    onChange: () => () => {},
  }
  const shares = {
    pools: () => {
      asked++
      return held
    },
  }
  return {
    chain: chain as ChainFollower,
    shares: shares as unknown as ShareSigner,
    become: (next: NetworkState) => {
      head = next
      finalized = next
    },
    /** A branch that may yet be left. */
    branchTo: (next: NetworkState) => {
      head = next
    },
    hold: (...next: readonly object[]) => {
      held = next as never
    },
    asked: () => asked,
  }
}

describe('duty pools', () => {
  const poolsOf = (state: NetworkState, hold?: object) => {
    const { chain, shares, ...hands } = sources(state)
    if (hold !== undefined) hands.hold(hold)
    return createDutyPools({ self, chain, shares, addresses }).at(EPOCH)
  }

  it('are funded pools of whose key this node holds its share', () => {
    const [pool] = poolsOf(stateWith(poolWith({})))
    assert.deepEqual(pool, {
      poolId: 1,
      round: 0,
      members: [4, 2, 3, 1],
      operators: [4, 2, 3, 1].map(operator),
      signingKeys: [4, 2, 3, 1].map(key),
      self: 2,
      quorum: 3,
      groupKey: key(1),
      publicShares: [],
      validatorIndex: 17,
      feeRecipient: addresses.stakerVault,
    })
    assert.equal(poolsOf(stateWith(poolWith({ kind: 'bond', phase: 'exiting' })))[0]?.feeRecipient, addresses.bondVault)
  })

  it('are none that another round, another key or another seat made, nor before funding or after closing', () => {
    for (const change of [
      { phase: 'registered' },
      { phase: 'closed' },
      { validatorIndex: undefined },
      { publicKey: key(5) },
      { members: [2, 4, 3, 1] },
      { members: [4, 5, 3, 1] },
      { id: 2 },
    ]) {
      assert.deepEqual(poolsOf(stateWith(poolWith(change))), [], JSON.stringify(change))
    }
    assert.deepEqual(poolsOf(stateWith(poolWith({ members: [4, 2, 3, 7] }))), [], 'a member that is not registered')
  })

  it('are made anew when the chain or the shares change, and only then', () => {
    const { chain, shares, become, hold } = sources(stateWith(poolWith({})))
    const pools = createDutyPools({ self, chain, shares, addresses })
    const before = pools.at(EPOCH)
    assert.equal(pools.at(EPOCH), before)
    hold()
    assert.deepEqual(pools.at(EPOCH), [])
    hold({ poolId: 1, round: 0, memberIndex: 2, groupKey: key(1), publicShares: [] })
    become(stateWith(poolWith({ phase: 'closed' })))
    assert.deepEqual(pools.at(EPOCH), [])
  })
})

describe('duty pools around a cutover', () => {
  const before = { round: 0, members: [4, 2, 3, 1], publicShares: [key(1)], from: 0 }
  const after = { round: 1, members: [1, 2, 3, 4], publicShares: [key(2)], from: 20 }
  const held = [
    { poolId: 1, round: 0, memberIndex: 2, groupKey: key(1), publicShares: [key(1)] },
    { poolId: 1, round: 1, memberIndex: 2, groupKey: key(1), publicShares: [key(2)] },
  ]
  const old = stateWith(poolWith({ vaults: [before] }))
  const handedOver = stateWith(poolWith({ vaults: [before, after] }))
  const roundsAt = (head: NetworkState, finalized: NetworkState, shares = held) => {
    const chain = { view: () => ({ head, finalized, headBlock: 0, finalizedBlock: 0, finalizedTimestamp: 0 }), onChange: () => () => {} }
    const pools = createDutyPools({ self, chain, shares: { pools: () => shares } as unknown as ShareSigner, addresses })
    return [19, 20].map((epoch) => pools.at(epoch as Epoch).map(({ round, members }) => [round, members[0]]))
  }

  it('the old vault to the last epoch before it, the new one from it on, once it is final; nobody until then', () => {
    assert.deepEqual(roundsAt(old, old), [[[0, 4]], [[0, 4]]])
    assert.deepEqual(roundsAt(handedOver, old), [[[0, 4]], []])
    assert.deepEqual(roundsAt(handedOver, handedOver), [[[0, 4]], [[1, 1]]])
    // The event left the chain again.
    assert.deepEqual(roundsAt(old, old), [[[0, 4]], [[0, 4]]])
  })

  it('with the share of the vault that is in charge, and of the very result that the chain shows', () => {
    assert.deepEqual(roundsAt(handedOver, handedOver, held.slice(0, 1)), [[[0, 4]], []])
    const another = held.map((share) => ({ ...share, publicShares: [key(3)] }))
    assert.deepEqual(roundsAt(handedOver, handedOver, another), [[], []])
  })
})

describe('exit requests', () => {
  const parameters = { maxLiquidationExecution: 8 } as Parameters
  const exiting = poolWith({ phase: 'exiting', exitDeadline: 108 })

  /** Looks at the beacon chain whenever `look` is called; there the validator's exit is what the test says. */
  function asking(chain: ChainFollower) {
    let exitEpoch = Infinity
    let onHead = (): void => {}
    const beacon = {
      follow: (handlers: { onHead(): void }) => {
        onHead = () => handlers.onHead()
      },
      validators: async (keys: readonly string[]) => keys.map((publicKey) => ({ publicKey, exitEpoch })),
    } as unknown as BeaconNode
    const requests = createExitRequests({ self, chain, beacon, parameters, log: recordingLog() }, new AbortController().signal)
    return {
      due: () => requests.due(),
      look: async (epoch: number) => {
        exitEpoch = epoch
        onHead()
        await settle()
      },
    }
  }

  it('name the epoch of the draw, until the beacon chain shows the exit', async () => {
    const { chain } = sources(
      stateWith(exiting, poolWith({ id: 2 }), poolWith({ id: 3, phase: 'exiting', exitDeadline: 1, members: [1, 3, 4, 5] })),
    )
    const { due, look } = asking(chain)
    await look(Infinity)
    assert.deepEqual(due(), [{ poolId: 1, epoch: 100 }])
    await look(120)
    assert.deepEqual(due(), [])
    // A reorganization took the exit back.
    await look(Infinity)
    assert.equal(due().length, 1)
  })

  it('never follow from a draw that only branch A shows, however long it stands; only from one that is final', async () => {
    const { chain, branchTo, become } = sources(stateWith(poolWith({})))
    const { due, look } = asking(chain)
    for (let block = 0; block < 3; block++) {
      branchTo(stateWith(exiting))
      await look(Infinity)
      assert.deepEqual(due(), [])
    }
    // Branch B draws another pool, and becomes final.
    const other = poolWith({ id: 2, publicKey: key(2), phase: 'exiting', exitDeadline: 109 })
    branchTo(stateWith(poolWith({}), other))
    await look(Infinity)
    assert.deepEqual(due(), [])
    become(stateWith(poolWith({}), other))
    await look(Infinity)
    assert.deepEqual(due(), [{ poolId: 2, epoch: 101 }])
  })
})
