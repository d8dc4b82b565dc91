import { concat } from 'ethers'
import type { Hex, MemberIndex } from '../../operator/core/ids.ts'
import { bytesToHex, hexToBytes, toAddress, toPoolId } from '../../operator/core/parse.ts'
import type { Complaint, Dealing } from '../../operator/core/ports/ceremony.ts'
import { thresholdOf } from '../../operator/core/vault.ts'
import type { Scalar } from '../../operator/protocol/bls/backend.ts'
import { G, H } from '../../operator/protocol/bls/generators.ts'
import { g1ToEip2537, multiply } from '../../operator/protocol/bls/points.ts'
import { evaluate, scalarFromBigInt, scalarToBytes } from '../../operator/protocol/bls/scalars.ts'
import { wordsOf } from '../../operator/protocol/bls/words.ts'
import { makeComplaint } from '../../operator/protocol/dkg/complaint.ts'
import type { PublicContext } from '../../operator/protocol/dkg/context.ts'
import { joinKeyPoint, sharePad, xorShare } from '../../operator/protocol/dkg/dealing.ts'
import { ceremonyDigest, complaintDigest, dealingHash } from '../../operator/protocol/messages/ceremony.ts'
import { signEcdsa } from '../../operator/protocol/messages/ecdsa.ts'
import type { OpenPools, RegisteredProducer } from './open-pools.ts'
import { randomBytes } from './randomness.ts'

const NO_POINT: Hex = `0x${'00'.repeat(128)}`
const noProof = { challenge: `0x${'00'.repeat(32)}`, response: `0x${'00'.repeat(32)}` } as const
export const randomScalar = (): Scalar => scalarFromBigInt(BigInt(`0x${randomBytes(40).toString('hex')}`))

type Choices = {
  readonly poolId: bigint
  readonly kind?: 'dkg' | 'rotation'
  readonly round?: number
  /** Of the vault that the ceremony is for, and of the one that hands over. */
  readonly members: readonly bigint[]
  readonly oldMembers?: readonly bigint[]
}

/**
 * A ceremony in one hand: every member's secrets, dealings and complaints, made with the operators' own code and signed with
 * their keys, in the form that DkgDisputes takes them.
 */
export function makeCeremony(
  { pools, producers }: { readonly pools: OpenPools; readonly producers: readonly RegisteredProducer[] },
  choices: Choices,
) {
  const { poolId, kind = 'dkg', round = 0, members, oldMembers = [] } = choices
  const everyone = [...members, ...oldMembers]
  const context: PublicContext = {
    chainId: pools.judgeOf('poolRegistry').chainId,
    contract: toAddress(pools.addresses.poolRegistry.toLowerCase()),
    poolId: toPoolId(Number(poolId)),
    kind,
    round,
  }
  const size = members.length
  const threshold = thresholdOf(size)
  const ephemeral = everyone.map(randomScalar)
  const joinKeys: readonly Hex[] = ephemeral.map((secret) => g1ToEip2537(multiply(G, secret)))
  const base = kind === 'dkg' ? H : G

  const operatorKey = (member: number): Uint8Array => {
    const producer = producers.find(({ id }) => id === everyone[member - 1])
    if (producer === undefined) throw new Error(`expected a producer as member ${member}`)
    return hexToBytes(producer.operatorKey as Hex)
  }
  const secretOf = (member: number): Scalar => ephemeral[member - 1] ?? randomScalar()
  const joinOf = (member: number, joinKey = joinKeys[member - 1] ?? NO_POINT) =>
    signEcdsa(ceremonyDigest(context, { kind: 'join', member: member as MemberIndex, joinKey, proof: noProof }), operatorKey(member))

  /** An honest dealing, of a given constant term when there is one. */
  const deal = (dealer: number, constantTerm: Scalar = randomScalar()): Dealing => {
    const coefficients = [constantTerm, ...Array.from({ length: threshold - 1 }, randomScalar)]
    return {
      dealer: dealer as MemberIndex,
      joinKeys,
      commitments: coefficients.map((coefficient) => g1ToEip2537(multiply(base, coefficient))),
      ciphertexts: members.map((_, place) => encrypt(dealer, place + 1, scalarToBytes(evaluate(coefficients, place + 1)))),
    }
  }
  /** Bytes in the place of a share, padded as one. */
  const encrypt = (dealer: number, member: number, share: Uint8Array): Hex => {
    const shared = multiply(joinKeyPoint(joinKeys[member - 1] ?? NO_POINT, member), secretOf(dealer))
    return bytesToHex(xorShare(share, sharePad(shared, context, dealer, member)))
  }
  /** As the contract takes it, signed by its dealer (and the dealer's join key by it too). */
  const signed = (dealing: Dealing, by: number = dealing.dealer) => ({
    dealer: dealing.dealer,
    joinKeys: concat(dealing.joinKeys.map((key) => key ?? NO_POINT)),
    commitments: concat(dealing.commitments),
    ciphertexts: concat(dealing.ciphertexts.map((text) => text ?? `0x${'00'.repeat(32)}`)),
    signature: signEcdsa(ceremonyDigest(context, { kind: 'dealing', dealing }), operatorKey(by)),
    joinSignature: joinOf(dealing.dealer, dealing.joinKeys[dealing.dealer - 1] ?? NO_POINT),
  })
  const complain = (dealing: Dealing, member: number): Complaint =>
    makeComplaint(context, { dealing, member: member as MemberIndex }, { ephemeral: secretOf(member), nonce: randomScalar() })
  const signedComplaint = (dealing: Dealing, complaint: Complaint, by: number = complaint.member) => ({
    member: complaint.member,
    sharedPoint: wordsOf(complaint.sharedPoint) as never,
    challenge: BigInt(complaint.proof.challenge),
    response: BigInt(complaint.proof.response),
    signature: signEcdsa(complaintDigest(context, complaint, dealingHash(context, dealing)), operatorKey(by)),
    joinSignature: joinOf(complaint.member, dealing.joinKeys[complaint.member - 1] ?? NO_POINT),
  })
  const ceremony = { poolId, kind: kind === 'dkg' ? 0 : 1, round, members: [...members], oldMembers: [...oldMembers] }
  return {
    context: { ...context, size, threshold, ...(kind === 'dkg' ? {} : { oldSize: oldMembers.length }) },
    ceremony,
    joinKeys,
    deal,
    encrypt,
    signed,
    complain,
    signedComplaint,
  }
}
