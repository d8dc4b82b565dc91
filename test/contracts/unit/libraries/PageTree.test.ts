import assert from 'node:assert/strict'
import { expect } from 'chai'
import { concat, dataSlice, hexlify, keccak256, toBeHex, zeroPadBytes } from 'ethers'
import { network } from 'hardhat'
import { randomBytes, randomInt } from '../../../support/randomness.ts'

const ZERO = `0x${'00'.repeat(32)}`
const { ethers } = await network.create()
const pages = await ethers.deployContract('PageTreeHarness')

/** The page's levels from the words up; odd ones completed by a zero node. */
function levels(page: Uint8Array): string[][] {
  const words: string[] = []
  for (let at = 0; at < page.length; at += 32) words.push(zeroPadBytes(hexlify(page.subarray(at, at + 32)), 32))
  const all = [words]
  for (let level = words; level.length > 1; all.push(level)) {
    const parents: string[] = []
    for (let i = 0; i < level.length; i += 2) parents.push(keccak256(concat([level[i] ?? ZERO, level[i + 1] ?? ZERO])))
    level = parents
  }
  return all
}

function rootOf(page: Uint8Array): string {
  return keccak256(concat([toBeHex(page.length, 32), levels(page).at(-1)?.[0] ?? ZERO]))
}

function branchOf(page: Uint8Array, index: number): string[] {
  return levels(page)
    .slice(0, -1)
    .map((level, depth) => level[(index >> depth) ^ 1] ?? ZERO)
}

function wordOf(page: Uint8Array, index: number): string {
  return levels(page)[0]?.[index] ?? ZERO
}

function balancesPage(balances: readonly bigint[]): Uint8Array {
  return Buffer.concat(balances.map((balance) => Buffer.from(balance.toString(16).padStart(16, '0'), 'hex')))
}

describe('PageTree: roots', () => {
  it('agrees with the reference for every size, and every word can be proven', async () => {
    for (const length of [8, 24, 32, 40, 64, 72, 96, 104, 128, 160, 200, 256, 264, 1_000, 2_048]) {
      const page = randomBytes(length)
      const root = await pages.root(page)
      assert.equal(root, rootOf(page), `${length} bytes`)
      assert.equal(await pages.rootAmongNoise(page), root, `${length} bytes among others`)
      const words = Math.ceil(length / 32)
      for (const index of new Set([0, words - 1, randomInt(words)])) {
        assert.equal(await pages.verifyWord(root, length, index, wordOf(page, index), branchOf(page, index)), true)
      }
    }
  })

  it('A21 refuses another word, place, length or branch', async () => {
    const page = randomBytes(328)
    const root = await pages.root(page)
    const index = 6
    const [word, branch] = [wordOf(page, index), branchOf(page, index)]
    const holds = (length: number, at: number, leaf: string, siblings: string[]) => pages.verifyWord(root, length, at, leaf, siblings)
    assert.equal(await holds(328, index, word, branch), true)
    assert.equal(await holds(328, index, wordOf(page, 7), branch), false)
    assert.equal(await holds(328, 7, word, branch), false)
    assert.equal(await holds(336, index, word, branch), false)
    assert.equal(await holds(320, index, word, branch), false)
    for (let at = 0; at < branch.length; at++) {
      const other = branch.map((sibling, i) => (i === at ? hexlify(randomBytes(32)) : sibling))
      assert.equal(await holds(328, index, word, other), false)
    }
    await expect(holds(328, index, word, branch.slice(1)))
      .to.be.revertedWithCustomError(pages, 'BadBranchLength')
      .withArgs(4, 3)
    await expect(holds(328, index, word, [...branch, ZERO]))
      .to.be.revertedWithCustomError(pages, 'BadBranchLength')
      .withArgs(4, 5)
    await expect(holds(328, 11, ZERO, branch))
      .to.be.revertedWithCustomError(pages, 'WordOutOfRange')
      .withArgs(11, 11)
    await expect(holds(0, 0, ZERO, []))
      .to.be.revertedWithCustomError(pages, 'WordOutOfRange')
      .withArgs(0, 0)
  })

  it('A21 an inner node cannot pass for a word, nor padding for an entry', async () => {
    const page = randomBytes(256)
    const root = await pages.root(page)
    const parents = levels(page)[1] ?? []
    const shorter = branchOf(page, 0).slice(1)
    assert.equal(await pages.verifyWord(root, 128, 0, parents[0] ?? ZERO, shorter), false)
    await expect(pages.verifyWord(root, 256, 0, parents[0] ?? ZERO, shorter)).to.be.revertedWithCustomError(pages, 'BadBranchLength')
    const [short, padded] = [randomBytes(40), Buffer.alloc(64)]
    short.copy(padded)
    assert.notEqual(await pages.root(short), await pages.root(padded))
  })

  it('refuses an empty page', async () => {
    await expect(pages.root('0x')).to.be.revertedWithCustomError(pages, 'BadPageLength').withArgs(0)
    await expect(pages.sumUint64('0x')).to.be.revertedWithCustomError(pages, 'BadPageLength').withArgs(0)
    await expect(pages.sumInt32('0x')).to.be.revertedWithCustomError(pages, 'BadPageLength').withArgs(0)
  })
})

