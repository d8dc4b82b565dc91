import type { BeaconHeaderInfo, BeaconNode } from '../../core/ports/beacon.ts'
import type { BeaconProver } from '../../core/ports/prover.ts'
import type { ProvableState } from '../../protocol/proofs/provable-state.ts'

type Opened = { readonly timestamp: number; readonly header: BeaconHeaderInfo; readonly state: ProvableState }
type OpenState = (input: { readonly fork: string; readonly bytes: Uint8Array; readonly slotsPerEpoch: number }) => ProvableState

/**
 * Proofs from the newest state that the EIP-4788 contract can vouch for. A block's execution timestamp leads to its
 * parent's root, so the proven block is the head's parent. Only the last opened state is kept: proofs come in bunches.
 */
export function createProver(beacon: BeaconNode, openState: OpenState): BeaconProver {
  let last: { readonly key: string; readonly opened: Promise<Opened | undefined> } | undefined

  async function open(head: BeaconHeaderInfo, signal?: AbortSignal): Promise<Opened | undefined> {
    const payload = await beacon.executionPayload(head.root, signal)
    const header = await beacon.header(head.parentRoot, signal)
    if (payload === undefined || header === undefined) return undefined
    const ssz = await beacon.stateSsz(header.stateRoot, signal)
    if (ssz === undefined) return undefined
    return { timestamp: payload.timestamp, header, state: openState({ ...ssz, slotsPerEpoch: beacon.spec.slotsPerEpoch }) }
  }

  async function latest(signal?: AbortSignal): Promise<Opened | undefined> {
    const head = await beacon.header('head', signal)
    if (head === undefined) return undefined
    if (last?.key !== head.root) last = { key: head.root, opened: open(head, signal) }
    const current = last
    try {
      const opened = await current.opened
      if (opened === undefined && last === current) last = undefined
      return opened
    } catch (error) {
      if (last === current) last = undefined
      throw error
    }
  }

  const stateArgs = ({ header, state }: Opened) => ({
    header: {
      slot: header.slot,
      proposerIndex: header.proposerIndex,
      parentRoot: header.parentRoot,
      stateRoot: header.stateRoot,
      bodyRoot: header.bodyRoot,
    },
    forkBranch: state.forkBranch,
  })

  return {
    async randaoMix(epoch, signal) {
      const opened = await latest(signal)
      if (opened === undefined || Math.floor(opened.state.slot / beacon.spec.slotsPerEpoch) <= epoch) return undefined
      return { timestamp: opened.timestamp, header: opened.header, state: stateArgs(opened), proof: opened.state.randaoMix(epoch) }
    },
    async validator(publicKey, signal) {
      const opened = await latest(signal)
      if (opened === undefined) return undefined
      const [found] = await beacon.validators([publicKey], opened.header.stateRoot, signal)
      if (found === undefined) return undefined
      return {
        timestamp: opened.timestamp,
        header: opened.header,
        state: stateArgs(opened),
        proof: opened.state.validator(found.index),
        balanceProof: opened.state.balance(found.index),
        balance: opened.state.balanceOf(found.index),
      }
    },
  }
}
