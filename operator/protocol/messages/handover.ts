import { keccak256 } from 'ethers/crypto'
import type { MemberIndex, Root } from '../../core/ids.ts'
import { hexToBytes } from '../../core/parse.ts'
import type { OnceKey } from '../../core/ports/signer.ts'
import { ceremonyId, type PublicContext } from '../dkg/context.ts'
import type { HandoverResult } from '../rotation/transcript.ts'
import { domainSeparatorOf, structHasher, typedDigest } from './eip712.ts'

export const ROTATION_RESULT_TYPE = 'RotationResult(uint32 poolId,uint32 round,bytes32 publicSharesHash,bytes32 transcriptRoot)'

const hashResult = structHasher(ROTATION_RESULT_TYPE)

/** New public shares as `completeRotation` takes them: compressed, in vault order. */
export const packedShares = ({ publicShares }: Pick<HandoverResult, 'publicShares'>): `0x${string}` =>
  `0x${publicShares.map((share) => share.slice(2)).join('')}`

/** EIP-712 digest that participants' BLS signing keys sign and `Rotations.completeRotation` checks. */
export function rotationResultDigest(context: PublicContext, result: HandoverResult): Root {
  const publicSharesHash = keccak256(hexToBytes(packedShares(result))) as Root
  return typedDigest(domainSeparatorOf(context), hashResult([context.poolId, context.round, publicSharesHash, result.transcriptRoot]))
}

/** Where the gate records what a member of a handover says: a producer may be two members, who join apart. */
export function handoverOnceKey(context: PublicContext, kind: 'join' | 'dealing', member: MemberIndex): OnceKey {
  return { domain: 'Ceremony', instance: ceremonyId(context), round: context.round, type: `${kind}/${member}` }
}
