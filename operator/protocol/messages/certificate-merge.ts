import type { PublicKey, Root } from '../../core/ids.ts'
import { aggregateSignatures, fastAggregateVerify } from '../bls/signatures.ts'
import { certificateDigest, type DutyCertificate } from './certificate.ts'

/** How many members a bitfield names. */
export function countBits(bits: bigint): number {
  let count = 0
  for (let rest = bits; rest > 0n; rest &= rest - 1n) count++
  return count
}

/** Are these certificates of one and the same thing, so that their signers signed one digest? */
export function isOfSameDuty(a: DutyCertificate, b: DutyCertificate): boolean {
  return a.poolId === b.poolId && a.round === b.round && a.slot === b.slot && a.dutyType === b.dutyType && a.signingRoot === b.signingRoot
}

/**
 * What two valid certificates of one duty make together. Disjoint ones are aggregated. Of ones that overlap the larger stands
 * (an aggregate counts each signer once, so nothing can be taken out of it); of two as large the first.
 */
export function mergeCertificates(known: DutyCertificate, other: DutyCertificate): DutyCertificate {
  if ((known.participation & other.participation) !== 0n) {
    return countBits(other.participation) > countBits(known.participation) ? other : known
  }
  return {
    ...known,
    participation: known.participation | other.participation,
    signature: aggregateSignatures([known.signature, other.signature]),
  }
}

/**
 * Is there a valid signature behind every bit? `signingKeys`: of the vault's members in vault order, possession proven.
 * False for bits beyond the vault, for nobody, and for keys that cancel out each other.
 */
export function verifyCertificate(certificate: DutyCertificate, signingKeys: readonly PublicKey[], domainSeparator: Root): boolean {
  const { participation, signature } = certificate
  if (participation >> BigInt(signingKeys.length) !== 0n) return false
  const signers = signingKeys.filter((_, place) => (participation >> BigInt(place)) & 1n)
  return fastAggregateVerify(signers, certificateDigest(domainSeparator, certificate), signature)
}
