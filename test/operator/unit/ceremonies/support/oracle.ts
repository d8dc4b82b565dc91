import assert from 'node:assert/strict'
import { bls12_381 } from '@noble/curves/bls12-381.js'
import type { Epoch, Gwei, Hex, MemberIndex, PublicKey, Root } from '../../../../../operator/core/ids.ts'
import { hexToBytes } from '../../../../../operator/core/parse.ts'
import { thresholdOf } from '../../../../../operator/core/vault.ts'
import { verifySignature } from '../../../../../operator/protocol/bls/signatures.ts'
import { combinePartials } from '../../../../../operator/protocol/bls/threshold.ts'
import { dkgResultDigest } from '../../../../../operator/protocol/messages/ceremony.ts'
import { ADDRESSES, POOL } from './chain.ts'
import { depositRoot } from './deposits.ts'
import type { Member } from './member.ts'
import { join, type World } from './world.ts'

const POP_SUITE = 'BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_'
const { longSignatures } = bls12_381
const { Fp2 } = bls12_381.fields

const field = (words: Hex, at: number): bigint => BigInt(`0x${words.slice(2 + 128 * at, 2 + 128 * (at + 1))}`)
const g1 = (hex: Hex) => bls12_381.G1.Point.fromAffine({ x: field(hex, 0), y: field(hex, 1) })
const g2 = (hex: Hex) =>
  bls12_381.G2.Point.fromAffine({
    x: Fp2.fromBigTuple([field(hex, 0), field(hex, 1)]),
    y: Fp2.fromBigTuple([field(hex, 2), field(hex, 3)]),
  })

const holds = (key: ReturnType<typeof g1>, root: Root, signature: Hex): boolean =>
  longSignatures.verify(g2(signature), longSignatures.hash(hexToBytes(root), POP_SUITE), key)

function subsets(from: readonly number[], count: number): readonly (readonly number[])[] {
  if (count === 0) return [[]]
  return from.flatMap((first, at) => subsets(from.slice(at + 1), count - 1).map((rest) => [first, ...rest]))
}

/**
 * Asserts that the registered result is what the contract would take, by an independent implementation, and that the shares
 * of these members belong to its key and any t of them sign with it.
 */
export function assertCompleted(
  world: World,
  { round = 0, holders = world.members }: { round?: number; holders?: readonly Member[] } = {},
): void {
  const { completed } = world.chain
  const [{ result } = assert.fail('nothing was completed')] = completed
  const size = world.members.length
  const groupKey = g1(join(result.groupKey))
  const publicKey = `0x${groupKey.toHex(true)}` as PublicKey
  const withdrawalCredentials = `0x01${'00'.repeat(11)}${ADDRESSES.stakerVault.slice(2)}` as Root
  const deposit = depositRoot({ publicKey, withdrawalCredentials, amount: 1_000_000_000n as Gwei })
  assert.ok(holds(groupKey, deposit, join(result.depositSignature)), 'the deposit signature holds')

  const participants = world.members.filter((_, at) => (result.participation >> BigInt(at)) & 1n)
  assert.ok(participants.length >= thresholdOf(size), `${participants.length} participants`)
  const aggregate = participants
    .map(({ id }) => bls12_381.G1.Point.fromHex((world.chain.producer(id).signingKey as string).slice(2)))
    .reduce((sum, key) => sum.add(key))
  const publicShares = (result.publicShares.slice(2).match(/.{96}/g) ?? []).map((share) => `0x${share}` as PublicKey)
  const context = { chainId: 7n, contract: ADDRESSES.poolRegistry, poolId: POOL, kind: 'dkg', round } as const
  const digest = dkgResultDigest(context, { groupKey: publicKey, publicShares, transcriptRoot: result.transcriptRoot })
  assert.ok(holds(aggregate, digest, join(result.aggregateSignature)), 'the aggregate of the participants holds')

  const message = `0x${'5e'.repeat(32)}` as Root
  const partials = new Map(
    holders.map(({ id, signer }) => {
      assert.deepEqual(signer.shares.pools(), [{ poolId: POOL, round, memberIndex: id, groupKey: publicKey, publicShares }])
      return [Number(id), signer.shares.signRoot({ poolId: POOL, round, epoch: 0 as Epoch, purpose: 'exit', signingRoot: message })]
    }),
  )
  for (const subset of subsets([...partials.keys()], thresholdOf(size))) {
    const chosen = subset.map((index) => ({ index: index as MemberIndex, signature: partials.get(index) ?? assert.fail() }))
    assert.ok(verifySignature(publicKey, message, combinePartials(chosen, thresholdOf(size))), `members ${subset} sign together`)
  }
}
