import type { Endpoints, routes } from '@lodestar/api'
import { ApiError, type ApplicationMethods } from '@lodestar/api/server'
import { EPOCHS_PER_HISTORICAL_VECTOR, ForkName, SYNC_COMMITTEE_SUBNET_COUNT, SYNC_COMMITTEE_SUBNET_SIZE } from '@lodestar/params'
import {
  type CachedBeaconStateElectra,
  computeEpochAtSlot,
  computeStartSlotAtEpoch,
  computeSyncPeriodAtEpoch,
  getRandaoMix,
} from '@lodestar/state-transition'
import type { ApiContext } from './context.ts'
import { resolveState } from './ids.ts'
import { findValidator, selectValidators, validatorResponse } from './validators.ts'

type Methods = Pick<
  ApplicationMethods<Endpoints['beacon']>,
  | 'getStateRoot'
  | 'getStateFork'
  | 'getStateRandao'
  | 'getStateFinalityCheckpoints'
  | 'getStateValidator'
  | 'getStateValidators'
  | 'postStateValidators'
  | 'postStateValidatorIdentities'
  | 'getStateValidatorBalances'
  | 'postStateValidatorBalances'
  | 'getEpochCommittees'
  | 'getEpochSyncCommittees'
  | 'getPendingDeposits'
  | 'getPendingPartialWithdrawals'
  | 'getPendingConsolidations'
>

type ValidatorFilter = { validatorIds?: routes.beacon.ValidatorId[]; statuses?: routes.beacon.ValidatorStatus[] }

/** Views of a beacon state. */
export function stateMethods({ chain }: ApiContext): Methods {
  const validators = (stateId: routes.beacon.StateId, filter: ValidatorFilter) => {
    const { state, meta } = resolveState(chain, stateId)
    const data = selectValidators(state, filter.validatorIds).map((index) => validatorResponse(state, index))
    const { statuses } = filter
    const wanted = statuses === undefined || statuses.length === 0 ? data : data.filter(({ status }) => isAmong(status, statuses))
    return { data: wanted, meta }
  }
  const balances = (stateId: routes.beacon.StateId, ids?: routes.beacon.ValidatorId[]) => {
    const { state, meta } = resolveState(chain, stateId)
    return { data: selectValidators(state, ids).map((index) => ({ index, balance: state.balances.get(index) })), meta }
  }
  const versioned = <T>(stateId: routes.beacon.StateId, view: (state: CachedBeaconStateElectra) => T) => {
    const { state, meta } = resolveState(chain, stateId)
    return { data: view(state), meta: { ...meta, version: ForkName.electra as const } }
  }

  return {
    async getStateRoot({ stateId }) {
      const { state, meta } = resolveState(chain, stateId)
      return { data: { root: state.hashTreeRoot() }, meta }
    },

    async getStateFork({ stateId }) {
      const { state, meta } = resolveState(chain, stateId)
      return { data: state.fork.toValue(), meta }
    },

    async getStateRandao({ stateId, epoch }) {
      const { state, meta } = resolveState(chain, stateId)
      const current = computeEpochAtSlot(state.slot)
      const wanted = epoch ?? current
      if (wanted > current || wanted + EPOCHS_PER_HISTORICAL_VECTOR <= current) {
        throw new ApiError(400, `The state of epoch ${current} has no randao mix of epoch ${wanted}`)
      }
      return { data: { randao: getRandaoMix(state, wanted) }, meta }
    },

    async getStateFinalityCheckpoints({ stateId }) {
      const { state, meta } = resolveState(chain, stateId)
      const data = {
        previousJustified: state.previousJustifiedCheckpoint.toValue(),
        currentJustified: state.currentJustifiedCheckpoint.toValue(),
        finalized: state.finalizedCheckpoint.toValue(),
      }
      return { data, meta }
    },

    async getStateValidator({ stateId, validatorId }) {
      const { state, meta } = resolveState(chain, stateId)
      const index = findValidator(state, validatorId)
      if (index === undefined) throw new ApiError(404, `There is no validator ${validatorId}`)
      return { data: validatorResponse(state, index), meta }
    },

    async getStateValidators({ stateId, ...filter }) {
      return validators(stateId, filter)
    },

    async postStateValidators({ stateId, ...filter }) {
      return validators(stateId, filter)
    },

    async postStateValidatorIdentities({ stateId, validatorIds }) {
      const { state, meta } = resolveState(chain, stateId)
      const data = selectValidators(state, validatorIds).map((index) => {
        const { pubkey, activationEpoch } = state.validators.getReadonly(index)
        return { index, pubkey, activationEpoch }
      })
      return { data, meta }
    },

    async getStateValidatorBalances({ stateId, validatorIds }) {
      return balances(stateId, validatorIds)
    },

    async postStateValidatorBalances({ stateId, validatorIds }) {
      return balances(stateId, validatorIds)
    },

    async getEpochCommittees({ stateId, epoch, index, slot }) {
      const { state, meta } = resolveState(chain, stateId)
      const wanted = epoch ?? computeEpochAtSlot(slot ?? state.slot)
      const shuffling = state.epochCtx.getShufflingAtEpochOrNull(wanted)
      if (shuffling === null) throw new ApiError(400, `The state of slot ${state.slot} does not know the committees of epoch ${wanted}`)
      const start = computeStartSlotAtEpoch(wanted)
      const data = shuffling.committees.flatMap((committees, i) =>
        committees.map((members, committeeIndex) => ({ index: committeeIndex, slot: start + i, validators: [...members] })),
      )
      const matches = (each: { index: number; slot: number }): boolean =>
        (index === undefined || each.index === index) && (slot === undefined || each.slot === slot)
      return { data: data.filter(matches), meta }
    },

    async getEpochSyncCommittees({ stateId, epoch }) {
      const { state, meta } = resolveState(chain, stateId)
      const current = computeSyncPeriodAtEpoch(computeEpochAtSlot(state.slot))
      const period = epoch === undefined ? current : computeSyncPeriodAtEpoch(epoch)
      if (period !== current && period !== current + 1) {
        throw new ApiError(400, `The state of slot ${state.slot} does not know the sync committee of epoch ${epoch}`)
      }
      const { epochCtx } = state
      const { validatorIndices } = period === current ? epochCtx.currentSyncCommitteeIndexed : epochCtx.nextSyncCommitteeIndexed
      const members = [...validatorIndices]
      const validatorAggregates = Array.from({ length: SYNC_COMMITTEE_SUBNET_COUNT }, (_, i) =>
        members.slice(i * SYNC_COMMITTEE_SUBNET_SIZE, (i + 1) * SYNC_COMMITTEE_SUBNET_SIZE),
      )
      return { data: { validators: members, validatorAggregates }, meta }
    },

    async getPendingDeposits({ stateId }) {
      return versioned(stateId, (state) => state.pendingDeposits.toValue())
    },

    async getPendingPartialWithdrawals({ stateId }) {
      return versioned(stateId, (state) => state.pendingPartialWithdrawals.toValue())
    },

    async getPendingConsolidations({ stateId }) {
      return versioned(stateId, (state) => state.pendingConsolidations.toValue())
    },
  }
}

/** A filter names a status or the general one before its underscore, like `active`. */
function isAmong(status: string, wanted: readonly string[]): boolean {
  return wanted.some((each) => status === each || status.startsWith(`${each}_`))
}
