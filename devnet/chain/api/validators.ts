import type { routes } from '@lodestar/api'
import { ApiError } from '@lodestar/api/server'
import { type CachedBeaconStateElectra, computeEpochAtSlot } from '@lodestar/state-transition'
import { getValidatorStatus } from '@lodestar/types'
import { fromHex } from '@lodestar/utils'

type ValidatorId = routes.beacon.ValidatorId

/** The index of a validator given by index or by public key in hex; undefined when the state does not have it. */
export function findValidator(state: CachedBeaconStateElectra, id: ValidatorId): number | undefined {
  const text = String(id)
  let index: number | null
  if (/^\d+$/.test(text)) index = Number(text)
  else if (/^0x[0-9a-f]{96}$/i.test(text)) index = state.epochCtx.pubkeyCache.getIndex(fromHex(text))
  else throw new ApiError(400, `The validator id is ${text}; expected an index or a public key of 48 bytes in hex`)
  // The key cache is shared by all states, so a later state's validators are in it too.
  return index === null || index >= state.validators.length ? undefined : index
}

/** Indices of the validators asked for, without those unknown; all when none is named. */
export function selectValidators(state: CachedBeaconStateElectra, ids: readonly ValidatorId[] | undefined): number[] {
  if (ids === undefined || ids.length === 0) return Array.from({ length: state.validators.length }, (_, index) => index)
  return ids.map((id) => findValidator(state, id)).filter((index) => index !== undefined)
}

export function validatorResponse(state: CachedBeaconStateElectra, index: number): routes.beacon.ValidatorResponse {
  const validator = state.validators.getReadonly(index)
  const status = getValidatorStatus(validator, computeEpochAtSlot(state.slot))
  return { index, balance: state.balances.get(index), status, validator }
}
