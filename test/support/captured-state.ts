import type { BeaconNode } from '../../operator/core/ports/beacon.ts'
import type { StateProofArgs } from '../../operator/core/ports/prover.ts'
import { openState, type ProvableState } from '../../operator/protocol/proofs/provable-state.ts'

/** A real state, the header of its block, and the time under which EIP-4788 knows it. */
export type CapturedState = {
  readonly timestamp: number
  readonly epoch: number
  readonly bytes: Uint8Array
  readonly state: ProvableState
  readonly proof: StateProofArgs
}

/** The state before a block, undefined where the node has not all that this takes. */
export async function captureState(beacon: BeaconNode, blockId: string): Promise<CapturedState | undefined> {
  const { slotsPerEpoch } = beacon.spec
  const child = await beacon.header(blockId)
  const header = child && (await beacon.header(child.parentRoot))
  const payload = child && (await beacon.executionPayload(child.root))
  const served = header && (await beacon.stateSsz(header.stateRoot))
  if (header === undefined || payload === undefined || served === undefined) return undefined
  const state = openState({ ...served, slotsPerEpoch })
  const { slot, proposerIndex, parentRoot, stateRoot, bodyRoot } = header
  const proof = { header: { slot, proposerIndex, parentRoot, stateRoot, bodyRoot }, forkBranch: state.forkBranch }
  return { timestamp: payload.timestamp, epoch: Math.floor(slot / slotsPerEpoch), bytes: served.bytes, state, proof }
}
