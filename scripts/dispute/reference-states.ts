import { connectBeaconNode } from '../../operator/adapters/beacon/connect.ts'
import type { PublicKey, Root } from '../../operator/core/ids.ts'
import type { BeaconHeaderInfo } from '../../operator/core/ports/beacon.ts'
import type { Log } from '../../operator/core/ports/log.ts'
import type { BalanceProofArgs, StateProofArgs, ValidatorProofArgs } from '../../operator/core/ports/prover.ts'
import type { ReferenceBalance } from '../../operator/core/report.ts'
import { DisputeError } from './errors.ts'

/** A validator's record and balance in a reference state, as Disputes takes them. */
export type BalanceProof = { readonly state: StateProofArgs; readonly validator: ValidatorProofArgs; readonly balance: BalanceProofArgs }

/** Beacon states that reports are of. */
export type ReferenceStates = {
  header(blockRoot: Root): Promise<BeaconHeaderInfo>
  balances(header: BeaconHeaderInfo, keys: readonly PublicKey[]): Promise<ReadonlyMap<PublicKey, ReferenceBalance>>
  prove(header: BeaconHeaderInfo, key: PublicKey): Promise<BalanceProof>
}

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }

const gone = (what: string): never => {
  throw new DisputeError(
    'MISSING',
    `the beacon node does not have ${what}: ask one that keeps old states (--beacon-url); a local network keeps those of epoch starts for 64 epochs`,
  )
}

/** Of a beacon node. Throws `BeaconError`, and `DisputeError` MISSING for what it has forgotten. */
export async function openReferenceStates(url: string): Promise<ReferenceStates> {
  const beacon = await connectBeaconNode({ url, log: silent })
  // Lodestar's preset is set by now.
  const { openState } = await import('../../operator/protocol/proofs/provable-state.ts')
  const validators = async (keys: readonly PublicKey[], { stateRoot, slot }: BeaconHeaderInfo) =>
    beacon.validators(keys, stateRoot).catch(() => gone(`the state of slot ${slot}`))
  return {
    header: async (root) => (await beacon.header(root)) ?? gone(`the block ${root} that the commitment refers to`),
    async balances(header, keys) {
      const found = await validators(keys, header)
      // The Beacon API calls a validator whose activation_eligibility_epoch is far-future "pending_initialized".
      return new Map(found.map(({ publicKey, balance, status }) => [publicKey, { balance, eligible: status !== 'pending_initialized' }]))
    },
    async prove(header, key) {
      const [found] = await validators([key], header)
      const ssz = await beacon.stateSsz(header.stateRoot)
      if (found === undefined || ssz === undefined) return gone(`the state of slot ${header.slot}`)
      const opened = openState({ ...ssz, slotsPerEpoch: beacon.spec.slotsPerEpoch })
      const { slot, proposerIndex, parentRoot, stateRoot, bodyRoot } = header
      return {
        state: { header: { slot, proposerIndex, parentRoot, stateRoot, bodyRoot }, forkBranch: opened.forkBranch },
        validator: opened.validator(found.index),
        balance: opened.balance(found.index),
      }
    },
  }
}