describe('PageTree: entries', () => {
  it('adds up balances and reads them back', async () => {
    for (const count of [1, 2, 3, 4, 5, 8, 31, 200]) {
      const balances = Array.from({ length: count }, () => BigInt(hexlify(randomBytes(8))))
      const page = balancesPage(balances)
      const sum = balances.reduce((a, b) => a + b)
      assert.equal(await pages.sumUint64(page), sum, `${count} balances`)
      const at = randomInt(count)
      assert.equal(await pages.uint64At(wordOf(page, at >> 2), at % 4), balances[at])
    }
    const full = balancesPage(Array.from({ length: 9 }, () => 2n ** 64n - 1n))
    assert.equal(await pages.sumUint64(full), 9n * (2n ** 64n - 1n))
    await expect(pages.sumUint64(randomBytes(12)))
      .to.be.revertedWithCustomError(pages, 'BadPageLength')
      .withArgs(12)
    await expect(pages.uint64At(ZERO, 4)).to.be.revertedWithCustomError(pages, 'WordOutOfRange').withArgs(4, 4)
  })

  it('A55 adds up gains, and finds the largest loss', async () => {
    for (const count of [1, 2, 7, 8, 9, 100]) {
      const deltas = Array.from({ length: count }, () => randomBytes(4).readInt32BE())
      const page = Buffer.alloc(4 * count)
      for (const [i, delta] of deltas.entries()) page.writeInt32BE(delta, 4 * i)
      const gained = deltas.filter((delta) => delta > 0).reduce((a, b) => a + b, 0)
      const loss = Math.max(0, ...deltas.map((delta) => -delta))
      assert.deepEqual([...(await pages.sumInt32(page))].map(Number), [gained, loss])
      const at = randomInt(count)
      assert.equal(Number(await pages.int32At(wordOf(page, at >> 3), at % 8)), deltas[at])
    }
    assert.deepEqual([...(await pages.sumInt32('0x80000000'))], [0n, 2n ** 31n])
    await expect(pages.sumInt32(randomBytes(6)))
      .to.be.revertedWithCustomError(pages, 'BadPageLength')
      .withArgs(6)
    await expect(pages.int32At(ZERO, 8)).to.be.revertedWithCustomError(pages, 'WordOutOfRange').withArgs(8, 8)
  })

  it('reads nothing beyond its page', async () => {
    // Two pages in one calldata: each is followed by bytes of another.
    const [page, noise] = [balancesPage([7n, 9n, 11n]), randomBytes(96)]
    const call = pages.interface.encodeFunctionData('sumUint64', [page])
    const shifted = concat([dataSlice(call, 0, 4 + 32 + 32 + 24), noise])
    const to = await pages.getAddress()
    assert.equal(BigInt(await ethers.provider.call({ to, data: shifted })), 27n)
    const root = pages.interface.encodeFunctionData('root', [page])
    const dirty = concat([dataSlice(root, 0, 4 + 32 + 32 + 24), noise])
    assert.equal(await ethers.provider.call({ to, data: dirty }), rootOf(page))
  })

  it('stays within its gas budget', async () => {
    const page = balancesPage(Array.from({ length: 1_000 }, () => 32_000_000_000n))
    const { ofRoot, ofSum, ofDeltas } = await pages.gas(page)
    const perByte = (gas: bigint) => (Number(gas) / page.length).toFixed(2)
    console.log(`      gas a byte: root ${perByte(ofRoot)}, sum ${perByte(ofSum)}, deltas ${perByte(ofDeltas)}`)
    assert.ok(ofRoot + ofSum < 12n * BigInt(page.length))
    assert.ok(ofRoot + ofDeltas < 35n * BigInt(page.length))
  })
})
