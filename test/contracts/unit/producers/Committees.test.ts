import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { ComputeShuffledIndex, SHUFFLE_ROUNDS_MAINNET } from '@chainsafe/swap-or-not-shuffle'
import { expect } from 'chai'
import { network } from 'hardhat'
import type { DeploymentParameters } from '../../../../deploy/parameters/types.ts'
import { BeaconProver } from '../../../support/beacon-prover.ts'
import { aggregateG1, g1 } from '../../../support/block-producers.ts'
import { withinGas } from '../../../support/gas-bounds.ts'
import { type OpenPools, openPools, type RegisteredProducer } from '../../../support/open-pools.ts'
import { proveMix } from '../../../support/pools.ts'

const prover = new BeaconProver()
after(() => prover.close())

/** The list's shuffle, by the implementation that consensus clients use. */
function shuffleOf(mix: string, listSize: number, period = 0): ComputeShuffledIndex {
  const number = Buffer.alloc(8)
  number.writeBigUInt64BE(BigInt(period))
  const seed = createHash('sha256')
    .update(Buffer.from(mix.slice(2), 'hex'))
    .update('committee')
    .update(number)
    .digest()
  return new ComputeShuffledIndex(seed, listSize, SHUFFLE_ROUNDS_MAINNET)
}

/** Period 0 with its seed proven. */
async function seeded(pools: OpenPools): Promise<string> {
  const start = Number(pools.parameters.firstPeriod)
  await pools.toEpoch(start)
  while ((await pools.periods.nextToFreeze()) === 0n) await pools.periods.freeze(1)
  const { mix, timestamp, state, randao } = await proveMix({ pools, prover }, { epoch: start - 1 })
  await pools.periods.proveSeed(0n, timestamp, state, randao)
  return mix
}

/** A list of so many producers who never registered: what a list needs is their ids alone. */
async function crowd(size: number, choices: Partial<DeploymentParameters>): Promise<{ pools: OpenPools; mix: string }> {
  const connection = await network.create()
  const pools = await openPools(connection, choices)
  const from = (await pools.as(pools.addresses.blockProducers)).address
  for (let id = 1; id <= size; id++) {
    const data = pools.periods.interface.encodeFunctionData('queueJoin', [id])
    await connection.provider.request({
      method: 'eth_sendTransaction',
      params: [{ from, to: pools.addresses.periods, data, gas: '0x30000' }],
    })
  }
  return { pools, mix: await seeded(pools) }
}

/** The auxiliary committees as the protocol cuts them: places of the shuffle, from the commitment committee on. */
function cut(listSize: number, committeeSize: number, least: number): { start: number; size: number }[] {
  const first = Math.min(committeeSize, Math.floor(listSize / 2))
  const rest = listSize - first
  const count = rest < least ? 1 : Math.floor(rest / least)
  return Array.from({ length: count }, (_, j) => {
    const start = Math.floor((rest * j) / count)
    return { start: first + start, size: Math.floor((rest * (j + 1)) / count) - start }
  })
}

describe('Committees: auxiliary ones', function () {
  this.timeout(600_000)

  for (const { size, committeeSize, least } of [
    { size: 9, committeeSize: 3, least: 3 },
    { size: 7, committeeSize: 3, least: 5 },
    { size: 2, committeeSize: 3, least: 3 },
    { size: 61, committeeSize: 8, least: 8 },
  ]) {
    it(`of ${size} producers, at least ${least} each: everyone outside the commitment committee is in one, once`, async () => {
      const { pools, mix } = await crowd(size, {
        committeeSize: BigInt(committeeSize),
        minAuxCommitteeSize: BigInt(least),
      })
      const expected = cut(size, committeeSize, least)
      const first = Math.min(committeeSize, Math.floor(size / 2))
      expect(await pools.periods.auxiliaryCount(0)).to.equal(BigInt(expected.length))
      expect(expected.reduce((sum, { size: members }) => sum + members, first)).to.equal(size)
      if (size - first >= least) for (const { size: members } of expected) expect(members).to.be.greaterThanOrEqual(least)
      const shuffle = shuffleOf(mix, size)
      for (let place = 0; place < size; place++) {
        expect(await pools.periods.producerAtShuffled(0, place)).to.equal(await pools.periods.producerAt(0, shuffle.get(place)))
        if (place < first) {
          await expect(pools.periods.auxiliaryOf(0, place)).to.be.revertedWithCustomError(pools.periods, 'NotAuxiliary')
          continue
        }
        const number = expected.findIndex(({ start, size: members }) => place >= start && place < start + members)
        const { start, size: members } = expected[number] ?? { start: -1, size: -1 }
        assert.deepEqual([...(await pools.periods.auxiliaryOf(0, place))], [BigInt(number), BigInt(start), BigInt(members)])
      }
      await expect(pools.periods.auxiliaryOf(0, size)).to.be.revertedWithCustomError(pools.periods, 'NotAuxiliary')
      await expect(pools.periods.producerAtShuffled(0, size)).to.be.revertedWithCustomError(pools.periods, 'IndexOutOfRange')
    })
  }

  it('A36 of 5,000 producers: any place is proven at any size, the commitment committee’s positions are marked', async () => {
    const { pools, mix } = await crowd(5_000, { committeeSize: 128n, minAuxCommitteeSize: 128n, firstPeriod: 20n })
    const { periods } = pools
    const expected = cut(5_000, 128, 128)
    expect(await periods.auxiliaryCount(0)).to.equal(BigInt(expected.length))
    const shuffle = shuffleOf(mix, 5_000)
    for (const [number, { start, size }] of expected.entries()) {
      for (const place of [start, start + size - 1]) {
        assert.deepEqual([...(await periods.auxiliaryOf(0, place))], [BigInt(number), BigInt(start), BigInt(size)])
      }
    }
    // Two thirds of the largest auxiliary committee in one call, in an order of their own.
    const { start, size } = expected.reduce((a, b) => (b.size > a.size ? b : a))
    const places = Array.from({ length: Math.ceil((2 * size) / 3) }, (_, i) => start + ((i * 7) % size))
    assert.deepEqual(
      [...(await periods.positionsAtShuffled(0, places))].map(Number),
      places.map((place) => shuffle.get(place)),
    )
    withinGas(await periods.positionsAtShuffled.estimateGas(0, places), 8_000_000n)

    for (let formed = 0; formed < 128; formed += 64) {
      const { gasUsed } = (await (await periods.formCommittee(0, 64)).wait()) ?? {}
      withinGas(gasUsed, 16_777_216n)
    }
    const marked: number[] = []
    for (let word = 0; word < 20; word++) {
      const bits = await periods.committeePositions(0, word)
      for (let bit = 0; bit < 256; bit++) if ((bits >> BigInt(bit)) & 1n) marked.push(word * 256 + bit)
    }
    const members = Array.from({ length: 128 }, (_, place) => shuffle.get(place))
    assert.deepEqual(
      marked,
      members.sort((a, b) => a - b),
    )
  })
})

