import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assertSameChain, assertSameClock, ownProducer, peersOf } from '../../../../operator/app/registration.ts'
import type { Address } from '../../../../operator/core/ids.ts'
import type { NetworkState } from '../../../../operator/core/network.ts'
import type { ChainSpec } from '../../../../operator/core/ports/beacon.ts'
import type { Parameters } from '../../../../operator/core/ports/chain.ts'
import { emptyState } from '../../../../operator/protocol/state/network-state.ts'

const operator = (id: number) => `0x${String(id).repeat(40)}` as Address
const producers = [1, 2, 3, 4].map((id) => [
  id,
  { id, operator: operator(id), peerAddress: `/ip4/127.0.0.1/tcp/${id}`, slashed: id === 3, standing: id === 4 ? 'gone' : 'leaving' },
])
const state: NetworkState = { ...emptyState(), producers: new Map(producers as never) }

describe('registration', () => {
  it('finds the own producer by its operator key', () => {
    assert.equal(ownProducer(state, operator(2)), 2)
    assert.throws(() => ownProducer(state, operator(7)), { code: 'NOT_REGISTERED', message: /openpools register/ })
  })

  it('meets everyone who is neither slashed out nor gone', () => {
    assert.deepEqual(
      peersOf(state).map(({ producer }) => producer),
      [1, 2],
    )
  })

  it('meets first who has named its peer id for longest: who names another’s later, however old itself, does not get it', () => {
    const [at, id] = [(timestamp: number) => ({ registeredAt: timestamp }), '/ip4/203.0.113.7/tcp/9000/p2p/x']
    const one = { slashed: false, standing: 'active', peerAddress: id }
    const named = [
      { ...one, id: 1, ...at(100), peerIdSince: 500 },
      { ...one, id: 2, ...at(100), peerIdSince: 300 },
      { ...one, id: 3, ...at(300) },
      { ...one, id: 4, ...at(300) },
    ]
    const claimed: NetworkState = { ...emptyState(), producers: new Map(named.map((producer) => [producer.id, producer]) as never) }
    assert.deepEqual(
      peersOf(claimed).map(({ producer }) => producer),
      [3, 4, 2, 1],
    )
  })
})

describe('endpoints', () => {
  const spec = { depositChainId: 1n, genesisTimeMs: 1_606_824_023_000, slotDurationMs: 12_000, slotsPerEpoch: 32 } as ChainSpec
  const parameters = { genesisTime: 1_606_824_023, secondsPerSlot: 12, slotsPerEpoch: 32 } as Parameters

  it('must be of one chain', () => {
    assertSameChain({ spec, chainId: 1n })
    assert.throws(() => assertSameChain({ spec, chainId: 17_000n }), {
      code: 'OTHER_CHAIN',
      message: 'the beacon node is of chain 1, the execution client of chain 17000: check --beacon-url and --rpc-url',
    })
  })

  it('must be of the chain that the deployment was made for', () => {
    assertSameClock(spec, parameters)
    for (const change of [{ genesisTime: 1_606_824_024 }, { secondsPerSlot: 6 }, { slotsPerEpoch: 8 }]) {
      assert.throws(() => assertSameClock(spec, { ...parameters, ...change }), { code: 'OTHER_CHAIN', message: /--directory/ })
    }
  })
})
