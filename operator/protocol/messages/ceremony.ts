import { keccak256 } from 'ethers/crypto'
import type { Hex, MemberIndex, PublicKey, Root } from '../../core/ids.ts'
import { hexToBytes } from '../../core/parse.ts'
import type { Complaint, Dealing, Dleq, Reveal } from '../../core/ports/ceremony.ts'
import type { OnceKey } from '../../core/ports/signer.ts'
import { publicKeyToEip2537 } from '../bls/points.ts'
import { CEREMONY_KINDS, ceremonyId, type PublicContext } from '../dkg/context.ts'
import { domainSeparatorOf, structHasher, typedDigest } from './eip712.ts'

// Points are EIP-2537 and lists their concatenation, so that the chain can judge the signed bytes as they are.
export const JOIN_TYPE = 'Join(uint32 poolId,uint8 kind,uint32 round,uint32 member,bytes joinKey)'
export const DEALING_TYPE =
  'Dealing(uint32 poolId,uint8 kind,uint32 round,uint32 dealer,bytes joinKeys,bytes commitments,bytes ciphertexts)'
export const CHECKED_TYPE = 'Checked(uint32 poolId,uint8 kind,uint32 round,uint32 member,bytes dealingHashes)'
export const REVEAL_TYPE =
  'Reveal(uint32 poolId,uint8 kind,uint32 round,uint32 member,bytes constantTerm,bytes constantTermProof,bytes publicShare,bytes publicShareProof)'
export const DKG_RESULT_TYPE = 'DkgResult(uint32 poolId,uint32 round,bytes groupKey,bytes32 publicSharesHash,bytes32 transcriptRoot)'

export const COMPLAINT_TYPE =
  'Complaint(uint32 poolId,uint8 kind,uint32 round,uint32 dealer,uint32 member,bytes32 dealingHash,bytes sharedPoint,bytes proof)'

const hashJoin = structHasher(JOIN_TYPE)
const hashDealing = structHasher(DEALING_TYPE)
const hashChecked = structHasher(CHECKED_TYPE)
const hashReveal = structHasher(REVEAL_TYPE)
const hashComplaint = structHasher(COMPLAINT_TYPE)
const hashResult = structHasher(DKG_RESULT_TYPE)

const NO_POINT: Hex = `0x${'00'.repeat(128)}`
const NO_HASH: Hex = `0x${'00'.repeat(32)}`
const NO_CIPHERTEXT: Hex = `0x${'00'.repeat(32)}`

const join = (parts: readonly Hex[]): Hex => `0x${parts.map((part) => part.slice(2)).join('')}`

/** What a signed ceremony message can be about. */
export type CeremonyStatement =
  /** The proof of possession is not signed: it proves itself. */
  | { readonly kind: 'join'; readonly member: MemberIndex; readonly joinKey: Hex; readonly proof: Dleq }
  | { readonly kind: 'dealing'; readonly dealing: Dealing }
  /** The dealings that this member holds, by struct hash in member order, and whose shares for it are good; null for the others. */
  | { readonly kind: 'checked'; readonly member: MemberIndex; readonly dealings: readonly (Root | null)[] }
  | { readonly kind: 'reveal'; readonly reveal: Reveal }

// A dealing is hashed at every step, and it is the longest message. None that was read is ever changed.
const dealingHashes = new WeakMap<Dealing, Pick<PublicContext, 'poolId' | 'kind' | 'round'> & { readonly hash: Root }>()

/** Struct hash of a dealing, by which transcripts name it. */
export function dealingHash(context: PublicContext, dealing: Dealing): Root {
  const { poolId, kind, round } = context
  const known = dealingHashes.get(dealing)
  if (known !== undefined && known.poolId === poolId && known.kind === kind && known.round === round) return known.hash
  const hash = computeDealingHash(context, dealing)
  dealingHashes.set(dealing, { poolId, kind, round, hash })
  return hash
}

function computeDealingHash(context: PublicContext, dealing: Dealing): Root {
  return hashDealing([
    context.poolId,
    CEREMONY_KINDS[context.kind],
    context.round,
    dealing.dealer,
    join(dealing.joinKeys.map((key) => key ?? NO_POINT)),
    join(dealing.commitments),
    join(dealing.ciphertexts.map((ciphertext) => ciphertext ?? NO_CIPHERTEXT)),
  ])
}

function structHashOf(context: PublicContext, statement: CeremonyStatement): Root {
  const place = [context.poolId, CEREMONY_KINDS[context.kind], context.round] as const
  switch (statement.kind) {
    case 'join':
      return hashJoin([...place, statement.member, statement.joinKey])
    case 'dealing':
      return dealingHash(context, statement.dealing)
    case 'checked':
      return hashChecked([...place, statement.member, join(statement.dealings.map((hash) => hash ?? NO_HASH))])
    case 'reveal': {
      const { member, constantTerm, publicShare } = statement.reveal
      const constantProof = constantTerm === null ? [] : [constantTerm.proof.challenge, constantTerm.proof.response]
      return hashReveal([
        ...place,
        member,
        constantTerm?.point ?? '0x',
        join(constantProof),
        publicShare.point,
        join([publicShare.proof.challenge, publicShare.proof.response]),
      ])
    }
  }
}

/** EIP-712 digest that the operator key signs; judged under the domain of the context's contract. */
export function ceremonyDigest(context: PublicContext, statement: CeremonyStatement): Root {
  return typedDigest(domainSeparatorOf(context), structHashOf(context, statement))
}

/** EIP-712 digest of a complaint about a dealing (its struct hash), which the complainer's operator key signs. */
export function complaintDigest(context: PublicContext, complaint: Complaint, aboutDealing: Root): Root {
  const { dealer, member, sharedPoint, proof } = complaint
  const place = [context.poolId, CEREMONY_KINDS[context.kind], context.round] as const
  const structHash = hashComplaint([...place, dealer, member, aboutDealing, sharedPoint, join([proof.challenge, proof.response])])
  return typedDigest(domainSeparatorOf(context), structHash)
}

/** Where the gate records a ceremony message: one of each kind in a round. */
export function ceremonyOnceKey(context: PublicContext, kind: CeremonyStatement['kind']): OnceKey {
  return { domain: 'Ceremony', instance: ceremonyId(context), round: context.round, type: kind }
}

/** Where the gate records a complaint: one about each dealing. */
export function complaintOnceKey(context: PublicContext, dealer: MemberIndex, aboutDealing: Root): OnceKey {
  return { domain: 'Ceremony', instance: ceremonyId(context), round: context.round, type: `complaint/${dealer}/${aboutDealing}` }
}

/** What a ceremony ends with, in public. */
export type CeremonyResult = { readonly groupKey: PublicKey; readonly publicShares: readonly PublicKey[]; readonly transcriptRoot: Root }

/** EIP-712 digest that participants' BLS signing keys sign and `PoolRegistry.completeDkg` checks. */
export function dkgResultDigest(context: PublicContext, result: CeremonyResult): Root {
  const publicSharesHash = keccak256(hexToBytes(join(result.publicShares))) as Root
  const groupKey = publicKeyToEip2537(result.groupKey)
  return typedDigest(
    domainSeparatorOf(context),
    hashResult([context.poolId, context.round, groupKey, publicSharesHash, result.transcriptRoot]),
  )
}
