import { bls12_381 } from '@noble/curves/bls12-381.js'
import { expect } from 'chai'
import { parseEther } from 'ethers'
import { network } from 'hardhat'
import type { BlsSignature, Root } from '../../../../operator/core/ids.ts'
import { certificateDigest, type DutyCertificate } from '../../../../operator/protocol/messages/certificate.ts'
import { certificateLeaf } from '../../../../operator/protocol/messages/certificate-set.ts'
import { domainSeparatorOf } from '../../../../operator/protocol/messages/eip712.ts'
import { at } from '../../../support/at.ts'
import { newKey } from '../../../support/block-producers.ts'
import { bitsOf, certificateDomain, certify, dutyOf, onChain, publish } from '../../../support/certificates.ts'
import { withinGas } from '../../../support/gas-bounds.ts'
import { type NetworkLife, type Pool, startLife } from '../../../support/network-life.ts'
import { contentOf } from '../../../support/network-reports.ts'
import type { RegisteredProducer } from '../../../support/open-pools.ts'
import { toNextReport } from '../../../support/reports.ts'

const DROPPED = 5n
const INFINITY = `0xc0${'00'.repeat(95)}` as BlsSignature

/** Compressed; on the twist, but outside the subgroup. */
function strangerG2(): BlsSignature {
  const { Fp2 } = bls12_381.fields
  for (let c0 = 1n; ; c0++) {
    const x = { c0, c1: 0n }
    const square = Fp2.add(Fp2.pow(x, 3n), { c0: 4n, c1: 4n })
    if (!isSquare(square)) continue
    const point = bls12_381.G2.Point.fromAffine({ x, y: Fp2.sqrt(square) })
    if (!point.isTorsionFree()) return `0x80${'00'.repeat(47)}${c0.toString(16).padStart(96, '0')}` as BlsSignature
  }
}

function isSquare(value: { readonly c0: bigint; readonly c1: bigint }): boolean {
  const { Fp2 } = bls12_381.fields
  return Fp2.eql(Fp2.pow(value, (Fp2.ORDER - 1n) / 2n), Fp2.ONE)
}

