import { hexlify, keccak256 } from 'ethers'
import { aggregateG2, digestOf, type Judge } from './block-producers.ts'
import type { G2Words } from './eip2537.ts'
import type { OpenPools, RegisteredProducer } from './open-pools.ts'
import { randomRoot } from './pools.ts'
import { randomBytes } from './randomness.ts'

const ZERO = `0x${'00'.repeat(32)}`
/** Where nobody is named, nobody signs. */
export const NO_SIGNATURE: G2Words = {
  xc0Hi: ZERO,
  xc0Lo: ZERO,
  xc1Hi: ZERO,
  xc1Lo: ZERO,
  yc0Hi: ZERO,
  yc0Lo: ZERO,
  yc1Hi: ZERO,
  yc1Lo: ZERO,
}

export type Fields = { readonly name: string; readonly type: string }[]
const field = (type: string, ...names: string[]): Fields => names.map((name) => ({ name, type }))

/** EIP-712 structs that vaults sign, beside the result of a key generation. */
export const CEREMONY_TYPES = {
  DkgFailure: [...field('uint32', 'poolId', 'round'), ...field('uint256', 'absent')],
  RotationResult: [...field('uint32', 'poolId', 'round'), ...field('bytes32', 'publicSharesHash', 'transcriptRoot')],
  RotationFailure: [...field('uint32', 'poolId', 'round'), ...field('uint256', 'absentNew', 'absentOld')],
} as const satisfies Record<string, Fields>

/** Bit i for member index i + 1. */
export const bitsOf = (indices: readonly number[]): bigint => indices.reduce((bits, index) => bits | (1n << BigInt(index - 1)), 0n)

type World = { readonly pools: OpenPools; readonly producers: readonly RegisteredProducer[] }

export function keyOf(producers: readonly RegisteredProducer[], id: bigint) {
  const member = producers.find((producer) => producer.id === id)
  if (member === undefined) throw new Error(`expected ${id} among the producers`)
  return member.key
}

/** What these members of a vault (indices from 1) sign together, judged under PoolRegistry's domain unless another is named. */
export function signedBy(
  { pools, producers }: World,
  signing: {
    readonly vault: readonly bigint[]
    readonly signers: readonly number[]
    readonly type: keyof typeof CEREMONY_TYPES
    readonly value: object
    readonly judge?: Judge
  },
): G2Words {
  const { vault, signers, type, value, judge = pools.judgeOf('poolRegistry') } = signing
  const digest = digestOf(judge, { [type]: [...CEREMONY_TYPES[type]] }, value)
  return aggregateG2(signers.map((index) => keyOf(producers, vault[index - 1] ?? 0n).sign(digest)))
}

/** A handover's result as the new vault would sign it. */
export async function rotationResult(
  world: World,
  poolId: bigint,
  choices: { readonly signers?: readonly number[]; readonly round?: bigint; readonly judge?: Judge } = {},
) {
  const { members, round } = await world.pools.rotations.rotation(poolId)
  const signers = choices.signers ?? members.map((_, place) => place + 1)
  const publicShares = hexlify(randomBytes(48 * members.length))
  const transcriptRoot = randomRoot()
  const value = { poolId, round: choices.round ?? round, publicSharesHash: keccak256(publicShares), transcriptRoot }
  const judge = choices.judge === undefined ? {} : { judge: choices.judge }
  const aggregateSignature = signedBy(world, { vault: members, signers, type: 'RotationResult', value, ...judge })
  return { publicShares, transcriptRoot, participation: bitsOf(signers), aggregateSignature }
}
