import { concat } from 'ethers'
import type { BlsSignature, Hex, PoolId, Root, Slot } from '../../operator/core/ids.ts'
import { bytesToHex } from '../../operator/core/parse.ts'
import { decompressSignature } from '../../operator/protocol/bls/points.ts'
import { aggregateSignatures } from '../../operator/protocol/bls/signatures.ts'
import { type CertifiedDuty, certificateDigest, type DutyCertificate } from '../../operator/protocol/messages/certificate.ts'
import { certificateBranch, certificateLeaf, certificatesRoot } from '../../operator/protocol/messages/certificate-set.ts'
import { domainSeparatorOf } from '../../operator/protocol/messages/eip712.ts'
import type { NetworkLife } from './network-life.ts'
import type { RegisteredProducer } from './open-pools.ts'

const G2_WORDS = ['xc0Hi', 'xc0Lo', 'xc1Hi', 'xc1Lo', 'yc0Hi', 'yc0Lo', 'yc1Hi', 'yc1Lo'] as const

/** The EIP-712 domain under which certificates are signed. */
export const certificateDomain = (life: NetworkLife): Root => {
  const { chainId, verifyingContract } = life.judgeOf('disputes')
  return domainSeparatorOf({ chainId, contract: verifyingContract.toLowerCase() as Hex })
}

/** A certificate signed by some members (indices from 1) of a vault. */
export function certify(
  domain: Root,
  {
    duty,
    vault,
    signers,
  }: { readonly duty: CertifiedDuty; readonly vault: readonly RegisteredProducer[]; readonly signers: readonly number[] },
): DutyCertificate {
  const digest = certificateDigest(domain, duty)
  const signatures = signers.map((index) => {
    const member = vault[index - 1]
    if (member === undefined) throw new Error(`expected a member ${index} of ${vault.length}`)
    return bytesToHex(member.key.sign(Buffer.from(digest.slice(2), 'hex')).toBytes(true)) as BlsSignature
  })
  return { ...duty, participation: bitsOf(signers), signature: aggregateSignatures(signatures) }
}

/** Participation of member indices. */
export const bitsOf = (members: readonly number[]): bigint => members.reduce((bits, index) => bits | (1n << BigInt(index - 1)), 0n)

/** Some attestation duty of a pool. */
export const dutyOf = (poolId: bigint, slot: number, round = 0): CertifiedDuty => ({
  poolId: Number(poolId) as PoolId,
  round,
  slot: slot as Slot,
  dutyType: 1,
  signingRoot: `0x${slot.toString(16).padStart(64, '5')}` as Root,
})

/** A certificate as the contract takes it. */
export function onChain({ signature, ...rest }: DutyCertificate) {
  return { ...rest, signature: wordsOf(decompressSignature(signature)) }
}

export function wordsOf(point: Hex) {
  const words = G2_WORDS.map((name, i) => [name, `0x${point.slice(2 + 64 * i, 66 + 64 * i)}`] as const)
  return Object.fromEntries(words) as Record<(typeof G2_WORDS)[number], string>
}

/** A published set: its hash, and the branch of each certificate. */
export function publish(certificates: readonly DutyCertificate[]) {
  const leaves = certificates.map(certificateLeaf)
  return { certificatesHash: certificatesRoot(leaves), branchOf: (index: number): string[] => [...certificateBranch(leaves, index)] }
}

export const bytesOf = (words: object): string => concat(Object.values(words) as string[])
