import assert from 'node:assert/strict'
import { ComputeShuffledIndex, SHUFFLE_ROUNDS_MAINNET } from '@chainsafe/swap-or-not-shuffle'
import { SHUFFLE_ROUND_COUNT } from '@lodestar/params'
import { computeShuffledIndex } from '@lodestar/state-transition'
import { expect } from 'chai'
import { network } from 'hardhat'
import { withinGas } from '../../../support/gas-bounds.ts'
import { randomBytes, randomInt } from '../../../support/randomness.ts'

const { ethers } = await network.create({
  override: { blockGasLimit: 2_000_000_000, transactionGasCap: 2_000_000_000 },
})
const shuffle = await ethers.deployContract('SwapOrNotHarness')

/** The consensus client's own shuffle, with mainnet's 90 rounds. */
function expected({ index, count, seed }: { readonly index: number; readonly count: number; readonly seed: Uint8Array }): number {
  return new ComputeShuffledIndex(seed, count, SHUFFLE_ROUNDS_MAINNET).get(index)
}

/** Each takes some 60 ms in a simulated chain: `SHUFFLE_LISTS=2000` for the long run. */
const LISTS = Number(process.env.SHUFFLE_LISTS ?? 400)
const LISTS_A_CALL = 40

describe('SwapOrNot', function () {
  this.timeout(900_000)
  it('is asked against 90 rounds', () => {
    assert.equal(SHUFFLE_ROUND_COUNT, 90)
    assert.equal(SHUFFLE_ROUNDS_MAINNET, 90)
    const seed = randomBytes(32)
    assert.equal(expected({ index: 5, count: 300, seed }), computeShuffledIndex(5, 300, seed))
  })

  it(`agrees with Lodestar on ${LISTS} random lists, eight indices each, wherever they are`, async () => {
    for (let batch = 0; batch < LISTS / LISTS_A_CALL; batch++) {
      const cases = Array.from({ length: LISTS_A_CALL }, () => {
        const count = randomInt(1, 5_001)
        return { seed: randomBytes(32), count, indices: Array.from({ length: 8 }, () => randomInt(count)) }
      })
      const results = await shuffle.shuffleEach(cases, { gasLimit: 1_900_000_000 })
      for (const [i, { seed, count, indices }] of cases.entries()) {
        const oracle = indices.map((index) => BigInt(expected({ index, count, seed })))
        assert.deepEqual([...(results[i] ?? [])], oracle, `seed ${seed.toString('hex')}, ${count}: ${indices}`)
      }
    }
  })

  it('agrees on neighbours, which share their hashes', async () => {
    const cases = Array.from({ length: 200 }, () => {
      const count = randomInt(1, 5_001)
      const from = randomInt(Math.max(1, count - 7))
      return { seed: randomBytes(32), count, from, to: Math.min(count, from + 8) }
    })
    const results = await shuffle.shuffleMany(cases, { gasLimit: 1_900_000_000 })
    for (const [i, { seed, count, from, to }] of cases.entries()) {
      const oracle = Array.from({ length: to - from }, (_, k) => BigInt(expected({ index: from + k, count, seed })))
      assert.deepEqual([...(results[i] ?? [])], oracle, `seed ${seed.toString('hex')}, ${count}: from ${from}`)
    }
  })

  it('agrees on many neighbours of short lists, which share one source', async () => {
    const counts = [13, 14, 127, 128, 129, 254, 255, 256, ...Array.from({ length: 32 }, () => randomInt(13, 257))]
    const cases = counts.map((count) => {
      const length = randomInt(13, Math.min(count, 255) + 1)
      const from = randomInt(count - length + 1)
      return { seed: randomBytes(32), count, from, to: from + length }
    })
    const results = await shuffle.shuffleMany(cases, { gasLimit: 1_900_000_000 })
    for (const [i, { seed, count, from, to }] of cases.entries()) {
      const oracle = Array.from({ length: to - from }, (_, k) => BigInt(expected({ index: from + k, count, seed })))
      assert.deepEqual([...(results[i] ?? [])], oracle, `seed ${seed.toString('hex')}, ${count}: ${from} to ${to}`)
    }
  })

  it('walks a whole list: a permutation, however the walk is cut', async () => {
    for (const count of [1, 2, 7, 255, 256, 257, 700]) {
      const seed = randomBytes(32)
      const whole = await shuffle.shuffledIndices(0, count, count, seed)
      assert.equal(new Set(whole).size, count)
      assert.deepEqual(
        whole.map(Number),
        Array.from({ length: count }, (_, index) => expected({ index, count, seed })),
      )
      const cut = randomInt(count)
      assert.equal(await shuffle.shuffledIndex(cut, count, seed), whole[cut])
      const parts = [...(await shuffle.shuffledIndices(0, cut, count, seed)), ...(await shuffle.shuffledIndices(cut, count, count, seed))]
      assert.deepEqual(parts, [...whole])
    }
  })

  it('serves lists beyond its cache', async () => {
    for (const count of [8_193, 40_000, 1_000_003, 2 ** 31]) {
      const seed = randomBytes(32)
      const from = randomInt(count - 12)
      const indices = await shuffle.shuffledIndices(from, from + 12, count, seed)
      assert.deepEqual(
        indices.map(Number),
        Array.from({ length: 12 }, (_, i) => expected({ index: from + i, count, seed })),
      )
    }
  })

  it('refuses what is outside the list', async () => {
    const seed = randomBytes(32)
    await expect(shuffle.shuffledIndex(7, 7, seed))
      .to.be.revertedWithCustomError(shuffle, 'IndexOutOfRange')
      .withArgs(7, 7)
    await expect(shuffle.shuffledIndex(0, 0, seed))
      .to.be.revertedWithCustomError(shuffle, 'IndexOutOfRange')
      .withArgs(0, 0)
    await expect(shuffle.shuffledIndices(0, 8, 7, seed))
      .to.be.revertedWithCustomError(shuffle, 'IndexOutOfRange')
      .withArgs(8, 7)
    await expect(shuffle.shuffledIndices(3, 2, 7, seed))
      .to.be.revertedWithCustomError(shuffle, 'IndexOutOfRange')
      .withArgs(3, 2)
    await expect(shuffle.shuffledIndices(0, 0, 0, seed))
      .to.be.revertedWithCustomError(shuffle, 'UnsupportedCount')
      .withArgs(0)
    const large = 2n ** 31n + 1n
    await expect(shuffle.shuffledIndices(0, 1, large, seed))
      .to.be.revertedWithCustomError(shuffle, 'UnsupportedCount')
      .withArgs(large)
  })

  it('A52 a lack of gas reverts, and never gives another permutation', async () => {
    const seed = randomBytes(32)
    const right = (await shuffle.shuffledIndices(0, 4, 1_000, seed)).join()
    const outcomes = new Set<string>()
    for (let gasLimit = 60_000n; gasLimit < 240_000n; gasLimit += 1_000n) {
      outcomes.add(await shuffle.shuffledIndices(0, 4, 1_000, seed, { gasLimit }).then(String, () => 'reverted'))
    }
    assert.deepEqual(outcomes, new Set(['reverted', right]))
  })

  it('stays within its gas budget', async () => {
    const seed = randomBytes(32)
    const gas = async (to: number, count: number) => Number(await shuffle.shuffledIndicesGas(0, to, count, seed))
    const [few, vault, large] = [await gas(4, 7), await gas(24, 240), await gas(24, 5_000)]
    console.log(`      4 of 7: ${few}, 24 of 240: ${vault}, 24 of 5,000: ${large}, 128 of 5,000: ${await gas(128, 5_000)}`)
    withinGas(few, 100_000, '4 of 7')
    withinGas(vault, 175_000, '24 of 240')
    withinGas(large, 760_000, '24 of 5,000')
  })
})
