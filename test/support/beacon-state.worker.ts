/**
 * Makes a random beacon state of a fork and preset, and proofs of what the contracts want to know of it. Lodestar's preset
 * is global to a module graph, so each one is made in a worker of its own; see `beacon-state.ts`.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { type Gindex, Tree } from '@chainsafe/persistent-merkle-tree'
import { PresetName, setActivePreset } from '@lodestar/params/setPreset'
import type { BeaconStateFixture, FixtureRequest } from './beacon-state.ts'
import { randomBytes, randomInt } from './randomness.ts'

const { fork, preset, validators: count } = workerData as FixtureRequest
setActivePreset(PresetName[preset])
const { ssz } = await import('@lodestar/types')
const { EPOCHS_PER_HISTORICAL_VECTOR, FAR_FUTURE_EPOCH, SLOTS_PER_EPOCH } = await import('@lodestar/params')

const hex = (bytes: Uint8Array) => `0x${Buffer.from(bytes).toString('hex')}`
const epochOrNever = () => (randomInt(3) === 0 ? FAR_FUTURE_EPOCH : randomInt(2 ** 40))
const json = (epoch: number) => (epoch === FAR_FUTURE_EPOCH ? 2n ** 64n - 1n : BigInt(epoch))

// Fulu's state has Electra's fields and more.
const type = ssz[fork].BeaconState as typeof ssz.electra.BeaconState
const slot = randomInt(1_000, 2 ** 30) * SLOTS_PER_EPOCH
const state = type.defaultValue()
state.slot = slot
state.fork = { previousVersion: randomBytes(4), currentVersion: randomBytes(4), epoch: randomInt(2 ** 20) }
state.validators = Array.from({ length: count }, () => ({
  pubkey: randomBytes(48),
  withdrawalCredentials: randomBytes(32),
  effectiveBalance: randomInt(2 ** 40),
  slashed: randomInt(2) === 1,
  activationEligibilityEpoch: epochOrNever(),
  activationEpoch: epochOrNever(),
  exitEpoch: epochOrNever(),
  withdrawableEpoch: epochOrNever(),
}))
state.balances = state.validators.map(() => randomInt(2 ** 47))
const lastEpoch = slot / SLOTS_PER_EPOCH - 1
const epochs = [lastEpoch, lastEpoch - 1, lastEpoch - randomInt(EPOCHS_PER_HISTORICAL_VECTOR - 2)]
for (const epoch of epochs) state.randaoMixes[epoch % EPOCHS_PER_HISTORICAL_VECTOR] = randomBytes(32)

const view = type.toViewDU(state)
const stateRoot = view.hashTreeRoot()
const tree = new Tree(view.node)
const gindexOf = (...path: (string | number)[]): Gindex => type.getPathInfo(path).gindex
const branchOf = (gindex: Gindex) => tree.getSingleProof(gindex).map(hex)

const header = { slot, proposerIndex: randomInt(2 ** 40), parentRoot: randomBytes(32), stateRoot, bodyRoot: randomBytes(32) }
const fixture: BeaconStateFixture = {
  blockRoot: hex(ssz.phase0.BeaconBlockHeader.hashTreeRoot(header)),
  stateProof: {
    header: {
      slot: BigInt(slot),
      proposerIndex: BigInt(header.proposerIndex),
      parentRoot: hex(header.parentRoot),
      stateRoot: hex(stateRoot),
      bodyRoot: hex(header.bodyRoot),
    },
    forkBranch: branchOf(gindexOf('fork', 'currentVersion')),
  },
  row: {
    firstEpoch: 0n,
    forkVersion: hex(state.fork.currentVersion),
    forkGindex: gindexOf('fork', 'currentVersion'),
    validatorsGindex: gindexOf('validators'),
    balancesGindex: gindexOf('balances'),
    randaoMixesGindex: gindexOf('randaoMixes'),
  },
  vectorLength: BigInt(EPOCHS_PER_HISTORICAL_VECTOR),
  validators: state.validators.map((validator, index) => ({
    gindex: gindexOf('validators', index),
    proof: {
      index: BigInt(index),
      validator: {
        pubkeyRoot: hex(ssz.BLSPubkey.hashTreeRoot(validator.pubkey)),
        withdrawalCredentials: hex(validator.withdrawalCredentials),
        effectiveBalance: BigInt(validator.effectiveBalance),
        slashed: validator.slashed,
        activationEligibilityEpoch: json(validator.activationEligibilityEpoch),
        activationEpoch: json(validator.activationEpoch),
        exitEpoch: json(validator.exitEpoch),
        withdrawableEpoch: json(validator.withdrawableEpoch),
      },
      branch: branchOf(gindexOf('validators', index)),
    },
    root: hex(ssz.phase0.Validator.hashTreeRoot(validator)),
  })),
  balances: state.balances.map((balance, index) => {
    const gindex = gindexOf('balances', index)
    return { balance: BigInt(balance), gindex, proof: { index: BigInt(index), leaf: hex(tree.getRoot(gindex)), branch: branchOf(gindex) } }
  }),
  mixes: epochs.map((epoch) => {
    const gindex = gindexOf('randaoMixes', epoch % EPOCHS_PER_HISTORICAL_VECTOR)
    return { epoch: BigInt(epoch), gindex, proof: { mix: hex(tree.getRoot(gindex)), branch: branchOf(gindex) } }
  }),
}
parentPort?.postMessage(fixture)