describe('Committees: members slashed', function () {
  this.timeout(600_000)
  let pools: OpenPools
  let committee: RegisteredProducer[]

  before(async () => {
    pools = await openPools(await network.create(), { committeeSize: 10n })
    const producers: RegisteredProducer[] = []
    for (let i = 0; i < 21; i++) producers.push(await pools.register())
    const mix = await seeded(pools)
    await pools.periods.formCommittee(0, 100)
    const shuffle = shuffleOf(mix, 21)
    committee = Array.from({ length: 10 }, (_, place) => producers[shuffle.get(place)]).flatMap((member) => member ?? [])
  })

  const slash = async (place: number) => {
    const disputes = await pools.as(pools.addresses.disputes)
    await pools.blockProducers.connect(disputes).slashOut(committee[place]?.id ?? 0n, disputes.address)
  }
  const sumOf = (places: readonly number[]) => {
    const { xHi, xLo, yHi, yLo } = aggregateG1(places.flatMap((place) => committee[place]?.key.toPublicKey() ?? []))
    return [xHi, xLo, yHi, yLo]
  }
  const keysOf = (places: readonly number[]) =>
    places.flatMap((place) => (committee[place] ? [g1(committee[place].key.toPublicKey())] : []))

  it('while there are none, who is absent is who is said to be', async () => {
    const all = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    for (const [absent, places] of [
      ['0x0000', []],
      ['0x0402', [2, 9]],
    ] as const) {
      const [size, signers, key] = await pools.periods.committeeWithout(0, absent, keysOf(places))
      expect([size, signers]).to.deep.equal([10n, BigInt(10 - places.length)])
      assert.deepEqual([...key], sumOf(all.filter((place) => !places.some((gone) => gone === place))))
    }
  })

  it('A16 are struck by anyone, once, and only they', async () => {
    const { periods } = pools
    await expect(periods.strike(0, 9)).to.be.revertedWithCustomError(periods, 'NotSlashed').withArgs(committee[9]?.id)
    await expect(periods.strike(0, 10)).to.be.revertedWithCustomError(periods, 'PlaceOutOfRange').withArgs(10, 10)
    await expect(periods.strike(1, 0)).to.be.revertedWithCustomError(periods, 'NotFrozenYet')
    await slash(9)
    await expect(periods.strike(0, 9)).to.emit(periods, 'MemberStruck').withArgs(0, committee[9]?.id, 9)
    await expect(periods.strike(0, 9)).to.be.revertedWithCustomError(periods, 'AlreadyStruck').withArgs(0, 9)
    await slash(0)
    await periods.strike(0, 0)
    const [members, key] = await periods.committee(0)
    expect(members.length).to.equal(10)
    assert.deepEqual([...key], sumOf([1, 2, 3, 4, 5, 6, 7, 8]))
  })

  it('are always among the absent, and their keys are not taken off again', async () => {
    const { periods } = pools
    const without = (absent: string, places: readonly number[]) => periods.committeeWithout(0, absent, keysOf(places))
    for (const absent of ['0x0000', '0x0100', '0x0002', '0xfe02']) {
      await expect(without(absent, [])).to.be.revertedWithCustomError(periods, 'StruckNotAbsent')
    }
    const [size, signers, key] = await without('0x0102', [])
    expect([size, signers]).to.deep.equal([10n, 8n])
    assert.deepEqual([...key], sumOf([1, 2, 3, 4, 5, 6, 7, 8]))
    const [, fewer, rest] = await without('0x8903', [3, 7, 8])
    expect(fewer).to.equal(5n)
    assert.deepEqual([...rest], sumOf([1, 2, 4, 5, 6]))
    const { blockProducers } = pools
    await expect(without('0x8903', [3, 8, 7])).to.be.revertedWithCustomError(blockProducers, 'NotTheKeyOf')
    await expect(without('0x8903', [0, 3, 7, 8, 9]))
      .to.be.revertedWithCustomError(blockProducers, 'KeyCount')
      .withArgs(3, 5)
    await expect(without('0x0106', [])).to.be.revertedWithCustomError(periods, 'AbsentBeyondCommittee').withArgs(10)
    await expect(without('0x010200', [])).to.be.revertedWithCustomError(periods, 'AbsentLength').withArgs(2, 3)
  })
})
