/**
 * Builds beacon states as asked for and proves what is in them, with Lodestar. Its preset is global to a module graph: hence
 * a worker of its own; see `beacon-prover.ts`.
 */
import { parentPort } from 'node:worker_threads'
import { Tree } from '@chainsafe/persistent-merkle-tree'
import { PresetName, setActivePreset } from '@lodestar/params/setPreset'
import type { ProvenState, StateRequest } from './beacon-prover.ts'

setActivePreset(PresetName.minimal)
const { ssz } = await import('@lodestar/types')
const { EPOCHS_PER_HISTORICAL_VECTOR, FAR_FUTURE_EPOCH } = await import('@lodestar/params')

const hex = (bytes: Uint8Array) => `0x${Buffer.from(bytes).toString('hex')}`
const bytes = (text: string) => Uint8Array.from(Buffer.from(text.slice(2), 'hex'))
const epochOut = (epoch: number) => (epoch === FAR_FUTURE_EPOCH ? 2n ** 64n - 1n : BigInt(epoch))

function prove({ slot, fork, forkVersion, mixes, validators }: StateRequest): ProvenState {
  // Fulu's state has Electra's fields and more.
  const type = ssz[fork].BeaconState as typeof ssz.electra.BeaconState
  const state = type.defaultValue()
  state.slot = slot
  state.fork.currentVersion = bytes(forkVersion)
  for (const { epoch, mix } of mixes) state.randaoMixes[epoch % EPOCHS_PER_HISTORICAL_VECTOR] = bytes(mix)
  state.validators = validators.map((validator) => ({
    pubkey: bytes(validator.publicKey),
    withdrawalCredentials: bytes(validator.withdrawalCredentials),
    effectiveBalance: validator.effectiveBalance ?? 1_000_000_000,
    slashed: validator.slashed ?? false,
    activationEligibilityEpoch: validator.activationEligibilityEpoch ?? FAR_FUTURE_EPOCH,
    activationEpoch: validator.activationEpoch ?? FAR_FUTURE_EPOCH,
    exitEpoch: validator.exitEpoch ?? FAR_FUTURE_EPOCH,
    withdrawableEpoch: validator.withdrawableEpoch ?? FAR_FUTURE_EPOCH,
  }))
  state.balances = validators.map((validator) => validator.balance ?? 1_000_000_000)

  const view = type.toViewDU(state)
  const stateRoot = view.hashTreeRoot()
  const tree = new Tree(view.node)
  const gindexOf = (...path: (string | number)[]) => type.getPathInfo(path).gindex
  const branchOf = (...path: (string | number)[]) => tree.getSingleProof(gindexOf(...path)).map(hex)
  const header = { slot, proposerIndex: 7, parentRoot: new Uint8Array(32), stateRoot, bodyRoot: new Uint8Array(32).fill(1) }
  return {
    blockRoot: hex(ssz.phase0.BeaconBlockHeader.hashTreeRoot(header)),
    state: {
      header: {
        slot: BigInt(slot),
        proposerIndex: BigInt(header.proposerIndex),
        parentRoot: hex(header.parentRoot),
        stateRoot: hex(stateRoot),
        bodyRoot: hex(header.bodyRoot),
      },
      forkBranch: branchOf('fork', 'currentVersion'),
    },
    mixes: mixes.map(({ epoch, mix }) => ({ mix, branch: branchOf('randaoMixes', epoch % EPOCHS_PER_HISTORICAL_VECTOR) })),
    validators: state.validators.map((validator, index) => ({
      index: BigInt(index),
      validator: {
        pubkeyRoot: hex(ssz.BLSPubkey.hashTreeRoot(validator.pubkey)),
        withdrawalCredentials: hex(validator.withdrawalCredentials),
        effectiveBalance: BigInt(validator.effectiveBalance),
        slashed: validator.slashed,
        activationEligibilityEpoch: epochOut(validator.activationEligibilityEpoch),
        activationEpoch: epochOut(validator.activationEpoch),
        exitEpoch: epochOut(validator.exitEpoch),
        withdrawableEpoch: epochOut(validator.withdrawableEpoch),
      },
      branch: branchOf('validators', index),
    })),
    balances: state.balances.map((_, index) => ({
      index: BigInt(index),
      leaf: hex(tree.getRoot(gindexOf('balances', index))),
      branch: branchOf('balances', index),
    })),
  }
}

parentPort?.on('message', (request: StateRequest) => parentPort?.postMessage(prove(request)))
