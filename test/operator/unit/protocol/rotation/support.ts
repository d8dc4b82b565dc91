import { hash } from 'node:crypto'
import type { Hex, MemberIndex } from '../../../../../operator/core/ids.ts'
import { toAddress, toPoolId, toPublicKey } from '../../../../../operator/core/parse.ts'
import type { Dealing } from '../../../../../operator/core/ports/ceremony.ts'
import { thresholdOf } from '../../../../../operator/core/vault.ts'
import type { Scalar } from '../../../../../operator/protocol/bls/backend.ts'
import { G } from '../../../../../operator/protocol/bls/generators.ts'
import { g1ToCompressed, g1ToEip2537, multiply } from '../../../../../operator/protocol/bls/points.ts'
import { evaluate, scalarFromBigInt } from '../../../../../operator/protocol/bls/scalars.ts'
import { type Handover, makeHandoverDealing } from '../../../../../operator/protocol/rotation/handover.ts'

/** Scalars of a seed. */
export const scalarsOf =
  (seed: bigint) =>
  (...path: readonly number[]): Scalar =>
    scalarFromBigInt(BigInt(`0x${hash('sha256', `${seed}/${path.join('/')}`)}`))

/** A whole handover from a seed, by hand: every member's secrets in one place, as only a test may have them. */
export function handoverFrom(seed: bigint, sizes: { readonly oldSize: number; readonly size: number }) {
  const { oldSize, size } = sizes
  const scalar = scalarsOf(seed)
  const oldThreshold = thresholdOf(oldSize)
  const threshold = thresholdOf(size)
  const key = Array.from({ length: oldThreshold }, (_, k) => scalar(1, k))
  const oldShares = Array.from({ length: oldSize }, (_, at) => evaluate(key, at + 1))
  const publicOf = (secret: Scalar) => toPublicKey(g1ToCompressed(multiply(G, secret)))
  const handover: Handover = {
    chainId: 1n,
    contract: toAddress(`0x${'5a'.repeat(20)}`),
    poolId: toPoolId(3),
    kind: 'rotation',
    round: 2,
    size,
    threshold,
    oldSize,
    oldThreshold,
    groupKey: publicOf(key[0] ?? scalar()),
    oldPublicShares: oldShares.map(publicOf),
  }
  const ephemeral = Array.from({ length: size + oldSize }, (_, at) => scalar(2, at))
  const joinKeys: readonly Hex[] = ephemeral.map((secret) => g1ToEip2537(multiply(G, secret)))
  const secretOf = (member: number): Scalar => ephemeral[member - 1] ?? scalar()
  /** The dealing of the old member at a place, of its share unless told otherwise. */
  const deal = (
    place: number,
    change: { readonly coefficients?: readonly Scalar[]; readonly joined?: readonly number[] } = {},
  ): Dealing => {
    const dealer = (size + place) as MemberIndex
    const named = joinKeys.map((joinKey, at) => {
      if (at + 1 === dealer) return joinKey
      return at < size && (change.joined?.includes(at + 1) ?? true) ? joinKey : null
    })
    const coefficients = change.coefficients ?? polynomial(place)
    return makeHandoverDealing(handover, { dealer, joinKeys: named }, { coefficients, ephemeral: secretOf(dealer) })
  }
  const polynomial = (place: number): readonly Scalar[] => [
    oldShares[place - 1] ?? scalar(),
    ...Array.from({ length: threshold - 1 }, (_, k) => scalar(3, place, k)),
  ]
  return { handover, joinKeys, oldShares, secretOf, deal, polynomial }
}

/** All choices of so many, in order. */
export function subsets(from: readonly number[], count: number): readonly (readonly number[])[] {
  if (count === 0) return [[]]
  return from.flatMap((first, at) => subsets(from.slice(at + 1), count - 1).map((rest) => [first, ...rest]))
}

export const placesTo = (size: number): readonly number[] => Array.from({ length: size }, (_, at) => at + 1)
