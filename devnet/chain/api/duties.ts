import type { Endpoints } from '@lodestar/api'
import { ApiError, type ApplicationMethods } from '@lodestar/api/server'
import {
  type CachedBeaconStateElectra,
  calculateCommitteeAssignments,
  computeEpochAtSlot,
  computeStartSlotAtEpoch,
  computeSyncPeriodAtEpoch,
} from '@lodestar/state-transition'
import { toRootHex } from '@lodestar/utils'
import { attesterDependentRoot, proposerDependentRoot } from '../beacon/dependent-roots.ts'
import type { ApiContext } from './context.ts'

type Methods = Pick<
  ApplicationMethods<Endpoints['validator']>,
  'getAttesterDuties' | 'getProposerDuties' | 'getProposerDutiesV2' | 'getSyncCommitteeDuties' | 'getLiveness'
>

/** Who has to do what when. */
export function dutyMethods({ chain }: ApiContext): Methods {
  /** The head's state, in the current epoch even when its slots are still empty. */
  const now = (): CachedBeaconStateElectra => chain.states.advanced(chain.head, chain.clock.slot)
  /** A state that knows an epoch's duties: that epoch's last one, or the current one. Throws ForgottenStateError. */
  const knowing = (epoch: number): CachedBeaconStateElectra =>
    epoch < computeEpochAtSlot(chain.clock.slot) ? chain.states.at(computeStartSlotAtEpoch(epoch + 1) - 1) : now()
  const pubkey = (state: CachedBeaconStateElectra, index: number): Uint8Array => state.validators.getReadonly(index).pubkey
  const known = (state: CachedBeaconStateElectra, indices: readonly number[]): number[] =>
    indices.filter((index) => index < state.validators.length)

  const proposers = (epoch: number) => {
    const state = knowing(epoch)
    const current = computeEpochAtSlot(state.slot)
    let indices: number[] | null = null
    if (epoch === current) indices = state.epochCtx.getBeaconProposers()
    else if (epoch === current + 1) indices = state.epochCtx.getBeaconProposersNextEpoch()
    if (indices === null) throw new ApiError(400, `Proposers of epoch ${epoch} are not known in epoch ${current}`)
    const start = computeStartSlotAtEpoch(epoch)
    const data = indices.map((validatorIndex, i) => ({ slot: start + i, validatorIndex, pubkey: pubkey(state, validatorIndex) }))
    return { data, meta: { executionOptimistic: false, dependentRoot: toRootHex(proposerDependentRoot(chain, state, epoch)) } }
  }

  return {
    async getAttesterDuties({ epoch, indices }) {
      const state = knowing(epoch)
      const current = computeEpochAtSlot(state.slot)
      const shuffling = epoch <= current + 1 ? state.epochCtx.getShufflingAtEpochOrNull(epoch) : null
      if (shuffling === null) throw new ApiError(400, `Committees of epoch ${epoch} are not known in epoch ${current}`)
      const duties = [...calculateCommitteeAssignments(shuffling, known(state, indices)).values()]
      return {
        data: duties.map((duty) => ({ ...duty, pubkey: pubkey(state, duty.validatorIndex) })),
        meta: { executionOptimistic: false, dependentRoot: toRootHex(attesterDependentRoot(chain, state, epoch)) },
      }
    },

    async getProposerDuties({ epoch }) {
      return proposers(epoch)
    },

    async getProposerDutiesV2({ epoch }) {
      return proposers(epoch)
    },

    async getSyncCommitteeDuties({ epoch, indices }) {
      const state = now()
      const { epochCtx } = state
      const current = computeSyncPeriodAtEpoch(computeEpochAtSlot(state.slot))
      const period = computeSyncPeriodAtEpoch(epoch)
      if (period !== current && period !== current + 1) {
        throw new ApiError(400, `The sync committee of epoch ${epoch} is not known in epoch ${computeEpochAtSlot(state.slot)}`)
      }
      const { validatorIndexMap } = period === current ? epochCtx.currentSyncCommitteeIndexed : epochCtx.nextSyncCommitteeIndexed
      const data = known(state, indices).flatMap((validatorIndex) => {
        const positions = validatorIndexMap.get(validatorIndex)
        if (positions === undefined) return []
        return [{ validatorIndex, pubkey: pubkey(state, validatorIndex), validatorSyncCommitteeIndices: positions }]
      })
      return { data, meta: { executionOptimistic: false } }
    },

    async getLiveness({ epoch, indices }) {
      const state = now()
      const current = computeEpochAtSlot(state.slot)
      if (epoch !== current && epoch !== current - 1) {
        throw new ApiError(400, `Participation in epoch ${epoch} is not known in epoch ${current}`)
      }
      const participation = epoch === current ? state.currentEpochParticipation : state.previousEpochParticipation
      return { data: known(state, indices).map((index) => ({ index, isLive: participation.get(index) !== 0 })) }
    },
  }
}
