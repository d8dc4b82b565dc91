import { ZeroHash } from 'ethers'
import type { EcdsaSignature, Hex, MemberIndex } from '../../../../../operator/core/ids.ts'
import { bytesToHex, toAddress, toPoolId } from '../../../../../operator/core/parse.ts'
import type { CeremonyContext, Dealing, Reveal } from '../../../../../operator/core/ports/ceremony.ts'
import { thresholdOf } from '../../../../../operator/core/vault.ts'
import { proveDleq } from '../../../../../operator/protocol/bls/dleq.ts'
import { G, H } from '../../../../../operator/protocol/bls/generators.ts'
import { g1ToEip2537, multiply } from '../../../../../operator/protocol/bls/points.ts'
import { evaluateCommitments, sumCommitments } from '../../../../../operator/protocol/bls/polynomials.ts'
import { evaluate, scalarFromBigInt, scalarToBytes, sumScalars } from '../../../../../operator/protocol/bls/scalars.ts'
import { joinKeyPoint, sharePad, xorShare } from '../../../../../operator/protocol/dkg/dealing.ts'
import { constantTermStatement, publicShareStatement } from '../../../../../operator/protocol/dkg/reveal.ts'

export const contextOf = (size: number, self = 1): CeremonyContext => ({
  chainId: 1n,
  contract: toAddress(`0x${'5a'.repeat(20)}`),
  poolId: toPoolId(3),
  kind: 'dkg',
  round: 2,
  size,
  threshold: thresholdOf(size),
  self: self as MemberIndex,
})

export const noSignature = `0x${'00'.repeat(65)}` as EcdsaSignature
export const noProof = { challenge: ZeroHash as Hex, response: ZeroHash as Hex }
export const membersOf = (size: number) => Array.from({ length: size }, (_, i) => (i + 1) as MemberIndex)

/** A whole ceremony from a seed, by hand: every member's secrets in one place, as only a test may have them. */
export function ceremonyFrom(seed: bigint, size: number) {
  const context = contextOf(size)
  const { threshold } = context
  const scalar = (...path: readonly number[]) =>
    scalarFromBigInt(path.reduce((value, step) => value * 1_000_003n + BigInt(step) + 1n, seed + 7n))
  const ephemeral = membersOf(size).map((member) => scalar(member))
  const joinKeys = ephemeral.map((key) => g1ToEip2537(multiply(G, key)))
  const polynomials = membersOf(size).map((member) => Array.from({ length: threshold }, (_, k) => scalar(member, k)))
  const commitments = polynomials.map((coefficients) => coefficients.map((c) => multiply(H, c)))
  const dealings: Dealing[] = membersOf(size).map((dealer, i) => ({
    dealer,
    joinKeys,
    commitments: (commitments[i] ?? []).map(g1ToEip2537),
    ciphertexts: joinKeys.map((key, j) => {
      const pad = sharePad(multiply(joinKeyPoint(key, j + 1), ephemeral[i] ?? scalar()), context, dealer, j + 1)
      return bytesToHex(xorShare(scalarToBytes(evaluate(polynomials[i] ?? [], j + 1)), pad))
    }),
  }))
  const sum = sumCommitments(commitments)
  const reveals: Reveal[] = membersOf(size).map((member, i) => {
    const constant = polynomials[i]?.[0] ?? scalar()
    const share = sumScalars(polynomials.map((coefficients) => evaluate(coefficients, member)))
    const proven = (statement: Parameters<typeof proveDleq>[0], secret: typeof share) => ({
      point: g1ToEip2537(statement.pointB),
      proof: proveDleq(statement, secret, scalar(member, 99)),
    })
    return {
      member,
      constantTerm: proven(constantTermStatement(context, member, commitments[i]?.[0] ?? H, multiply(G, constant)), constant),
      publicShare: proven(publicShareStatement(context, member, evaluateCommitments(sum, member), multiply(G, share)), share),
    }
  })
  return { context, joinKeys, dealings, reveals, qualified: membersOf(size), polynomials, ephemeral }
}
