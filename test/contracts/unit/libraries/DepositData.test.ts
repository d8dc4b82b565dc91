import assert from 'node:assert/strict'
import { SecretKey } from '@chainsafe/blst'
import { DOMAIN_DEPOSIT } from '@lodestar/params'
import { computeDomain, computeSigningRoot, ZERO_HASH } from '@lodestar/state-transition'
import { ssz } from '@lodestar/types'
import { expect } from 'chai'
import { network } from 'hardhat'
import { g1FromBlst, g2FromBlst } from '../../../support/eip2537.ts'
import { randomBytes, randomInt } from '../../../support/randomness.ts'

const { ethers } = await network.create()
const deposits = await ethers.deployContract('DepositDataHarness')
const bls = await ethers.deployContract('Bls12381Harness')

const hex = (bytes: Uint8Array) => `0x${Buffer.from(bytes).toString('hex')}`

function randomDeposit() {
  return {
    pubkey: randomBytes(48),
    withdrawalCredentials: randomBytes(32),
    amount: randomInt(2 ** 47),
    signature: randomBytes(96),
  }
}

describe('DepositData', () => {
  it('has the roots of Lodestar', async () => {
    for (let i = 0; i < 20; i++) {
      const deposit = randomDeposit()
      const { pubkey, withdrawalCredentials: credentials, amount, signature } = deposit
      const forkVersion = randomBytes(4)
      const domain = computeDomain(DOMAIN_DEPOSIT, forkVersion, ZERO_HASH)
      assert.equal(await deposits.pubkeyRoot(pubkey), hex(ssz.BLSPubkey.hashTreeRoot(pubkey)))
      assert.equal(await deposits.domain(forkVersion), hex(domain))
      assert.equal(await deposits.messageRoot(pubkey, credentials, amount), hex(ssz.phase0.DepositMessage.hashTreeRoot(deposit)))
      assert.equal(
        await deposits.signingRoot(pubkey, credentials, amount, forkVersion),
        hex(computeSigningRoot(ssz.phase0.DepositMessage, deposit, domain)),
      )
      assert.equal(await deposits.dataRoot(pubkey, credentials, amount, signature), hex(ssz.phase0.DepositData.hashTreeRoot(deposit)))
    }
  })

  it('takes the largest amount of gwei', async () => {
    const { pubkey, withdrawalCredentials } = randomDeposit()
    const amount = 2n ** 64n - 1n
    const expected = ssz.phase0.DepositMessage.hashTreeRoot({ pubkey, withdrawalCredentials, amount: Number.POSITIVE_INFINITY })
    assert.equal(await deposits.messageRoot(pubkey, withdrawalCredentials, amount), hex(expected))
  })

  it('makes credentials that pay an address', async () => {
    const address = hex(randomBytes(20))
    assert.equal(await deposits.withdrawalCredentials(address), `0x01${'00'.repeat(11)}${address.slice(2)}`)
  })

  it('A03 judges a real deposit: key, credentials, amount and fork are all signed', async () => {
    const key = SecretKey.fromKeygen(randomBytes(32))
    const pubkey = key.toPublicKey().toBytes()
    const [credentials, forkVersion, amount] = [randomBytes(32), randomBytes(4), 1_000_000_000]
    const deposit = { pubkey, withdrawalCredentials: credentials, amount }
    const root = computeSigningRoot(ssz.phase0.DepositMessage, deposit, computeDomain(DOMAIN_DEPOSIT, forkVersion, ZERO_HASH))
    const signature = g2FromBlst(key.sign(root).toBytes(false))
    const point = g1FromBlst(key.toPublicKey().toBytes(false))
    const judge = async (signed: string) => bls.verify(point, signed, signature)
    const compressed = await bls.compressG1(point)
    assert.equal(await judge(await deposits.signingRoot(compressed, credentials, amount, forkVersion)), true)
    assert.equal(await judge(await deposits.signingRoot(compressed, randomBytes(32), amount, forkVersion)), false)
    assert.equal(await judge(await deposits.signingRoot(compressed, credentials, amount + 1, forkVersion)), false)
    assert.equal(await judge(await deposits.signingRoot(compressed, credentials, amount, randomBytes(4))), false)
    assert.equal(await judge(await deposits.signingRoot(randomBytes(48), credentials, amount, forkVersion)), false)
  })

  it('refuses keys and signatures of another length', async () => {
    const { withdrawalCredentials: credentials, pubkey } = randomDeposit()
    await expect(deposits.pubkeyRoot(randomBytes(47)))
      .to.be.revertedWithCustomError(deposits, 'WrongLength')
      .withArgs(48, 47)
    await expect(deposits.pubkeyRoot(randomBytes(64)))
      .to.be.revertedWithCustomError(deposits, 'WrongLength')
      .withArgs(48, 64)
    await expect(deposits.dataRoot(pubkey, credentials, 1, randomBytes(97)))
      .to.be.revertedWithCustomError(deposits, 'WrongLength')
      .withArgs(96, 97)
  })
})
