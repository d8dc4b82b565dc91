import { keccak256 } from 'ethers/crypto'
import type { Hex, MemberIndex, PublicKey, Root } from '../../core/ids.ts'
import type { Dealing } from '../../core/ports/ceremony.ts'
import { contextBytes } from '../dkg/context.ts'
import { ByteReader, ByteWriter } from '../messages/bytes.ts'
import { dealingHash } from '../messages/ceremony.ts'
import { HandoverError } from './errors.ts'
import { type Handover, newCommitments, newPublicShares } from './handover.ts'

const HASH = 32
const NONE: Hex = `0x${'00'.repeat(HASH)}`

/** What the new vault agrees on: of each dealer chosen, which dealing. Ascending. */
export type ChosenDealings = readonly { readonly dealer: MemberIndex; readonly hash: Root }[]

/** Length of the encoded choice. */
export const choiceBytes = (oldSize: number): number => oldSize * HASH

/** The value of the handover's QBFT instance: 32 bytes for each old member, its dealing's struct hash or zeros. */
export function encodeChoice({ size, oldSize }: Pick<Handover, 'size' | 'oldSize'>, chosen: ChosenDealings): Uint8Array {
  const writer = new ByteWriter(choiceBytes(oldSize))
  for (let place = 1; place <= oldSize; place++) writer.hex(chosen.find(({ dealer }) => dealer === size + place)?.hash ?? NONE)
  return writer.done()
}

/** Throws `CodecError` on another length, `HandoverError` unless it names exactly t dealers. */
export function decodeChoice({ size, oldSize, oldThreshold }: Handover, bytes: Uint8Array): ChosenDealings {
  const reader = new ByteReader(bytes)
  const hashes = Array.from({ length: oldSize }, () => reader.hex(HASH) as Root)
  reader.end()
  const chosen = hashes.flatMap((hash, at) => (hash === NONE ? [] : [{ dealer: (size + at + 1) as MemberIndex, hash }]))
  if (chosen.length !== oldThreshold) {
    throw new HandoverError('BAD_DEALERS', `expected ${oldThreshold} dealers, got ${chosen.length}`)
  }
  return chosen
}

/** The choice of these dealings. */
export function choiceOf(handover: Handover, dealings: readonly Dealing[]): ChosenDealings {
  return dealings.map((dealing) => ({ dealer: dealing.dealer, hash: dealingHash(handover, dealing) }))
}

/** What a handover ends with, in public. The group key is what it was. */
export type HandoverResult = { readonly groupKey: PublicKey; readonly publicShares: readonly PublicKey[]; readonly transcriptRoot: Root }

/**
 * New public shares in vault order and the transcript root, from the chosen dealings alone: everybody comes to the same. Checks
 * every dealing, and that the key stays the same. Throws `DkgError` or `HandoverError` naming member and rule.
 */
export function handoverResult(handover: Handover, dealings: readonly Dealing[]): HandoverResult {
  const commitments = newCommitments(handover, dealings)
  const transcript = encodeChoice(handover, choiceOf(handover, dealings))
  return {
    groupKey: handover.groupKey,
    publicShares: newPublicShares(commitments, handover.size),
    transcriptRoot: keccak256(Buffer.concat([contextBytes(handover), transcript])) as Root,
  }
}
