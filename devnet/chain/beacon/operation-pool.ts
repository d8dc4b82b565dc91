import {
  ForkSeq,
  MAX_ATTESTER_SLASHINGS_ELECTRA,
  MAX_BLS_TO_EXECUTION_CHANGES,
  MAX_PROPOSER_SLASHINGS,
  MAX_VOLUNTARY_EXITS,
} from '@lodestar/params'
import {
  assertValidAttesterSlashing,
  assertValidProposerSlashing,
  type CachedBeaconStateElectra,
  computeEpochAtSlot,
  getVoluntaryExitValidity,
  isSlashableValidator,
  isValidBlsToExecutionChange,
  VoluntaryExitValidity,
} from '@lodestar/state-transition'
import { type capella, type electra, type phase0, ssz } from '@lodestar/types'
import { toRootHex } from '@lodestar/utils'
import { InvalidOperationError } from './errors.ts'

export type Operations = Pick<
  electra.BeaconBlockBody,
  'voluntaryExits' | 'proposerSlashings' | 'attesterSlashings' | 'blsToExecutionChanges'
>

/**
 * Exits, slashings and credential changes waiting for a block. Each is verified on the way in with its
 * signatures, and again without them when a block is packed, since the state moves on in between.
 */
export class OperationPool {
  readonly exits = new Map<number, phase0.SignedVoluntaryExit>()
  readonly proposerSlashings = new Map<number, phase0.ProposerSlashing>()
  /** By the slashing's root. */
  readonly attesterSlashings = new Map<string, electra.AttesterSlashing>()
  readonly credentialChanges = new Map<number, capella.SignedBLSToExecutionChange>()

  /** Throws InvalidOperationError, as do the other three. */
  addExit(state: CachedBeaconStateElectra, exit: phase0.SignedVoluntaryExit): void {
    const validity = exitValidity(state, exit, true)
    if (validity !== VoluntaryExitValidity.valid) {
      throw new InvalidOperationError(`The exit of validator ${exit.message.validatorIndex} is refused: ${validity}`)
    }
    this.exits.set(exit.message.validatorIndex, exit)
  }

  addProposerSlashing(state: CachedBeaconStateElectra, slashing: phase0.ProposerSlashing): void {
    checked(() => checkProposerSlashing(state, slashing, true))
    this.proposerSlashings.set(slashing.signedHeader1.message.proposerIndex, slashing)
  }

  addAttesterSlashing(state: CachedBeaconStateElectra, slashing: electra.AttesterSlashing): void {
    checked(() => checkAttesterSlashing(state, slashing, true))
    this.attesterSlashings.set(toRootHex(ssz.electra.AttesterSlashing.hashTreeRoot(slashing)), slashing)
  }

  addCredentialChange(state: CachedBeaconStateElectra, change: capella.SignedBLSToExecutionChange): void {
    checked(() => checkCredentialChange(state, change, true))
    this.credentialChanges.set(change.message.validatorIndex, change)
  }

  /** What still can go into a block on this state; all else is forgotten, except exits that are not due yet. */
  pack(state: CachedBeaconStateElectra): Operations {
    const slashed = new Set<number>()
    const proposerSlashings = [...this.proposerSlashings].filter(([index, slashing]) => {
      const good = passes(() => checkProposerSlashing(state, slashing, false))
      if (good) slashed.add(index)
      else this.proposerSlashings.delete(index)
      return good
    })
    const attesterSlashings = [...this.attesterSlashings].filter(([root, slashing]) => {
      const good = passes(() => checkAttesterSlashing(state, slashing, false, slashed))
      if (!good) this.attesterSlashings.delete(root)
      return good
    })
    const credentialChanges = [...this.credentialChanges].filter(([index, change]) => {
      const good = passes(() => checkCredentialChange(state, change, false))
      if (!good) this.credentialChanges.delete(index)
      return good
    })
    const packedAttesterSlashings = attesterSlashings.slice(0, MAX_ATTESTER_SLASHINGS_ELECTRA).map(([, slashing]) => slashing)
    for (const slashing of packedAttesterSlashings) for (const index of offenders(slashing)) slashed.add(index)
    const exits = [...this.exits].filter(([index, exit]) => {
      const validity = exitValidity(state, exit, false)
      const later = validity === VoluntaryExitValidity.earlyEpoch
      if (validity !== VoluntaryExitValidity.valid && !later) this.exits.delete(index)
      // A slashing in the same block starts the validator's exit before this one would be processed.
      return validity === VoluntaryExitValidity.valid && !slashed.has(index)
    })
    return {
      proposerSlashings: proposerSlashings.slice(0, MAX_PROPOSER_SLASHINGS).map(([, slashing]) => slashing),
      attesterSlashings: packedAttesterSlashings,
      voluntaryExits: exits.slice(0, MAX_VOLUNTARY_EXITS).map(([, exit]) => exit),
      blsToExecutionChanges: credentialChanges.slice(0, MAX_BLS_TO_EXECUTION_CHANGES).map(([, change]) => change),
    }
  }
}

function exitValidity(state: CachedBeaconStateElectra, exit: phase0.SignedVoluntaryExit, verifySignature: boolean): VoluntaryExitValidity {
  try {
    return getVoluntaryExitValidity(ForkSeq.electra, state, exit, verifySignature)
  } catch {
    return VoluntaryExitValidity.invalidSignature
  }
}

function checkProposerSlashing(state: CachedBeaconStateElectra, slashing: phase0.ProposerSlashing, signatures: boolean): void {
  const index = slashing.signedHeader1.message.proposerIndex
  if (index >= state.validators.length) throw new Error(`Validator ${index} is not known`)
  const proposer = state.validators.getReadonly(index)
  assertValidProposerSlashing(state.config, state.epochCtx.pubkeyCache, state.slot, slashing, proposer, signatures)
}

/** Validators that voted in both attestations. */
function offenders({ attestation1, attestation2 }: electra.AttesterSlashing): number[] {
  const second = new Set(attestation2.attestingIndices)
  return attestation1.attestingIndices.filter((index) => second.has(index))
}

function checkAttesterSlashing(
  state: CachedBeaconStateElectra,
  slashing: electra.AttesterSlashing,
  signatures: boolean,
  alreadySlashed: ReadonlySet<number> = new Set(),
): void {
  const { config, epochCtx, slot, validators } = state
  assertValidAttesterSlashing(config, epochCtx.pubkeyCache, slot, validators.length, slashing, signatures)
  const epoch = computeEpochAtSlot(slot)
  const slashable = (index: number): boolean => !alreadySlashed.has(index) && isSlashableValidator(validators.getReadonly(index), epoch)
  if (!offenders(slashing).some(slashable)) throw new Error('None of the validators in both attestations can be slashed')
}

function checkCredentialChange(state: CachedBeaconStateElectra, change: capella.SignedBLSToExecutionChange, signatures: boolean): void {
  const { validatorIndex } = change.message
  if (validatorIndex >= state.validators.length) throw new Error(`Validator ${validatorIndex} is not known`)
  const result = isValidBlsToExecutionChange(state.config, state.validators.getReadonly(validatorIndex), change, signatures)
  if (!result.valid) throw result.error
}

function checked(check: () => void): void {
  try {
    check()
  } catch (error) {
    throw new InvalidOperationError(error instanceof Error ? error.message : String(error))
  }
}

function passes(check: () => void): boolean {
  try {
    check()
    return true
  } catch {
    return false
  }
}
