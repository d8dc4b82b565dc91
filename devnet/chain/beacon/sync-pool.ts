import { aggregateSignatures, Signature } from '@chainsafe/blst'
import { BitArray } from '@chainsafe/ssz'
import { SYNC_COMMITTEE_SIZE, SYNC_COMMITTEE_SUBNET_COUNT, SYNC_COMMITTEE_SUBNET_SIZE } from '@lodestar/params'
import { G2_POINT_AT_INFINITY } from '@lodestar/state-transition'
import type { altair } from '@lodestar/types'
import { toRootHex } from '@lodestar/utils'

/** Signatures on one block root: any set of disjoint aggregates over positions of the sync committee. */
type Part = { readonly positions: readonly number[]; readonly signature: Signature }

const KEEP_SLOTS = 4

const overlaps = (a: Part, b: Part): boolean => a.positions.some((position) => b.positions.includes(position))

/** Sync committee signatures waiting for a block. */
export class SyncPool {
  readonly #parts = new Map<string, { readonly slot: number; readonly parts: Part[] }>()

  /**
   * Adds signatures that have been verified or are our own. One signature for several positions is the
   * aggregate over them, so a validator that is in the committee twice must have its signature counted twice.
   */
  add(slot: number, root: Uint8Array, part: { readonly positions: readonly number[]; readonly signature: Uint8Array }): void {
    const key = `${slot}:${toRootHex(root)}`
    const entry = this.#parts.get(key) ?? { slot, parts: [] }
    this.#parts.set(key, entry)
    const added: Part = { positions: part.positions, signature: Signature.fromBytes(part.signature) }
    const replaced = entry.parts.filter((known) => overlaps(known, added))
    const covered = replaced.reduce((sum, known) => sum + known.positions.length, 0)
    if (covered >= added.positions.length) return
    entry.parts.splice(0, entry.parts.length, ...entry.parts.filter((known) => !replaced.includes(known)), added)
  }

  /** The sync aggregate for the block after the slot whose parent is this root. */
  aggregate(slot: number, root: Uint8Array): altair.SyncAggregate {
    const { bits, signature } = this.#collect(slot, root, { from: 0, size: SYNC_COMMITTEE_SIZE })
    return { syncCommitteeBits: bits, syncCommitteeSignature: signature ?? G2_POINT_AT_INFINITY }
  }

  /** What is known of one subcommittee, or undefined when it is nothing. Signatures that reach beyond it are left out. */
  contribution(slot: number, root: Uint8Array, subcommitteeIndex: number): altair.SyncCommitteeContribution | undefined {
    if (subcommitteeIndex >= SYNC_COMMITTEE_SUBNET_COUNT) return undefined
    const from = subcommitteeIndex * SYNC_COMMITTEE_SUBNET_SIZE
    const { bits, signature } = this.#collect(slot, root, { from, size: SYNC_COMMITTEE_SUBNET_SIZE })
    if (signature === undefined) return undefined
    return { slot, beaconBlockRoot: root, subcommitteeIndex, aggregationBits: bits, signature }
  }

  prune(currentSlot: number): void {
    for (const [key, { slot }] of this.#parts) if (slot + KEEP_SLOTS < currentSlot) this.#parts.delete(key)
  }

  #collect(
    slot: number,
    root: Uint8Array,
    range: { readonly from: number; readonly size: number },
  ): { readonly bits: BitArray; readonly signature: Uint8Array | undefined } {
    const inRange = (position: number): boolean => position >= range.from && position < range.from + range.size
    const parts = (this.#parts.get(`${slot}:${toRootHex(root)}`)?.parts ?? []).filter((part) => part.positions.every(inRange))
    const bits = BitArray.fromBitLen(range.size)
    for (const position of parts.flatMap((part) => part.positions)) bits.set(position - range.from, true)
    if (parts.length === 0) return { bits, signature: undefined }
    return { bits, signature: aggregateSignatures(parts.map((part) => part.signature)).toBytes() }
  }
}
