import { expect } from 'chai'
import { concat, dataSlice, decodeRlp, encodeRlp, keccak256, parseEther, solidityPackedKeccak256, toBeHex, ZeroHash } from 'ethers'
import { network } from 'hardhat'
import { headerOf, proofAt } from '../../../../scripts/dispute/execution-proofs.ts'
import type { ExecutionProofsHarness } from '../../../../typechain-types/test/contracts/harness/ExecutionProofsHarness.js'

const { ethers } = await network.create()
const { provider } = ethers
const slotOf = (key: number) => BigInt(solidityPackedKeccak256(['uint256', 'uint256'], [key, 4]))

describe('ExecutionProofs', () => {
  let harness: ExecutionProofsHarness
  let address: string
  let blockNumber: bigint
  let stateRoot: string

  before(async () => {
    harness = await ethers.deployContract('ExecutionProofsHarness', [60], { value: parseEther('3') })
    address = await harness.getAddress()
    blockNumber = BigInt(await provider.getBlockNumber())
    ;({ stateRoot } = await headerOf(provider, blockNumber))
  })
  const slot = async (key: bigint) => {
    const { storageHash, storageProof } = await proofAt(provider, { address, slots: [key], blockNumber })
    const [entry] = storageProof
    if (entry === undefined) throw new Error('expected a proof of the slot, got none')
    return { storageHash, value: BigInt(entry.value), proof: entry.proof, key: toBeHex(key, 32) }
  }

  it('reads a header of the chain, with fields that later forks append too', async () => {
    const { header, hash, timestamp } = await headerOf(provider, blockNumber)
    expect(await harness.verifyHeader(hash, header)).to.deep.equal([stateRoot, timestamp])
    const longer = encodeRlp([...(decodeRlp(header) as string[]), ZeroHash])
    expect(await harness.verifyHeader(keccak256(longer), longer)).to.deep.equal([stateRoot, timestamp])
    await expect(harness.verifyHeader(hash, longer)).to.be.revertedWithCustomError(harness, 'WrongHeader')
    await expect(harness.verifyHeader(keccak256('0x1234'), '0x1234')).to.be.revertedWithCustomError(harness, 'RLPInvalidEncoding')
  })

  it('reads an account, and none from another’s proof', async () => {
    const { accountProof, storageHash, balance } = await proofAt(provider, { address, slots: [], blockNumber })
    expect(BigInt(balance)).to.equal(parseEther('3'))
    expect(await harness.verifyAccount(stateRoot, address, accountProof)).to.deep.equal([parseEther('3'), storageHash])
    const other = '0x00000000219ab540356cBB839Cbe05303d7705Fa'
    await expect(harness.verifyAccount(stateRoot, other, accountProof)).to.revert(ethers)
    const absent = await proofAt(provider, { address: other, slots: [], blockNumber })
    await expect(harness.verifyAccount(stateRoot, other, absent.accountProof)).to.revert(ethers)
    await expect(harness.verifyAccount(ZeroHash, address, accountProof)).to.be.revertedWithCustomError(harness, 'TrieProofTraversalError')
    await expect(harness.verifyAccount(stateRoot, address, accountProof.slice(0, -1))).to.revert(ethers)
    await expect(harness.verifyAccount(stateRoot, address, [])).to.revert(ethers)
  })

  it('reads no account from a leaf that has fewer or more fields than one', async () => {
    // The only leaf of a trie: its whole path, then its value.
    const leafOf = (fields: readonly string[]) => encodeRlp([concat(['0x20', keccak256(address)]), encodeRlp([...fields])])
    const account = ['0x01', toBeHex(parseEther('3')), ZeroHash, keccak256('0x')]
    const whole = leafOf(account)
    expect(await harness.verifyAccount(keccak256(whole), address, [whole])).to.deep.equal([parseEther('3'), ZeroHash])
    for (const fields of [account.slice(0, 3), [...account, '0x01']]) {
      const leaf = leafOf(fields)
      await expect(harness.verifyAccount(keccak256(leaf), address, [leaf]))
        .to.be.revertedWithCustomError(harness, 'NotAnAccount')
        .withArgs(fields.length)
    }
  })

  it('reads every slot, those that are zero too', async () => {
    for (const key of [0n, 1n, 2n, ...Array.from({ length: 80 }, (_, i) => slotOf(i))]) {
      const { storageHash, value, proof, key: word } = await slot(key)
      expect(value).to.equal(BigInt(await provider.getStorage(address, key)))
      expect(await harness.verifySlot(storageHash, word, proof)).to.equal(value)
    }
  })

  it('takes no proof of one slot for another, no proof cut short or changed, and shows nothing absent that is there', async () => {
    for (let i = 1; i <= 60; i += 7) {
      const { storageHash, proof, key } = await slot(slotOf(i))
      const refused = (nodes: readonly string[], word = key) => expect(harness.verifySlot(storageHash, word, [...nodes])).to.revert(ethers)
      await refused(proof.slice(0, -1))
      await refused(proof.slice(1))
      await refused([...proof, '0x80'])
      await refused([...proof, proof.at(-1) ?? '0x'])
      const last = proof.at(-1) ?? '0x'
      await refused([...proof.slice(0, -1), `${last.slice(0, -2)}${last.endsWith('00') ? '01' : '00'}`])
      await refused([...proof.slice(0, -1), `${dataSlice(last, 0, -1)}`])
      // The path of a slot that is not there, which ends in another's leaf or a hole, shows nothing of this one.
      const hole = await slot(slotOf(100 + i))
      if (hole.proof.length > proof.length || hole.proof[1] !== proof[1]) await refused(hole.proof)
    }
  })

  it('shows nothing absent by a node that no trie has', async () => {
    const key = toBeHex(1, 32)
    const strange = encodeRlp(['0x01', '0x02', '0x03'])
    await expect(harness.verifySlot(keccak256(strange), key, [strange])).to.revert(ethers)
    const short = encodeRlp([concat(['0x20', keccak256(key)]), '0x01'])
    await expect(harness.verifySlot(ZeroHash, key, [short])).to.revert(ethers)
  })

  it('knows a path that is longer than any key for another’s', async () => {
    const key = toBeHex(1, 32)
    const long = encodeRlp([concat(['0x20', keccak256(key), '0x00']), '0x01'])
    expect(await harness.verifySlot(keccak256(long), key, [long])).to.equal(0n)
  })

  it('shows the only slot of a small trie, and any other absent', async () => {
    const small = await ethers.deployContract('ExecutionProofsHarness', [0])
    const block = BigInt(await provider.getBlockNumber())
    for (const [key, value] of [
      [0n, 7n],
      [1n, 0n],
      [slotOf(1), 0n],
    ] as const) {
      const { storageHash, storageProof } = await proofAt(provider, { address: await small.getAddress(), slots: [key], blockNumber: block })
      expect(await small.verifySlot(storageHash, toBeHex(key, 32), storageProof[0]?.proof ?? [])).to.equal(value)
    }
  })
})
