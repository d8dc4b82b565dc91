import assert from 'node:assert/strict'
import { PublicKey, Signature } from '@chainsafe/blst'
import { getBytes } from 'ethers'
import { network } from 'hardhat'
import { g1FromBlst, g2FromBlst } from '../../../support/eip2537.ts'
import deposits from '../../../vectors/deposits.json' with { type: 'json' }
import hashes from '../../../vectors/hash-to-g2.json' with { type: 'json' }
import shuffles from '../../../vectors/shuffle.json' with { type: 'json' }

const { ethers } = await network.create()
const bls = await ethers.deployContract('Bls12381Harness')
const data = await ethers.deployContract('DepositDataHarness')
const shuffle = await ethers.deployContract('SwapOrNotHarness')

describe('Vectors in Solidity', () => {
  it('hash to G2', async () => {
    for (const { message, point } of hashes) {
      const { xc0Hi, xc0Lo, xc1Hi, xc1Lo, yc0Hi, yc0Lo, yc1Hi, yc1Lo } = await bls.hashToG2(message)
      const words = { xc0Hi, xc0Lo, xc1Hi, xc1Lo, yc0Hi, yc0Lo, yc1Hi, yc1Lo }
      assert.equal(await bls.compressG2(words), point)
    }
  })

  it('deposits', async () => {
    for (const { publicKey, withdrawalCredentials, amountGwei, genesisForkVersion, signingRoot, signature, dataRoot } of deposits) {
      assert.equal(await data.signingRoot(publicKey, withdrawalCredentials, amountGwei, genesisForkVersion), signingRoot)
      assert.equal(await data.dataRoot(publicKey, withdrawalCredentials, amountGwei, signature), dataRoot)
      const key = g1FromBlst(PublicKey.fromBytes(getBytes(publicKey)).toBytes(false))
      const signed = g2FromBlst(Signature.fromBytes(getBytes(signature)).toBytes(false))
      assert.equal(await bls.verify(key, signingRoot, signed), true)
      assert.equal(await bls.compressG1(key), publicKey)
      assert.equal(await bls.compressG2(signed), signature)
    }
  })

  it('shuffle', async () => {
    for (const { seed, count, first } of shuffles) {
      assert.deepEqual((await shuffle.shuffledIndices(0, first.length, count, seed)).map(Number), first)
    }
  })
})
