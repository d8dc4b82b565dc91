import type { electra, phase0 } from '@lodestar/types'
import { ssz } from '@lodestar/types'
import type { Root, Slot } from '../../core/ids.ts'
import { bytesToHex, hexToBytes, toEpoch, toRoot, toSlot } from '../../core/parse.ts'
import type { AttestationDataValue } from '../../core/ports/beacon.ts'

/** What a block includes of one committee: the positions in it whose votes for `root` (of the AttestationData) it carries. */
export type IncludedCommittee = {
  readonly slot: Slot
  readonly committeeIndex: number
  readonly positions: readonly number[]
  readonly root: Root
}

/** `index` is zero from Electra on (EIP-7549). */
export function attestationDataToSsz(data: AttestationDataValue): phase0.AttestationData {
  return {
    slot: data.slot,
    index: 0,
    beaconBlockRoot: hexToBytes(data.beaconBlockRoot),
    source: { epoch: data.source.epoch, root: hexToBytes(data.source.root) },
    target: { epoch: data.target.epoch, root: hexToBytes(data.target.root) },
  }
}

export function attestationDataFromSsz(data: phase0.AttestationData): AttestationDataValue {
  return {
    slot: toSlot(data.slot),
    source: { epoch: toEpoch(data.source.epoch), root: toRoot(bytesToHex(data.source.root)) },
    target: { epoch: toEpoch(data.target.epoch), root: toRoot(bytesToHex(data.target.root)) },
    beaconBlockRoot: toRoot(bytesToHex(data.beaconBlockRoot)),
  }
}

/**
 * Splits an Electra attestation (EIP-7549: one bit list over several committees, in ascending committee order) into its
 * committees. `sizeOf` is asked only when there is more than one committee.
 */
export async function includedCommittees(
  attestation: electra.Attestation,
  sizeOf: (slot: Slot, committeeIndex: number) => Promise<number>,
): Promise<readonly IncludedCommittee[]> {
  const slot = toSlot(attestation.data.slot)
  const root = toRoot(bytesToHex(ssz.phase0.AttestationData.hashTreeRoot(attestation.data)))
  const committees = attestation.committeeBits.getTrueBitIndexes()
  const bits = attestation.aggregationBits
  const included: IncludedCommittee[] = []
  let offset = 0
  for (const committeeIndex of committees) {
    const size = committees.length === 1 ? bits.bitLen : await sizeOf(slot, committeeIndex)
    const positions = Array.from({ length: size }, (_, position) => position).filter(
      (position) => offset + position < bits.bitLen && bits.get(offset + position),
    )
    included.push({ slot, committeeIndex, positions, root })
    offset += size
  }
  return included
}
