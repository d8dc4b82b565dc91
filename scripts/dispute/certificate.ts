import { z } from 'zod'
import { toBlsSignature, toPoolId, toRoot, toSlot } from '../../operator/core/parse.ts'
import type { Call } from '../../operator/core/ports/chain.ts'
import { decompressSignature } from '../../operator/protocol/bls/points.ts'
import { fastAggregateVerify } from '../../operator/protocol/bls/signatures.ts'
import { wordsOf } from '../../operator/protocol/bls/words.ts'
import { certificateDigest, type DutyCertificate } from '../../operator/protocol/messages/certificate.ts'
import {
  certificateBranch,
  certificateLeaf,
  certificatesRoot,
  decodeCertificateSet,
} from '../../operator/protocol/messages/certificate-set.ts'
import { domainSeparatorOf } from '../../operator/protocol/messages/eip712.ts'
import { readNamed } from '../../operator/signer/files.ts'
import { type Court, commitmentOf } from './court.ts'
import { DisputeError } from './errors.ts'

const certificates = z.array(
  z.object({
    poolId: z.number().transform(toPoolId),
    round: z.int().min(0),
    slot: z.number().transform(toSlot),
    dutyType: z.int().min(0).max(255),
    signingRoot: z.string().transform(toRoot),
    participation: z.union([z.string(), z.number()]).transform((bits) => BigInt(bits)),
    signature: z.string().transform(toBlsSignature),
  }),
)

/** A published set: as operators serve it (binary), or as a JSON list of certificates, in its order. Throws `DisputeError` BAD_FILE. */
export function readCertificates(path: string): readonly DutyCertificate[] {
  const bytes = readNamed(path)
  try {
    return bytes[0] === '['.charCodeAt(0) ? certificates.parse(JSON.parse(bytes.toString('utf8'))) : decodeCertificateSet(bytes)
  } catch (cause) {
    throw new DisputeError('BAD_FILE', `expected a set of certificates in ${path} (JSON, or as operators serve it)`, { path }, { cause })
  }
}

/** The first certificate of a commitment's set that has a bit with no valid signature behind it. Throws `DisputeError` NOTHING_WRONG. */
export function forgedIn(court: Court, set: readonly DutyCertificate[]): DutyCertificate {
  const domain = domainSeparatorOf({ chainId: court.chainId, contract: court.deployment.addresses.disputes })
  const forged = set.find((certificate) => {
    const members = membersOf(court, certificate)
    if (certificate.participation === 0n) return false
    if (certificate.participation >> BigInt(members.length) !== 0n) return true
    const signers = members.filter((_, at) => (certificate.participation >> BigInt(at)) & 1n)
    const keys = signers.flatMap((id) => court.state.producers.get(id)?.signingKey ?? [])
    return !fastAggregateVerify(keys, certificateDigest(domain, certificate), certificate.signature)
  })
  if (forged === undefined)
    throw new DisputeError('NOTHING_WRONG', `each of the ${set.length} certificates has a signature behind every bit`)
  return forged
}

/** What shows a certificate of a set to Disputes, right or wrong. Throws `DisputeError` BAD_FILE when the set is another one. */
export function certificateDispute({
  court,
  commitmentId,
  set,
  certificate,
}: {
  readonly court: Court
  readonly commitmentId: number
  readonly set: readonly DutyCertificate[]
  readonly certificate: DutyCertificate
}): Call {
  const { content } = commitmentOf(court, commitmentId)
  const leaves = set.map(certificateLeaf)
  const [expected, actual] = [content.report.certificatesHash, certificatesRoot(leaves)]
  if (expected !== actual) {
    throw new DisputeError('BAD_FILE', `commitment ${commitmentId} is of the set ${expected}, the file holds the set ${actual}`)
  }
  const signature = wordsOf(decompressSignature(certificate.signature))
  const branch = certificateBranch(leaves, set.indexOf(certificate))
  const args = [commitmentId, content, { ...certificate, signature }, branch, membersOf(court, certificate)]
  return { contract: 'disputes', method: 'disproveCertificate', args }
}

/** Members of the vault that a certificate names; none if there was none. */
const membersOf = ({ state }: Court, { poolId, round }: DutyCertificate) =>
  state.pools.get(poolId)?.vaults.find((vault) => vault.round === round)?.members ?? []
