import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { ACTIVE_PRESET, PresetName, SHUFFLE_ROUND_COUNT } from '@lodestar/params'
import { computeShuffledIndex } from '@lodestar/state-transition'
import fc from 'fast-check'
import { bytesToHex, hexToBytes, toPoolId, toRoot } from '../../../../operator/core/parse.ts'
import { SHUFFLE_ROUNDS, ShuffleError, seedOf, shuffledIndex, shuffledIndices } from '../../../../operator/protocol/shuffle.ts'

const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => toRoot(bytesToHex(bytes)))

describe('swap-or-not', () => {
  it('runs beside an oracle of as many rounds', () => {
    assert.equal(ACTIVE_PRESET, PresetName.mainnet)
    assert.equal(SHUFFLE_ROUND_COUNT, SHUFFLE_ROUNDS)
  })

  it("agrees with Lodestar's computeShuffledIndex on 2,000 lists, 8 indices each", () => {
    const lists = fc.integer({ min: 1, max: 5000 }).chain((size) =>
      fc.record({
        size: fc.constant(size),
        seed: seeds,
        indices: fc.array(fc.integer({ min: 0, max: size - 1 }), { minLength: 8, maxLength: 8 }),
      }),
    )
    fc.assert(
      fc.property(lists, ({ size, seed, indices }) => {
        for (const index of indices) {
          assert.equal(shuffledIndex(index, size, seed), computeShuffledIndex(index, size, hexToBytes(seed)))
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('shuffles a list as it shuffles each index, whole or only its head', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 700 }), seeds, (size, seed) => {
        const list = shuffledIndices(size, seed)
        assert.equal(new Set(list).size, size)
        for (const place of [0, size >> 1, size - 1]) assert.equal(list[place], shuffledIndex(place, size, seed))
        assert.deepEqual(shuffledIndices(size, seed, 3), list.slice(0, 3))
      }),
      { numRuns: 50 },
    )
  })

  it('refuses an index outside the list', () => {
    const seed = toRoot(`0x${'00'.repeat(32)}`)
    for (const index of [-1, 5, 1.5]) {
      assert.throws(
        () => shuffledIndex(index, 5, seed),
        (error: unknown) => error instanceof ShuffleError && error.code === 'INDEX_OUT_OF_RANGE',
      )
    }
    assert.deepEqual(shuffledIndices(0, seed), [])
  })
})

describe('seeds of draws', () => {
  const seed = toRoot(`0x${'ab'.repeat(32)}`)
  const sha256 = (tail: string) =>
    `0x${createHash('sha256')
      .update(Buffer.concat([hexToBytes(seed), Buffer.from(tail, 'hex')]))
      .digest('hex')}`

  it('hash the seed, the ASCII name and big-endian integers', () => {
    const vault = Buffer.from('vault').toString('hex')
    assert.equal(seedOf(seed, { kind: 'vault', poolId: toPoolId(7), round: 258 }), sha256(`${vault}0000000700000102`))
    const committee = Buffer.from('committee').toString('hex')
    assert.equal(seedOf(seed, { kind: 'committee', period: 3n }), sha256(`${committee}0000000000000003`))
    const liquidation = Buffer.from('liquidation').toString('hex')
    assert.equal(seedOf(seed, { kind: 'liquidation', n: 2n ** 40n }), sha256(`${liquidation}0000010000000000`))
  })
})
