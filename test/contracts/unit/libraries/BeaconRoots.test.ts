import assert from 'node:assert/strict'
import { expect } from 'chai'
import { network } from 'hardhat'
import { randomBytes } from '../../../support/randomness.ts'

const BEACON_ROOTS = '0x000F3df6D732807Ef1319fB7B8bB8522d0Beac02'
const BLOCK_HASHES = '0x0000F90827F1C53a10cb7A02335B175320002935'
/** The runtime code that EIP-2935 gives; the simulator has a placeholder there. */
const HISTORY_CODE =
  '0x3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff81430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500'
const RING = 8191n
const SECONDS = 12n

const { ethers, networkHelpers, provider } = await network.create()
const roots = await ethers.deployContract('BeaconRootsHarness')

const word = (value: bigint) => `0x${value.toString(16).padStart(64, '0')}`
const randomRoot = () => `0x${randomBytes(32).toString('hex')}`

/** Writes an entry of the ring as the chain would at the start of the block with this timestamp. */
async function remember({ timestamp, root }: { readonly timestamp: bigint; readonly root: string }): Promise<void> {
  const place = timestamp % RING
  await provider.request({ method: 'hardhat_setStorageAt', params: [BEACON_ROOTS, ethers.toQuantity(place), word(timestamp)] })
  await provider.request({ method: 'hardhat_setStorageAt', params: [BEACON_ROOTS, ethers.toQuantity(place + RING), root] })
}

/** Jumps ahead by `seconds`, so that no block of this simulator lies in between; gives the time that calls now see. */
async function jump(seconds: bigint): Promise<bigint> {
  await networkHelpers.time.increase(seconds)
  return roots.time()
}

describe('BeaconRoots: beacon block roots', () => {
  it('reads the root of a timestamp, or says that there is none', async () => {
    const timestamp = (await jump(10_000n)) - 5_000n
    const root = randomRoot()
    await assert.rejects(roots.parentRootAt(timestamp))
    await remember({ timestamp, root })
    assert.equal(await roots.parentRootAt(timestamp), root)
    assert.deepEqual([...(await roots.tryParentRootAt(timestamp))], [true, root])
    assert.deepEqual([...(await roots.tryParentRootAt(timestamp + 1n))], [false, word(0n)])
    await expect(roots.parentRootAt(timestamp + 1n))
      .to.be.revertedWithCustomError(roots, 'RootUnavailable')
      .withArgs(timestamp + 1n)
    await expect(roots.parentRootAt(0)).to.be.revertedWithCustomError(roots, 'RootUnavailable').withArgs(0)
    await expect(roots.parentRootAt(timestamp + RING)).to.be.revertedWithCustomError(roots, 'RootUnavailable')
  })

  it('A42 finds the first block after the boundary, past missed slots', async () => {
    const boundary = (await jump(50_000n)) - 20_000n
    const [atBoundary, first, second] = [randomRoot(), randomRoot(), randomRoot()]
    await remember({ timestamp: boundary, root: atBoundary })
    await remember({ timestamp: boundary + 4n * SECONDS, root: first })
    await remember({ timestamp: boundary + 5n * SECONDS, root: second })
    assert.deepEqual([...(await roots.firstRootAfter(boundary, SECONDS, 8))], [first, boundary + 4n * SECONDS])
    assert.deepEqual([...(await roots.firstRootAfter(boundary, SECONDS, 4))], [first, boundary + 4n * SECONDS])
    await expect(roots.firstRootAfter(boundary, SECONDS, 3))
      .to.be.revertedWithCustomError(roots, 'NoBlockAfter')
      .withArgs(boundary, 3)
    await remember({ timestamp: boundary + SECONDS, root: second })
    assert.deepEqual([...(await roots.firstRootAfter(boundary, SECONDS, 8))], [second, boundary + SECONDS])
  })

  it('A14 finds nothing after a boundary that is still to come', async () => {
    const now = await jump(1_000n)
    await expect(roots.firstRootAfter(now + 1_000n, SECONDS, 8)).to.be.revertedWithCustomError(roots, 'NoBlockAfter')
    await expect(roots.firstRootAfter(now - 1n, SECONDS, 8)).to.be.revertedWithCustomError(roots, 'NoBlockAfter')
  })

  it('A42 refuses a boundary so old that slots after it may have been overwritten', async () => {
    const span = RING * SECONDS
    const now = await jump(3n * span)
    const boundary = now - SECONDS - span
    const [first, second] = [randomRoot(), randomRoot()]
    // The first block after the boundary was overwritten one ring later, the second was not: it must not be taken.
    await remember({ timestamp: boundary + SECONDS, root: first })
    await remember({ timestamp: boundary + 2n * SECONDS, root: second })
    await remember({ timestamp: boundary + SECONDS + span, root: randomRoot() })
    await expect(roots.firstRootAfter(boundary, SECONDS, 8))
      .to.be.revertedWithCustomError(roots, 'BoundaryTooOld')
      .withArgs(boundary, now - span)
    // One second younger, and nothing after it can have been overwritten.
    await remember({ timestamp: boundary + 1n + SECONDS, root: first })
    assert.equal((await roots.firstRootAfter(boundary + 1n, SECONDS, 8))[0], first)
  })

  it('A42 A52 a lack of gas reverts, and never gives a later block', async () => {
    const boundary = (await jump(50_000n)) - 20_000n
    const first = randomRoot()
    await remember({ timestamp: boundary + 2n * SECONDS, root: first })
    for (let i = 3n; i < 30n; i++) await remember({ timestamp: boundary + i * SECONDS, root: randomRoot() })
    const outcomes = new Set<string>()
    for (let gasLimit = 22_000n; gasLimit < 50_000n; gasLimit += 100n) {
      const call = roots.firstRootAfter(boundary, SECONDS, 30, { gasLimit })
      outcomes.add(
        await call.then(
          ([root]) => root,
          () => 'reverted',
        ),
      )
    }
    assert.deepEqual(outcomes, new Set(['reverted', first]))
  })
})

describe('BeaconRoots: execution block hashes', () => {
  it('reads the hash of a block, or reverts', async () => {
    await expect(roots.blockHashAt(1)).to.be.revertedWithCustomError(roots, 'BlockHashUnavailable').withArgs(1)
    await provider.request({ method: 'hardhat_setCode', params: [BLOCK_HASHES, HISTORY_CODE] })
    await provider.request({ method: 'hardhat_mine', params: ['0x5'] })
    const head = BigInt(await ethers.provider.getBlockNumber())
    const [number, hash] = [head - 2n, randomRoot()]
    await provider.request({ method: 'hardhat_setStorageAt', params: [BLOCK_HASHES, ethers.toQuantity(number % RING), hash] })
    assert.equal(await roots.blockHashAt(number), hash)
    for (const absent of [number - 1n, head + 1n, head + 1_000n, number + RING]) {
      await expect(roots.blockHashAt(absent)).to.be.revertedWithCustomError(roots, 'BlockHashUnavailable').withArgs(absent)
    }
  })
})