describe('Disputes: certificates', function () {
  this.timeout(600_000)
  let life: NetworkLife
  let pool: Pool
  let vault: readonly RegisteredProducer[]
  let domain: Root
  let epoch: number
  let restore: () => Promise<void>

  before(async () => {
    life = await startLife(await network.create())
    await life.startPeriod(0)
    await life.stakingPool.connect(at(life.people, 0)).deposit({ value: parseEther('100') })
    pool = await life.makePool()
    vault = (await life.poolRegistry.vault(pool.id)).map((id) => life.memberOf(id))
    domain = certificateDomain(life)
    epoch = await toNextReport(life)
    const period = await life.periods.periodAt(epoch)
    if (period > 0n) await life.startPeriod(Number(period))
    restore = await life.checkpoint()
  })
  afterEach(() => restore())
  after(() => life.prover.close())

  const good = (slot = 100, signers: readonly number[] = [1, 2, 3, 4]) => certify(domain, { duty: dutyOf(pool.id, slot), vault, signers })
  const members = () => vault.map(({ id }) => id)

  /** Has a report publish a set with this certificate among others, and disputes it. */
  const accuse = async (certificate: DutyCertificate, ids = members(), others = [good(98), good(99)]) => {
    const { certificatesHash, branchOf } = publish([...others, certificate])
    const { id, signed } = await life.postReport({ epoch, certificatesHash })
    const call = [id, contentOf(signed), onChain(certificate), branchOf(others.length), ids] as const
    return { id, signed, call, verdict: life.disputes.connect(at(life.people, 3)).disproveCertificate(...call) }
  }
  const convicted = async (certificate: DutyCertificate, ids = members()) => {
    const back = await life.checkpoint()
    const { id, verdict } = await accuse(certificate, ids)
    await expect(verdict)
      .to.emit(life.disputes, 'CertificateDisproven')
      .withArgs(id, certificate.poolId, certificate.slot, certificate.dutyType, at(life.people, 3).address)
    expect((await life.stateCommitments.commitment(id)).state).to.equal(DROPPED)
    const [committee] = await life.periods.committee(await life.periods.periodAt(epoch))
    for (const member of committee) expect((await life.blockProducers.producer(member)).slashed).to.equal(true)
    await back()
  }
  const acquitted = async (certificate: DutyCertificate) => {
    const back = await life.checkpoint()
    const { verdict } = await accuse(certificate)
    await expect(verdict).to.be.revertedWithCustomError(life.disputes, 'CertificateRight')
    await back()
  }

  it('are hashed and signed as operators do', async () => {
    const certificate = good()
    expect(await life.disputes.leafOf(onChain(certificate))).to.equal(certificateLeaf(certificate))
    expect(await life.disputes.certificateDigest(onChain(certificate))).to.equal(certificateDigest(domain, certificate))
  })

  it('A40 a right one convicts nobody, whoever is missing from it', async () => {
    await acquitted(good())
    await acquitted(good(100, [1, 3, 4]))
    await acquitted(good(100, [2]))
  })

  it('A40 of nobody it says nothing', async () => {
    await acquitted({ ...good(), participation: 0n })
    await acquitted({ ...good(), participation: 0n, signature: INFINITY })
  })

  it('A40 a bit with no signature behind it slashes the committee, even if all other members collude', async () => {
    await convicted({ ...good(100, [1, 2, 3]), participation: bitsOf([1, 2, 3, 4]) })
    // The others sign twice over in the place of the one they want to show.
    const thrice = certify(domain, { duty: dutyOf(pool.id, 100), vault: [...vault.slice(0, 3), at(vault, 0)], signers: [1, 2, 3, 4] })
    await convicted(thrice)
    await convicted({ ...good(100, [1]), participation: bitsOf([2]) })
  })

  it('A40 a signature behind no bit makes the whole aggregate a lie', async () => {
    await convicted({ ...good(), participation: bitsOf([1, 2, 3]) })
  })

  it('A40 no signature at all: infinity, a point outside the subgroup, a stranger’s', async () => {
    await convicted({ ...good(), signature: INFINITY })
    await convicted({ ...good(), signature: strangerG2() })
    const strangers = vault.map((member) => ({ ...member, key: newKey() }))
    await convicted(certify(domain, { duty: dutyOf(pool.id, 100), vault: strangers, signers: [1, 2, 3, 4] }))
  })

  it('A18 signatures for another contract, chain, pool, slot, type or root are none', async () => {
    const { chainId, verifyingContract } = life.judgeOf('poolRegistry')
    const { verifyingContract: disputes } = life.judgeOf('disputes')
    const duty = dutyOf(pool.id, 100)
    const elsewhere = (contract: string, chain: bigint) =>
      certify(domainSeparatorOf({ chainId: chain, contract: contract.toLowerCase() as `0x${string}` }), { duty, vault, signers: [1, 2, 3] })
    await convicted(elsewhere(verifyingContract, chainId))
    await convicted(elsewhere(disputes, chainId + 1n))
    for (const change of [{ slot: 101 }, { dutyType: 2 }, { signingRoot: `0x${'77'.repeat(32)}` }]) {
      await convicted({ ...good(), ...change } as DutyCertificate)
    }
  })

  it('A40 bits beyond the vault, and a vault that never was', async () => {
    await convicted({ ...good(), participation: bitsOf([1, 2, 3, 4, 5]) })
    await convicted({ ...good(), participation: bitsOf([128]) })
    await convicted(certify(domain, { duty: dutyOf(pool.id, 100, 7), vault, signers: [1, 2, 3, 4] }), [])
    await convicted(certify(domain, { duty: dutyOf(99n, 100), vault, signers: [1, 2, 3, 4] }), [])
  })

  it('judges by the vault of the certificate’s round, in its order', async () => {
    const refused = async (ids: bigint[]) => {
      const back = await life.checkpoint()
      const { verdict } = await accuse(good(), ids)
      await expect(verdict).to.be.revertedWithCustomError(life.disputes, 'WrongMembers')
      await back()
    }
    await refused([])
    await refused(members().slice(0, 3))
    await refused([...members()].reverse())
    await refused([...members().slice(0, 3), 10n])
  })

  it('judges only what is in the set', async () => {
    const lie = { ...good(), participation: bitsOf([1]) }
    const { certificatesHash, branchOf } = publish([good(98), good(99), good()])
    const { id, signed } = await life.postReport({ epoch, certificatesHash })
    const dispute = (certificate: DutyCertificate, branch: string[]) =>
      life.disputes.disproveCertificate(id, contentOf(signed), onChain(certificate), branch, members())
    await expect(dispute(lie, branchOf(2))).to.be.revertedWithCustomError(life.disputes, 'NotInSet')
    await expect(dispute(good(), branchOf(1))).to.be.revertedWithCustomError(life.disputes, 'NotInSet')
    await expect(dispute(good(), [])).to.be.revertedWithCustomError(life.disputes, 'NotInSet')
  })

  it('A28 one lie slashes once', async () => {
    const { id, call, verdict, signed } = await accuse({ ...good(), participation: bitsOf([1]) })
    await verdict
    const held = await life.bondEther.balanceOf(at(life.people, 3))
    expect(held).to.be.greaterThan(0n)
    await expect(life.disputes.disproveCertificate(...call)).to.be.revertedWithCustomError(life.disputes, 'NotDisputable')
    await life.disputes.slashSigners(id, contentOf(signed), 100)
    expect(await life.bondEther.balanceOf(at(life.people, 3))).to.equal(held)
  })

  it('A52 given too little gas a right certificate convicts nobody', async () => {
    const certificate = good()
    const { call, verdict } = await accuse(certificate)
    await expect(verdict).to.be.revertedWithCustomError(life.disputes, 'CertificateRight')
    for (let gasLimit = 60_000; gasLimit <= 900_000; gasLimit += 20_000) {
      await expect(life.disputes.disproveCertificate.staticCall(...call, { gasLimit }), `${gasLimit} gas`).to.revert(life.ethers)
    }
  })

  it('A36 costs little', async () => {
    const { verdict } = await accuse({ ...good(), participation: bitsOf([1, 2, 3]) })
    const receipt = await (await verdict).wait()
    withinGas(receipt?.gasUsed, 2_000_000n)
  })
})
